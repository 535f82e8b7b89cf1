//! Rules for containers of one task that the API model does not have.

use super::check_marked;

#[test]
fn containers_fit_into_their_task() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "2GB"
        containerDefinitions = [{ name = "backend", image = "i", cpu = 1000 }]
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
              ^^^^^^ containers-exceed-task /cpu: the containers reserve 1100 CPU units, the task has 1024
              help: raise the task's `cpu`, or lower that of its containers
        memory = "2GB"
                 ^^^^^ containers-exceed-task /memory: the containers reserve 2100 MiB, the task has 2048
                 help: raise the task's `memory`, or lower that of its containers

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        cpu = 1000
        memory = 1500

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        cpu = 100
        memory = 900
        memoryReservation = 600
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 100
        memoryReservation = 200
                            ^^^ memory-reservation /containerDefinitions/0/memoryReservation: `memoryReservation` is above `memory`, which is 100
                            help: reserve less, or raise `memory`
        "#,
    );
}

#[test]
fn with_awsvpc_the_port_of_the_host_is_the_containers() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "awsvpc"

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        memory = 64
        portMappings = [{ containerPort = 80, hostPort = 81 }]
                                                         ^^ host-port /containerDefinitions/0/portMappings/0/hostPort: with the network mode `awsvpc` the host's port is the container's, 80
                                                         help: remove `hostPort`
        "#,
    );
}

#[test]
fn ports_do_not_clash() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "awsvpc"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        portMappings = [{ containerPort = 8000 }]

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        memory = 64
        portMappings = [{ containerPort = 80 }, { containerPort = 8000 }, { containerPort = 80 }]
                                                                  ^^^^ port-clash /containerDefinitions/1/portMappings/1/containerPort: port 8000/tcp is taken by container `backend`
                                                                  help: containers of one task need different ports
                                                                                            ^^ port-clash /containerDefinitions/1/portMappings/2/containerPort: port 80/tcp is taken by container `frontend`
                                                                                            help: containers of one task need different ports
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "awsvpc"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        portMappings = [{ containerPort = 8000 }]

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        memory = 64
        portMappings = [{ containerPort = 80 }, { containerPort = 8000, protocol = "udp" }]
        "#,
    );
}

#[test]
fn containers_have_names_of_their_own() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64

        [[containerDefinitions]]
        ^^^^^^^^^^^^^^^^^^^^^^^^ duplicate-key /containerDefinitions/1: `backend` is in this list twice
        help: remove one of the two
        name = "backend"
        image = "i"
        memory = 64
        dependsOn = [{ containerName = "backend", condition = "START" }]
                                       ^^^^^^^^^ depends-on-cycle /containerDefinitions/1/dependsOn/0/containerName: the container waits for itself
                                       help: remove one of the dependencies

        == web/service.toml
        serviceName = "web"

        [[loadBalancers]]
        targetGroupArn = "arn:aws:elasticloadbalancing:x"
        containerName = "frontend"
                        ^^^^^^^^^^ unknown-name /loadBalancers/0/containerName: the task definition has no container `frontend`
                        help: name one of the task definition
        containerPort = 80
        "#,
    );
}

#[test]
fn containers_refer_to_what_is_there() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "awsvpc"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        links = ["frontend"]
                ^^^^^^^^^^^^ links /containerDefinitions/0/links: the network mode `awsvpc` has no links
                help: remove them: the containers of a task reach each other at `localhost`
        mountPoints = [{ sourceVolume = "date", containerPath = "/x" }]
                                        ^^^^^^ unknown-name /containerDefinitions/0/mountPoints/0/sourceVolume: the task definition has no volume `date`
                                        help: add it to `volumes`
        volumesFrom = [{ sourceContainer = "fronted" }]
                                           ^^^^^^^^^ unknown-name /containerDefinitions/0/volumesFrom/0/sourceContainer: the task definition has no container `fronted`
                                           help: did you mean `frontend`?

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        memory = 64
        "#,
    );
}

#[test]
fn one_container_is_essential() {
    check_marked(
        r#"
        == web/task-definition.json
        {
          "family": "web",
          "containerDefinitions": [
                                  ^ no-essential-container /containerDefinitions: no container is essential
                                  help: a task needs at least one: remove `essential = false` from its main container
            { "name": "backend", "image": "i", "memory": 64, "essential": false },
            { "name": "frontend", "image": "i", "memory": 64, "essential": false }
          ]
        }
        "#,
    );
}

#[test]
fn containers_wait_for_what_can_happen() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        memory = 64
        dependsOn = [
          { containerName = "bakend", condition = "HEALTHY" },
                            ^^^^^^^^ unknown-name /containerDefinitions/1/dependsOn/0/containerName: the task definition has no container `bakend`
                            help: did you mean `backend`?
          { containerName = "backend", condition = "SUCCESS" },
                                                   ^^^^^^^^^ depends-on-condition /containerDefinitions/1/dependsOn/1/condition: container `backend` is essential: when it ends, so does the task
                                                   help: set `essential = false` in `backend`, or do not wait for `SUCCESS`
          { containerName = "backend", condition = "HEALTHY" },
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ duplicate-key /containerDefinitions/1/dependsOn/2: `backend` is in this list twice
          help: remove one of the two
                                                   ^^^^^^^^^ depends-on-condition /containerDefinitions/1/dependsOn/2/condition: container `backend` has no `healthCheck`, so it never becomes `HEALTHY`
                                                   help: add a `healthCheck` to `backend`, or wait for `START`
          { containerName = "backend", condition = "START" },
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ duplicate-key /containerDefinitions/1/dependsOn/3: `backend` is in this list twice
          help: remove one of the two
        ]
        "#,
    );
}

