"""The calls that both sides are asked.

Written once and played to each side with what that side answered before. A step is called like its operation; where one
operation is asked several things, a word in brackets tells them apart.
"""

from botocore import xform_name
from botocore.exceptions import ClientError

from aws import until


class Side:
    """One AWS that answers the table."""

    def __init__(self, aws, surroundings):
        self._aws = aws
        self.answers = {}
        self.network = {
            "awsvpcConfiguration": {
                "subnets": surroundings["subnets"], "securityGroups": [surroundings["security_group"]],
                "assignPublicIp": "ENABLED",
            }
        }
        self.vpc = surroundings["vpc"]
        self.balancer = {"Subnets": surroundings["subnets"], "SecurityGroups": [surroundings["security_group"]]}

    def ask(self, step, /, **params):
        """A step such as `ecs:ListClusters` or `ecs:ListClusters (none)`; its answer, or an empty one if it is refused."""
        service, operation = step.partition(" ")[0].split(":")
        assert step not in self.answers, f"two steps are called {step}"
        answer = self.quietly(service, operation, **params)
        self.answers[step] = self._aws.answers[-1]
        return answer

    def quietly(self, service, operation, /, **params):
        """The same without comparing the answers."""
        client = getattr(self._aws, service.replace("-", "_"))
        try:
            return getattr(client, xform_name(operation))(**params)
        except ClientError:
            return {}

    def stable(self, service):
        """Waits until a service rests; moto's always do."""
        self._aws.ecs.get_waiter("services_stable").wait(
            cluster="main", services=[service], WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
        )


def container(name, image):
    """A container with one of everything that often stands in one."""
    return {
        "name": name, "image": image, "cpu": 128, "memory": 256, "essential": True,
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "environment": [{"name": "LEVEL", "value": "info"}],
        "secrets": [{"name": "PASSWORD", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/database"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1"}},
        "healthCheck": {"command": ["CMD", "true"], "interval": 5},
        "dockerLabels": {"a": "b"}, "command": ["run"],
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
    }  # fmt: skip


def definition(family, image, **more):
    """A task definition for Fargate."""
    return {
        "family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [container(family, image)],
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution", **more,
    }  # fmt: skip


def play(side):
    """All of it."""
    clusters(side)
    task_definitions(side)
    services(side, load_balancers(side))
    end_of_load_balancers(side)
    cloudformation(side)
    others(side)


def clusters(side):
    tags = [{"key": "team", "value": "a"}]
    side.ask("ecs:CreateCluster", clusterName="main", tags=tags)
    side.quietly("ecs", "CreateCluster", clusterName="other")
    side.ask("ecs:ListClusters")
    side.ask("ecs:ListClusters (page)", maxResults=1)
    side.ask("ecs:DescribeClusters", clusters=["main", "nobody"])
    side.ask("ecs:DescribeClusters (with all)", clusters=["main"], include=["TAGS", "SETTINGS", "STATISTICS"])
    side.ask(
        "ecs:PutClusterCapacityProviders", cluster="other", capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
    )
    side.ask("ecs:DeleteCluster", cluster="other")
    side.ask("ecs:DeleteCluster (nobody)", cluster="nobody")


def task_definitions(side):
    tags = [{"key": "team", "value": "a"}]
    side.ask("ecs:RegisterTaskDefinition", **definition("web", "web:1", tags=tags))
    side.ask("ecs:RegisterTaskDefinition (for EC2)", family="old", containerDefinitions=[{"name": "a", "image": "a", "memory": 64}])
    side.quietly("ecs", "RegisterTaskDefinition", **definition("web", "web:2"))
    side.quietly("ecs", "RegisterTaskDefinition", **definition("gone", "gone:1"))
    side.ask("ecs:RegisterTaskDefinition (no containers)", family="bad", containerDefinitions=[])
    side.ask("ecs:DescribeTaskDefinition", taskDefinition="web:1")
    side.ask("ecs:DescribeTaskDefinition (with tags)", taskDefinition="web:1", include=["TAGS"])
    side.ask("ecs:DescribeTaskDefinition (nobody)", taskDefinition="nobody:1")
    side.ask("ecs:ListTaskDefinitions", familyPrefix="web")
    side.ask("ecs:ListTaskDefinitionFamilies")
    side.ask("ecs:DeregisterTaskDefinition", taskDefinition="gone:1")
    side.ask("ecs:DeregisterTaskDefinition (nobody)", taskDefinition="nobody:1")
    side.ask("ecs:DeleteTaskDefinitions", taskDefinitions=["gone:1"])


