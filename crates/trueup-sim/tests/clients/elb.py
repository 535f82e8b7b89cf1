"""Load balancers, listeners, rules and target groups, from their making to their end."""

from aws import Aws, create_behind_load_balancer, equal, pages, refused, wait

aws = Aws()
elb = aws.elbv2
ecs = aws.ecs
NETWORK = {"Subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], "SecurityGroups": ["sg-0123456789abcdef0"]}
VPC = "vpc-0123456789abcdef0"
NOT_FOUND = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}


def path(*values):
    """A condition on the path."""
    return {"Field": "path-pattern", "Values": list(values)}


def forward(arn):
    """An action that sends all to one group."""
    return {"Type": "forward", "TargetGroupArn": arn}


def target_group(name, **more):
    """A group with quick checks; its ARN."""
    settings = {
        "Protocol": "HTTP", "Port": 8080, "VpcId": VPC, "TargetType": "ip", "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2, **more,
    }
    return elb.create_target_group(Name=name, **settings)["TargetGroups"][0]["TargetGroupArn"]


# Load balancers

balancers = []
for name in ["one", "two", "three"]:
    made = elb.create_load_balancer(Name=name, **NETWORK, Tags=[{"Key": "k", "Value": "a & b < c"}])["LoadBalancers"][0]
    equal(made["State"]["Code"], "provisioning")
    balancers.append(made["LoadBalancerArn"])
wait(elb, "load_balancer_exists", Names=["one"])
wait(elb, "load_balancer_available", LoadBalancerArns=balancers)
equal(elb.create_load_balancer(Name="one", **NETWORK)["LoadBalancers"][0]["LoadBalancerArn"], balancers[0])
refused("DuplicateLoadBalancerName", elb.create_load_balancer, Name="one", **NETWORK, Scheme="internal")
found, count = pages(elb, "describe_load_balancers", "LoadBalancers", size=2)
equal((sorted(balancer["LoadBalancerArn"] for balancer in found), count), (sorted(balancers), 2))
try:
    elb.describe_load_balancers(Names=["nobody"])
except elb.exceptions.LoadBalancerNotFoundException as error:
    equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
equal(elb.describe_tags(ResourceArns=[balancers[0]])["TagDescriptions"][0]["Tags"], [{"Key": "k", "Value": "a & b < c"}])
timeout = {"Key": "idle_timeout.timeout_seconds", "Value": "30"}
elb.modify_load_balancer_attributes(LoadBalancerArn=balancers[0], Attributes=[timeout])
assert timeout in elb.describe_load_balancer_attributes(LoadBalancerArn=balancers[0])["Attributes"]
pages(elb, "describe_account_limits", "Limits")

# Target groups

groups = [target_group(f"group-{number}") for number in range(3)]
found, count = pages(elb, "describe_target_groups", "TargetGroups", size=2)
equal((len(found), count), (3, 2))
refused("DuplicateTargetGroupName", target_group, name="group-0", HealthCheckPath="/other")
refused("TargetGroupNotFound", elb.describe_target_groups, Names=["nobody"])
refused("ValidationError", target_group, name="-bad-")
changed = elb.modify_target_group(TargetGroupArn=groups[0], HealthCheckPath="/healthz", Matcher={"HttpCode": "200-299"})
equal(changed["TargetGroups"][0]["Matcher"], {"HttpCode": "200-299"})
delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
for arn in groups:
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
assert delay in elb.describe_target_group_attributes(TargetGroupArn=groups[0])["Attributes"]
unknown = {"Key": "no.such.attribute", "Value": "1"}
refused("InvalidConfigurationRequest", elb.modify_target_group_attributes, TargetGroupArn=groups[0], Attributes=[unknown])

# Listeners and rules

