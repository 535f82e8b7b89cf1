"""What stands in AWS before the table is played: the same in moto as the test has made in the simulator."""

import hashlib
import json

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
TEMPLATE = {
    "Resources": {"Network": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}}},
    "Outputs": {"VpcId": {"Value": {"Ref": "Network"}, "Export": {"Name": "infrastructure-VpcId"}}},
}


def of_simulator(_aws):
    """The names of the network in the simulator, which knows no EC2 and takes any."""
    return {
        "vpc": "vpc-0123456789abcdef0",
        "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "security_group": "sg-0123456789abcdef0",
    }


def make_in_moto(aws):
    """Makes all that; the names of the network."""
    for repository in ["backend", "frontend", "worker"]:
        aws.ecr.create_repository(repositoryName=repository)
        _push(aws.ecr, repository)
    for name in ["app/database", "app/redis", "app/queue"]:
        aws.secretsmanager.create_secret(Name=name, SecretString="not a secret")
    for name in ["/app/one", "/app/two", "/app/three"]:
        aws.ssm.put_parameter(Name=name, Value="not a secret", Type="SecureString")
    for name in ["errors", "latency", "traffic"]:
        aws.cloudwatch.put_metric_alarm(
            AlarmName=name, MetricName=name, Namespace="app", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        aws.cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="fine")
    aws.cloudformation.create_stack(StackName="infrastructure", TemplateBody=json.dumps(TEMPLATE))
    ec2 = aws.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="app", Description="app", VpcId=vpc)["GroupId"]
    return {"vpc": vpc, "subnets": subnets, "security_group": group}


def _push(ecr, repository):
    """An image for one platform under `single`, and an index of two under `multi`."""
    entries = []
    for architecture in ["amd64", "arm64"]:
        config = _blob("application/vnd.oci.image.config.v1+json", architecture)
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
        tag = "single" if architecture == "amd64" else "other"
        pushed = _put(ecr, repository, body, MANIFEST, tag)
        entries.append({**pushed, "platform": {"os": "linux", "architecture": architecture}})
    _put(ecr, repository, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX, "multi")


def _blob(media_type, content):
    return {"mediaType": media_type, "digest": "sha256:" + hashlib.sha256(content.encode()).hexdigest(), "size": len(content)}


def _put(ecr, repository, body, media_type, tag):
    text = json.dumps(body)
    blob = _blob(media_type, text)
    ecr.put_image(
        repositoryName=repository, imageManifest=text, imageManifestMediaType=media_type, imageTag=tag,
        imageDigest=blob["digest"],
    )
    return blob
