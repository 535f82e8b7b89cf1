"""Another client than trueup: one AWS call through boto3.

    AWS_ENDPOINT_URL=http://127.0.0.1:5000 client.py elbv2 modify_target_group '{"TargetGroupArn": "…"}'
"""

import json
import os
import sys

import boto3

REGION = "ap-northeast-1"


class Clients:
    """Gives a service's boto3 client at `endpoint`, each made once."""

    def __init__(self, endpoint):
        self._endpoint = endpoint
        self.use("test", "test")

    def use(self, key, secret):
        """Acts as somebody else from now on."""
        self._session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
        self._clients = {}

    def __call__(self, service):
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self._endpoint)
        return self._clients[service]


def call(client, service, operation, params):
    """Makes one call and gives its answer without the transport's part, as plain JSON."""
    answer = getattr(client(service), operation)(**params)
    answer.pop("ResponseMetadata", None)
    return json.loads(json.dumps(answer, default=str))


if __name__ == "__main__":
    service_name, operation_name, *rest = sys.argv[1:]
    result = call(Clients(os.environ["AWS_ENDPOINT_URL"]), service_name, operation_name, json.loads("".join(rest) or "{}"))
    json.dump(result, sys.stdout, indent=2)
    print()
