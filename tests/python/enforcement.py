"""IAM as moto enforces it: who acts needs a key, a right signature, and a policy that has the action.

moto looks at actions alone. Against a resource or a condition in a policy it refuses whatever is asked, so both are taken
out here; the policy evaluator of the histories (`histories/tests/policy`) judges those. What moto decides first is
whether a call is allowed, and only then whether it knows the operation or finds anything to do: so a recorded request can
be sent again to see whether it would be refused, whatever became of the rest.
"""

import html
import json
import re
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

import requests_model
from client import REGION

# Who arranges what a test needs, and who is judged.
OPERATOR, JUDGED = "operator", "trueup"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def is_refusal(body):
    """Whether an answer of moto's says that a policy does not have the action."""
    return b"is not authorized to perform" in body


def in_the_apis_words(request, body):
    """A refusal as AWS says it in the protocol of the request; moto says it as EC2 would, whoever was asked.

    Source: Smithy, "AWS JSON 1.1 protocol" and "AWS query protocol", the serialisation of errors.
    """
    message = re.search(rb"<Message>(.*?)</Message>", body, re.S)[1].decode()
    if "x-amz-target" in request["headers"]:
        status, kind = "400 Bad Request", "application/x-amz-json-1.1"
        body = json.dumps({"__type": "AccessDeniedException", "message": html.unescape(message)}).encode()
    else:
        status, kind = "403 Forbidden", "text/xml"
        error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{error}<RequestId>refused</RequestId></ErrorResponse>".encode()
    return status, [("Content-Type", kind), ("Content-Length", str(len(body)))], body


class Enforcement:
    """Whether IAM is enforced, and for whom. `client` becomes the operator's when it is."""

    def __init__(self, endpoint, client, recorder):
        self._endpoint, self._client, self._recorder = endpoint, client, recorder
        self._key = None

    def begin(self):
        """From now on every call is judged. Gives the key of who is judged and may do nothing yet."""
        operator = self._user(OPERATOR)
        self.allow(EVERYTHING, user=OPERATOR)
        self._key = self._user(JUDGED)
        request = urllib.request.Request(
            f"{self._endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(request).close()
        self._client.use(*operator)
        return self._key

    def allow(self, policy, without=None, user=JUDGED):
        """Gives somebody the actions of a policy, one statement left out by its Sid."""
        kept = [statement for statement in policy["Statement"] if without is None or statement["Sid"] != without]
        actions = [{"Effect": "Allow", "Action": statement["Action"], "Resource": "*"} for statement in kept]
        document = json.dumps({**policy, "Statement": actions})
        self._client("iam").put_user_policy(UserName=user, PolicyName="judged", PolicyDocument=document)

    def replay(self):
        """Sends one recorded request of each operation again, and gives whether it is refused, by IAM's names."""
        first = {}
        for request in self._recorder.requests:
            first.setdefault((request["service"], request["operation"]), request)
        refused = {}
        for (service, operation), request in first.items():
            scope = requests_model.signing_name(service)
            refused[f"{scope}:{operation}"] = self._is_refused(request, scope)
        return refused

    def _user(self, name):
        iam = self._client("iam")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def _is_refused(self, request, scope):
        headers = {name: request["headers"][name] for name in ("content-type", "x-amz-target") if name in request["headers"]}
        again = AWSRequest(request["method"], self._endpoint + request["path"], headers, request["body"].encode())
        SigV4Auth(Credentials(*self._key), scope, REGION).add_auth(again)
        answer = URLLib3Session().send(again.prepare())
        assert "Signature" not in answer.text, answer.text
        return is_refusal(answer.content)
