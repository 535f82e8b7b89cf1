"""Plays one table of calls to the simulator and to moto, and compares the shapes of their answers.

Differences stand in `differences.toml` with the reason who is right. One that is not listed fails, and so does one that is
listed and no longer there.

    compare.py [--show]    shows all differences, as TOML to be completed
"""

import logging
import os
import sys
from pathlib import Path

# moto's services run so many tasks.
os.environ["MOTO_ECS_SERVICE_RUNNING"] = "1"

import tomli  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

import surroundings  # noqa: E402
import table  # noqa: E402
from aws import Aws  # noqa: E402
from shapes import ABSENT, differences, outline  # noqa: E402

LISTED = Path(__file__).with_name("differences.toml")


def play(endpoint, make_surroundings):
    """Plays the table to one side; the outlines of its answers by the names of the steps."""
    aws = Aws(endpoint)
    side = table.Side(aws, make_surroundings(aws))
    table.play(side)
    return {name: outline(answer) for name, answer in side.answers.items()}


def compare():
    """All differences: `(step, path, in the simulator, in moto)`."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    try:
        host, port = server.get_host_and_port()
        moto = play(f"http://{host}:{port}", surroundings.make_in_moto)
    finally:
        server.stop()
    simulator = play(os.environ["AWS_ENDPOINT_URL"], surroundings.of_simulator)
    assert simulator.keys() == moto.keys(), simulator.keys() ^ moto.keys()
    print(f"{len(moto)} steps were compared")
    return [(name, *found) for name in simulator for found in differences(simulator[name], moto[name])]


def what(one, other):
    """A difference in a word or two."""
    if one == ABSENT:
        return "only in moto"
    return "only in the simulator" if other == ABSENT else f"{one}; moto: {other}"


def judge(found):
    """What is wrong with the list, as texts."""
    with LISTED.open("rb") as file:
        listed = tomli.load(file)["difference"]
    wrong, seen = [], set()
    for number, entry in enumerate(listed):
        if entry["right"] not in ("simulator", "moto", "both", "neither"):
            wrong.append(f"who is right? {entry}")
        for step in entry["steps"]:
            for path in entry["paths"]:
                if (step, path) in seen:
                    wrong.append(f"listed twice: {step} {path}")
                seen.add((step, path))
        there = {(step, path) for step, path, one, other in found if what(one, other) == entry["what"]}
        for step in entry["steps"]:
            if not any((step, path) in there for path in entry["paths"]):
                wrong.append(f"no longer a difference ({entry['what']}): {step}, none of {entry['paths']}")
        for path in entry["paths"]:
            if not any((step, path) in there for step in entry["steps"]):
                wrong.append(f"no longer a difference ({entry['what']}): {path} in none of {entry['steps']}")
    known = {(step, path, entry["what"]) for entry in listed for step in entry["steps"] for path in entry["paths"]}
    wrong += [
        f"not listed: {step} {path}: {what(one, other)}"
        for step, path, one, other in found
        if (step, path, what(one, other)) not in known
    ]
    return wrong


found = compare()
if "--show" in sys.argv:
    for step, path, one, other in found:
        print(f"{step:45} {path:60} {what(one, other)}")
else:
    wrong = judge(found)
    assert not wrong, f"differences from moto ({LISTED.name} says which are expected):\n" + "\n".join(wrong)
    print(f"{len(found)} differences, all of them listed")
