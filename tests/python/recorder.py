"""Stands in front of moto: records every request, and makes some of them fail or wait when a test asks for it."""

import io
import json
from threading import Condition

import enforcement
import requests_model

READS = ("Describe", "List", "Get", "BatchGet", "BatchCheck")
ANSWER_CHARACTERS_MAX = 20_000
STALL_SECONDS_MAX = 300


def refusal(status, raw):
    """What a request that a test makes fail is answered. With a 4xx it repeats of the request what it does not like, as AWS's
    services do: here what stands behind `environment`."""
    if status >= 500:
        return {"__type": "ServerException", "message": "made to fail by the test"}
    _, found, value = raw.decode("utf-8", "replace").partition('"environment"')
    said = f"made to fail by the test: some constraint is not satisfied by '{found}{value}'"
    return {"__type": "InvalidParameterException", "message": said}


class Recorder:
    """A WSGI application around another one.

    Every request becomes a dictionary in `requests` when it arrives, and gets its `status` when it is answered. A
    request that never reached moto has `reached: false`. All are appended to the file `log` as JSON Lines too.
    """

    def __init__(self, application, log):
        self._application = application
        self._log = open(log, "w", encoding="utf-8", buffering=1)
        self._faults = []
        self._changed = Condition()
        self.requests = []

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(raw)
        request = self._arrived(environ, raw)
        fault = self._fault_for(request)
        if fault and not self._let_through(fault, request):
            status = fault["status"]
            self._answered(request, status, "", reached=False)
            body = json.dumps(refusal(status, raw)).encode()
            start_response(f"{status} Made to fail", [("Content-Type", "application/x-amz-json-1.1")])
            return [body]

        answer = {}

        def remember(status, headers, exc_info=None):
            answer.update(status=status, headers=headers, exc_info=exc_info)

        try:
            body = b"".join(self._application(environ, remember))
        except Exception as error:
            # An operation that moto lacks: its server makes a page with the status 500 of it.
            self._answered(request, 500, f"{type(error).__name__}: {error}", reached=True)
            raise
        if enforcement.is_refusal(body):
            answer["status"], answer["headers"], body = enforcement.in_the_apis_words(request, body)
        start_response(answer["status"], answer["headers"], answer["exc_info"])
        self._answered(request, int(answer["status"].split()[0]), body.decode("utf-8", "replace"), reached=True)
        return [body]

    def inject(self, operation, action, times=1, status=500):
        """Makes the next `times` requests of `operation` fail with `status` ("fail"), or wait ("stall")."""
        with self._changed:
            self._faults.append({"operation": operation, "do": action, "times": times, "status": status, "then": None})

    def release(self, operation, then):
        """Ends the waiting of stalled requests: they go on to moto ("forward"), or never get there ("drop")."""
        with self._changed:
            for fault in self._faults:
                if fault["operation"] == operation and fault["do"] == "stall":
                    fault["then"], fault["times"] = then, 0
            self._changed.notify_all()

    def wait_for(self, operation, since, count, limit, stalled=False):
        """Waits until `count` requests of `operation` have been answered (or stand still) after the first `since`."""
        state = "stalled" if stalled else "answered"

        def enough():
            return [r for r in self.requests[since:] if r["operation"] == operation and r["state"] == state]

        return self._wait(lambda: len(enough()) >= count, limit)

    def wait_for_rest(self, operation, since, count, limit):
        """Waits until the last `count` requests of `operation` had no mutating request between or after them."""

        def resting():
            seen = 0
            for request in reversed(self.requests[since:]):
                if request["mutating"]:
                    return False
                seen += request["operation"] == operation and request["state"] == "answered"
                if seen >= count:
                    return True
            return False

        return self._wait(resting, limit)

    def _wait(self, condition, limit):
        with self._changed:
            return self._changed.wait_for(condition, timeout=limit)

    def _arrived(self, environ, raw):
        headers = {k[5:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("HTTP_")}
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        headers.pop("authorization", None)
        request = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "headers": headers,
            "body": raw.decode("utf-8", "replace"),
            "state": "arrived",
            "status": None,
        }
        request["service"], request["operation"] = requests_model.names(request)
        request["mutating"] = not (request["operation"] or "").startswith(READS)
        with self._changed:
            request["number"] = len(self.requests)
            self.requests.append(request)
            self._changed.notify_all()
        return request

    def _fault_for(self, request):
        with self._changed:
            for fault in self._faults:
                if fault["operation"] == request["operation"] and fault["times"] > 0:
                    if fault["do"] == "fail":
                        fault["times"] -= 1
                    return fault
        return None

    def _let_through(self, fault, request):
        if fault["do"] == "fail":
            return False
        with self._changed:
            request["state"] = "stalled"
            self._changed.notify_all()
            self._changed.wait_for(lambda: fault["then"] is not None, timeout=STALL_SECONDS_MAX)
            return fault["then"] == "forward"

    def _answered(self, request, status, answer, reached):
        with self._changed:
            request.update(state="answered", status=status, reached=reached)
            if status >= 400:
                request["answer"] = answer[:ANSWER_CHARACTERS_MAX]
            self._log.write(json.dumps(request) + "\n")
            self._changed.notify_all()
