//! Fields of the task, and its containers as a set.

use serde_json::{Value, json};
use trueup_core::kind::Kind;

use super::{ROLE, task};
use crate::{Row, check, over};

#[test]
fn fields_of_the_task() {
    let bare = || json!({});
    let arm = || json!({"runtimePlatform": {"cpuArchitecture": "ARM64"}});
    let rows: &[Row] = &[
        ("another family", json!({"family": "api"}), bare(), &["/family"]),
        ("the case of a family counts", json!({"family": "Web"}), bare(), &["/family"]),
        ("an empty task role is none", json!({"taskRoleArn": ""}), bare(), &[]),
        ("an empty execution role is none", json!({"executionRoleArn": ""}), bare(), &[]),
        ("a role's name is its ARN", json!({"taskRoleArn": "web"}), json!({"taskRoleArn": ROLE}), &[]),
        (
            "in any partition",
            json!({"taskRoleArn": "web"}),
            json!({"taskRoleArn": "arn:aws-us-gov:iam::123456789012:role/web"}),
            &[],
        ),
        (
            "an execution role's name is its ARN",
            json!({"executionRoleArn": "web"}),
            json!({"executionRoleArn": ROLE}),
            &[],
        ),
        (
            "a role with another path",
            json!({"taskRoleArn": ROLE}),
            json!({"taskRoleArn": "arn:aws:iam::123456789012:role/team/web"}),
            &["/taskRoleArn"],
        ),
        (
            "a bare name is no role with a path",
            json!({"taskRoleArn": "web"}),
            json!({"taskRoleArn": "arn:aws:iam::123456789012:role/team/web"}),
            &["/taskRoleArn"],
        ),
        (
            "a role of another account",
            json!({"taskRoleArn": ROLE}),
            json!({"taskRoleArn": "arn:aws:iam::999999999999:role/web"}),
            &["/taskRoleArn"],
        ),
        ("a role that ends alike", json!({"taskRoleArn": "eb"}), json!({"taskRoleArn": ROLE}), &["/taskRoleArn"]),
        ("a role taken away", json!({"taskRoleArn": ROLE}), bare(), &["/taskRoleArn"]),
        ("a role added", bare(), json!({"taskRoleArn": ROLE}), &["/taskRoleArn"]),
        ("bridge is the default network mode", bare(), json!({"networkMode": "bridge"}), &[]),
        ("and may not be echoed", json!({"networkMode": "bridge"}), bare(), &[]),
        ("awsvpc is not", bare(), json!({"networkMode": "awsvpc"}), &["/networkMode"]),
        ("host is not bridge", json!({"networkMode": "bridge"}), json!({"networkMode": "host"}), &["/networkMode"]),
        (
            "compatibilities are a set",
            json!({"requiresCompatibilities": ["FARGATE", "EC2"]}),
            json!({"requiresCompatibilities": ["EC2", "FARGATE"]}),
            &[],
        ),
        ("no compatibilities", json!({"requiresCompatibilities": []}), bare(), &[]),
        (
            "one compatibility less",
            json!({"requiresCompatibilities": ["FARGATE", "EC2"]}),
            json!({"requiresCompatibilities": ["FARGATE"]}),
            &["/requiresCompatibilities"],
        ),
        (
            "computed compatibilities are not the declared ones",
            json!({"requiresCompatibilities": ["EC2"]}),
            json!({"requiresCompatibilities": ["EC2"], "compatibilities": ["EXTERNAL", "EC2"]}),
            &[],
        ),
        ("cpu in vCPU", json!({"cpu": ".25 vCPU"}), json!({"cpu": "256"}), &[]),
        ("cpu in vcpu", json!({"cpu": "0.25 vcpu"}), json!({"cpu": "256"}), &[]),
        ("cpu without a space", json!({"cpu": "1vCPU"}), json!({"cpu": "1024"}), &[]),
        ("cpu as a number", json!({"cpu": 256}), json!({"cpu": "256"}), &[]),
        ("another cpu", json!({"cpu": "256"}), json!({"cpu": "512"}), &["/cpu"]),
        ("another cpu in vCPU", json!({"cpu": ".5 vCPU"}), json!({"cpu": "256"}), &["/cpu"]),
        ("cpu taken away", json!({"cpu": "256"}), bare(), &["/cpu"]),
        ("memory in GB", json!({"memory": "1GB"}), json!({"memory": "1024"}), &[]),
        ("memory in GB with a space", json!({"memory": "1 GB"}), json!({"memory": "1024"}), &[]),
        ("memory in fractions of a GB", json!({"memory": "0.5GB"}), json!({"memory": "512"}), &[]),
        ("memory with a decimal point", json!({"memory": "1.0GB"}), json!({"memory": "1024"}), &[]),
        ("another memory", json!({"memory": "1GB"}), json!({"memory": "1000"}), &["/memory"]),
        ("pid mode", json!({"pidMode": "task"}), bare(), &["/pidMode"]),
        ("ipc mode none is not its absence", json!({"ipcMode": "none"}), bare(), &["/ipcMode"]),
        ("ipc mode added", bare(), json!({"ipcMode": "host"}), &["/ipcMode"]),
        (
            "a proxy is App Mesh's",
            json!({"proxyConfiguration": {"containerName": "envoy"}}),
            json!({"proxyConfiguration": {"type": "APPMESH", "containerName": "envoy", "properties": []}}),
            &[],
        ),
        (
            "a proxy's properties are a set",
            json!({"proxyConfiguration": {"containerName": "envoy", "properties": [{"name": "A", "value": ""}, {"name": "B", "value": "1"}]}}),
            json!({"proxyConfiguration": {"type": "APPMESH", "containerName": "envoy", "properties": [{"name": "B", "value": "1"}, {"name": "A", "value": ""}]}}),
            &[],
        ),
        (
            "an empty property is a value",
            json!({"proxyConfiguration": {"containerName": "envoy", "properties": [{"name": "A", "value": ""}]}}),
            json!({"proxyConfiguration": {"containerName": "envoy", "properties": [{"name": "A", "value": "x"}]}}),
            &["/proxyConfiguration/properties/A"],
        ),
        (
            "a property taken away",
            json!({"proxyConfiguration": {"containerName": "envoy", "properties": [{"name": "A", "value": ""}]}}),
            json!({"proxyConfiguration": {"containerName": "envoy"}}),
            &["/proxyConfiguration/properties/A"],
        ),
        (
            "a proxy taken away",
            json!({"proxyConfiguration": {"containerName": "envoy"}}),
            bare(),
            &["/proxyConfiguration"],
        ),
        (
            "accelerators are a set",
            json!({"inferenceAccelerators": [{"deviceName": "a", "deviceType": "x"}, {"deviceName": "b", "deviceType": "x"}]}),
            json!({"inferenceAccelerators": [{"deviceName": "b", "deviceType": "x"}, {"deviceName": "a", "deviceType": "x"}]}),
            &[],
        ),
        (
            "another accelerator type",
            json!({"inferenceAccelerators": [{"deviceName": "a", "deviceType": "x"}]}),
            json!({"inferenceAccelerators": [{"deviceName": "a", "deviceType": "y"}]}),
            &["/inferenceAccelerators/a/deviceType"],
        ),
        (
            "storage taken away",
            json!({"ephemeralStorage": {"sizeInGiB": 21}}),
            bare(),
            &["/ephemeralStorage/sizeInGiB"],
        ),
        ("storage added", bare(), json!({"ephemeralStorage": {"sizeInGiB": 30}}), &["/ephemeralStorage/sizeInGiB"]),
        (
            "more storage",
            json!({"ephemeralStorage": {"sizeInGiB": 21}}),
            json!({"ephemeralStorage": {"sizeInGiB": 30}}),
            &["/ephemeralStorage/sizeInGiB"],
        ),
        ("a husk of a platform is none", json!({}), json!({"runtimePlatform": {"cpuArchitecture": null}}), &[]),
        ("an empty platform is none", json!({"runtimePlatform": {}}), bare(), &[]),
        (
            "on EC2 an explicit platform restricts",
            bare(),
            json!({"runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}}),
            &["/runtimePlatform"],
        ),
        (
            "a half-given platform is completed",
            arm(),
            json!({"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}),
            &[],
        ),
        (
            "the other half too",
            json!({"runtimePlatform": {"operatingSystemFamily": "LINUX"}}),
            json!({"runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}}),
            &[],
        ),
        (
            "another architecture",
            arm(),
            json!({"runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}}),
            &["/runtimePlatform/cpuArchitecture"],
        ),
        ("fault injection is off", bare(), json!({"enableFaultInjection": false}), &[]),
        ("fault injection switched on", bare(), json!({"enableFaultInjection": true}), &["/enableFaultInjection"]),
        (
            "isolation that is shared",
            bare(),
            json!({"trustedExecutionConfiguration": {"isolationMode": "SHARED"}}),
            &[],
        ),
        (
            "isolation that is not",
            bare(),
            json!({"trustedExecutionConfiguration": {"isolationMode": "ISOLATED_SANDBOX"}}),
            &["/trustedExecutionConfiguration"],
        ),
        (
            "placement constraints are a set",
            json!({"placementConstraints": [{"type": "memberOf", "expression": "a"}, {"type": "memberOf", "expression": "b"}]}),
            json!({"placementConstraints": [{"type": "memberOf", "expression": "b"}, {"type": "memberOf", "expression": "a"}]}),
            &[],
        ),
        (
            "another placement constraint",
            json!({"placementConstraints": [{"type": "memberOf", "expression": "a"}]}),
            json!({"placementConstraints": [{"type": "memberOf", "expression": "b"}]}),
            &["/placementConstraints"],
        ),
        (
            "a placement constraint added",
            bare(),
            json!({"placementConstraints": [{"type": "memberOf", "expression": "b"}]}),
            &["/placementConstraints"],
        ),
        (
            "nulls are nothing",
            json!({"volumes": null, "cpu": null, "pidMode": null}),
            json!({"volumes": [], "ipcMode": null}),
            &[],
        ),
        (
            "a tag changed",
            json!({"tags": [{"key": "team", "value": "shop"}]}),
            json!({"tags": [{"key": "team", "value": "web"}]}),
            &["/tags/team"],
        ),
        ("a tag taken away", json!({"tags": [{"key": "team", "value": "shop"}]}), json!({"tags": []}), &["/tags/team"]),
        ("tags that were not read", json!({"tags": [{"key": "team", "value": "shop"}]}), bare(), &[]),
        ("a foreign tag", bare(), json!({"tags": [{"key": "other", "value": "x"}]}), &[]),
        (
            "AWS's tags and ours",
            json!({"tags": []}),
            json!({"tags": [{"key": "aws:x", "value": "x"}, {"key": "trueup:y", "value": "y"}]}),
            &[],
        ),
        (
            "a tag's empty value",
            json!({"tags": [{"key": "team", "value": ""}]}),
            json!({"tags": [{"key": "team", "value": "x"}]}),
            &["/tags/team"],
        ),
        (
            "a tag's key with a slash",
            json!({"tags": [{"key": "a/b", "value": ""}]}),
            json!({"tags": []}),
            &["/tags/a~1b"],
        ),
        ("a declared field that is newer than the model", json!({"newField": {"a": 1}}), bare(), &["/newField"]),
        ("the same in live", json!({"newField": {"a": 1, "b": null}}), json!({"newField": {"a": 1.0}}), &[]),
        ("a newer field of live alone", bare(), json!({"newField": {"a": 1}}), &[]),
    ];
    check(Kind::TaskDefinition, "", task, rows);
}

#[test]
fn platforms_on_fargate() {
    let linux = || json!({"runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}});
    let fargate = |members: &Value| {
        over(task(members), &json!({"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}))
    };
    let rows: &[Row] = &[
        ("the default spelt out in live", json!({}), linux(), &[]),
        ("the default spelt out in desired", linux(), json!({}), &[]),
        (
            "another architecture",
            json!({}),
            json!({"runtimePlatform": {"cpuArchitecture": "ARM64"}}),
            &["/runtimePlatform/cpuArchitecture"],
        ),
        (
            "Windows",
            linux(),
            json!({"runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}),
            &["/runtimePlatform/operatingSystemFamily"],
        ),
    ];
    check(Kind::TaskDefinition, "", fargate, rows);
}

#[test]
fn containers_are_a_set_by_name() {
    let rows: &[Row] = &[
        (
            "AWS reorders them",
            json!({"containerDefinitions": [{"name": "app", "image": "a"}, {"name": "log", "image": "l"}]}),
            json!({"containerDefinitions": [{"name": "log", "image": "l"}, {"name": "app", "image": "a"}]}),
            &[],
        ),
        (
            "one added",
            json!({"containerDefinitions": [{"name": "app", "image": "a"}]}),
            json!({"containerDefinitions": [{"name": "log", "image": "l"}, {"name": "app", "image": "a"}]}),
            &["/containerDefinitions/log"],
        ),
        (
            "one taken away",
            json!({"containerDefinitions": [{"name": "app", "image": "a"}, {"name": "log", "image": "l"}]}),
            json!({"containerDefinitions": [{"name": "app", "image": "a"}]}),
            &["/containerDefinitions/log"],
        ),
        (
            "the case of names counts",
            json!({"containerDefinitions": [{"name": "app", "image": "a"}]}),
            json!({"containerDefinitions": [{"name": "App", "image": "a"}]}),
            &["/containerDefinitions/App", "/containerDefinitions/app"],
        ),
        (
            "images that trade places",
            json!({"containerDefinitions": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}),
            json!({"containerDefinitions": [{"name": "a", "image": "2"}, {"name": "b", "image": "1"}]}),
            &["/containerDefinitions/a/image", "/containerDefinitions/b/image"],
        ),
    ];
    check(Kind::TaskDefinition, "", task, rows);
}
