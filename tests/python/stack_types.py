"""CloudFormation's resource types that moto lacks, or of which it drops most properties, taught to it as what they are
in AWS: a call of the service's API with the template's properties as its request, which botocore validates.
"""

import boto3
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException


# What the API spells in another way than the template's spelling in camel case would be.
SPELLED = {"EFSVolumeConfiguration": "efsVolumeConfiguration", "FilesystemId": "fileSystemId", "IAM": "iam"}


def camel(value):
    """PascalCase members as ECS's API spells them. Keys of a log driver's options are data."""
    if isinstance(value, dict):
        spelled = lambda key: SPELLED.get(key, key[0].lower() + key[1:])
        return {spelled(key): dict(inner) if key == "Options" else camel(inner) for key, inner in value.items()}
    return [camel(inner) for inner in value] if isinstance(value, list) else value


def present(value):
    """Without what `AWS::NoValue` stands for, which moto leaves in lists as nulls."""
    if isinstance(value, dict):
        return {key: present(inner) for key, inner in value.items() if inner is not None}
    return [present(inner) for inner in value if inner is not None] if isinstance(value, list) else value


class _ByCall:
    """A resource that is made by one call. Has what moto asks of a `CloudFormationModel`."""

    TYPE = NAME = ""

    def __init__(self, physical_resource_id, attributes):
        self._id = physical_resource_id
        self._attributes = attributes

    @classmethod
    def create(cls, name, properties):
        """Makes the call; gives the physical id and the attributes for Fn::GetAtt."""
        raise NotImplementedError

    @classmethod
    def cloudformation_type(cls):
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls):
        return cls.NAME

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        return cls(*cls.create(resource_name, present(cloudformation_json["Properties"])))

    @property
    def physical_resource_id(self):
        return self._id

    def is_created(self):
        return True

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr in ("Arn", "Name")

    def get_cfn_attribute(self, attribute_name):
        if attribute_name not in self._attributes:
            raise UnformattedGetAttTemplateException()
        return self._attributes[attribute_name]


class Alarm(_ByCall):
    TYPE, NAME = "AWS::CloudWatch::Alarm", "AlarmName"

    @classmethod
    def create(cls, name, properties):
        client = boto3.client("cloudwatch")
        client.put_metric_alarm(**{**properties, "AlarmName": name})
        (alarm,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return name, {"Arn": alarm["AlarmArn"]}


class TaskDefinition(_ByCall):
    TYPE, NAME = "AWS::ECS::TaskDefinition", "Family"

    @classmethod
    def create(cls, name, properties):
        made = boto3.client("ecs").register_task_definition(**{**camel(properties), "family": name})
        return made["taskDefinition"]["taskDefinitionArn"], {}


class Service(_ByCall):
    TYPE, NAME = "AWS::ECS::Service", "ServiceName"
    # By service ARN: moto's own services forget half of what they were asked for.
    requests = {}

    @classmethod
    def create(cls, name, properties):
        request = {**camel(properties), "serviceName": name}
        service = boto3.client("ecs").create_service(**request)["service"]
        cls.requests[service["serviceArn"]] = request
        return service["serviceArn"], {"Name": service["serviceName"]}


class Egress(_ByCall):
    TYPE, NAME = "AWS::EC2::SecurityGroupEgress", ""

    @classmethod
    def create(cls, name, properties):
        group = properties.pop("GroupId")
        ranges = [{key: properties.pop(key) for key in ("CidrIp", "Description")}]
        boto3.client("ec2").authorize_security_group_egress(
            GroupId=group, IpPermissions=[{**properties, "IpRanges": ranges}]
        )
        return name, {}


def teach():
    """From now on, moto makes these."""
    for model in (Alarm, TaskDefinition, Service, Egress):
        parsing.get_model_map()[model.TYPE] = model
        parsing.get_name_type_map()[model.TYPE] = model.NAME
