"""deploy/cloudformation.yaml: cfn-lint has nothing to say about it, AWS (as moto imitates it) makes stacks of it, with
and without the webhook, and the task role may make exactly the calls that trueup makes.

    deploy_template.py REPOSITORY [--write]

With `--write` it writes the policies that the histories judge anew.
"""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="eu-west-1", AWS_EC2_METADATA_DISABLED="true"
)

import boto3
import yaml
from moto import mock_aws
from moto.cloudformation.utils import yaml_tag_constructor

import stack_types

# What trueup reports to CloudWatch.
METRICS = {
    "ApiCalls", "ApiThrottles", "CommitToDeploySeconds", "CycleSeconds", "DesiredStateAgeSeconds", "Drift", "Held",
    "OutOfSync", "RolloutFailed", "Unhealthy",
}  # fmt: skip
# Calls that no API crate of trueup's names: what makes other roles usable, and the report.
BESIDE_THE_CALLS = {"cloudwatch:PutMetricData", "iam:PassRole", "sts:AssumeRole"}
# It needs no permission (Service Authorization Reference, AWS Security Token Service).
NEEDS_NONE = {"sts:GetCallerIdentity"}
CONFIGURATION = """[[notifications]]
kind = "webhook"
url_env = "NOTIFICATION_URL"
secret_env = "NOTIFICATION_SECRET"
"""
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/trueup@sha256:" + "0" * 64
IMAGE_REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/trueup"
POLICIES = "histories/tests/policy/template"
# Of tasks and of services.
HISTORIES_ROLES = ("execution", "task", "shift")
FILE_SYSTEM, ACCESS_POINT = "fs-0123456789abcdef0", "fsap-0123456789abcdef0"


class Intrinsics(yaml.SafeLoader):
    """YAML whose tags are CloudFormation's functions."""


Intrinsics.add_multi_constructor("", yaml_tag_constructor)


