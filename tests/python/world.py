"""An AWS for one test: moto behind a recorder, ruled by JSON commands.

    world.py LOG

Prints `{"ok": {"recorded": URL, "direct": URL}}` when it serves: trueup gets the recorded address, everybody else the
direct one. Then every line on stdin is a command `{"do": NAME, …}`, answered by one line on stdout: `{"ok": …}` or
`{"error": TEXT}`. Ends with its stdin, so that it cannot outlive the test that started it.
"""

import json
import logging
import os
import sys
import traceback
from threading import Thread

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

import client as aws
import infrastructure
import requests_model
from enforcement import Enforcement
from recorder import Recorder


def serve(application):
    """Serves on a free port of the loopback interface; gives the address."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def readable(request):
    """A request as tests look at it: the input parsed, the transport left out."""
    try:
        _, _, params = requests_model.read(request)
    except requests_model.Violation:
        params = None
    kept = ("number", "service", "operation", "mutating", "state", "status", "answer")
    return {**{key: request[key] for key in kept if key in request}, "input": params}


def commands(recorder, client, enforcement):
    """The commands by name. Each takes its members of the command as arguments."""

    def requests(since):
        return [readable(request) for request in recorder.requests[since:]]

    def violations():
        found = [(r["number"], text) for r in recorder.requests for text in requests_model.violations(r)]
        return [f"request {number}: {text}" for number, text in found]

    return {
        "call": lambda service, operation, params: aws.call(client, service, operation, params),
        "infrastructure": lambda: infrastructure.create(client),
        "push_image": lambda **image: infrastructure.push_image(client, **image),
        "count": lambda: len(recorder.requests),
        "requests": requests,
        "violations": violations,
        "inject": recorder.inject,
        "release": recorder.release,
        "wait_for": recorder.wait_for,
        "wait_for_rest": recorder.wait_for_rest,
        "enforce": enforcement.begin,
        "allow": lambda policy, without: enforcement.allow(policy, without),
        "replay": enforcement.replay,
        "running": lambda count: os.environ.__setitem__("MOTO_ECS_SERVICE_RUNNING", str(count)),
    }


def main(log):
    # What libraries print must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    application = DomainDispatcherApplication(create_backend_app)
    recorder = Recorder(application, log)
    recorded, direct = serve(recorder), serve(application)
    client = aws.Clients(direct)
    known = commands(recorder, client, Enforcement(direct, client, recorder))
    answer({"ok": {"recorded": recorded, "direct": direct}})
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer({"ok": known[command.pop("do")](**command)})
        except Exception as error:  # the other side decides what a failure means
            traceback.print_exc()
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main(sys.argv[1])
