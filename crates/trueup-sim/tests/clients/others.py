"""The other services, as far as clients of ECS read them."""

import json
import time

from aws import Aws, equal, pages, refused, until, wait

aws = Aws()
ACCOUNT = "123456789012"

# CloudFormation

stacks = aws.cloudformation
wait(stacks, "stack_exists", StackName="infrastructure")
wait(stacks, "stack_create_complete", StackName="infrastructure")
stack = stacks.describe_stacks(StackName="infrastructure")["Stacks"][0]
equal({output["OutputKey"] for output in stack["Outputs"]}, {"VpcId"})
equal(len(pages(stacks, "describe_stacks", "Stacks")[0]), 1)
resources, _ = pages(stacks, "list_stack_resources", "StackResourceSummaries", StackName="infrastructure")
equal([resource["ResourceType"] for resource in resources], ["AWS::EC2::VPC"])
stacks.describe_stack_resources(StackName="infrastructure", LogicalResourceId="Network")
exports, _ = pages(stacks, "list_exports", "Exports")
equal([export["Name"] for export in exports], ["infrastructure-VpcId"])
refused("ValidationError", stacks.describe_stacks, StackName="nobody")
refused("ValidationError", stacks.list_stack_resources, StackName="nobody")

# STS

sts = aws.sts
equal(sts.get_caller_identity()["Account"], ACCOUNT)
role = "arn:aws:iam::210987654321:role/deployer"
assumed = sts.assume_role(RoleArn=role, RoleSessionName="somebody", DurationSeconds=43_200)
keys = assumed["Credentials"]
temporary = Aws(
    aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
    aws_session_token=keys["SessionToken"],
)
equal(temporary.sts.get_caller_identity()["Arn"], "arn:aws:sts::210987654321:assumed-role/deployer/somebody")
equal(temporary.ecs.list_clusters()["clusterArns"], [])
refused("ValidationError", sts.assume_role, RoleArn=role, RoleSessionName="somebody", DurationSeconds=60_000)

# ECR

ecr = aws.ecr
equal(len(pages(ecr, "describe_repositories", "repositories", size=2)[0]), 3)
wanted = [{"imageTag": "multi"}, {"imageTag": "single"}, {"imageTag": "nothing"}]
batch = ecr.batch_get_image(repositoryName="backend", imageIds=wanted)
equal([image["imageId"]["imageTag"] for image in batch["images"]], ["multi", "single"])
equal([failure["failureCode"] for failure in batch["failures"]], ["ImageNotFound"])
platforms = [entry["platform"]["architecture"] for entry in json.loads(batch["images"][0]["imageManifest"])["manifests"]]
equal(platforms, ["amd64", "arm64"])
configuration = json.loads(batch["images"][1]["imageManifest"])["config"]["digest"]
ecr.get_download_url_for_layer(repositoryName="backend", layerDigest=configuration)
images, count = pages(ecr, "describe_images", "imageDetails", size=1, repositoryName="backend")
assert len(images) == count > 2, images
refused("ImageNotFoundException", ecr.describe_images, repositoryName="backend", imageIds=[{"imageTag": "nothing"}])
refused("RepositoryNotFoundException", ecr.batch_get_image, repositoryName="nobody", imageIds=wanted)
try:
    ecr.describe_repositories(repositoryNames=["nobody"])
except ecr.exceptions.RepositoryNotFoundException as error:
    equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)

# Secrets Manager and Systems Manager

secrets = aws.secretsmanager
secret = secrets.describe_secret(SecretId="app/database")
equal(secrets.describe_secret(SecretId=secret["ARN"])["Name"], "app/database")
listed, count = pages(secrets, "list_secrets", "SecretList", size=2)
equal((len(listed), count), (3, 2))
refused("ResourceNotFoundException", secrets.describe_secret, SecretId="nobody")

