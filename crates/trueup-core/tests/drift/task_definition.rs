//! Task definitions: `RegisterTaskDefinition` against `DescribeTaskDefinition`.

use serde_json::{Value, json};
use trueup_core::drift::{Context, drift};
use trueup_core::model::Kind;

use crate::{Row, check, over, paths};

const ROLE: &str = "arn:aws:iam::123456789012:role/web";

/// A task definition with one container, with these members.
fn task(members: &Value) -> Value {
    over(json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "web:1"}]}), members)
}

/// A task definition whose one container has these members.
fn container(members: &Value) -> Value {
    task(&json!({"containerDefinitions": [over(json!({"name": "web", "image": "web:1"}), members)]}))
}

/// A Fargate task definition whose one container has these members.
fn fargate_container(members: &Value) -> Value {
    over(container(members), &json!({"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}))
}

/// A task definition with one volume `data` that has these members.
fn volume(members: &Value) -> Value {
    task(&json!({"volumes": [over(json!({"name": "data"}), members)]}))
}

#[test]
fn a_whole_answer_of_aws_is_no_drift() {
    let desired = json!({
        "family": "web", "cpu": ".25 vCPU", "memory": "0.5 GB", "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE", "EC2"], "taskRoleArn": "", "executionRoleArn": "web",
        "tags": [{"key": "team", "value": "shop"}],
        "containerDefinitions": [
            {"name": "web", "image": "nginx", "portMappings": [{"containerPort": 8080}, {"containerPort": 443}],
             "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
             "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]},
            {"name": "logger", "image": "fluent-bit"}
        ],
        "volumes": [{"name": "data"}]
    });
    let live = json!({
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7", "revision": 7, "status": "ACTIVE",
        "requiresAttributes": [{"name": "ecs.capability.task-eni"}], "compatibilities": ["EC2", "FARGATE", "MANAGED_INSTANCES"],
        "registeredAt": 1_780_000_000.123, "registeredBy": "arn:aws:iam::123456789012:user/me",
        "family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "executionRoleArn": ROLE,
        "requiresCompatibilities": ["EC2", "FARGATE"], "placementConstraints": [], "enableFaultInjection": false,
        "tags": [{"key": "aws:cloudformation:stack-name", "value": "x"}, {"key": "team", "value": "shop"},
                 {"key": "trueup:digest", "value": "y"}, {"key": "other", "value": "z"}],
        "containerDefinitions": [
            {"name": "logger", "image": "fluent-bit", "cpu": 0, "essential": true, "portMappings": [], "environment": [],
             "mountPoints": [], "volumesFrom": [], "systemControls": []},
            {"name": "web", "image": "nginx", "cpu": 0, "essential": true,
             "portMappings": [{"containerPort": 443, "hostPort": 443, "protocol": "tcp"},
                              {"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
             "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
             "mountPoints": [{"sourceVolume": "data", "containerPath": "/data", "readOnly": false}],
             "volumesFrom": [], "systemControls": []}
        ],
        "volumes": [{"name": "data", "host": {}}]
    });
    assert_eq!(paths(Kind::TaskDefinition, &desired, &live, &Context::default()), [""; 0]);
}

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
        ("storage taken away", json!({"ephemeralStorage": {"sizeInGiB": 21}}), bare(), &["/ephemeralStorage"]),
        ("storage added", bare(), json!({"ephemeralStorage": {"sizeInGiB": 30}}), &["/ephemeralStorage"]),
        (
            "more storage",
            json!({"ephemeralStorage": {"sizeInGiB": 21}}),
            json!({"ephemeralStorage": {"sizeInGiB": 30}}),
            &["/ephemeralStorage/sizeInGiB"],
        ),
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

#[test]
fn fields_of_a_container() {
    let bare = || json!({});
    let env = |value: Value| json!({"environment": value});
    let logs = |more: Value| json!({"logConfiguration": over(json!({"logDriver": "awslogs"}), &more)});
    let rows: &[Row] = &[
        (
            "an image is text: no tag is not latest",
            json!({"image": "nginx"}),
            json!({"image": "nginx:latest"}),
            &["/image"],
        ),
        (
            "nor is a registry implied",
            json!({"image": "nginx"}),
            json!({"image": "docker.io/library/nginx"}),
            &["/image"],
        ),
        ("tags are text, not numbers", json!({"image": "web:1.10"}), json!({"image": "web:1.1"}), &["/image"]),
        ("a digest is not a tag", json!({"image": "web@sha256:0"}), json!({"image": "web:0"}), &["/image"]),
        (
            "registry credentials",
            json!({"repositoryCredentials": {"credentialsParameter": "a"}}),
            json!({"repositoryCredentials": {"credentialsParameter": "b"}}),
            &["/repositoryCredentials/credentialsParameter"],
        ),
        (
            "registry credentials added",
            bare(),
            json!({"repositoryCredentials": {"credentialsParameter": "b"}}),
            &["/repositoryCredentials"],
        ),
        ("cpu is 0", bare(), json!({"cpu": 0}), &[]),
        ("cpu null is 0", json!({"cpu": null}), json!({"cpu": 0}), &[]),
        ("cpu 0 declared", json!({"cpu": 0}), bare(), &[]),
        ("cpu as text", json!({"cpu": "10"}), json!({"cpu": 10}), &[]),
        ("cpu 10 is not 0", json!({"cpu": 0}), json!({"cpu": 10}), &["/cpu"]),
        ("cpu 0 is not 10", json!({"cpu": 10}), json!({"cpu": 0}), &["/cpu"]),
        ("memory", json!({"memory": 512}), json!({"memory": 1024}), &["/memory"]),
        ("memory with a decimal point", json!({"memory": 512.0}), json!({"memory": 512}), &[]),
        ("memory taken away", json!({"memory": 512}), bare(), &["/memory"]),
        ("a memory reservation added", bare(), json!({"memoryReservation": 64}), &["/memoryReservation"]),
        ("essential is the default", bare(), json!({"essential": true}), &[]),
        ("essential false in live", bare(), json!({"essential": false}), &["/essential"]),
        ("essential false is kept", json!({"essential": false}), json!({"essential": true}), &["/essential"]),
        ("essential false in both", json!({"essential": false}), json!({"essential": false}), &[]),
        ("links are a set", json!({"links": ["db", "api"]}), json!({"links": ["api", "db"]}), &[]),
        ("links are text", json!({"links": ["db"]}), json!({"links": ["db:db"]}), &["/links"]),
        ("a command has an order", json!({"command": ["a", "b"]}), json!({"command": ["b", "a"]}), &["/command"]),
        (
            "a command is not one string",
            json!({"command": ["sh", "-c", "x"]}),
            json!({"command": ["sh -c x"]}),
            &["/command"],
        ),
        ("an empty argument is an argument", json!({"command": ["x", ""]}), json!({"command": ["x"]}), &["/command"]),
        ("a command taken away", json!({"command": ["x"]}), json!({"command": []}), &["/command"]),
        ("no command is an empty one", json!({"command": []}), json!({"command": null}), &[]),
        (
            "an entry point has an order",
            json!({"entryPoint": ["a", "b"]}),
            json!({"entryPoint": ["b", "a"]}),
            &["/entryPoint"],
        ),
        (
            "environment is a set",
            env(json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])),
            env(json!([{"name": "B", "value": "2"}, {"name": "A", "value": "1"}])),
            &[],
        ),
        ("no environment is an empty one", bare(), env(json!([])), &[]),
        (
            "an entry without value is dropped",
            env(json!([{"name": "A"}, {"name": "B", "value": null}])),
            env(json!([])),
            &[],
        ),
        (
            "an entry with an empty value is not",
            env(json!([{"name": "LOG", "value": ""}])),
            env(json!([])),
            &["/environment/LOG"],
        ),
        (
            "an empty value is a value",
            env(json!([{"name": "LOG", "value": ""}])),
            env(json!([{"name": "LOG", "value": "x"}])),
            &["/environment/LOG"],
        ),
        (
            "a variable changed",
            env(json!([{"name": "LOG_LEVEL", "value": "info"}])),
            env(json!([{"name": "LOG_LEVEL", "value": "debug"}])),
            &["/environment/LOG_LEVEL"],
        ),
        ("a variable added by hand", bare(), env(json!([{"name": "DEBUG", "value": "1"}])), &["/environment/DEBUG"]),
        (
            "a variable taken away",
            env(json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])),
            env(json!([{"name": "B", "value": "2"}])),
            &["/environment/A"],
        ),
        (
            "a variable's case",
            env(json!([{"name": "log", "value": "1"}])),
            env(json!([{"name": "LOG", "value": "1"}])),
            &["/environment/LOG", "/environment/log"],
        ),
        (
            "01 is not 1",
            env(json!([{"name": "A", "value": "01"}])),
            env(json!([{"name": "A", "value": "1"}])),
            &["/environment/A"],
        ),
        (
            "1.0 is not 1",
            env(json!([{"name": "A", "value": "1.0"}])),
            env(json!([{"name": "A", "value": "1"}])),
            &["/environment/A"],
        ),
        ("a name with a slash", env(json!([{"name": "a/b", "value": "1"}])), env(json!([])), &["/environment/a~1b"]),
        (
            "environment files have an order",
            json!({"environmentFiles": [{"value": "a", "type": "s3"}, {"value": "b", "type": "s3"}]}),
            json!({"environmentFiles": [{"value": "b", "type": "s3"}, {"value": "a", "type": "s3"}]}),
            &["/environmentFiles"],
        ),
        (
            "environment files alike",
            json!({"environmentFiles": [{"value": "a", "type": "s3"}]}),
            json!({"environmentFiles": [{"type": "s3", "value": "a"}]}),
            &[],
        ),
        (
            "secrets are a set",
            json!({"secrets": [{"name": "A", "valueFrom": "a"}, {"name": "B", "valueFrom": "b"}]}),
            json!({"secrets": [{"name": "B", "valueFrom": "b"}, {"name": "A", "valueFrom": "a"}]}),
            &[],
        ),
        (
            "a secret is text: a name is not its ARN",
            json!({"secrets": [{"name": "A", "valueFrom": "db"}]}),
            json!({"secrets": [{"name": "A", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/db"}]}),
            &["/secrets/A"],
        ),
        (
            "a secret added",
            json!({"secrets": []}),
            json!({"secrets": [{"name": "A", "valueFrom": "a"}]}),
            &["/secrets/A"],
        ),
        (
            "a variable that became a secret",
            env(json!([{"name": "A", "value": "1"}])),
            json!({"environment": [], "secrets": [{"name": "A", "valueFrom": "a"}]}),
            &["/environment/A", "/secrets/A"],
        ),
        (
            "read-only is off",
            json!({"mountPoints": [{"sourceVolume": "d", "containerPath": "/d"}]}),
            json!({"mountPoints": [{"sourceVolume": "d", "containerPath": "/d", "readOnly": false}]}),
            &[],
        ),
        (
            "a mount made read-only",
            json!({"mountPoints": [{"sourceVolume": "d", "containerPath": "/d"}]}),
            json!({"mountPoints": [{"sourceVolume": "d", "containerPath": "/d", "readOnly": true}]}),
            &["/mountPoints/~1d/readOnly"],
        ),
        (
            "mounts that trade volumes",
            json!({"mountPoints": [{"sourceVolume": "a", "containerPath": "/1"}, {"sourceVolume": "b", "containerPath": "/2"}]}),
            json!({"mountPoints": [{"sourceVolume": "b", "containerPath": "/1"}, {"sourceVolume": "a", "containerPath": "/2"}]}),
            &["/mountPoints/~11/sourceVolume", "/mountPoints/~12/sourceVolume"],
        ),
        (
            "mounts are a set",
            json!({"mountPoints": [{"sourceVolume": "a", "containerPath": "/1"}, {"sourceVolume": "b", "containerPath": "/2"}]}),
            json!({"mountPoints": [{"sourceVolume": "b", "containerPath": "/2"}, {"sourceVolume": "a", "containerPath": "/1"}]}),
            &[],
        ),
        (
            "a mount added by hand",
            bare(),
            json!({"mountPoints": [{"sourceVolume": "a", "containerPath": "/1"}]}),
            &["/mountPoints/~11"],
        ),
        (
            "volumes from others are a set",
            json!({"volumesFrom": [{"sourceContainer": "a"}, {"sourceContainer": "b"}]}),
            json!({"volumesFrom": [{"sourceContainer": "b", "readOnly": false}, {"sourceContainer": "a", "readOnly": false}]}),
            &[],
        ),
        (
            "volumes from others made read-only",
            json!({"volumesFrom": [{"sourceContainer": "a", "readOnly": true}]}),
            json!({"volumesFrom": [{"sourceContainer": "a", "readOnly": false}]}),
            &["/volumesFrom/a/readOnly"],
        ),
        ("system controls of newer revisions", bare(), json!({"systemControls": []}), &[]),
        (
            "a system control is text",
            json!({"systemControls": [{"namespace": "net.core.somaxconn", "value": 1024}]}),
            json!({"systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}]}),
            &[],
        ),
        (
            "a system control changed",
            json!({"systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}]}),
            json!({"systemControls": [{"namespace": "net.core.somaxconn", "value": "512"}]}),
            &["/systemControls/net.core.somaxconn"],
        ),
        (
            "dependencies are a set",
            json!({"dependsOn": [{"containerName": "a", "condition": "START"}, {"containerName": "b", "condition": "HEALTHY"}]}),
            json!({"dependsOn": [{"containerName": "b", "condition": "HEALTHY"}, {"containerName": "a", "condition": "START"}]}),
            &[],
        ),
        (
            "conditions all differ",
            json!({"dependsOn": [{"containerName": "a", "condition": "COMPLETE"}]}),
            json!({"dependsOn": [{"containerName": "a", "condition": "SUCCESS"}]}),
            &["/dependsOn/a/condition"],
        ),
        (
            "limits are a set",
            json!({"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}, {"name": "core", "softLimit": 1, "hardLimit": 2}]}),
            json!({"ulimits": [{"name": "core", "softLimit": 1, "hardLimit": 2}, {"name": "nofile", "softLimit": 1, "hardLimit": 2}]}),
            &[],
        ),
        (
            "a limit changed",
            json!({"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}]}),
            json!({"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 4}]}),
            &["/ulimits/nofile/hardLimit"],
        ),
        (
            "a limit added",
            bare(),
            json!({"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 4}]}),
            &["/ulimits/nofile"],
        ),
        (
            "a resource is text",
            json!({"resourceRequirements": [{"type": "GPU", "value": 1}]}),
            json!({"resourceRequirements": [{"type": "GPU", "value": "1"}]}),
            &[],
        ),
        (
            "another number of GPUs",
            json!({"resourceRequirements": [{"type": "GPU", "value": "1"}]}),
            json!({"resourceRequirements": [{"type": "GPU", "value": "2"}]}),
            &["/resourceRequirements/GPU/value"],
        ),
        ("labels are verbatim", json!({"dockerLabels": {"a": ""}}), json!({"dockerLabels": {}}), &["/dockerLabels/a"]),
        ("no labels", json!({"dockerLabels": {}}), json!({"dockerLabels": null}), &[]),
        (
            "labels changed, added, taken away",
            json!({"dockerLabels": {"a": "1", "b": "1"}}),
            json!({"dockerLabels": {"a": "2", "c/d": "1"}}),
            &["/dockerLabels/a", "/dockerLabels/b", "/dockerLabels/c~1d"],
        ),
        ("labels added by hand", bare(), json!({"dockerLabels": {"a": "2"}}), &["/dockerLabels/a"]),
        ("a label is text", json!({"dockerLabels": {"a": 1}}), json!({"dockerLabels": {"a": "1"}}), &[]),
        (
            "DNS servers have an order",
            json!({"dnsServers": ["1.1.1.1", "8.8.8.8"]}),
            json!({"dnsServers": ["8.8.8.8", "1.1.1.1"]}),
            &["/dnsServers"],
        ),
        (
            "search domains have an order",
            json!({"dnsSearchDomains": ["a", "b"]}),
            json!({"dnsSearchDomains": ["b", "a"]}),
            &["/dnsSearchDomains"],
        ),
        (
            "hosts are a set",
            json!({"extraHosts": [{"hostname": "a", "ipAddress": "1"}, {"hostname": "b", "ipAddress": "2"}]}),
            json!({"extraHosts": [{"hostname": "b", "ipAddress": "2"}, {"hostname": "a", "ipAddress": "1"}]}),
            &[],
        ),
        (
            "a host's address",
            json!({"extraHosts": [{"hostname": "a", "ipAddress": "1"}]}),
            json!({"extraHosts": [{"hostname": "a", "ipAddress": "2"}]}),
            &["/extraHosts/a"],
        ),
        (
            "a host with two addresses",
            json!({"extraHosts": [{"hostname": "a", "ipAddress": "1"}, {"hostname": "a", "ipAddress": "2"}]}),
            json!({"extraHosts": [{"hostname": "a", "ipAddress": "2"}, {"hostname": "a", "ipAddress": "3"}]}),
            &["/extraHosts/a:1", "/extraHosts/a:3"],
        ),
        (
            "security options are a set",
            json!({"dockerSecurityOptions": ["a", "b"]}),
            json!({"dockerSecurityOptions": ["b", "a"]}),
            &[],
        ),
        (
            "another security option",
            json!({"dockerSecurityOptions": ["a", "b"]}),
            json!({"dockerSecurityOptions": ["a"]}),
            &["/dockerSecurityOptions"],
        ),
        ("credential specs", json!({"credentialSpecs": ["a"]}), json!({"credentialSpecs": []}), &["/credentialSpecs"]),
        ("no log options", logs(json!({"options": {}})), logs(json!({"secretOptions": []})), &[]),
        (
            "an empty log option is an option",
            logs(json!({"options": {"tag": ""}})),
            logs(json!({})),
            &["/logConfiguration/options/tag"],
        ),
        (
            "a log option changed",
            logs(json!({"options": {"awslogs-group": "/ecs/a"}})),
            logs(json!({"options": {"awslogs-group": "/ecs/b"}})),
            &["/logConfiguration/options/awslogs-group"],
        ),
        (
            "a log option is text",
            logs(json!({"options": {"max-file": 3}})),
            logs(json!({"options": {"max-file": "3"}})),
            &[],
        ),
        (
            "another log driver",
            logs(json!({})),
            json!({"logConfiguration": {"logDriver": "json-file"}}),
            &["/logConfiguration/logDriver"],
        ),
        (
            "log secrets are a set",
            logs(json!({"secretOptions": [{"name": "A", "valueFrom": "a"}, {"name": "B", "valueFrom": "b"}]})),
            logs(json!({"secretOptions": [{"name": "B", "valueFrom": "b"}, {"name": "A", "valueFrom": "c"}]})),
            &["/logConfiguration/secretOptions/A"],
        ),
        ("logs taken away", logs(json!({})), bare(), &["/logConfiguration"]),
        ("logs added", bare(), logs(json!({"options": {"a": "b"}})), &["/logConfiguration"]),
        (
            "no FireLens options",
            json!({"firelensConfiguration": {"type": "fluentbit"}}),
            json!({"firelensConfiguration": {"type": "fluentbit", "options": {}}}),
            &[],
        ),
        (
            "a FireLens option",
            json!({"firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}}}),
            json!({"firelensConfiguration": {"type": "fluentbit"}}),
            &["/firelensConfiguration/options/enable-ecs-log-metadata"],
        ),
        ("a restart policy that is off", json!({"restartPolicy": {"enabled": false}}), bare(), &[]),
        ("a restart policy that is on", bare(), json!({"restartPolicy": {"enabled": true}}), &["/restartPolicy"]),
        (
            "a restart policy switched off",
            json!({"restartPolicy": {"enabled": true}}),
            json!({"restartPolicy": {"enabled": false}}),
            &["/restartPolicy/enabled"],
        ),
        (
            "a restart policy's period",
            json!({"restartPolicy": {"enabled": true}}),
            json!({"restartPolicy": {"enabled": true, "restartAttemptPeriod": 300, "ignoredExitCodes": []}}),
            &[],
        ),
        (
            "another period",
            json!({"restartPolicy": {"enabled": true}}),
            json!({"restartPolicy": {"enabled": true, "restartAttemptPeriod": 60}}),
            &["/restartPolicy/restartAttemptPeriod"],
        ),
        (
            "exit codes are a set",
            json!({"restartPolicy": {"enabled": true, "ignoredExitCodes": [0, 143]}}),
            json!({"restartPolicy": {"enabled": true, "ignoredExitCodes": [143, 0]}}),
            &[],
        ),
        (
            "another exit code",
            json!({"restartPolicy": {"enabled": true, "ignoredExitCodes": [0]}}),
            json!({"restartPolicy": {"enabled": true, "ignoredExitCodes": [1]}}),
            &["/restartPolicy/ignoredExitCodes"],
        ),
        ("versions are consistent", json!({"versionConsistency": "enabled"}), bare(), &[]),
        ("versions are not", bare(), json!({"versionConsistency": "disabled"}), &["/versionConsistency"]),
        ("empty texts are none", json!({"hostname": "", "user": "", "workingDirectory": ""}), bare(), &[]),
        ("user 0 is not the image's", json!({"user": "0"}), bare(), &["/user"]),
        ("user 0 is not root", json!({"user": "0"}), json!({"user": "root"}), &["/user"]),
        (
            "a working directory",
            json!({"workingDirectory": "/app"}),
            json!({"workingDirectory": "/srv"}),
            &["/workingDirectory"],
        ),
        (
            "switches are off",
            json!({"privileged": false, "readonlyRootFilesystem": false}),
            json!({"interactive": false, "pseudoTerminal": false, "disableNetworking": false}),
            &[],
        ),
        (
            "switches switched on",
            bare(),
            json!({"privileged": true, "readonlyRootFilesystem": true, "interactive": true, "pseudoTerminal": true, "disableNetworking": true}),
            &["/disableNetworking", "/interactive", "/privileged", "/pseudoTerminal", "/readonlyRootFilesystem"],
        ),
        (
            "a switch switched off",
            json!({"readonlyRootFilesystem": true}),
            json!({"readonlyRootFilesystem": false}),
            &["/readonlyRootFilesystem"],
        ),
        ("a start timeout has no default", bare(), json!({"startTimeout": 120}), &["/startTimeout"]),
        ("on EC2 the agent has its own stop timeout", json!({"stopTimeout": 30}), bare(), &["/stopTimeout"]),
        ("another stop timeout", json!({"stopTimeout": 30}), json!({"stopTimeout": 60}), &["/stopTimeout"]),
        (
            "a declared field that is newer than the model",
            json!({"newField": 1}),
            json!({"newField": 2}),
            &["/newField"],
        ),
    ];
    check(Kind::TaskDefinition, "/containerDefinitions/web", container, rows);
}

#[test]
fn stop_timeouts_on_fargate() {
    let rows: &[Row] = &[
        ("30 is the default", json!({"stopTimeout": 30}), json!({}), &[]),
        ("60 is not", json!({"stopTimeout": 60}), json!({}), &["/stopTimeout"]),
        ("nor in live", json!({}), json!({"stopTimeout": 120}), &["/stopTimeout"]),
    ];
    check(Kind::TaskDefinition, "/containerDefinitions/web", fargate_container, rows);
}

#[test]
fn port_mappings() {
    let ports = |mappings: Value| json!({"portMappings": mappings});
    let port = |more: Value| json!({"portMappings": [over(json!({"containerPort": 80}), &more)]});
    let any_mode: &[Row] = &[
        (
            "AWS reorders them",
            ports(json!([{"containerPort": 8080}, {"containerPort": 443}])),
            ports(json!([{"containerPort": 443, "protocol": "tcp"}, {"containerPort": 8080, "protocol": "tcp"}])),
            &[],
        ),
        ("udp is not tcp", port(json!({})), port(json!({"protocol": "udp"})), &["/portMappings/80/protocol"]),
        ("a name added by hand", port(json!({})), port(json!({"name": "web-80-tcp"})), &["/portMappings/80/name"]),
        (
            "an application protocol",
            port(json!({"appProtocol": "http"})),
            port(json!({"appProtocol": "http2"})),
            &["/portMappings/80/appProtocol"],
        ),
        ("an empty application protocol is none", port(json!({})), port(json!({"appProtocol": ""})), &[]),
        (
            "a port added",
            port(json!({})),
            ports(json!([{"containerPort": 80}, {"containerPort": 81}])),
            &["/portMappings/81"],
        ),
        ("a port number as text", ports(json!([{"containerPort": "80"}])), port(json!({})), &[]),
        (
            "a range",
            ports(json!([{"containerPortRange": "80-90"}])),
            ports(json!([{"containerPortRange": "80-90", "protocol": "tcp"}])),
            &[],
        ),
        (
            "another range",
            ports(json!([{"containerPortRange": "80-90"}])),
            ports(json!([{"containerPortRange": "80-91"}])),
            &["/portMappings/80-90", "/portMappings/80-91"],
        ),
    ];
    let awsvpc: &[Row] = &[
        ("the container's port is the host's", port(json!({})), port(json!({"hostPort": 80, "protocol": "tcp"})), &[]),
        ("0 is it too", port(json!({"hostPort": 0})), port(json!({"hostPort": 80})), &[]),
        ("another host port", port(json!({})), port(json!({"hostPort": 8080})), &["/portMappings/80/hostPort"]),
    ];
    let bridge: &[Row] = &[
        ("0 is any", port(json!({})), port(json!({"hostPort": 0})), &[]),
        ("a fixed port is not any", port(json!({})), port(json!({"hostPort": 80})), &["/portMappings/80/hostPort"]),
        (
            "any is not a fixed port",
            port(json!({"hostPort": 80})),
            port(json!({"hostPort": 0})),
            &["/portMappings/80/hostPort"],
        ),
        ("nor is it absent", port(json!({"hostPort": 80})), port(json!({})), &["/portMappings/80/hostPort"]),
    ];
    let whole = |mode: &'static str| move |members: &Value| over(container(members), &json!({"networkMode": mode}));
    for mode in ["awsvpc", "host", "bridge"] {
        check(Kind::TaskDefinition, "/containerDefinitions/web", whole(mode), any_mode);
    }
    check(Kind::TaskDefinition, "/containerDefinitions/web", whole("awsvpc"), awsvpc);
    check(Kind::TaskDefinition, "/containerDefinitions/web", whole("host"), awsvpc);
    check(Kind::TaskDefinition, "/containerDefinitions/web", whole("bridge"), bridge);
    check(Kind::TaskDefinition, "/containerDefinitions/web", container, bridge);
}

#[test]
fn a_changed_network_mode_does_not_change_the_ports_that_are_left_to_it() {
    let with = |mode: &str, port: Value| {
        over(
            container(&json!({"portMappings": [over(json!({"containerPort": 80}), &port)]})),
            &json!({"networkMode": mode}),
        )
    };
    for (desired, live) in [
        (with("bridge", json!({})), with("awsvpc", json!({"hostPort": 80}))),
        (with("awsvpc", json!({})), with("bridge", json!({"hostPort": 0}))),
        (with("awsvpc", json!({"hostPort": 80})), with("host", json!({"hostPort": 80}))),
    ] {
        assert_eq!(paths(Kind::TaskDefinition, &desired, &live, &Context::default()), ["/networkMode"], "{desired}");
    }
}

#[test]
fn health_checks() {
    let check_of = |more: Value| json!({"healthCheck": over(json!({"command": ["CMD", "true"]}), &more)});
    let rows: &[Row] = &[
        ("completed by AWS", check_of(json!({})), check_of(json!({"interval": 30, "timeout": 5, "retries": 3})), &[]),
        ("start period off", check_of(json!({"startPeriod": 0})), check_of(json!({})), &[]),
        ("a start period", check_of(json!({"startPeriod": 60})), check_of(json!({})), &["/healthCheck/startPeriod"]),
        (
            "another interval",
            check_of(json!({"interval": 60})),
            check_of(json!({"interval": 30})),
            &["/healthCheck/interval"],
        ),
        ("an interval left out", check_of(json!({})), check_of(json!({"interval": 60})), &["/healthCheck/interval"]),
        ("another timeout", check_of(json!({})), check_of(json!({"timeout": 10})), &["/healthCheck/timeout"]),
        ("more retries", check_of(json!({"retries": 5})), check_of(json!({"retries": 3})), &["/healthCheck/retries"]),
        (
            "a shell is not none",
            check_of(json!({})),
            check_of(json!({"command": ["CMD-SHELL", "true"]})),
            &["/healthCheck/command"],
        ),
        (
            "a command has an order",
            check_of(json!({"command": ["CMD", "a", "b"]})),
            check_of(json!({"command": ["CMD", "b", "a"]})),
            &["/healthCheck/command"],
        ),
        ("a check taken away", check_of(json!({})), json!({}), &["/healthCheck"]),
        ("a check added", json!({}), check_of(json!({"interval": 30})), &["/healthCheck"]),
        ("no check", json!({"healthCheck": null}), json!({}), &[]),
    ];
    check(Kind::TaskDefinition, "/containerDefinitions/web", container, rows);
}

#[test]
fn linux_parameters() {
    let linux = |members: Value| json!({"linuxParameters": members});
    let rows: &[Row] = &[
        ("none are empty ones", json!({}), linux(json!({})), &[]),
        (
            "the half not given",
            linux(json!({"capabilities": {"drop": ["ALL"]}})),
            linux(json!({"capabilities": {"add": [], "drop": ["ALL"]}})),
            &[],
        ),
        (
            "capabilities are sets",
            linux(json!({"capabilities": {"add": ["A", "B"]}})),
            linux(json!({"capabilities": {"add": ["B", "A"], "drop": []}})),
            &[],
        ),
        (
            "another capability",
            linux(json!({"capabilities": {"add": ["A"]}})),
            linux(json!({"capabilities": {"add": ["B"]}})),
            &["/linuxParameters/capabilities/add"],
        ),
        ("capabilities added", json!({}), linux(json!({"capabilities": {"add": ["B"]}})), &["/linuxParameters"]),
        (
            "capabilities beside others",
            linux(json!({"initProcessEnabled": true})),
            linux(json!({"initProcessEnabled": true, "capabilities": {"add": ["B"]}})),
            &["/linuxParameters/capabilities"],
        ),
        (
            "empty capabilities",
            json!({}),
            linux(json!({"capabilities": {"add": [], "drop": []}, "devices": [], "tmpfs": []})),
            &[],
        ),
        ("no init process", linux(json!({"initProcessEnabled": false})), json!({}), &[]),
        (
            "an init process",
            linux(json!({"initProcessEnabled": true})),
            linux(json!({"initProcessEnabled": false})),
            &["/linuxParameters/initProcessEnabled"],
        ),
        (
            "swap off is not swap left alone",
            linux(json!({"initProcessEnabled": true, "maxSwap": 0})),
            linux(json!({"initProcessEnabled": true})),
            &["/linuxParameters/maxSwap"],
        ),
        (
            "shared memory",
            linux(json!({"sharedMemorySize": 64})),
            linux(json!({"sharedMemorySize": 128})),
            &["/linuxParameters/sharedMemorySize"],
        ),
        ("swappiness 60", linux(json!({"swappiness": 60})), json!({}), &[]),
        (
            "another swappiness",
            linux(json!({"swappiness": 10})),
            linux(json!({"swappiness": 60})),
            &["/linuxParameters/swappiness"],
        ),
        (
            "a device completed",
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            linux(
                json!({"devices": [{"hostPath": "/dev/a", "containerPath": "/dev/a", "permissions": ["read", "write", "mknod"]}]}),
            ),
            &[],
        ),
        (
            "a device's empty permissions",
            linux(json!({"devices": [{"hostPath": "/dev/a", "permissions": []}]})),
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            &[],
        ),
        (
            "a device's permissions",
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            linux(json!({"devices": [{"hostPath": "/dev/a", "permissions": ["read"]}]})),
            &["/linuxParameters/devices/~1dev~1a/permissions"],
        ),
        (
            "a device elsewhere",
            linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
            linux(json!({"devices": [{"hostPath": "/dev/a", "containerPath": "/dev/b"}]})),
            &["/linuxParameters/devices/~1dev~1a/containerPath"],
        ),
        (
            "a device twice",
            linux(
                json!({"devices": [{"hostPath": "/a", "containerPath": "/b"}, {"hostPath": "/a", "containerPath": "/c"}]}),
            ),
            linux(
                json!({"devices": [{"hostPath": "/a", "containerPath": "/c"}, {"hostPath": "/a", "containerPath": "/b"}]}),
            ),
            &[],
        ),
        (
            "tmpfs without options",
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 64}]})),
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 64, "mountOptions": []}]})),
            &[],
        ),
        (
            "a larger tmpfs",
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 64}]})),
            linux(json!({"tmpfs": [{"containerPath": "/t", "size": 65}]})),
            &["/linuxParameters/tmpfs/~1t/size"],
        ),
    ];
    check(Kind::TaskDefinition, "/containerDefinitions/web", container, rows);
}

#[test]
fn volumes() {
    let docker = |members: Value| json!({"dockerVolumeConfiguration": members});
    let efs = |members: Value| json!({"efsVolumeConfiguration": over(json!({"fileSystemId": "fs-1"}), &members)});
    let rows: &[Row] = &[
        ("an empty host appears", json!({}), json!({"host": {}}), &[]),
        ("an empty source path is none", json!({"host": {"sourcePath": ""}}), json!({"host": {}}), &[]),
        (
            "husks of other kinds",
            json!({}),
            json!({"host": null, "dockerVolumeConfiguration": null, "efsVolumeConfiguration": null}),
            &[],
        ),
        ("a source path", json!({}), json!({"host": {"sourcePath": "/srv"}}), &["/host"]),
        (
            "another source path",
            json!({"host": {"sourcePath": "/srv"}}),
            json!({"host": {"sourcePath": "/data"}}),
            &["/host/sourcePath"],
        ),
        (
            "a docker volume completed",
            docker(json!({"driverOpts": {}})),
            docker(json!({"scope": "task", "driver": "local", "labels": {}})),
            &[],
        ),
        (
            "a docker volume that says nothing",
            docker(json!({})),
            docker(json!({"scope": "task", "driver": "local"})),
            &[],
        ),
        (
            "a shared docker volume",
            docker(json!({"scope": "shared", "autoprovision": true})),
            docker(json!({"scope": "shared", "autoprovision": false})),
            &["/dockerVolumeConfiguration/autoprovision"],
        ),
        (
            "another scope",
            docker(json!({"scope": "shared"})),
            docker(json!({"scope": "task"})),
            &["/dockerVolumeConfiguration/scope"],
        ),
        (
            "driver options",
            docker(json!({"driver": "rexray", "driverOpts": {"size": "5"}})),
            docker(json!({"driver": "rexray", "driverOpts": {"size": "6"}})),
            &["/dockerVolumeConfiguration/driverOpts/size"],
        ),
        (
            "labels of a volume",
            docker(json!({"driver": "rexray"})),
            docker(json!({"driver": "rexray", "labels": {"a": "b"}})),
            &["/dockerVolumeConfiguration/labels/a"],
        ),
        (
            "a docker volume is not a bind mount",
            docker(json!({"scope": "task"})),
            json!({"host": {}}),
            &["/dockerVolumeConfiguration"],
        ),
        ("EFS's root comes back", efs(json!({})), efs(json!({"rootDirectory": "/"})), &[]),
        (
            "also with an access point",
            efs(json!({"transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "fsap-1"}})),
            efs(
                json!({"rootDirectory": "/", "transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "fsap-1", "iam": "DISABLED"}}),
            ),
            &[],
        ),
        (
            "encryption is off",
            efs(json!({})),
            efs(json!({"transitEncryption": "DISABLED", "transitEncryptionPort": 0})),
            &[],
        ),
        (
            "encryption switched on",
            efs(json!({})),
            efs(json!({"transitEncryption": "ENABLED"})),
            &["/efsVolumeConfiguration/transitEncryption"],
        ),
        (
            "authorization that says nothing",
            efs(json!({})),
            efs(json!({"authorizationConfig": {"iam": "DISABLED"}})),
            &[],
        ),
        (
            "IAM authorization",
            efs(json!({"authorizationConfig": {"iam": "ENABLED"}})),
            efs(json!({"authorizationConfig": {"iam": "DISABLED"}})),
            &["/efsVolumeConfiguration/authorizationConfig/iam"],
        ),
        (
            "authorization added",
            efs(json!({})),
            efs(json!({"authorizationConfig": {"accessPointId": "fsap-1"}})),
            &["/efsVolumeConfiguration/authorizationConfig"],
        ),
        (
            "another file system",
            efs(json!({})),
            efs(json!({"fileSystemId": "fs-2"})),
            &["/efsVolumeConfiguration/fileSystemId"],
        ),
        (
            "another root",
            efs(json!({"rootDirectory": "/a"})),
            efs(json!({"rootDirectory": "/"})),
            &["/efsVolumeConfiguration/rootDirectory"],
        ),
        (
            "an encryption port",
            efs(json!({"transitEncryptionPort": 2049})),
            efs(json!({})),
            &["/efsVolumeConfiguration/transitEncryptionPort"],
        ),
        (
            "FSx is verbatim",
            json!({"fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "a", "authorizationConfig": {"credentialsParameter": "c", "domain": "d"}}}),
            json!({"fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "a", "authorizationConfig": {"credentialsParameter": "c", "domain": "e"}}}),
            &["/fsxWindowsFileServerVolumeConfiguration/authorizationConfig/domain"],
        ),
        (
            "S3 Files' root",
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a"}}),
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a", "rootDirectory": "/"}}),
            &[],
        ),
        (
            "another S3 Files access point",
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a", "accessPointArn": "b"}}),
            json!({"s3filesVolumeConfiguration": {"fileSystemArn": "a", "accessPointArn": "c"}}),
            &["/s3filesVolumeConfiguration/accessPointArn"],
        ),
        ("not configured at launch", json!({"configuredAtLaunch": false}), json!({}), &[]),
        ("configured at launch", json!({"configuredAtLaunch": true}), json!({}), &["/configuredAtLaunch"]),
    ];
    check(Kind::TaskDefinition, "/volumes/data", volume, rows);
    let sets: &[Row] = &[
        (
            "volumes are a set",
            json!({"volumes": [{"name": "a"}, {"name": "b"}]}),
            json!({"volumes": [{"name": "b", "host": {}}, {"name": "a", "host": {}}]}),
            &[],
        ),
        ("a volume added", json!({}), json!({"volumes": [{"name": "b", "host": {}}]}), &["/volumes/b"]),
        ("a volume taken away", json!({"volumes": [{"name": "b"}]}), json!({}), &["/volumes/b"]),
    ];
    check(Kind::TaskDefinition, "", task, sets);
}

#[test]
fn a_change_shows_both_values_as_they_were_written_and_no_environment() {
    let desired = json!({"family": "web", "cpu": ".25 vCPU", "containerDefinitions": [
        {"name": "web", "image": "a", "essential": false, "environment": [{"name": "A", "value": "secret-1"}]}]});
    let live = json!({"family": "web", "cpu": "512", "containerDefinitions": [
        {"name": "web", "image": "a", "environment": [{"name": "A", "value": "secret-2"}]}]});
    let changes = drift(Kind::TaskDefinition, &desired, &live, &Context::default());
    let shown: Vec<_> = changes.iter().map(|c| (c.path.to_string(), c.live.to_json(), c.desired.to_json())).collect();
    assert_eq!(shown[1], ("/containerDefinitions/web/essential".to_owned(), json!(true), json!(false)));
    assert_eq!(shown[2], ("/cpu".to_owned(), json!("512"), json!(".25 vCPU")));
    let environment = format!("{:?} {}", changes[0], serde_json::to_string(&changes[0]).unwrap());
    assert!(environment.contains("/containerDefinitions/web/environment/A") && !environment.contains("secret-"));
}

#[test]
fn ignored_fields_are_not_told_with_all_below_them() {
    let desired = json!({"family": "web", "cpu": "256", "containerDefinitions": [{"name": "web", "image": "a"}]});
    let live = json!({"family": "web", "cpu": "512", "containerDefinitions": [{"name": "web", "image": "b", "dockerLabels": {"x": "y"}}]});
    let ignoring = |patterns: &[&str]| Context {
        ignore: patterns.iter().filter_map(|pattern| trueup_core::pointer::Pointer::parse(pattern)).collect(),
        ..Context::default()
    };
    for (patterns, told) in [
        (&[][..], &["/containerDefinitions/web/dockerLabels/x", "/containerDefinitions/web/image", "/cpu"][..]),
        (&["/cpu"], &["/containerDefinitions/web/dockerLabels/x", "/containerDefinitions/web/image"]),
        (&["/containerDefinitions/*/dockerLabels"], &["/containerDefinitions/web/image", "/cpu"]),
        (&["/containerDefinitions"], &["/cpu"]),
        (&[""], &[]),
    ] {
        assert_eq!(paths(Kind::TaskDefinition, &desired, &live, &ignoring(patterns)), told, "{patterns:?}");
    }
}
