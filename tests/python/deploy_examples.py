"""deploy/examples: what the schemas of GitHub's workflows and GitLab's pipelines take; every command and flag of trueup in
them exists; their change of a tag changes that tag.

    deploy_examples.py REPOSITORY PROGRAM
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

# By the schema that check-jsonschema brings for each.
EXAMPLES = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}
# Something of each, and what its schema does not take in its place.
MISTAKES = {"github-actions.yml": ("runs-on:", "runs-upon:"), "gitlab-ci.yml": ("when: always", "when: sometimes")}
TAG = "5f2b9d1c0a7e4c35b6f0"


def scripts(value):
    """Every script: `run` of GitHub's steps, `script` and `before_script` of GitLab's jobs."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("run", "script", "before_script"):
                lines = inner if isinstance(inner, list) else [inner]
                # An unquoted line with a colon in it becomes a mapping, which is no script.
                assert all(isinstance(line, str) for line in lines), lines
                yield from lines
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def commands(script):
    """The words of every call of trueup in a shell script."""
    script = re.sub(r"\\\n\s*", " ", script)
    for line in script.splitlines():
        line = line.strip()
        if re.match(r"trueup\s+[^(\s]", line):
            words = shlex.split(line, comments=True)[1:]
            end = next((at for at, word in enumerate(words) if re.match(r"[|&;<>]|\d?>", word)), len(words))
            yield words[:end]


def variables(value):
    """The names of every variable that is set anywhere."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("env", "variables") and isinstance(inner, dict):
                yield from inner
            yield from variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from variables(inner)


def helps(program, *command):
    finished = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"`trueup {' '.join(command)}` does not exist: {finished.stderr}"
    return finished.stdout


def validated(schema, file):
    """What the schema has against a file."""
    # Its cache is for schemas from the network, which these are not.
    command = [sys.executable, "-m", "check_jsonschema", "--no-cache", "--builtin-schema", schema, file]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.returncode, finished.stdout + finished.stderr


def check_schema(name, file):
    code, said = validated(EXAMPLES[name], file)
    assert code == 0, said
    with tempfile.TemporaryDirectory() as directory:
        wrong = Path(directory) / name
        wrong.write_text(file.read_text().replace(*MISTAKES[name]))
        code, said = validated(EXAMPLES[name], wrong)
    assert code == 1 and "Schema validation errors" in said, f"{name}: the schema is not looked at: {said}"


def check_commands(program, name, tree):
    used = [words for script in scripts(tree) for words in commands(script)]
    assert {words[0] for words in used} == {"check", "plan"}, f"{name} calls {used}"
    for subcommand, *words in used:
        text = helps(program, subcommand)
        flags = [word.split("=")[0] for word in words if word.startswith("--")]
        for flag in flags:
            assert re.search(rf"^\s+(-\w, )?{flag}\b", text, re.M), f"{name}: `trueup {subcommand}` has no {flag}"
        if "--format" in words:
            # clap prints what a flag may be.
            given = words[words.index("--format") + 1]
            assert re.search(rf"--format .*?(possible values:[^\]]*\b{given}\b|^\s+- {given}:)", text, re.S | re.M), given
    # Variables are flags too: those that git's own secret comes in are in the help's text.
    text = helps(program, "plan")
    for variable in variables(tree):
        if variable.startswith("TRUEUP_"):
            assert variable in text, f"{name} sets {variable}, which `trueup plan` does not know"


def check_images(name, tree):
    """Images are built for the platform that tasks run on, whatever machine the runner is."""
    builds = [line for script in scripts(tree) for line in script.splitlines() if " buildx build " in line]
    assert builds and all("--platform linux/amd64" in line and "--push" in line for line in builds), f"{name}: {builds}"


def check_tag(repository, program, name, tree):
    """The line that writes the new tag, run on the example."""
    (line,) = [line for script in scripts(tree) for line in script.splitlines() if line.strip().startswith("sed ")]
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "desired-state"
        shutil.copytree(repository / "desired-state", state)
        before = (state / "elearning/app.toml").read_text()
        line = line.replace("state/desired-state", "desired-state")
        subprocess.run(["sh", "-ec", line], cwd=directory, env={**os.environ, "TAG": TAG}, check=True)
        after = (state / "elearning/app.toml").read_text()
        backend, frontend = after.split("[images.frontend]")
        assert f'tag = "{TAG}"' in backend and TAG not in frontend, f"{name} makes\n{after}"
        assert after.replace(TAG, "latest") == before, f"{name} changes more than a tag:\n{after}"
        checked = subprocess.run([program, "check", state], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked


def main(repository, program):
    assert {file.name for file in (repository / "deploy/examples").iterdir()} == set(EXAMPLES)
    for name in EXAMPLES:
        check_schema(name, repository / "deploy/examples" / name)
        tree = yaml.safe_load((repository / "deploy/examples" / name).read_text())
        for script in scripts(tree):
            parsed = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
            assert parsed.returncode == 0, f"{name} is no shell: {parsed.stderr}\n{script}"
        check_commands(program, name, tree)
        check_images(name, tree)
        check_tag(repository, program, name, tree)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
