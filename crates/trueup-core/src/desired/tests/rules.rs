//! Rules for task definitions that the API model does not have, each broken in the example.

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
              help: remove it
            elearning/task-definition.json:2:149: not-on-fargate: Fargate does not have volumes of the host
              help: remove it
            elearning/task-definition.json:2:227: not-on-fargate: Fargate does not have Docker volumes
              help: remove it
            ",
        ),
        (
            &[("\"name\": \"backend\",\n", "\"name\": \"backend\", \"privileged\": true, \"stopTimeout\": 300,\n")],
            "
            elearning/task-definition.json:11:40: not-on-fargate: Fargate does not have privileged containers
              help: remove it
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
              help: remove it
            elearning/service.toml:4:1: daemon: a `DAEMON` service has no `placementStrategy`: it runs one task on every instance
              help: remove it
            elearning/service.toml:4:21: not-on-fargate: Fargate does not have placement strategies
              help: remove it
            elearning/service.toml:5:1: daemon: a `DAEMON` service has no `desiredCount`: it runs one task on every instance
              help: remove it
            elearning/service.toml:27:18: daemon: the `maximumPercent` of a `DAEMON` service is 100
              help: write 100, or remove it
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
              help: remove `hostPort`
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
            elearning/task-definition.json:35:5: duplicate-key: `backend` is in this list twice
              help: remove one of the two
            elearning/task-definition.json:39:40: depends-on-cycle: the container waits for itself
              help: remove one of the dependencies
            ",
        ),
        (
            &[(
                "\"name\": \"backend\",\n",
                "\"name\": \"backend\", \"links\": [\"frontend\"], \"mountPoints\": [{\"sourceVolume\": \"date\", \"containerPath\": \"/x\"}], \"volumesFrom\": [{\"sourceContainer\": \"fronted\"}],\n",
            )],
            "
            elearning/task-definition.json:11:35: links: the network mode `awsvpc` has no links
              help: remove them: the containers of a task reach each other at `localhost`
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
              help: a task needs at least one: remove `essential = false` from its main container
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
              help: remove one of the dependencies
            ",
        ),
        (
            &[(
                "\"name\": \"backend\",\n",
                "\"name\": \"backend\", \"dependsOn\": [{\"containerName\": \"frontend\", \"condition\": \"START\"}],\n",
            )],
            "
            elearning/task-definition.json:11:58: depends-on-cycle: `frontend` waits for `backend`, too, so neither starts
              help: remove one of the dependencies
            elearning/task-definition.json:39:40: depends-on-cycle: `backend` waits for `frontend`, too, so neither starts
              help: remove one of the dependencies
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
            elearning/task-definition.json:22:22: no-start-period: the container fails its health check 240 s after its start, its target group `backend` would wait 300 s
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
            elearning/task-definition.json:28:38: plaintext-secret: `splunk-token` holds what its name calls a secret in clear text
              help: move it to `secretOptions`, with `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/logConfiguration/options/splunk-token"]` to `app.toml`
            "#,
        ),
    ]);
}
