"""deploy/Dockerfile: the image has what trueup needs, nothing else, and trueup runs in it, without an engine.

    deploy_image.py REPOSITORY PROGRAM

The final stage begins with nothing and only copies, so its file system follows from its own lines: what the build stage
lays out with deploy/image-root (run here with PROGRAM), copied to where COPY says, owned by whom it says. In that root,
read-only but for the volume, as the user of the Dockerfile and with nothing else of this machine, PROGRAM is run.
"""

import base64
import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import tomli

# What would let an intruder do more than trueup does.
NO_SUCH = re.compile(r"/(sh|bash|dash|busybox|git|ssh|curl|wget|python\d*|perl|apt|apt-get|dpkg|env)$")
NEEDED = {
    "/usr/local/bin/trueup", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssh/ssh_known_hosts",
}  # fmt: skip
LIBRARY = re.compile(r"/(lib|lib64|usr/lib)(/[\w-]+-linux-gnu)?/[\w.+-]+\.so[\d.]*$")
FINAL_INSTRUCTIONS = {"COPY", "VOLUME", "ENV", "USER", "STOPSIGNAL", "ENTRYPOINT", "CMD"}


def stages(dockerfile):
    """The stages: each its base and its instructions (name, rest)."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.M)
    text = re.sub(r"\\\n", " ", text)
    lines = [line.strip().split(None, 1) for line in text.splitlines() if line.strip()]
    found, arguments = [], {}
    for instruction, rest in lines:
        if instruction == "FROM":
            found.append((rest, []))
        elif found:
            found[-1][1].append((instruction, rest))
        else:
            assert instruction == "ARG", instruction
            arguments.update([rest.split("=", 1)])
    return arguments, found


def copied(repository):
    """The files that `.dockerignore` lets into the build: everything is left out but the lines with `!`."""
    lines = [line for line in (repository / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*" and all(line[0] == "!" for line in lines[1:]), lines
    return [line[1:] for line in lines[1:]]


def check_context(repository, scratch):
    """What is copied into the build stage is a workspace that cargo takes, with all that its sources include."""
    context = scratch / "context"
    for name in copied(repository):
        source, target = repository / name, context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("target", "__pycache__"))
        else:
            shutil.copy(source, target)
    command = ["cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=context, capture_output=True, text=True, check=True).stdout)
    assert any(package["name"] == "trueup" for package in metadata["packages"]), metadata
    shipped = [source for crate in context.glob("crates/*/src") for source in crate.rglob("*.rs")]
    for source in shipped:
        if is_of_tests(source.relative_to(context)):
            continue
        for name in included(source.read_text()):
            assert (source.parent / name).is_file(), f"{source} includes {name}, which .dockerignore leaves out"


def is_of_tests(source):
    """Whether a whole file is compiled for tests alone: `tests.rs`, what lies in `tests/`, `handbook_tests.rs`."""
    return any(part == "tests" or part.endswith("_tests") for part in source.with_suffix("").parts)


def included(text):
    """The files that a source includes when it is not compiled for tests, whose module in a file is its end."""
    shipped = re.split(r"^#\[cfg\(test\)\]\nmod \w+ \{$", text, maxsplit=1, flags=re.M)[0]
    return re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', shipped)


def check_included():
    """A file that the image's build lacks would be seen, and one that tests alone include is not needed there."""
    source = 'const A: &str = include_str!("a");\nfn b() { include_bytes!(\n    "b"\n) }\n'
    tests = '#[cfg(test)]\nmod tests {\n    const C: &str = include_str!("c");\n}\n'
    assert included(source) == included(source + tests) == ["a", "b"], included(source + tests)
    assert included("#[cfg(test)]\nmod tests;\n" + source) == ["a", "b"]
    names = {"src/tests.rs": True, "src/tests/a.rs": True, "src/a_tests.rs": True, "src/attests.rs": False, "src/a.rs": False}
    assert {name: is_of_tests(Path(name)) for name in names} == names


def check_versions(repository, arguments):
    with open(repository / "Cargo.toml", "rb") as file:
        workspace = tomli.load(file)
    assert arguments == {"RUST": workspace["workspace"]["package"]["rust-version"]}, arguments
    assert "dist" in workspace["profile"]


def lay_out(repository, program, scratch, build, final):
    """The image's root, as the Dockerfile's own lines make it."""
    (command,) = [rest for name, rest in build if name == "RUN" and "deploy/image-root" in rest]
    places = {"/trueup": program, "/image": scratch / "image", "/cache": scratch / "cache"}
    words = [str(places.get(word, word)) for word in shlex.split(command)]
    assert not any(word.startswith("/") and not Path(word).is_relative_to(scratch) and word != str(program) for word in words)
    script = " ".join(word if word == "&&" else shlex.quote(word) for word in words)
    subprocess.run(["sh", "-ec", script], cwd=repository, check=True)

    root = scratch / "root"
    root.mkdir()
    for name, rest in final:
        if name != "COPY":
            continue
        *flags, source, target = rest.split()
        flags = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
        assert flags.pop("from") == "build", rest
        source, target = scratch / source.lstrip("/"), root / target.lstrip("/")
        assert source.is_relative_to(scratch) and target.is_relative_to(root), rest
        shutil.copytree(source, target, dirs_exist_ok=target == root)
        owner = [int(number) for number in flags.pop("chown", "0:0").split(":")]
        if os.geteuid() == 0:
            for path in [target, *target.rglob("*")]:
                os.chown(path, *owner)
        assert not flags, flags
    return root


