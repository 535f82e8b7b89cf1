//! Rules that the API model does not have, each broken in the example.

use super::check_edits;

#[test]
fn fargate_has_fixed_pairs_of_cpu_and_memory() {
    check_edits(&[
        (
            &[(r#""cpu": "1024""#, r#""cpu": "1000""#)],
            "
            elearning/task-definition.json:5:10: fargate-size: Fargate has no task of 1000 CPU units
              help: write one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768
            ",
        ),
        (&[(r#""cpu": "1024""#, r#""cpu": "1 vCPU""#)], ""),
        (
            &[(r#""memory": "2GB""#, r#""memory": "1024""#)],
            r#"
            elearning/task-definition.json:6:13: fargate-size: Fargate has no task of 1024 CPU units and 1024 MiB
              help: the nearest memory is "2048"; with 1024 CPU units it is from 2048 to 8192
            "#,
        ),
        (
            &[(r#""memory": "2GB""#, r#""memory": "64GB""#)],
            r#"
            elearning/task-definition.json:6:13: fargate-size: Fargate has no task of 1024 CPU units and 65536 MiB
              help: the nearest memory is "8192"; with 1024 CPU units it is from 2048 to 8192
            "#,
        ),
        (
            &[("  \"cpu\": \"1024\",\n  \"memory\": \"2GB\",\n", "")],
            r#"
            elearning/task-definition.json:1:1: fargate-size: Fargate needs `cpu` of the whole task
              help: add `cpu`, such as "256"
            elearning/task-definition.json:1:1: fargate-size: Fargate needs `memory` of the whole task
              help: add `memory`, such as "512"
            elearning/task-definition.json:8:5: no-memory: the container has no memory, and its task has none either
              help: add `memory` or `memoryReservation` here, or `memory` to the task
            elearning/task-definition.json:33:5: no-memory: the container has no memory, and its task has none either
              help: add `memory` or `memoryReservation` here, or `memory` to the task
            "#,
        ),
        (&[(r#""memory": "2GB""#, r#""memory": "${var.domain}""#)], ""),
    ]);
}

#[test]
fn fargate_lacks_what_needs_a_host() {
    check_edits(&[
        (
            &[("\"networkMode\": \"awsvpc\",\n", "")],
            r#"
            elearning/task-definition.json:1:1: fargate-network-mode: tasks on Fargate need the network mode `awsvpc`
              help: write `networkMode = "awsvpc"`
            "#,
        ),
        (
            &[(r#""networkMode": "awsvpc""#, r#""networkMode": "bridge""#)],
            r#"
            elearning/task-definition.json:4:18: fargate-network-mode: tasks on Fargate need the network mode `awsvpc`
              help: write `networkMode = "awsvpc"`
            "#,
        ),
        (
            &[(
                r#""family": "elearning-system","#,
                r#""family": "elearning-system", "placementConstraints": [{"type": "memberOf", "expression": "x"}], "volumes": [{"name": "v", "host": {"sourcePath": "/x"}}, {"name": "w", "host": {}}, {"name": "d", "dockerVolumeConfiguration": {}}],"#,
            )],
            "
            elearning/task-definition.json:2:57: not-on-fargate: Fargate does not have placement constraints
              help: take it out
            elearning/task-definition.json:2:149: not-on-fargate: Fargate does not have volumes of the host
              help: take it out
            elearning/task-definition.json:2:227: not-on-fargate: Fargate does not have Docker volumes
              help: take it out
            ",
        ),
        (
            &[("\"name\": \"backend\",\n", "\"name\": \"backend\", \"privileged\": true, \"stopTimeout\": 300,\n")],
            "
            elearning/task-definition.json:11:40: not-on-fargate: Fargate does not have privileged containers
              help: take it out
            elearning/task-definition.json:11:61: fargate-stop-timeout: Fargate waits 120 s at most, not 300 s
              help: write 120 or less
            ",
        ),
        (
            &[(r#""logDriver": "awslogs""#, r#""logDriver": "syslog""#)],
            "
            elearning/task-definition.json:27:22: fargate-log-driver: Fargate does not have this log driver
              help: write `awslogs`, `awsfirelens` or `splunk`
            ",
        ),
        (
            &[(
                "launchType = \"FARGATE\"\n",
                "launchType = \"FARGATE\"\nschedulingStrategy = \"DAEMON\"\nplacementStrategy = [{ type = \"random\" }]\n",
            )],
            "
            elearning/service.toml:3:22: not-on-fargate: Fargate does not have daemon services
              help: take it out
            elearning/service.toml:4:1: daemon: a `DAEMON` service has no `placementStrategy`: it runs one task on every instance
              help: take it out
            elearning/service.toml:4:21: not-on-fargate: Fargate does not have placement strategies
              help: take it out
            elearning/service.toml:5:1: daemon: a `DAEMON` service has no `desiredCount`: it runs one task on every instance
              help: take it out
            elearning/service.toml:27:18: daemon: the `maximumPercent` of a `DAEMON` service is 100
              help: write 100, or take it out
            ",
        ),
    ]);
}

#[test]
fn containers_fit_into_their_task() {
    check_edits(&[
        (&[("\"name\": \"backend\",\n", "\"name\": \"backend\", \"cpu\": 1000,\n")], ""),
        (
            &[
                ("\"name\": \"backend\",\n", "\"name\": \"backend\", \"cpu\": 1000, \"memory\": 1500,\n"),
                (
                    "\"name\": \"frontend\",\n",
                    "\"name\": \"frontend\", \"cpu\": 100, \"memory\": 900, \"memoryReservation\": 600,\n",
                ),
            ],
            "
            elearning/task-definition.json:5:10: containers-exceed-task: the containers reserve 1100 CPU units, the task has 1024
              help: raise the task's `cpu`, or lower that of its containers
            elearning/task-definition.json:6:13: containers-exceed-task: the containers reserve 2100 MiB, the task has 2048
              help: raise the task's `memory`, or lower that of its containers
            ",
        ),
        (
            &[("\"name\": \"backend\",\n", "\"name\": \"backend\", \"memory\": 100, \"memoryReservation\": 200,\n")],
            "
            elearning/task-definition.json:11:62: memory-reservation: `memoryReservation` is above `memory`, which is 100
              help: reserve less, or raise `memory`
            ",
        ),
    ]);
}

#[test]
fn ports_do_not_clash() {
    check_edits(&[
        (
            &[(r#"[{ "containerPort": 80, "hostPort": 80 }]"#, r#"[{ "containerPort": 80, "hostPort": 81 }]"#)],
            "
            elearning/task-definition.json:38:59: host-port: with the network mode `awsvpc` the host's port is the container's, 80
              help: take `hostPort` out
            ",
        ),
        (
            &[(
                r#"[{ "containerPort": 80, "hostPort": 80 }]"#,
                r#"[{ "containerPort": 80 }, { "containerPort": 8000 }]"#,
            )],
            "
            elearning/task-definition.json:38:68: port-clash: port 8000/tcp is taken by container `backend`
              help: containers of one task need different ports
            ",
        ),
        (
            &[(
                r#"[{ "containerPort": 80, "hostPort": 80 }]"#,
                r#"[{ "containerPort": 80 }, { "containerPort": 80 }]"#,
            )],
            "
            elearning/task-definition.json:38:68: port-clash: port 80/tcp is taken by container `frontend`
              help: containers of one task need different ports
            ",
        ),
        (
            &[(
                r#"[{ "containerPort": 80, "hostPort": 80 }]"#,
                r#"[{ "containerPort": 80 }, { "containerPort": 8000, "protocol": "udp" }]"#,
            )],
            "",
        ),
    ]);
}

#[test]
fn containers_refer_to_what_is_there() {
    check_edits(&[
        (
            &[("\"name\": \"frontend\",\n", "\"name\": \"backend\",\n")],
            "
            elearning/service.toml:13:17: unknown-name: the task definition has no container `frontend`
              help: name one of the task definition
            elearning/task-definition.json:35:5: duplicate-key: `backend` stands in this list twice
              help: take one of the two out
            elearning/task-definition.json:39:40: depends-on-cycle: the container waits for itself
              help: take one of the dependencies out
            ",
        ),
        (
            &[(
                "\"name\": \"backend\",\n",
                "\"name\": \"backend\", \"links\": [\"frontend\"], \"mountPoints\": [{\"sourceVolume\": \"date\", \"containerPath\": \"/x\"}], \"volumesFrom\": [{\"sourceContainer\": \"fronted\"}],\n",
            )],
            "
            elearning/task-definition.json:11:35: links: the network mode `awsvpc` has no links
              help: take them out: the containers of a task reach each other at `localhost`
            elearning/task-definition.json:11:82: unknown-name: the task definition has no volume `date`
              help: add it to `volumes`
            elearning/task-definition.json:11:151: unknown-name: the task definition has no container `fronted`
              help: did you mean `frontend`?
            ",
        ),
        (
            &[
                ("\"name\": \"backend\",\n", "\"name\": \"backend\", \"essential\": false,\n"),
                ("\"name\": \"frontend\",\n", "\"name\": \"frontend\", \"essential\": false,\n"),
            ],
            "
            elearning/task-definition.json:9:27: no-essential-container: no container is essential
              help: a task needs at least one: take `essential = false` out of its main container
            ",
        ),
    ]);
}

#[test]
fn containers_wait_for_what_can_happen() {
    check_edits(&[
        (
            &[(
                r#""containerName": "backend", "condition": "HEALTHY""#,
                r#""containerName": "bakend", "condition": "HEALTHY""#,
            )],
            "
            elearning/task-definition.json:39:40: unknown-name: the task definition has no container `bakend`
              help: did you mean `backend`?
            ",
        ),
        (
            &[(
                r#""containerName": "backend", "condition": "HEALTHY""#,
                r#""containerName": "backend", "condition": "SUCCESS""#,
            )],
            "
            elearning/task-definition.json:39:64: depends-on-condition: container `backend` is essential: when it ends, so does the task
              help: set `essential = false` in `backend`, or do not wait for `SUCCESS`
            ",
        ),
        (
            &[(
                r#""containerName": "backend", "condition": "HEALTHY""#,
                r#""containerName": "frontend", "condition": "START""#,
            )],
            "
            elearning/task-definition.json:39:40: depends-on-cycle: the container waits for itself
              help: take one of the dependencies out
            ",
        ),
        (
            &[(
                "\"name\": \"backend\",\n",
                "\"name\": \"backend\", \"dependsOn\": [{\"containerName\": \"frontend\", \"condition\": \"START\"}],\n",
            )],
            "
            elearning/task-definition.json:11:58: depends-on-cycle: `frontend` waits for `backend` in turn, so neither starts
              help: take one of the dependencies out
            elearning/task-definition.json:39:40: depends-on-cycle: `backend` waits for `frontend` in turn, so neither starts
              help: take one of the dependencies out
            ",
        ),
        (
            &[
                (r#""interval": 60, "timeout": 30, "retries": 5, "startPeriod": 120"#, r#""interval": 60"#),
                (
                    "      \"healthCheck\": {\n        \"command\": [\"CMD-SHELL\", \"curl -f http://localhost:8000/health/ || exit 1\"],\n        \"interval\": 60\n      },\n",
                    "",
                ),
            ],
            "
            elearning/task-definition.json:35:64: depends-on-condition: container `backend` has no `healthCheck`, so it never becomes `HEALTHY`
              help: add a `healthCheck` to `backend`, or wait for `START`
            ",
        ),
    ]);
}

#[test]
fn container_health_checks_leave_time_to_start() {
    check_edits(&[
        (
            &[(r#""retries": 5, "startPeriod": 120"#, r#""retries": 4"#)],
            "
            elearning/task-definition.json:22:22: no-start-period: the container is given up 240 s after its start, its target group `backend` would wait 300 s
              help: add `startPeriod`, 60 s or more
            ",
        ),
        (&[(r#""retries": 5, "startPeriod": 120"#, r#""retries": 5"#)], ""),
        (
            &[
                (r#""retries": 5, "startPeriod": 120"#, r#""retries": 4"#),
                (
                    r#"desiredCount = "${var.count}""#,
                    "desiredCount = \"${var.count}\"\nhealthCheckGracePeriodSeconds = 60",
                ),
            ],
            "",
        ),
        (
            &[(
                r#""interval": 60, "timeout": 30, "retries": 5, "startPeriod": 120"#,
                r#""interval": 301, "timeout": 30, "retries": 11, "startPeriod": 301"#,
            )],
            "
            elearning/task-definition.json:24:21: out-of-range: `interval` is 301, and must be from 5 to 300
              help: write 5 to 300
            elearning/task-definition.json:24:52: out-of-range: `retries` is 11, and must be from 1 to 10
              help: write 1 to 10
            elearning/task-definition.json:24:71: out-of-range: `startPeriod` is 301, and must be from 0 to 300
              help: write 0 to 300
            ",
        ),
    ]);
}

#[test]
fn logs_and_secrets_need_what_they_need() {
    check_edits(&[
        (
            &[(
                "          \"awslogs-group\": \"/ecs/elearning-system-backend\",\n          \"awslogs-region\": \"${region}\",\n          \"awslogs-stream-prefix\": \"ecs\"\n",
                "          \"awslogs-create-group\": \"true\"\n",
            )],
            "
            elearning/task-definition.json:28:20: log-options: the log driver `awslogs` needs the option `awslogs-group`
              help: add `awslogs-group`: the log group's name
            elearning/task-definition.json:28:20: log-options: the log driver `awslogs` needs the option `awslogs-region`
              help: add `awslogs-region`: `${region}`
            elearning/task-definition.json:28:20: log-options: the log driver `awslogs` needs the option `awslogs-stream-prefix`
              help: add `awslogs-stream-prefix`: a prefix such as `ecs`
            ",
        ),
        (
            &[("  \"executionRoleArn\": \"arn:aws:iam::${account}:role/elearning-execution\",\n", "")],
            "
            elearning/task-definition.json:17:18: no-execution-role: a container with secrets needs an execution role
              help: add `executionRoleArn` to the task definition
            ",
        ),
    ]);
}

#[test]
fn services_have_the_network_that_their_tasks_need() {
    check_edits(&[
        (
            &[(
                "[networkConfiguration.awsvpcConfiguration]\nsubnets = [\n  \"${stack.elearning-system-infrastructure.PublicSubnet1}\",\n  \"${stack.elearning-system-infrastructure.PublicSubnet2}\",\n]\nsecurityGroups = [\"${stack.elearning-system-infrastructure.ECSSecurityGroup}\"]\nassignPublicIp = \"ENABLED\"\n",
                "",
            )],
            "
            elearning/service.toml:1:1: no-network-configuration: tasks with the network mode `awsvpc` need a network configuration
              help: add `networkConfiguration.awsvpcConfiguration` with `subnets` and `securityGroups`
            ",
        ),
        (
            &[
                ("\"requiresCompatibilities\": [\"FARGATE\"],\n", ""),
                (r#"launchType = "FARGATE""#, r#"launchType = "EC2""#),
                (r#""networkMode": "awsvpc""#, r#""networkMode": "bridge""#),
            ],
            r#"
            elearning/service.toml:16:2: network-configuration: tasks with the network mode `bridge` have no network configuration
              help: take it out, or set `networkMode` to `awsvpc` in the task definition
            elearning/target-groups/backend.toml:5:14: target-type: target group `backend` has targets of type `ip`, with the network mode `bridge` they are `instance`
              help: write `TargetType = "instance"`
            elearning/target-groups/frontend.toml:5:14: target-type: target group `frontend` has targets of type `ip`, with the network mode `bridge` they are `instance`
              help: write `TargetType = "instance"`
            "#,
        ),
    ]);
}

#[test]
fn load_balancers_fit_their_containers_and_target_groups() {
    check_edits(&[
        (
            &[(
                "containerName = \"backend\"\ncontainerPort = 8000",
                "containerName = \"bakcend\"\ncontainerPort = 8000",
            )],
            "
            elearning/service.toml:8:17: unknown-name: the task definition has no container `bakcend`
              help: did you mean `backend`?
            ",
        ),
        (
            &[(
                "containerName = \"backend\"\ncontainerPort = 8000",
                "containerName = \"backend\"\ncontainerPort = 8001",
            )],
            "
            elearning/service.toml:9:17: unknown-port: container `backend` has no port 8001
              help: `backend` has 8000
            ",
        ),
        (
            &[("containerName = \"backend\"\ncontainerPort = 8000", r#"containerName = "backend""#)],
            "
            elearning/service.toml:6:1: missing-member: `containerPort` is missing
              help: say which port of which container the target group sends to
            ",
        ),
        (
            &[(r#"targetGroupArn = "${target_group.backend}""#, r#"targetGroupArn = "backend""#)],
            "
            elearning/service.toml:7:18: not-an-arn: `backend` is not the ARN of a target group
              help: write `${target_group.backend}`
            ",
        ),
        (
            &[(
                "VpcId = \"${stack.elearning-system-infrastructure.VPC}\"\nTargetType = \"ip\"\nHealthCheckPath",
                "VpcId = \"${stack.elearning-system-infrastructure.VPC}\"\nHealthCheckPath",
            )],
            r#"
            elearning/target-groups/backend.toml:1:1: target-type: target group `backend` has targets of type `instance`, with the network mode `awsvpc` they are `ip`
              help: write `TargetType = "ip"`
            "#,
        ),
    ]);
}

#[test]
fn deployments_can_move() {
    check_edits(&[
        (
            &[(
                "maximumPercent = 200\nminimumHealthyPercent = 50",
                "maximumPercent = 150\nminimumHealthyPercent = 100",
            )],
            "
            elearning/service.toml:24:1: deployment-deadlock: a deployment of `desiredCount` 1 with maximum 150 % and minimum 100 % may neither start nor stop a task
              help: raise `maximumPercent` (200 starts new tasks first), or lower `minimumHealthyPercent`
            ",
        ),
        (
            &[("maximumPercent = 200\nminimumHealthyPercent = 50", "maximumPercent = 100\nminimumHealthyPercent = 0")],
            "",
        ),
        (
            &[
                ("desiredCount = \"${var.count}\"\n", ""),
                ("maximumPercent = 200\nminimumHealthyPercent = 50", "maximumPercent = 100"),
            ],
            "
            elearning/service.toml:23:1: deployment-deadlock: a deployment with maximum 100 % and minimum 100 % may neither start nor stop a task
              help: raise `maximumPercent` (200 starts new tasks first), or lower `minimumHealthyPercent`
            ",
        ),
        (
            &[
                ("desiredCount = \"${var.count}\"\n", ""),
                ("maximumPercent = 200\nminimumHealthyPercent = 50", "maximumPercent = 150"),
            ],
            "",
        ),
        (
            &[(
                "launchType = \"FARGATE\"\n",
                "launchType = \"FARGATE\"\ncapacityProviderStrategy = [{ capacityProvider = \"FARGATE\", base = 1 }, { capacityProvider = \"mine\", base = 1 }]\n",
            )],
            "
            elearning/service.toml:2:1: launch-type: `launchType` and `capacityProviderStrategy` exclude each other
              help: keep one of the two
            elearning/service.toml:3:28: capacity-providers: Fargate's capacity providers cannot be mixed with others
              help: keep either `FARGATE` and `FARGATE_SPOT`, or the others
            elearning/service.toml:3:109: capacity-providers: only one capacity provider of a strategy may have a `base`
              help: take it out here
            ",
        ),
        (
            &[
                ("\"requiresCompatibilities\": [\"FARGATE\"],\n", ""),
                (
                    r#"launchType = "FARGATE""#,
                    "launchType = \"EC2\"\nplatformVersion = \"1.4.0\"\nschedulingStrategy = \"DAEMON\"",
                ),
            ],
            "
            elearning/service.toml:3:1: platform-version: only Fargate has platform versions
              help: take `platformVersion` out
            elearning/service.toml:5:1: daemon: a `DAEMON` service has no `desiredCount`: it runs one task on every instance
              help: take it out
            elearning/service.toml:27:18: daemon: the `maximumPercent` of a `DAEMON` service is 100
              help: write 100, or take it out
            ",
        ),
        (
            &[(
                "[deploymentConfiguration.deploymentCircuitBreaker]\nenable = true\nrollback = true",
                "[deploymentConfiguration.deploymentCircuitBreaker]\nenable = true",
            )],
            "
            elearning/service.toml:28:1: missing-member: `rollback` is missing
              help: write `rollback = true` (Determines whether to configure Amazon ECS to roll back the service if a service deployment fails)
            ",
        ),
    ]);
}

#[test]
fn target_groups_are_as_elb_wants_them() {
    check_edits(&[
        (
            &[(r#"Name = "elearning-system-backend-tg""#, r#"Name = "-elearning_system-backend-target-group""#)],
            "
            elearning/target-groups/backend.toml:1:8: bad-target-group-name: `-elearning_system-backend-target-group` cannot be the name of a target group
              help: at most 32 letters, digits and `-`, no `-` at the ends, no `internal-` at the front
            ",
        ),
        (
            &[("HealthCheckTimeoutSeconds = 30", "HealthCheckTimeoutSeconds = 60")],
            "
            elearning/target-groups/backend.toml:8:29: timeout-not-below-interval: the health check's timeout of 60 s is not below its interval of 60 s
              help: lower `HealthCheckTimeoutSeconds`, or raise `HealthCheckIntervalSeconds`
            ",
        ),
        (
            &[("HealthCheckIntervalSeconds = 30\nHealthCheckTimeoutSeconds = 10", "HealthCheckTimeoutSeconds = 30")],
            "
            elearning/target-groups/frontend.toml:6:29: timeout-not-below-interval: the health check's timeout of 30 s is not below its interval of 30 s
              help: lower `HealthCheckTimeoutSeconds`, or raise `HealthCheckIntervalSeconds`
            ",
        ),
        (
            &[(
                "Protocol = \"HTTP\"\nPort = 80\nVpcId = \"${stack.elearning-system-infrastructure.VPC}\"\n",
                "HealthCheckEnabled = false\n",
            )],
            r#"
            elearning/target-groups/frontend.toml:1:1: missing-member: `Port` is missing: only a group of Lambda functions has none
              help: add `Port`, such as 80
            elearning/target-groups/frontend.toml:1:1: missing-member: `Protocol` is missing: only a group of Lambda functions has none
              help: add `Protocol`, such as "HTTP"
            elearning/target-groups/frontend.toml:1:1: missing-member: `VpcId` is missing: only a group of Lambda functions has none
              help: add `VpcId`, such as "${stack.STACK.LOGICAL_ID}"
            elearning/target-groups/frontend.toml:2:22: health-check-disabled: health checks cannot be switched off for targets that are not Lambda functions
              help: take `HealthCheckEnabled` out
            "#,
        ),
        (
            &[(r#"Name = "elearning-system-backend-tg""#, r#"Name = "${stack.a.output.b}""#)],
            "
            elearning/target-groups/backend.toml:1:8: unknown-name: `Name` must be known without asking AWS
              help: write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` may stand in it
            ",
        ),
    ]);
}

#[test]
fn listener_rules_answer_once() {
    check_edits(&[
        (
            &[("Type = \"forward\"\nTargetGroupArn = \"${target_group.backend}\"", r#"Type = "forward""#)],
            r#"
            elearning/listener-rules/api.toml:8:1: missing-member: the action forwards nowhere
              help: add `TargetGroupArn = "${target_group.NAME}"`, or `ForwardConfig`
            "#,
        ),
        (
            &[(
                "Type = \"forward\"\nTargetGroupArn = \"${target_group.backend}\"",
                "Type = \"forward\"\nTargetGroupArn = \"backend\"",
            )],
            "
            elearning/listener-rules/api.toml:10:18: not-an-arn: `backend` is not the ARN of a target group
              help: write `${target_group.backend}`
            ",
        ),
        (
            &[(
                "Type = \"forward\"\nTargetGroupArn = \"${target_group.backend}\"",
                "Type = \"authenticate-cognito\"\nAuthenticateCognitoConfig = { UserPoolArn = \"arn:a\", UserPoolClientId = \"a\", UserPoolDomain = \"a\" }",
            )],
            "
            elearning/listener-rules/api.toml:8:1: rule-actions: a rule has exactly one action that forwards, redirects or answers
              help: keep one action with `Type` `forward`, `redirect` or `fixed-response`
            ",
        ),
    ]);
}

#[test]
fn secrets_do_not_stand_in_clear_text() {
    check_edits(&[
        (
            &[(r#"{ "name": "LITERAL", "value": "$${HOME}" }"#, r#"{ "name": "DB_PASSWORD", "value": "hunter2" }"#)],
            r#"
            elearning/task-definition.json:16:43: plaintext-secret: `DB_PASSWORD` holds what its name calls a secret in clear text
              help: move it to `secrets`: `name = "DB_PASSWORD"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/DB_PASSWORD"]` to `app.toml`
            "#,
        ),
        (
            &[(
                r#"{ "name": "LITERAL", "value": "$${HOME}" }"#,
                r#"{ "name": "SOME_ID", "value": "AKIAABCDEFGHIJKLMNOP" }"#,
            )],
            r#"
            elearning/task-definition.json:16:39: plaintext-secret: `SOME_ID` holds an AWS access key in clear text
              help: move it to `secrets`: `name = "SOME_ID"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/SOME_ID"]` to `app.toml`
            "#,
        ),
        (
            &[(
                r#"{ "name": "LITERAL", "value": "$${HOME}" }"#,
                r#"{ "name": "DATABASE", "value": "postgres://django:hunter2@db:5432/x" }"#,
            )],
            r#"
            elearning/task-definition.json:16:40: plaintext-secret: `DATABASE` holds a URL with a password in clear text
              help: move it to `secrets`: `name = "DATABASE"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/DATABASE"]` to `app.toml`
            "#,
        ),
        (
            &[(
                r#"{ "name": "LITERAL", "value": "$${HOME}" }"#,
                r#"{ "name": "PEM", "value": "-----BEGIN RSA PRIVATE KEY-----\nMII" }"#,
            )],
            r#"
            elearning/task-definition.json:16:35: plaintext-secret: `PEM` holds a private key in clear text
              help: move it to `secrets`: `name = "PEM"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/PEM"]` to `app.toml`
            "#,
        ),
        (
            &[
                (r#"{ "name": "LITERAL", "value": "$${HOME}" }"#, r#"{ "name": "DB_PASSWORD", "value": "hunter2" }"#),
                (
                    "== elearning/app.toml\n",
                    "== elearning/app.toml\nallow_plaintext = [\"task-definition:/containerDefinitions/*/environment/DB_PASSWORD\"]\n",
                ),
            ],
            "",
        ),
        (
            &[(
                r#"{ "name": "LITERAL", "value": "$${HOME}" }"#,
                r#"{ "name": "PASSWORD_FILE", "value": "/run/x" }, { "name": "DB_PASSWORD", "value": "/run/secrets/x" }, { "name": "REQUIRE_PASSWORD", "value": "true" }, { "name": "A_URL", "value": "postgres://django@db:5432/x" }, { "name": "TOKEN_TTL", "value": "60" }, { "name": "B_URL", "value": "http://u:$PASS@h" }"#,
            )],
            "",
        ),
        (
            &[(
                "\"logDriver\": \"awslogs\",\n        \"options\": {",
                "\"logDriver\": \"splunk\",\n        \"options\": { \"splunk-token\": \"hunter2\",",
            )],
            r#"
            elearning/task-definition.json:28:38: plaintext-secret: `splunk-token` holds a token in clear text
              help: move it to `secretOptions`, with `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/logConfiguration/options/splunk-token"]` to `app.toml`
            "#,
        ),
    ]);
}

#[test]
fn placeholder_accounts_are_noticed() {
    check_edits(&[
        (
            &[("arn:aws:iam::${account}:role", "arn:aws:iam::123456789012:role")],
            "
            elearning/task-definition.json:7:23: placeholder-account: `123456789012` is a placeholder, not an account
              help: write `${account}`, the environment's account
            ",
        ),
        (
            &[(
                r#""image": "${image.backend}""#,
                r#""image": "<ACCOUNT_ID>.dkr.ecr.ap-northeast-1.amazonaws.com/x:1""#,
            )],
            "
            elearning/task-definition.json:12:16: placeholder-account: `<ACCOUNT_ID>` is a placeholder, not an account
              help: write `${account}`, the environment's account
            ",
        ),
        (
            &[(
                r#""image": "${image.backend}""#,
                r#""image": "999988887777.dkr.ecr.ap-northeast-1.amazonaws.com/x:1""#,
            )],
            "",
        ),
    ]);
}

#[test]
fn keys_of_sets_and_tags_are_sound() {
    check_edits(&[
        (
            &[(
                r#"{ "name": "LITERAL", "value": "$${HOME}" }"#,
                r#"{ "name": "LITERAL", "value": "$${HOME}" }, { "name": "LITERAL", "value": "$${HOME}" }"#,
            )],
            "
            elearning/task-definition.json:16:53: duplicate-key: `LITERAL` stands in this list twice
              help: take one of the two out
            ",
        ),
        (
            &[(r#""name": "REDIS_URL""#, r#""name": "LITERAL""#)],
            "
            elearning/task-definition.json:20:19: duplicate-key: `LITERAL` stands in `environment` as well
              help: a variable is either plain or a secret: take one of them out
            ",
        ),
        (
            &[(
                "launchType = \"FARGATE\"\n",
                "launchType = \"FARGATE\"\ntags = [{ key = \"aws:x\", value = \"1\" }, { key = \"trueup:y\", value = \"1\" }, { key = \"a\", value = \"1\" }, { key = \"a\", value = \"2\" }]\n",
            )],
            "
            elearning/service.toml:3:17: reserved-tag: tag keys like `aws:x` are reserved for AWS
              help: choose another key
            elearning/service.toml:3:49: reserved-tag: tag keys like `trueup:y` are reserved for trueup
              help: choose another key
            elearning/service.toml:3:104: duplicate-key: `a` stands in this list twice
              help: take one of the two out
            ",
        ),
    ]);
}

#[test]
fn the_service_is_in_the_environments_cluster_under_a_known_name() {
    check_edits(&[
        (
            &[(r#"cluster = "${cluster}""#, r#"cluster = "other""#)],
            "
            elearning/service.toml:4:11: contradicts-environment: environment `production` has the cluster `elearning-system-cluster`, not `other`
              help: take `cluster` out: the environment gives it
            elearning/service.toml:4:11: contradicts-environment: environment `staging` has the cluster `elearning-staging`, not `other`
              help: take `cluster` out: the environment gives it
            ",
        ),
        (
            &[(r#"cluster = "${cluster}""#, r#"cluster = "${stack.a.output.b}""#)],
            "
            elearning/service.toml:4:11: unknown-name: the cluster of a service must be known without asking AWS
              help: write its name, or `${cluster}`, `${environment}` or `${var.NAME}`
            ",
        ),
        (
            &[(
                "cluster = \"${cluster}\"\n",
                "cluster = \"arn:aws:ecs:ap-northeast-1:210987654321:cluster/${cluster}\"\ntaskDefinition = \"x\"\n",
            )],
            "
            elearning/service.toml:5:1: set-by-trueup: `taskDefinition` is set by trueup and may not stand in a document
              help: take it away: the service runs the application's own task definition document
            ",
        ),
        (
            &[(r#""family": "elearning-system""#, r#""family": "${image.backend}""#)],
            "
            elearning/task-definition.json:2:13: unknown-name: `family` must be known without asking AWS
              help: write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` may stand in it
            ",
        ),
    ]);
}