def load_balancers(side):
    """Gives the ARN of a target group that a rule forwards to."""
    made = side.ask("elbv2:CreateLoadBalancer", Name="main", **side.balancer, Tags=[{"Key": "team", "Value": "a"}])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    side.ask("elbv2:DescribeLoadBalancers", LoadBalancerArns=[arn])
    side.ask("elbv2:DescribeLoadBalancers (nobody)", Names=["nobody"])
    side.ask("elbv2:DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
    timeout = [{"Key": "idle_timeout.timeout_seconds", "Value": "30"}]
    side.ask("elbv2:ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=timeout)
    settings = {"Protocol": "HTTP", "Port": 8080, "VpcId": side.vpc, "TargetType": "ip"}
    groups = [
        side.ask(f"elbv2:CreateTargetGroup ({name})", Name=name, **settings)["TargetGroups"][0]["TargetGroupArn"]
        for name in ["blue", "green"]
    ]
    side.ask("elbv2:CreateTargetGroup (other settings)", Name="blue", **{**settings, "Port": 81})
    side.ask("elbv2:CreateTargetGroup (bad name)", Name="-bad-", **settings)
    side.ask("elbv2:DescribeTargetGroups", TargetGroupArns=groups)
    side.ask("elbv2:DescribeTargetGroups (nobody)", Names=["nobody"])
    side.ask("elbv2:ModifyTargetGroup", TargetGroupArn=groups[0], HealthCheckPath="/healthz", Matcher={"HttpCode": "200"})
    side.ask("elbv2:DescribeTargetGroupAttributes", TargetGroupArn=groups[0])
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}]
    side.ask("elbv2:ModifyTargetGroupAttributes", TargetGroupArn=groups[0], Attributes=delay)
    not_found = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
    listener = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": 80, "DefaultActions": [not_found]}
    made = side.ask("elbv2:CreateListener", **listener)
    listener_arn = made["Listeners"][0]["ListenerArn"]
    side.ask("elbv2:CreateListener (again)", **listener)
    other = [{"Type": "forward", "TargetGroupArn": groups[0]}]
    side.ask("elbv2:CreateListener (port in use)", **{**listener, "DefaultActions": other})
    side.ask("elbv2:DescribeListeners", LoadBalancerArn=arn)
    side.ask("elbv2:DescribeListeners (nobody)", ListenerArns=[listener_arn[:-4] + "0000"])
    side.ask("elbv2:ModifyListener", ListenerArn=listener_arn, DefaultActions=[not_found])
    side.ask("elbv2:DescribeListenerAttributes", ListenerArn=listener_arn)
    path = [{"Field": "path-pattern", "Values": ["/a"]}]
    forward = [{"Type": "forward", "TargetGroupArn": groups[0]}]
    rule = side.ask("elbv2:CreateRule", ListenerArn=listener_arn, Priority=1, Conditions=path, Actions=forward)["Rules"][0]["RuleArn"]
    side.ask("elbv2:CreateRule (priority in use)", ListenerArn=listener_arn, Priority=1, Conditions=path, Actions=forward)
    side.ask("elbv2:DescribeRules", ListenerArn=listener_arn)
    side.ask("elbv2:DescribeRules (nobody)", RuleArns=[rule[:-4] + "0000"])
    weights = [{"TargetGroupArn": group, "Weight": 1} for group in groups]
    weighted = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]
    host = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["example.com"]}}]
    side.ask("elbv2:ModifyRule", RuleArn=rule, Actions=weighted, Conditions=host)
    side.ask("elbv2:SetRulePriorities", RulePriorities=[{"RuleArn": rule, "Priority": 7}])
    side.ask("elbv2:DescribeTags", ResourceArns=[arn])
    side.ask("elbv2:AddTags", ResourceArns=[groups[0]], Tags=[{"Key": "a", "Value": "b"}])
    side.ask("elbv2:RemoveTags", ResourceArns=[groups[0]], TagKeys=["a"])
    side.ask("elbv2:DescribeTags (none)", ResourceArns=[groups[0]])
    side.ask("elbv2:DescribeAccountLimits")
    side.ask("elbv2:DeleteTargetGroup (in use)", TargetGroupArn=groups[0])
    targets = [{"Id": "10.0.0.77", "Port": 8080}]
    side.ask("elbv2:DescribeTargetHealth (none)", TargetGroupArn=groups[1])
    side.ask("elbv2:RegisterTargets", TargetGroupArn=groups[1], Targets=targets)
    side.ask("elbv2:DescribeTargetHealth", TargetGroupArn=groups[1])
    side.ask("elbv2:DeregisterTargets", TargetGroupArn=groups[1], Targets=targets)
    side.ends = {"balancer": arn, "listener": listener_arn, "rule": rule, "groups": groups}
    return groups[0]