ssm = aws.ssm
equal(ssm.get_parameter(Name="/app/one")["Parameter"]["Type"], "SecureString")
several = ssm.get_parameters(Names=["/app/one", "/app/two", "/nobody"], WithDecryption=False)
equal((len(several["Parameters"]), several["InvalidParameters"]), (2, ["/nobody"]))
under = [{"Key": "Name", "Option": "BeginsWith", "Values": ["/app/"]}]
equal(len(pages(ssm, "describe_parameters", "Parameters", size=2, ParameterFilters=under)[0]), 3)
refused("ParameterNotFound", ssm.get_parameter, Name="/nobody")

# CloudWatch, in each of its protocols

DATUM = {
    "MetricName": "Drift", "Value": 1.5, "Unit": "Count", "Dimensions": [{"Name": "Application", "Value": "web"}],
    "Timestamp": 1_767_225_600,
}
for protocol in ["json", "query", "smithy-rpc-v2-cbor"]:
    client = Aws(protocols={"cloudwatch": protocol})
    client.cloudwatch.put_metric_data(Namespace="Trueup", MetricData=[DATUM, {**DATUM, "Values": [1, 2], "Counts": [3, 4]}])
    alarms, count = pages(client.cloudwatch, "describe_alarms", "MetricAlarms", size=2)
    equal((protocol, [alarm["AlarmName"] for alarm in alarms], count), (protocol, ["errors", "latency", "traffic"], 2))
    wait(client.cloudwatch, "alarm_exists", AlarmNames=["errors"])
    # The newer protocols name the error as the old one does, in a header of their own.
    refused("InvalidParameterValue", client.cloudwatch.put_metric_data, Namespace="Trueup", MetricData=[DATUM] * 1001)
    client.done()

# Application Auto Scaling

ecs = aws.ecs
ecs.create_cluster(clusterName="main")
ecs.register_task_definition(
    family="web", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
    containerDefinitions=[{"name": "web", "image": "web:1", "environment": [{"name": "PASSWORD", "value": "hidden"}]}],
)
for name in ["one", "two", "three"]:
    ecs.create_service(
        cluster="main", serviceName=name, taskDefinition="web", desiredCount=1, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}},
    )
    target = {
        "ServiceNamespace": "ecs", "ResourceId": f"service/main/{name}", "ScalableDimension": "ecs:service:DesiredCount",
    }
    aws.application_autoscaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=4)
equal(ecs.describe_services(cluster="main", services=["one"])["services"][0]["desiredCount"], 2)
found, count = pages(aws.application_autoscaling, "describe_scalable_targets", "ScalableTargets", size=2, ServiceNamespace="ecs")
equal((len(found), count), (3, 2))
aws.application_autoscaling.deregister_scalable_target(**target)
refused("ObjectNotFoundException", aws.application_autoscaling.deregister_scalable_target, **target)
nobody = {**target, "ResourceId": "service/main/nobody"}
refused("ValidationException", aws.application_autoscaling.register_scalable_target, **nobody, MinCapacity=1, MaxCapacity=2)

# CloudTrail, which tells some minutes later

named = [{"AttributeKey": "EventName", "AttributeValue": "CreateService"}]
events = until(
    lambda: pages(aws.cloudtrail, "lookup_events", "Events", size=2, LookupAttributes=named)[0], lambda found: len(found) == 3
)
equal({event["Username"] for event in events}, {"AKIAIOSFODNN7EXAMPLE"})
assert all(json.loads(event["CloudTrailEvent"])["eventName"] == "CreateService" for event in events)
time.sleep(1)  # The quota of LookupEvents is two a second, and the pages above may have used it up.
registered = aws.cloudtrail.lookup_events(LookupAttributes=[{**named[0], "AttributeValue": "RegisterTaskDefinition"}])
assert "hidden" not in registered["Events"][0]["CloudTrailEvent"], registered
time.sleep(1)
refused("InvalidTimeRangeException", aws.cloudtrail.lookup_events, StartTime=time.time(), EndTime=1)
aws.done()
temporary.done()