def lint(template):
    """What cfn-lint says, the least of its rules included."""
    command = [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--regions", "eu-west-1", "--template", template]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.returncode, finished.stdout + finished.stderr


def check_lint(template):
    assert lint(template) == (0, ""), lint(template)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as wrong:
        wrong.write(template.read_text().replace("ReadonlyRootFilesystem", "ReadOnlyRootFilesystem"))
        wrong.flush()
        code, said = lint(wrong.name)
        assert code != 0 and "ReadOnlyRootFilesystem" in said, "the linter does not read the template"


def surroundings():
    """What stands there before: a network, a cluster, a load balancer, secrets."""
    ec2, elbv2 = boto3.client("ec2"), boto3.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = ("eu-west-1a", "eu-west-1b")
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    group = ec2.create_security_group(GroupName="alb", Description="alb", VpcId=vpc)["GroupId"]
    balancer = elbv2.create_load_balancer(Name="alb", Subnets=subnets, SecurityGroups=[group])["LoadBalancers"][0]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    boto3.client("ecs").create_cluster(clusterName="tools")
    secret = lambda name: boto3.client("secretsmanager").create_secret(Name=name, SecretString="not-a-real-one")["ARN"]
    return {
        "network": {"Cluster": "tools", "VpcId": vpc, "SubnetIds": ",".join(subnets)},
        "webhook": {
            "WebhookListenerArn": listener,
            "WebhookLoadBalancerSecurityGroupId": group,
            "WebhookSecretArn": secret("webhook"),
        },
        "token": secret("token"),
        "key": secret("key"),
        "url": secret("url"),
        "secret": secret("secret"),
        "configuration": secret("configuration"),
    }


class Stack:
    """A stack of the template."""

    def __init__(self, template, name, **parameters):
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=template.read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        assert described["StackStatus"] == "CREATE_COMPLETE", described
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        # Where a condition leaves a resource out, moto lists one without a name.
        resources = [resource for resource in resources if "LogicalResourceId" in resource]
        self.ids = {resource["LogicalResourceId"]: resource.get("PhysicalResourceId") for resource in resources}
        self.cluster = parameters["Cluster"]

    def task_definition(self):
        return boto3.client("ecs").describe_task_definition(taskDefinition=self.ids["TaskDefinition"])["taskDefinition"]

    def container(self):
        (container,) = self.task_definition()["containerDefinitions"]
        return container

    def environment(self):
        return {entry["name"]: entry["value"] for entry in self.container().get("environment", [])}

    def secrets(self):
        return {entry["name"]: entry["valueFrom"] for entry in self.container().get("secrets", [])}

    def service(self):
        """The service as it was asked for, when it is there."""
        found = boto3.client("ecs").describe_services(cluster=self.cluster, services=[self.ids["Service"]])
        assert [service["status"] for service in found["services"]] == ["ACTIVE"], found
        return stack_types.Service.requests[self.ids["Service"]]

    def ports_out(self):
        """The ports that its security group lets out to."""
        found = boto3.client("ec2").describe_security_groups(GroupIds=[self.ids["SecurityGroup"]])["SecurityGroups"][0]
        return {permission.get("FromPort") for permission in found["IpPermissionsEgress"]}

    def statements(self, role, policy):
        found = boto3.client("iam").get_role_policy(RoleName=self.ids[role], PolicyName=policy)
        document = found["PolicyDocument"]
        # moto keeps the template's policy as Python would print it.
        document = ast.literal_eval(document) if isinstance(document, str) else document
        statements = as_list(stack_types.present(document)["Statement"])
        assert all(statement["Effect"] == "Allow" for statement in statements), statements
        return {statement["Sid"]: statement for statement in statements}


def as_list(value):
    return value if isinstance(value, list) else [value]


def actions(statements):
    return {action for statement in statements.values() for action in as_list(statement["Action"])}


def calls(repository):
    """The AWS actions that trueup's sources call, reads and writes."""
    found = {"reads": set(), "writes": set()}
    sources = repository / "crates/trueup-aws/src"
    for api, file in (("ecs", "ecs.rs"), ("elasticloadbalancing", "elb.rs")):
        listed = re.search(r"operations! \{\s+reads \{(.*?)\}\s+writes \{(.*?)\}", (sources / file).read_text(), re.S)
        for kind, block in zip(("reads", "writes"), listed.groups()):
            found[kind] |= {f"{api}:{name}" for name in re.findall(r"^\s+([A-Z]\w+) ", block, re.M)}
    quoted = r'"((?:application-autoscaling|cloudformation|cloudtrail|ecr|secretsmanager|ssm|sts):[A-Z]\w+)"'
    for file in sources.rglob("*.rs"):
        found["reads"] |= set(re.findall(quoted, file.read_text()))
    found["reads"] -= NEEDS_NONE
    assert len(found["reads"]) > 15 and len(found["writes"]) > 10, found
    return found


def check_reporting(stack, repository):
    """The default: it reports, may write nothing, and has neither secrets nor a webhook."""
    needed = calls(repository)
    statements = stack.statements("TaskRole", "keep-true")
    assert actions(statements) == needed["reads"] | {"cloudwatch:PutMetricData"}, actions(statements) ^ needed["reads"]
    assert statements["Report"]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Trueup"}}
    assert statements["LookAtServices"]["Resource"] == [
        f"arn:*:ecs:*:*:{kind}/shop/*" for kind in ("service", "task", "service-deployment", "service-revision")
    ], statements["LookAtServices"]["Resource"]
    starting = stack.statements("ExecutionRole", "start-trueup")
    assert "ReadSecrets" not in starting
    assert starting["PullImage"]["Resource"] == "arn:aws:ecr:*:*:repository/*", starting["PullImage"]
    assert stack.task_definition()["volumes"] == [{"name": "cache"}], "the cache ends with the task"
    assert not {"CachePolicy", "CacheEgress"} & set(stack.ids), stack.ids
    assert 2049 not in stack.ports_out(), stack.ports_out()
    assert stack.environment()["TRUEUP_REPORT_ONLY"] == "true"
    assert "TRUEUP_CONFIG_TEXT" not in stack.environment()
    assert "TRUEUP_WEBHOOK_LISTEN" not in stack.environment() and stack.secrets() == {}
    assert "loadBalancers" not in stack.service()
    assert not {"WebhookRule", "WebhookTargetGroup", "WebhookIngress"} & set(stack.ids), stack.ids
    for alarm in alarms(stack):
        assert alarm["AlarmActions"] == [], alarm


def check_applying(stack, repository, around):
    """Everything on."""
    needed = calls(repository)
    statements = stack.statements("TaskRole", "keep-true")
    expected = needed["reads"] | needed["writes"] | BESIDE_THE_CALLS
    assert actions(statements) == expected, actions(statements) ^ expected
    assert statements["WriteServices"]["Resource"] == [f"arn:*:ecs:*:*:service/{name}/*" for name in ("shop", "mail")]
    assert len(statements["LookAtServices"]["Resource"]) == 8
    passed = statements["PassRoles"]
    assert passed["Resource"] == [f"arn:aws:iam::123456789012:role/{name}" for name in ("task", "execution")], passed
    services = ["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": services}}
    assert statements["EnterOtherAccounts"]["Resource"] == ["arn:aws:iam::210987654321:role/trueup"]
    assert statements["Prune"]["Condition"] == {"StringEquals": {"aws:ResourceTag/trueup:instance": "blue"}}
    deletes = {action for action in expected if ":Delete" in action}
    assert deletes == set(statements["Prune"]["Action"]), "what deletes stands in that statement alone"
    assert all(not deletes & set(as_list(one["Action"])) for sid, one in statements.items() if sid != "Prune")
    for sid, statement in statements.items():
        looks = all(re.search(":(Describe|List|Lookup)", action) for action in as_list(statement["Action"]))
        assert looks or "Condition" in statement or statement["Resource"] != "*", f"{sid} is not scoped"

    secrets = {
        "TRUEUP_GIT_TOKEN": around["token"],
        "TRUEUP_SSH_KEY": around["key"],
        "TRUEUP_WEBHOOK_SECRET": around["webhook"]["WebhookSecretArn"],
        "NOTIFICATION_URL": around["url"],
        "NOTIFICATION_SECRET": around["secret"],
    }
    assert stack.secrets() == secrets, stack.secrets()
    reads = stack.statements("ExecutionRole", "start-trueup")["ReadSecrets"]
    assert (reads["Action"], sorted(reads["Resource"])) == ("secretsmanager:GetSecretValue", sorted(secrets.values()))
    assert stack.statements("ExecutionRole", "start-trueup")["PullImage"]["Resource"] == IMAGE_REPOSITORY
    environment = stack.environment()
    assert environment["TRUEUP_CONFIG_TEXT"] == CONFIGURATION, environment
    assert "TRUEUP_REPORT_ONLY" not in environment and environment["TRUEUP_WEBHOOK_LISTEN"] == "0.0.0.0:7172"

    elbv2 = boto3.client("elbv2")
    (group,) = elbv2.describe_target_groups(TargetGroupArns=[stack.ids["WebhookTargetGroup"]])["TargetGroups"]
    assert (group["TargetType"], group["Port"], group["HealthCheckPath"]) == ("ip", 7172, "/healthz"), group
    (rule,) = elbv2.describe_rules(RuleArns=[stack.ids["WebhookRule"]])["Rules"]
    assert rule["Priority"] == "7" and rule["Actions"][0]["TargetGroupArn"] == group["TargetGroupArn"], rule
    (balancer,) = stack.service()["loadBalancers"]
    assert balancer["targetGroupArn"] == group["TargetGroupArn"] and balancer["containerPort"] == 7172, balancer
    (security,) = boto3.client("ec2").describe_security_groups(GroupIds=[stack.ids["SecurityGroup"]])["SecurityGroups"]
    (ingress,) = security["IpPermissions"]
    assert ingress["FromPort"] == ingress["ToPort"] == 7172, ingress
    (source,) = ingress["UserIdGroupPairs"]
    assert source["GroupId"] == around["webhook"]["WebhookLoadBalancerSecurityGroupId"], ingress
    for alarm in alarms(stack):
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["arn:aws:sns:eu-west-1:123456789012:alarms"], alarm