def services(side, group):
    made = {
        "cluster": "main", "serviceName": "web", "taskDefinition": "web:1", "desiredCount": 1, "launchType": "FARGATE",
        "networkConfiguration": side.network, "tags": [{"key": "team", "value": "a"}],
    }
    balanced = {**made, "serviceName": "balanced"}
    balanced["loadBalancers"] = [{"targetGroupArn": group, "containerName": "web", "containerPort": 8080}]
    # The simulator's ECS sees only after some seconds that a rule forwards to the group, as AWS's does.
    until(lambda: side.quietly("ecs", "CreateService", **balanced), lambda created: created)
    side.ask("ecs:CreateService", **made)
    side.ask("ecs:CreateService (no task definition)", **{**made, "serviceName": "x", "taskDefinition": "nobody"})
    side.ask("ecs:CreateService (no cluster)", **{**made, "cluster": "nobody"})
    for name in ["web", "balanced"]:
        side.stable(name)
    side.ask("ecs:DescribeServices", cluster="main", services=["web", "nobody"])
    side.ask("ecs:DescribeServices (balanced)", cluster="main", services=["balanced"], include=["TAGS"])
    side.ask("ecs:DescribeServices (no cluster)", cluster="nobody", services=["web"])
    side.ask("ecs:ListServices", cluster="main")
    side.ask("ecs:UpdateService", cluster="main", service="web", taskDefinition="web:2", desiredCount=2)
    side.ask("ecs:UpdateService (nobody)", cluster="main", service="nobody", desiredCount=2)
    side.ask("ecs:ListTagsForResource", resourceArn="arn:aws:ecs:eu-west-1:123456789012:service/main/web")
    side.ask(
        "ecs:TagResource", resourceArn="arn:aws:ecs:eu-west-1:123456789012:service/main/web", tags=[{"key": "a", "value": "b"}]
    )
    side.ask("ecs:UntagResource", resourceArn="arn:aws:ecs:eu-west-1:123456789012:service/main/web", tagKeys=["a"])
    side.ask("ecs:DeleteService (active)", cluster="main", service="web")
    side.ask("ecs:DeleteService", cluster="main", service="web", force=True)
    side.ask("ecs:DeleteService (nobody)", cluster="main", service="nobody")
    side.ask("ecs:ListTasks (none)", cluster="main", family="nobody")
    # moto cannot run tasks in a network of their own, so there are none to compare.
    side.ask("ecs:RunTask (no task definition)", cluster="main", taskDefinition="nobody", networkConfiguration=side.network)
    side.ask("ecs:RunTask (no cluster)", cluster="nobody", taskDefinition="web:1", networkConfiguration=side.network)
    side.ask("ecs:DescribeTasks (nobody)", cluster="main", tasks=["0" * 32])
    side.ask("ecs:StopTask (nobody)", cluster="main", task="0" * 32)
    side.quietly("ecs", "DeleteService", cluster="main", service="balanced", force=True)


