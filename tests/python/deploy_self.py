"""deploy/self: what trueup keeps of itself is what the stack of deploy/cloudformation.yaml made, so that taking it over
deploys nothing.

    deploy_self.py REPOSITORY TRUEUP
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import deploy_template
import stack_types
from moto import mock_aws

URL = "https://github.com/example/infrastructure"


def resolved(document, stack, subnets, token):
    """A document's text with its references as trueup would resolve them."""
    known = {
        "${image.trueup}": deploy_template.IMAGE,
        "${region}": "eu-west-1",
        "${var.repository}": URL,
        "${secret.trueup/git-token}": token,
        "subnet-0123456789abcdef0": subnets[0],
        "subnet-0123456789abcdef1": subnets[1],
    }
    known |= {f"${{stack.trueup.{name}}}": str(value) for name, value in stack.ids.items()}
    text = document.read_text()
    for reference, value in known.items():
        text = text.replace(reference, value)
    assert "${" not in text, text
    return text


def drift(trueup, kind, desired, live):
    """What `trueup diff` finds between a document's text and an answer of AWS."""
    with tempfile.TemporaryDirectory() as directory:
        ours, theirs = Path(directory) / f"{kind}.toml", Path(directory) / "live.json"
        ours.write_text(desired)
        theirs.write_text(json.dumps(live, default=str))
        finished = subprocess.run(
            [trueup, "diff", "--kind", kind, "--format", "json", ours, theirs], capture_output=True, text=True, check=False
        )
    assert finished.returncode in (0, 1), finished.stderr
    return json.loads(finished.stdout)["changes"]


@mock_aws
def main(repository, trueup):
    stack_types.teach()
    around = deploy_template.surroundings()
    stack = deploy_template.Stack(
        repository / "deploy/cloudformation.yaml",
        "trueup",
        Mode="apply",
        Image=deploy_template.IMAGE,
        Repository=URL,
        ManagedClusters="tools",
        GitTokenSecretArn=around["token"],
        **around["network"],
    )
    subnets = around["network"]["SubnetIds"].split(",")
    own = repository / "deploy/self/trueup"
    # moto makes up the family's name.
    definition = {**stack.task_definition(), "family": "trueup"}
    compared = (("task-definition", definition), ("service", stack.service()))
    for kind, live in compared:
        desired = resolved(own / f"{kind}.toml", stack, subnets, around["token"])
        assert drift(trueup, kind, desired, live) == [], f"{kind}: {drift(trueup, kind, desired, live)}"
        # And a difference would be seen.
        other = desired.replace("stopTimeout = 30", "stopTimeout = 31").replace("maximumPercent = 100", "maximumPercent = 200")
        assert len(drift(trueup, kind, other, live)) == 1, kind
    checked = subprocess.run([trueup, "check", repository / "deploy/self"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), checked


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
