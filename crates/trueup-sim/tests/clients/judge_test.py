"""The judge finds what it is there to find: an answer that is as AWS's models say passes, each spoilt one does not."""

import json

import botocore.session

from judge import Answer

SESSION = botocore.session.Session()
CLUSTER = {"clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/main", "runningTasksCount": 0}
RULES = """<DescribeRulesResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DescribeRulesResult>
<Rules><member><Priority>1</Priority><IsDefault>false</IsDefault></member></Rules></DescribeRulesResult>
<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></DescribeRulesResponse>"""
ERROR = """<ErrorResponse><Error><Type>Sender</Type><Code>RuleNotFound</Code><Message>no</Message></Error>
<RequestId>0</RequestId></ErrorResponse>"""


def violations(service, operation, body, status=200):
    """What the judge says of an answer."""
    body = body if isinstance(body, str) else json.dumps(body)
    model = SESSION.get_service_model(service).operation_model(operation)
    return Answer(model, {"status_code": status, "body": body.encode(), "headers": {}}).violations


def clusters(**more):
    """An answer to DescribeClusters with one cluster, changed."""
    return ("ecs", "DescribeClusters", {"clusters": [{**CLUSTER, **more}]})


def rules(old="", new=""):
    """An answer to DescribeRules, changed."""
    assert old in RULES
    return ("elbv2", "DescribeRules", RULES.replace(old, new))


GOOD = [
    clusters(),
    rules(),
    ("ecs", "DescribeClusters", {"__type": "InvalidParameterException", "message": "no"}, 400),
    ("elbv2", "DescribeRules", ERROR, 400),
]
BAD = [
    (clusters(colour="red"), "unknown members ['colour']"),
    (clusters(runningTasksCount="0"), "'0' is no integer"),
    (clusters(status=None), "is null"),
    (clusters(tags={}), "{} is no list"),
    (("ecs", "DescribeTasks", {"tasks": [{"stopCode": "Bored"}]}), "'Bored' is none of"),
    (("ssm", "GetParameters", {"Parameters": [{"LastModifiedDate": "today"}]}), "'today' is no timestamp"),
    (("cloudformation", "DescribeStacks", """<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
      <DescribeStacksResult><Stacks><member><StackName>a</StackName></member></Stacks></DescribeStacksResult>
      <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></DescribeStacksResponse>"""), "are missing"),
    (rules("Priority>", "Urgency>"), "unknown members ['Urgency']"),
    (rules("false", "no"), "'no' is no boolean"),
    (rules("member>", "item>"), "an item is called 'item'"),
    (rules("DescribeRulesResult>", "Result>"), "no 'DescribeRulesResult'"),
    (rules("2015-12-01", "2012-06-01"), "the root is"),
    (("ecs", "DescribeClusters", {"__type": "RuleNotFound", "message": "no"}, 400), "'RuleNotFound' is not declared"),
    (("elbv2", "DescribeRules", ERROR.replace("RuleNotFound", "Sorry"), 400), "'Sorry' is not declared"),
    (("elbv2", "DescribeRules", ERROR, 404), "comes with 404, not with 400"),
]  # fmt: skip

for answer in GOOD:
    found = violations(*answer)
    assert not found, f"{answer}: {found}"
for answer, wanted in BAD:
    found = violations(*answer)
    assert len(found) == 1 and wanted in found[0], f"{answer}: {wanted!r} was expected: {found}"
print(f"{len(GOOD)} good and {len(BAD)} bad answers")