def listing(root):
    """Every file with its mode and content: what must not change by running."""
    entries = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        entries["/" + str(path.relative_to(root))] = (status.st_mode, status.st_uid, content)
    return entries


def check_content(root, user, volume):
    entries = listing(root)
    files = {path for path, (mode, _, _) in entries.items() if not stat.S_ISDIR(mode)}
    libraries = {path for path in files if LIBRARY.match(path)}
    assert files == NEEDED | libraries, files ^ (NEEDED | libraries)
    assert not [path for path in files if NO_SUCH.search(path)], files
    # The program's own libraries, and no more than it takes.
    assert any("ld-linux" in path for path in libraries) and len(libraries) < 12, libraries
    for path, (mode, owner, _) in entries.items():
        assert not mode & (stat.S_ISUID | stat.S_ISGID), f"{path} changes who runs it"
        if path == volume:
            assert owner == (user if os.geteuid() == 0 else os.geteuid()), f"{volume} belongs to {owner}"
        elif os.geteuid() == 0:
            assert owner == 0 and not mode & 0o022, f"{path} can be written: {owner} {oct(mode)}"
    passwd = (root / "etc/passwd").read_text()
    assert f":{user}:" in passwd and ":0:" not in passwd, passwd
    assert (root / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE") > 50
    check_known_hosts((root / "etc/ssh/ssh_known_hosts").read_text())


class Container:
    """The image's root as an engine would run it: read-only, one volume, the Dockerfile's user and environment."""

    # In namespaces of its own: the volume over the root, the root read-only, then a root of its own, and the user.
    # Two steps, because who mounts must be root there, and whoever runs must not.
    MOUNT = 'mount --bind "$0" "$0" && mount --bind "$1" "$0$2" && mount -o remount,ro,bind "$0" && shift 2 && exec "$@"'

    def __init__(self, root, volume, user, environment, entrypoint):
        self.root, self.volume, self.user = root, volume, user
        self.environment, self.entrypoint = environment, entrypoint
        self.outer = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
        probe = ["sh", "-c", 'mount --bind "$0" "$0"', root]
        self.mounts = subprocess.run([*self.outer, *probe], capture_output=True, check=False).returncode == 0
        if not self.mounts:
            # Root in a container that may not mount: then it is only the owner of the files that keeps them as they are.
            assert os.geteuid() == 0, "this needs user namespaces, or root: `unshare --user --mount` is not allowed"
            print("nothing can be mounted here: the root file system is not read-only", file=sys.stderr)
            self.data = root / volume.lstrip("/")
            return
        self.data = root.parent / "volume"
        # Docker and Fargate begin an empty volume as a copy of the image's directory, its owner too.
        shutil.copytree(root / volume.lstrip("/"), self.data)
        status = (root / volume.lstrip("/")).stat()
        if os.geteuid() == 0:
            os.chown(self.data, status.st_uid, status.st_gid)

    def command(self, *arguments):
        if os.geteuid() == 0:
            inner = ["chroot", f"--userspec={self.user}:{self.user}", "--groups=", self.root]
        else:
            inner = ["unshare", "--user", f"--map-user={self.user}", f"--map-group={self.user}", f"--root={self.root}"]
        mounted = [*self.outer, "sh", "-ec", self.MOUNT, self.root, self.data, self.volume] if self.mounts else []
        return [str(word) for word in [*mounted, *inner, *self.entrypoint, *arguments]]

    def run(self, *arguments, **environment):
        return subprocess.run(
            self.command(*arguments),
            env={"PATH": os.environ["PATH"], **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            self.command(*arguments),
            env={"PATH": os.environ["PATH"], **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def put(self, source, name):
        """Puts a tree into the volume."""
        target = self.data / name
        shutil.copytree(source, target)
        self.give(target)
        return f"{self.volume}/{name}"

    def give(self, target):
        if os.geteuid() == 0:
            for path in [target, *target.rglob("*")]:
                os.chown(path, self.user, self.user)


def check_runs(repository, container):
    version = container.run("--version")
    assert version.returncode == 0 and re.fullmatch(r"trueup \d+\.\d+\.\d+\S*\n", version.stdout), version

    tree = container.put(repository / "desired-state", "desired-state")
    checked = container.run("check", tree)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), checked
    service = container.data / "desired-state/elearning/service.toml"
    service.write_text(service.read_text().replace("desiredCount", "desiredCuont"))
    wrong = container.run("check", tree)
    assert wrong.returncode == 1 and "desiredCuont" in wrong.stdout, wrong

    # What ECS asks, of a daemon that is not there.
    health = container.run("health", TRUEUP_LISTEN="127.0.0.1:1")
    assert health.returncode == 1 and "the daemon at 127.0.0.1:1 does not answer" in health.stderr, health

    # Git, the cache in the volume, threads and the AWS client: as far as one gets without AWS.
    source = container.root.parent / "source"
    shutil.copytree(repository / "desired-state", source / "desired-state")
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "The example"]):
        subprocess.run(["git", *identity, *words], cwd=source, check=True)
    state = container.put(source, "state")
    nowhere = {
        "AWS_ENDPOINT_URL": "https://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
    }  # fmt: skip
    planned = container.run("plan", "--repository", state, "--format", "json", **nowhere)
    assert planned.returncode == 2 and '"elearning"' in planned.stdout, planned
    cached = [path for path in container.data.iterdir() if path.name not in ("desired-state", "state")]
    assert cached, "nothing is in the cache directory of the Dockerfile"
    check_daemon(container, state, nowhere)
    elsewhere = container.run("plan", "--repository", state, "--cache-dir", "/etc/cache", **nowhere)
    refusal = "Read-only file system" if container.mounts else "Permission denied"
    assert elsewhere.returncode == 2 and refusal in elsewhere.stderr, elsewhere


def check_daemon(container, state, nowhere):
    """The command of the task definition runs, its own health check says so, and AWS being away does not change that."""
    listen, hook = (f"127.0.0.1:{port}" for port in free_ports(2))
    variables = {
        "TRUEUP_REPOSITORY": state, "TRUEUP_LISTEN": listen, "TRUEUP_LOG_FORMAT": "json",
        "TRUEUP_WEBHOOK_LISTEN": hook, "TRUEUP_WEBHOOK_SECRET": "canary-of-the-webhook-secret",
    }  # fmt: skip
    daemon = container.start("run", **variables, **nowhere)
    try:
        # Each question waits for the container to start, so that this is no busy waiting.
        health = next(
            (health for health in (container.run("health", TRUEUP_LISTEN=listen) for _ in range(100)) if health.returncode == 0),
            None,
        )
        assert health and (health.stdout, health.stderr) == ("", ""), (health, daemon.poll())
        assert ask(listen, "/healthz")[0] == 200
        status, ready = ask(listen, "/readyz")
        assert status in (200, 503) and "reasons" in ready or "ready" in ready, ready
        assert ask(hook, "/healthz")[0] == 200
    finally:
        daemon.terminate()
        said = "".join(daemon.communicate(timeout=30))
    assert daemon.returncode == 0, said
    assert '"event":"revision.accepted"' in said and "canary" not in said, said


def free_ports(count):
    """Ports that nobody listens at, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def ask(listen, path):
    """The status and the text of a page."""
    try:
        with urllib.request.urlopen(f"http://{listen}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def check_known_hosts(text):
    """Each key is one whose fingerprint its server publishes, as noted beside it."""
    published = set(re.findall(r"SHA256:([A-Za-z0-9+/]{43})", text))
    keys = [line.split() for line in text.splitlines() if line and line[0] != "#"]
    found = {base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=") for _, _, key in keys}
    assert found == published and len(keys) == len(published), found ^ published
    for host in ("github.com", "gitlab.com"):
        kinds = {kind for name, kind, _ in keys if name == host}
        assert kinds == {"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"}, (host, kinds)


def main(repository, program):
    arguments, found = stages(repository / "deploy/Dockerfile")
    (build_base, build), (final_base, final) = found
    assert build_base == "rust:${RUST}-bookworm AS build", build_base
    assert final_base == "scratch", f"{final_base} brings files that nobody chose"
    assert {name for name, _ in final} == FINAL_INSTRUCTIONS, {name for name, _ in final} ^ FINAL_INSTRUCTIONS
    check_versions(repository, arguments)

    settings = {name: rest for name, rest in final if name not in ("COPY", "ENV")}
    environment = dict(rest.split("=", 1) for name, rest in final if name == "ENV")
    user, group = (int(number) for number in settings["USER"].split(":"))
    assert user == group > 0, settings["USER"]
    (volume,) = json.loads(settings["VOLUME"])
    assert environment["TRUEUP_CACHE_DIR"] == volume, environment
    assert json.loads(settings["CMD"]) == ["run"]

    with tempfile.TemporaryDirectory(prefix="trueup-image-") as scratch:
        scratch = Path(scratch).resolve()
        # The user of the image gets through to its root.
        scratch.chmod(0o755)
        check_included()
        check_context(repository, scratch)
        root = lay_out(repository, program, scratch, build, final)
        check_content(root, user, volume)
        assert (root / environment["SSL_CERT_FILE"].lstrip("/")).is_file()
        before = listing(root)
        container = Container(root, volume, user, environment, json.loads(settings["ENTRYPOINT"]))
        check_runs(repository, container)
        after = {path: entry for path, entry in listing(root).items() if not path.startswith(f"{volume}/")}
        assert after == before, "running changed the image"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