#[test]
fn containers_do_not_wait_for_one_another() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        memory = 64
        dependsOn = [{ containerName = "frontend", condition = "START" }]
                                       ^^^^^^^^^^ depends-on-cycle /containerDefinitions/0/dependsOn/0/containerName: the container waits for itself
                                       help: remove one of the dependencies
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        dependsOn = [{ containerName = "frontend", condition = "START" }]
                                       ^^^^^^^^^^ depends-on-cycle /containerDefinitions/0/dependsOn/0/containerName: `frontend` waits for `backend`, too, so neither starts
                                       help: remove one of the dependencies

        [[containerDefinitions]]
        name = "frontend"
        image = "i"
        memory = 64
        dependsOn = [{ containerName = "backend", condition = "START" }]
                                       ^^^^^^^^^ depends-on-cycle /containerDefinitions/1/dependsOn/0/containerName: `backend` waits for `frontend`, too, so neither starts
                                       help: remove one of the dependencies
        "#,
    );
}

/// A target group that tolerates 300 s of failed checks, and a service that sends to it.
const SLOW_TARGET_GROUP: &str = r#"
        == web/service.toml
        serviceName = "web"
        loadBalancers = [{ targetGroupArn = "${target_group.backend}", containerName = "backend", containerPort = 80 }]

        == web/target-groups/backend.toml
        Name = "backend"
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
        HealthCheckIntervalSeconds = 60
        HealthCheckTimeoutSeconds = 30
        UnhealthyThresholdCount = 5
"#;

/// The task definition of that service, with a health check.
fn slow_task(health_check: &str) -> String {
    format!(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        portMappings = [{{ containerPort = 80, hostPort = 0 }}]

        [containerDefinitions.healthCheck]
        command = ["CMD-SHELL", "true"]
        interval = 60
        {health_check}
        {SLOW_TARGET_GROUP}"#
    )
}

#[test]
fn container_health_checks_leave_time_to_start() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        portMappings = [{ containerPort = 80, hostPort = 0 }]
        healthCheck = { command = ["CMD-SHELL", "true"], interval = 60, retries = 4 }
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no-start-period /containerDefinitions/0/healthCheck: the container fails its health check 240 s after its start, its target group `backend` would wait 300 s
                      help: add `startPeriod`, 60 s or more

        == web/service.toml
        serviceName = "web"
        loadBalancers = [{ targetGroupArn = "${target_group.backend}", containerName = "backend", containerPort = 80 }]

        == web/target-groups/backend.toml
        Name = "backend"
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
        HealthCheckIntervalSeconds = 60
        HealthCheckTimeoutSeconds = 30
        UnhealthyThresholdCount = 5
        "#,
    );
    check_marked(&slow_task("retries = 5"));
    check_marked(&slow_task("retries = 4\n        startPeriod = 60"));
    check_marked(
        &slow_task("retries = 4")
            .replace("loadBalancers =", "healthCheckGracePeriodSeconds = 60\n        loadBalancers ="),
    );
}

#[test]
fn container_health_checks_are_in_range() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64

        [containerDefinitions.healthCheck]
        command = ["CMD-SHELL", "true"]
        interval = 301
                   ^^^ out-of-range /containerDefinitions/0/healthCheck/interval: `interval` is 301, and must be from 5 to 300
                   help: write 5 to 300
        timeout = 30
        retries = 11
                  ^^ out-of-range /containerDefinitions/0/healthCheck/retries: `retries` is 11, and must be from 1 to 10
                  help: write 1 to 10
        startPeriod = 301
                      ^^^ out-of-range /containerDefinitions/0/healthCheck/startPeriod: `startPeriod` is 301, and must be from 0 to 300
                      help: write 0 to 300
        "#,
    );
}

#[test]
fn the_log_driver_awslogs_needs_its_options() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "2GB"
        executionRoleArn = "arn:aws:iam::${account}:role/execution"

        [[containerDefinitions]]
        name = "backend"
        image = "i"

        [containerDefinitions.logConfiguration]
        logDriver = "awslogs"
        options = { awslogs-create-group = "true" }
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ log-options /containerDefinitions/0/logConfiguration/options: the log driver `awslogs` needs the option `awslogs-group`
                  help: add `awslogs-group`: the log group's name
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ log-options /containerDefinitions/0/logConfiguration/options: the log driver `awslogs` needs the option `awslogs-region`
                  help: add `awslogs-region`: `${region}`
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ log-options /containerDefinitions/0/logConfiguration/options: the log driver `awslogs` needs the option `awslogs-stream-prefix`
                  help: add `awslogs-stream-prefix`: a prefix such as `ecs`
        "#,
    );
}

#[test]
fn secrets_need_an_execution_role() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        secrets = [{ name = "DATABASE_URL", valueFrom = "${secret.elearning/database}" }]
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no-execution-role /containerDefinitions/0/secrets: a container with secrets needs an execution role
                  help: add `executionRoleArn` to the task definition
        "#,
    );
}
