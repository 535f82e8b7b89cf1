"""Another client than trueup: one AWS call through boto3.

    AWS_ENDPOINT_URL=http://127.0.0.1:5000 client.py elbv2 modify_target_group '{"TargetGroupArn": "…"}'
"""

import json
import os
import sys

import boto3

REGION = "ap-northeast-1"


def connect(endpoint):
    """Gives a function from a service's name to its boto3 client at `endpoint`, each made once."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    clients = {}

    def client(service):
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=endpoint)
        return clients[service]

    return client


def call(client, service, operation, params):
    """Makes one call and gives its answer without the transport's part, as plain JSON."""
    answer = getattr(client(service), operation)(**params)
    answer.pop("ResponseMetadata", None)
    return json.loads(json.dumps(answer, default=str))


if __name__ == "__main__":
    service_name, operation_name, *rest = sys.argv[1:]
    result = call(connect(os.environ["AWS_ENDPOINT_URL"]), service_name, operation_name, json.loads("".join(rest) or "{}"))
    json.dump(result, sys.stdout, indent=2)
    print()
