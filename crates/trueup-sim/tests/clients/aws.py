"""boto3's clients at an endpoint, each answer of which is judged."""

import os
import time

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from judge import Answer


class Aws:
    """Clients by service name, each made once: `aws.ecs.list_clusters()`. Keeps all answers."""

    def __init__(self, endpoint=None, protocols=None, **session):
        core = botocore.session.Session()
        for service, protocol in (protocols or {}).items():
            # The loader keeps what it has loaded, so that clients get this.
            metadata = core.get_component("data_loader").load_service_model(service, "service-2")["metadata"]
            metadata["protocols"] = [protocol]
        self._session = boto3.Session(botocore_session=core, **session)
        self._endpoint = endpoint or os.environ["AWS_ENDPOINT_URL"]
        self._clients = {}
        self.answers = []

    def __getattr__(self, name):
        service = name.replace("_", "-")
        if service not in self._clients:
            # An error that the script asks for must not be repeated until it goes away.
            config = Config(retries={"total_max_attempts": 1})
            client = self._session.client(service, endpoint_url=self._endpoint, config=config)
            client.meta.events.register("before-parse", self._keep)
            self._clients[service] = client
        return self._clients[service]

    def _keep(self, operation_model, response_dict, **_):
        # EC2 has a protocol of its own. Networks are made in moto, and not compared.
        if operation_model.service_model.service_name != "ec2":
            self.answers.append(Answer(operation_model, response_dict))

    def violations(self):
        """What all answers so far have wrong, each once."""
        return sorted({text for answer in self.answers for text in answer.violations})

    def done(self):
        """Ends a script: fails when an answer was not what AWS's models allow."""
        found = self.violations()
        calls = sorted({answer.call for answer in self.answers})
        print(f"{len(self.answers)} answers of {len(calls)} operations: {' '.join(calls)}")
        assert not found, "answers that AWS's models do not allow:\n" + "\n".join(found)


def refused(code, call, **params):
    """Makes a call that must be refused with this code, whose class boto3 knows when the model has it; gives the error."""
    try:
        answer = call(**params)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, f"{error} is not {code}"
        return error
    raise AssertionError(f"{code} was expected; the answer is {answer}")


def wait(client, name, **params):
    """Waits with boto3's own waiter, looking ten times a second."""
    client.get_waiter(name).wait(**params, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})


def until(look, good, seconds=30):
    """Looks until what is seen is good; gives it."""
    end = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < end, f"this was seen last: {seen}"
        time.sleep(0.1)
    return seen


def pages(client, name, member, size=None, **params):
    """All items of a paginator, and how many pages they came on."""
    config = {"PageSize": size} if size else {}
    found = list(client.get_paginator(name).paginate(**params, PaginationConfig=config))
    return [item for page in found for item in page.get(member, [])], len(found)


def create_behind_load_balancer(ecs, **service):
    """Creates a service, again and again while ECS does not see yet that a rule forwards to its target groups."""

    def create():
        try:
            return ecs.create_service(**service)
        except ecs.exceptions.InvalidParameterException as error:
            assert "does not have an associated load balancer" in str(error), error
            return None

    until(create, lambda created: created)


def equal(found, wanted):
    """Fails with both sides shown."""
    assert found == wanted, f"{found!r} is not {wanted!r}"