def check_cache(stack, around):
    """What is on EFS, and what it takes to mount that; and a configuration that is too long for a parameter."""
    (volume,) = stack.task_definition()["volumes"]
    authorization = {"accessPointId": ACCESS_POINT, "iam": "ENABLED"}
    mounted = {"fileSystemId": FILE_SYSTEM, "transitEncryption": "ENABLED", "authorizationConfig": authorization}
    assert {**mounted, **volume["efsVolumeConfiguration"]} == volume["efsVolumeConfiguration"], volume
    assert (volume["name"], volume["efsVolumeConfiguration"].get("rootDirectory", "/")) == ("cache", "/"), volume
    # Not in the policy that `trueup iam-policy` replaces.
    assert "MountCache" not in stack.statements("TaskRole", "keep-true")
    (mount,) = stack.statements("TaskRole", "mount-cache").values()
    arn = "arn:aws:elasticfilesystem:eu-west-1:123456789012"
    assert mount["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], mount
    assert mount["Resource"] == f"{arn}:file-system/{FILE_SYSTEM}", mount
    condition = {"StringEquals": {"elasticfilesystem:AccessPointArn": f"{arn}:access-point/{ACCESS_POINT}"}}
    assert mount["Condition"] == condition, mount
    assert 2049 in stack.ports_out(), stack.ports_out()

    assert "TRUEUP_CONFIG_TEXT" not in stack.environment()
    assert stack.secrets() == {"TRUEUP_CONFIG_TEXT": around["configuration"]}, stack.secrets()
    reads = stack.statements("ExecutionRole", "start-trueup")["ReadSecrets"]
    assert reads["Resource"] == [around["configuration"]], reads


def alarms(stack):
    names = [name for logical, name in stack.ids.items() if logical.endswith("Alarm")]
    found = boto3.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert len(found) == 6, found
    return found


def check_any(stack, repository):
    """What every stack has."""
    definition = stack.task_definition()
    assert definition["taskRoleArn"] == stack.outputs["TaskRoleArn"] != definition["executionRoleArn"]
    assert (definition["networkMode"], definition["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"]), definition
    container = stack.container()
    assert container["readonlyRootFilesystem"] is True and container["user"] == "65532:65532", container
    assert container["healthCheck"]["command"] == ["CMD", "/usr/local/bin/trueup", "health"], container
    (mount,) = container["mountPoints"]
    assert mount["containerPath"] == stack.environment()["TRUEUP_CACHE_DIR"] == "/var/cache/trueup", mount
    assert [volume["name"] for volume in definition["volumes"]] == [mount["sourceVolume"]], definition
    assert container["logConfiguration"]["options"]["awslogs-group"] == stack.outputs["LogGroupName"]

    assert stack.environment()["TRUEUP_CLOUDWATCH"] == "true", "the alarms look at metrics that nobody puts"
    assert "TRUEUP_CLOUDWATCH_NAMESPACE" not in stack.environment(), "the queries name the namespace of the default"

    service = stack.service()
    assert (service["desiredCount"], service["launchType"]) == (1, "FARGATE"), service
    assert service["availabilityZoneRebalancing"] == "DISABLED", "it would start a second task first"
    deployment = service["deploymentConfiguration"]
    assert (deployment["minimumHealthyPercent"], deployment["maximumPercent"]) == (0, 100), deployment

    logs = boto3.client("logs").describe_log_groups(logGroupNamePrefix=stack.outputs["LogGroupName"])["logGroups"]
    assert [group["retentionInDays"] for group in logs] == [30], logs

    seen = set()
    for alarm in alarms(stack):
        for query in alarm["Metrics"]:
            parsed = re.fullmatch(r'SELECT (?:MAX|COUNT)\((\w+)\) FROM "Trueup"', query["Expression"])
            assert parsed, f"{query['Expression']} is no query of ours"
            seen.add(parsed[1])
    schema = (repository / "crates/trueup-core/src/report/event.schema.json").read_text()
    events = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', schema))
    body = boto3.client("cloudwatch").get_dashboard(DashboardName=stack.ids["Dashboard"])["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    for widget in widgets:
        for (metric,) in widget["properties"].get("metrics", []):
            parsed = re.fullmatch(r"SEARCH\('Namespace=\"Trueup\" MetricName=\"(\w+)\"', '\w+', \d+\)", metric["expression"])
            assert parsed, f"{metric['expression']} is no search of ours"
            seen.add(parsed[1])
    assert seen == METRICS, seen ^ METRICS
    (log,) = [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]
    shown = set(re.findall(r"'([a-z_]+\.[a-z_]+)'", log))
    assert "revision.unverified" in shown and shown <= events, f"no events: {shown - events}"
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(places)) == len(places), "widgets lie on each other"


@mock_aws
def check_stacks(template, repository):
    stack_types.teach()
    around = surroundings()
    common = {
        **around["network"],
        "Image": IMAGE,
        "Repository": "https://github.com/example/infrastructure",
        "LogRetentionDays": "30",
    }
    plain = Stack(template, "trueup", ManagedClusters="shop", **common)
    check_any(plain, repository)
    check_reporting(plain, repository)
    full = Stack(
        template,
        "trueup-blue",
        ManagedClusters="shop,mail",
        Mode="apply",
        Instance="blue",
        AllowPrune="true",
        PassRoleArns="arn:aws:iam::123456789012:role/task,arn:aws:iam::123456789012:role/execution",
        EnvironmentRoleArns="arn:aws:iam::210987654321:role/trueup",
        GitTokenSecretArn=around["token"],
        GitSshKeySecretArn=around["key"],
        Configuration=CONFIGURATION,
        NotificationUrlSecretArn=around["url"],
        NotificationSecretArn=around["secret"],
        ImageRepositoryArn=IMAGE_REPOSITORY,
        AlarmTopicArn="arn:aws:sns:eu-west-1:123456789012:alarms",
        WebhookRulePriority="7",
        **around["webhook"],
        **common,
    )
    check_any(full, repository)
    check_applying(full, repository, around)
    cached = Stack(
        template,
        "trueup-cached",
        ManagedClusters="shop",
        CacheFileSystemId=FILE_SYSTEM,
        CacheAccessPointId=ACCESS_POINT,
        ConfigurationSecretArn=around["configuration"],
        **common,
    )
    check_any(cached, repository)
    check_cache(cached, around)
    check_policies(template, repository, common)


def policies(template, common):
    """The task role's policy in each mode, for the clusters, roles and installation of the histories."""
    everything = {
        "Mode": "apply",
        "AllowPrune": "true",
        "PassRoleArns": ",".join(f"arn:aws:iam::123456789012:role/{name}" for name in HISTORIES_ROLES),
        "EnvironmentRoleArns": "arn:aws:iam::210987654321:role/trueup",
    }
    for mode, parameters in (("report", {}), ("apply", everything)):
        stack = Stack(template, f"histories-{mode}", ManagedClusters="main", **parameters, **common)
        statements = list(stack.statements("TaskRole", "keep-true").values())
        yield mode, json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"


def check_policies(template, repository, common):
    """What the histories judge (histories/tests/policy) is what the template makes."""
    for mode, policy in policies(template, common):
        file = repository / POLICIES / f"{mode}.json"
        if "--write" in sys.argv:
            file.write_text(policy)
        assert file.read_text() == policy, f"{file} is not what the template makes: `deploy_template.py . --write`\n{policy}"


def refusals(template, **given):
    """What the template's rules, which moto does not know, have against parameters."""
    tree = yaml.load(template.read_text(), Loader=Intrinsics)
    values = {name: given.get(name, parameter.get("Default")) for name, parameter in tree["Parameters"].items()}

    def holds(condition):
        ((function, argument),) = condition.items()
        match function:
            case "Fn::Not":
                return not holds(*argument)
            case "Fn::And":
                return all(holds(one) for one in argument)
            case "Fn::Or":
                return any(holds(one) for one in argument)
            case "Fn::Equals":
                left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in argument)
                return left == right
        raise AssertionError(f"no function of rules: {function}")

    asked = [rule for rule in tree["Rules"].values() if "RuleCondition" not in rule or holds(rule["RuleCondition"])]
    assertions = [assertion for rule in asked for assertion in rule["Assertions"]]
    return [assertion["AssertDescription"] for assertion in assertions if not holds(assertion["Assert"])]