made = elb.create_listener(LoadBalancerArn=balancers[0], Protocol="HTTP", Port=80, DefaultActions=[NOT_FOUND])
listener = made["Listeners"][0]["ListenerArn"]
again = elb.create_listener(LoadBalancerArn=balancers[0], Protocol="HTTP", Port=80, DefaultActions=[NOT_FOUND])
equal(again["Listeners"][0]["ListenerArn"], listener)
refused(
    "DuplicateListener", elb.create_listener, LoadBalancerArn=balancers[0], Protocol="HTTP", Port=80,
    DefaultActions=[forward(groups[0])],
)
elb.create_listener(LoadBalancerArn=balancers[0], Protocol="HTTP", Port=81, DefaultActions=[forward(groups[2])])
equal(len(pages(elb, "describe_listeners", "Listeners", size=1, LoadBalancerArn=balancers[0])[0]), 2)
elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "redirect", "RedirectConfig": {
    "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}])
elb.describe_listener_attributes(ListenerArn=listener)
CONDITIONS = [
    path("/a", "/b"),
    {"Field": "host-header", "HostHeaderConfig": {"Values": ["example.com"]}},
    {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-test", "Values": ["1"]}},
    {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "q", "Value": "1"}]}},
    {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
    {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
]
rules = []
for number, condition in enumerate(CONDITIONS, 1):
    made = elb.create_rule(ListenerArn=listener, Priority=number, Conditions=[condition], Actions=[forward(groups[0])])
    rules.append(made["Rules"][0]["RuleArn"])
refused(
    "PriorityInUse", elb.create_rule, ListenerArn=listener, Priority=1, Conditions=[path("/x")], Actions=[forward(groups[0])]
)
weights = [{"TargetGroupArn": groups[0], "Weight": 9}, {"TargetGroupArn": groups[1], "Weight": 1}]
stickiness = {"Enabled": True, "DurationSeconds": 60}
weighted = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights, "TargetGroupStickinessConfig": stickiness}}
changed = elb.modify_rule(RuleArn=rules[0], Actions=[weighted], Conditions=[path("/c")])["Rules"][0]
equal(changed["Actions"][0]["ForwardConfig"]["TargetGroups"], weights)
elb.set_rule_priorities(RulePriorities=[{"RuleArn": rules[0], "Priority": 50}])
found, count = pages(elb, "describe_rules", "Rules", size=3, ListenerArn=listener)
equal(sorted(rule["Priority"] for rule in found), ["2", "3", "4", "5", "50", "6", "default"])
equal(count, 3)
refused("RuleNotFound", elb.describe_rules, RuleArns=[rules[0][:-1] + ("0" if rules[0][-1] != "0" else "1")])
refused("ResourceInUse", elb.delete_target_group, TargetGroupArn=groups[0])
refused("OperationNotPermitted", elb.delete_rule, RuleArn=next(rule["RuleArn"] for rule in found if rule["IsDefault"]))

# Targets

ecs.create_cluster(clusterName="main")
container = {"name": "web", "image": "web:1", "portMappings": [{"containerPort": 8080}]}
ecs.register_task_definition(
    family="web", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
    containerDefinitions=[container],
)
create_behind_load_balancer(
    ecs, cluster="main", serviceName="web", taskDefinition="web", desiredCount=2, launchType="FARGATE",
    loadBalancers=[{"targetGroupArn": groups[0], "containerName": "web", "containerPort": 8080}],
    networkConfiguration={"awsvpcConfiguration": {"subnets": NETWORK["Subnets"]}},
)
wait(ecs, "services_stable", cluster="main", services=["web"])
wait(elb, "target_in_service", TargetGroupArn=groups[0])
health = elb.describe_target_health(TargetGroupArn=groups[0])["TargetHealthDescriptions"]
equal([target["TargetHealth"]["State"] for target in health], ["healthy", "healthy"])
targets = [{"Id": "10.0.0.77", "Port": 8080}]
elb.register_targets(TargetGroupArn=groups[1], Targets=targets)
described = elb.describe_target_health(TargetGroupArn=groups[1])["TargetHealthDescriptions"]
equal([target["Target"]["Id"] for target in described], ["10.0.0.77"])
elb.deregister_targets(TargetGroupArn=groups[1], Targets=targets)
wait(elb, "target_deregistered", TargetGroupArn=groups[1], Targets=targets)
ecs.delete_service(cluster="main", service="web", force=True)
wait(ecs, "services_inactive", cluster="main", services=["web"])

# Their end

elb.add_tags(ResourceArns=[groups[0], rules[0]], Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": ""}])
elb.remove_tags(ResourceArns=[groups[0]], TagKeys=["team"])
tags = {found["ResourceArn"]: found["Tags"] for found in elb.describe_tags(ResourceArns=[groups[0], rules[0]])["TagDescriptions"]}
equal((tags[groups[0]], len(tags[rules[0]])), ([{"Key": "stage", "Value": ""}], 2))
for arn in rules:
    elb.delete_rule(RuleArn=arn)
for found in pages(elb, "describe_listeners", "Listeners", LoadBalancerArn=balancers[0])[0]:
    elb.delete_listener(ListenerArn=found["ListenerArn"])
for arn in groups:
    elb.delete_target_group(TargetGroupArn=arn)
elb.modify_load_balancer_attributes(
    LoadBalancerArn=balancers[1], Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
)
refused("OperationNotPermitted", elb.delete_load_balancer, LoadBalancerArn=balancers[1])
for arn in [balancers[0], balancers[2]]:
    elb.delete_load_balancer(LoadBalancerArn=arn)
wait(elb, "load_balancers_deleted", LoadBalancerArns=[balancers[0], balancers[2]])
refused("ListenerNotFound", elb.describe_listeners, ListenerArns=[listener])
aws.done()