def end_of_load_balancers(side):
    side.ask("elbv2:DeleteRule", RuleArn=side.ends["rule"])
    side.ask("elbv2:DeleteListener", ListenerArn=side.ends["listener"])
    side.ask("elbv2:DeleteTargetGroup", TargetGroupArn=side.ends["groups"][1])
    side.ask("elbv2:DeleteLoadBalancer", LoadBalancerArn=side.ends["balancer"])


def cloudformation(side):
    side.ask("cloudformation:DescribeStacks", StackName="infrastructure")
    side.ask("cloudformation:DescribeStacks (all)")
    side.ask("cloudformation:DescribeStacks (nobody)", StackName="nobody")
    side.ask("cloudformation:ListStackResources", StackName="infrastructure")
    side.ask("cloudformation:ListStackResources (nobody)", StackName="nobody")
    side.ask("cloudformation:DescribeStackResources", StackName="infrastructure")
    side.ask("cloudformation:ListExports")


def others(side):
    side.ask("sts:GetCallerIdentity")
    side.ask("sts:AssumeRole", RoleArn="arn:aws:iam::123456789012:role/deployer", RoleSessionName="somebody")
    side.ask("ecr:DescribeRepositories")
    side.ask("ecr:DescribeRepositories (nobody)", repositoryNames=["nobody"])
    ids = [{"imageTag": "multi"}, {"imageTag": "single"}, {"imageTag": "nothing"}]
    side.ask("ecr:BatchGetImage", repositoryName="backend", imageIds=ids)
    side.ask("ecr:BatchGetImage (nobody)", repositoryName="nobody", imageIds=ids)
    side.ask("ecr:DescribeImages", repositoryName="backend", imageIds=ids[:2])
    side.ask("ecr:DescribeImages (nothing)", repositoryName="backend", imageIds=ids)
    side.ask("secretsmanager:DescribeSecret", SecretId="app/database")
    side.ask("secretsmanager:DescribeSecret (nobody)", SecretId="nobody")
    side.ask("secretsmanager:ListSecrets")
    side.ask("secretsmanager:ListSecrets (page)", MaxResults=2)
    side.ask("ssm:GetParameter", Name="/app/one")
    side.ask("ssm:GetParameter (nobody)", Name="/nobody")
    side.ask("ssm:GetParameters", Names=["/app/one", "/nobody"])
    side.ask("ssm:DescribeParameters", MaxResults=2)
    side.ask("cloudwatch:PutMetricData", Namespace="Trueup", MetricData=[{"MetricName": "Drift", "Value": 1.5}])
    side.ask("cloudwatch:DescribeAlarms", AlarmNames=["errors"])
    target = {
        "ServiceNamespace": "ecs", "ResourceId": "service/main/scaled", "ScalableDimension": "ecs:service:DesiredCount",
    }
    side.quietly(
        "ecs", "CreateService", cluster="main", serviceName="scaled", taskDefinition="web:1", desiredCount=1,
        launchType="FARGATE", networkConfiguration=side.network,
    )
    side.ask("application-autoscaling:RegisterScalableTarget", **target, MinCapacity=1, MaxCapacity=2)
    side.ask("application-autoscaling:DescribeScalableTargets", ServiceNamespace="ecs")
    side.ask("application-autoscaling:DeregisterScalableTarget", **target)
    side.ask("application-autoscaling:DeregisterScalableTarget (gone)", **target)
