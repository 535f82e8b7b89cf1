"""The AWS CLI: a deployment as people and pipelines make it, `--query`, waiters, and exit codes."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import awscli.botocore

NETWORK = "awsvpcConfiguration={subnets=[subnet-0123456789abcdef0,subnet-0123456789abcdef1],securityGroups=[sg-0123456789abcdef0]}"
# Exit codes of version 1 (AWS CLI user guide, "Command line return codes").
REFUSED, UNREADABLE = 255, 2


def look_every_second(directory):
    """Has the CLI's waiters look every second, not every fifteen: time runs faster here, and all else stays as it is."""
    data = Path(awscli.botocore.__file__).parent / "data"
    for service in ["ecs", "elbv2"]:
        for path in (data / service).glob("*/waiters-2.json"):
            waiters = json.loads(path.read_text(encoding="utf-8"))
            for waiter in waiters["waiters"].values():
                waiter["delay"] = 1
            copy = Path(directory) / path.relative_to(data)
            copy.parent.mkdir(parents=True)
            copy.write_text(json.dumps(waiters), encoding="utf-8")
    os.environ["AWS_DATA_PATH"] = str(directory)


def aws(*arguments, code=0, says=""):
    """Runs `aws` and gives its output: as JSON, or as text where it is none. It must end with this code, saying this."""
    command = [sys.executable, Path(sys.executable).with_name("aws"), *arguments]
    done = subprocess.run([*command, "--endpoint-url", os.environ["AWS_ENDPOINT_URL"]], capture_output=True, text=True)
    assert done.returncode == code, f"{arguments} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    assert says in done.stderr, f"{arguments} does not say {says!r}:\n{done.stderr}"
    try:
        return json.loads(done.stdout or "null")
    except ValueError:
        return done.stdout.strip()


def equal(found, wanted):
    """Fails with both sides shown."""
    assert found == wanted, f"{found!r} is not {wanted!r}"


def register(image):
    """Registers a revision; its ARN, as a script takes it out of the answer."""
    container = {"name": "web", "image": image, "portMappings": [{"containerPort": 8080}]}
    return aws(
        "ecs", "register-task-definition", "--family", "web", "--network-mode", "awsvpc", "--cpu", "256", "--memory", "512",
        "--requires-compatibilities", "FARGATE", "--container-definitions", json.dumps([container]),
        "--query", "taskDefinition.taskDefinitionArn", "--output", "text",
    )  # fmt: skip


quicker = tempfile.TemporaryDirectory()
look_every_second(quicker.name)
equal(aws("sts", "get-caller-identity", "--query", "Account"), "123456789012")
aws("ecs", "create-cluster", "--cluster-name", "main")
equal(aws("ecs", "list-clusters", "--query", "length(clusterArns)"), 1)

balancer = aws(
    "elbv2", "create-load-balancer", "--name", "main", "--subnets", "subnet-0123456789abcdef0", "subnet-0123456789abcdef1",
    "--query", "LoadBalancers[0].LoadBalancerArn", "--output", "text",
)  # fmt: skip
aws("elbv2", "wait", "load-balancer-available", "--load-balancer-arns", balancer)
group = aws(
    "elbv2", "create-target-group", "--name", "web", "--protocol", "HTTP", "--port", "8080", "--target-type", "ip",
    "--vpc-id", "vpc-0123456789abcdef0", "--health-check-interval-seconds", "5", "--health-check-timeout-seconds", "2",
    "--query", "TargetGroups[0].TargetGroupArn", "--output", "text",
)  # fmt: skip
listener = aws(
    "elbv2", "create-listener", "--load-balancer-arn", balancer, "--protocol", "HTTP", "--port", "80",
    "--default-actions", f"Type=forward,TargetGroupArn={group}", "--query", "Listeners[0].ListenerArn", "--output", "text",
)  # fmt: skip

first = register("web:1")
# Each start of the CLI takes longer than ECS needs to see the listener's target group.
aws(
    "ecs", "create-service", "--cluster", "main", "--service-name", "web", "--task-definition", first, "--desired-count", "2",
    "--launch-type", "FARGATE", "--network-configuration", NETWORK,
    "--load-balancers", f"targetGroupArn={group},containerName=web,containerPort=8080",
    "--deployment-configuration", "deploymentCircuitBreaker={enable=true,rollback=true}",
)  # fmt: skip
aws("ecs", "wait", "services-stable", "--cluster", "main", "--services", "web")

# A deployment as pipelines make it: register, update, wait, and look which revision serves.
second = register("web:2")
aws("ecs", "update-service", "--cluster", "main", "--service", "web", "--task-definition", second)
aws("ecs", "wait", "services-stable", "--cluster", "main", "--services", "web")
serving = aws(
    "ecs", "describe-services", "--cluster", "main", "--services", "web",
    "--query", "services[0].[taskDefinition,runningCount,length(deployments)]",
)  # fmt: skip
equal(serving, [second, 2, 1])
states = aws(
    "elbv2", "describe-target-health", "--target-group-arn", group,
    "--query", "TargetHealthDescriptions[?TargetHealth.State=='healthy'].Target.Port",
)  # fmt: skip
equal(states, [8080, 8080])
listed = aws("ecs", "list-task-definitions", "--family-prefix", "web", "--page-size", "1")
equal(listed["taskDefinitionArns"], [first, second])
tasks = aws("ecs", "list-tasks", "--cluster", "main", "--service-name", "web", "--query", "taskArns[]", "--output", "text").split()
equal(len(tasks), 2)
aws("ecs", "wait", "tasks-running", "--cluster", "main", "--tasks", *tasks)

# What goes wrong
refused = "An error occurred (ClientException) when calling the DescribeTaskDefinition operation"
aws("ecs", "describe-task-definition", "--task-definition", "nobody", code=REFUSED, says=refused)
refused = "An error occurred (TargetGroupNotFound) when calling the DescribeTargetGroups operation"
aws("elbv2", "describe-target-groups", "--names", "nobody", code=REFUSED, says=refused)
aws("ecs", "update-service", "--cluster", "main", code=UNREADABLE, says="--service")
failed = "Waiter ServicesStable failed: Waiter encountered a terminal failure state"
aws("ecs", "wait", "services-stable", "--cluster", "main", "--services", "nobody", code=REFUSED, says=failed)

aws("cloudformation", "wait", "stack-exists", "--stack-name", "infrastructure")
outputs = ["--stack-name", "infrastructure", "--query", "Stacks[0].Outputs[?OutputKey=='VpcId'].OutputValue | [0]"]
equal(aws("cloudformation", "describe-stacks", *outputs), "vpc-0123456789abcdef0")
datum = ["--namespace", "Trueup", "--metric-name", "Drift", "--value", "1", "--dimensions", "Application=web"]
aws("cloudwatch", "put-metric-data", *datum)
manifest = ["--repository-name", "backend", "--image-ids", "imageTag=single", "--query", "images[0].imageManifestMediaType"]
equal(aws("ecr", "batch-get-image", *manifest), "application/vnd.oci.image.manifest.v1+json")

aws("ecs", "delete-service", "--cluster", "main", "--service", "web", "--force")
aws("ecs", "wait", "services-inactive", "--cluster", "main", "--services", "web")