def check_rules(template):
    """Parameters that do not go together are refused before anything is made."""
    webhook = {"WebhookListenerArn": "a", "WebhookSecretArn": "a", "WebhookLoadBalancerSecurityGroupId": "a"}
    cache = {"CacheFileSystemId": "a", "CacheAccessPointId": "a"}
    for whole in ({}, webhook, cache, {"Configuration": "a"}, {"ConfigurationSecretArn": "a"}):
        assert refusals(template, **whole) == [], whole
    for parts, word in (
        ({"WebhookListenerArn": "a", "WebhookSecretArn": "a"}, "WebhookLoadBalancerSecurityGroupId"),
        ({"WebhookListenerArn": "a", "WebhookLoadBalancerSecurityGroupId": "a"}, "WebhookSecretArn"),
        ({"CacheFileSystemId": "a"}, "CacheAccessPointId"),
        ({"CacheAccessPointId": "a"}, "CacheFileSystemId"),
        ({"Configuration": "a", "ConfigurationSecretArn": "a"}, "not both"),
    ):
        (said,) = refusals(template, **parts)
        assert word in said, (parts, said)


def check_documented(template, repository):
    """Every parameter and output is explained."""
    text = (repository / "docs/deploy.md").read_text()
    for section in ("Parameters", "Outputs"):
        block = re.search(rf"^{section}:\n(.*?)(?=^\S|\Z)", template.read_text(), re.M | re.S)[1]
        names = re.findall(r"^  (\w+):", block, re.M)
        assert len(names) > 5, names
        for name in names:
            assert f"`{name}`" in text, f"docs/deploy.md does not explain {name}"


def main(repository):
    template = repository / "deploy/cloudformation.yaml"
    check_lint(template)
    check_rules(template)
    check_stacks(template, repository)
    check_documented(template, repository)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
