//! Rules for tasks on Fargate that the API model does not have.

use super::check_marked;

#[test]
fn fargate_has_fixed_pairs_of_cpu_and_memory() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1000"
              ^^^^^^ fargate-size /cpu: Fargate has no task of 1000 CPU units
              help: write one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768
        memory = "2GB"
        containerDefinitions = [{ name = "backend", image = "i" }]
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1 vCPU"
        memory = "2GB"
        containerDefinitions = [{ name = "backend", image = "i" }]
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "1024"
                 ^^^^^^ fargate-size /memory: Fargate has no task of 1024 CPU units and 1024 MiB
                 help: the nearest memory is "2048"; with 1024 CPU units it is from 2048 to 8192
        containerDefinitions = [{ name = "backend", image = "i" }]
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "64GB"
                 ^^^^^^ fargate-size /memory: Fargate has no task of 1024 CPU units and 65536 MiB
                 help: the nearest memory is "8192"; with 1024 CPU units it is from 2048 to 8192
        containerDefinitions = [{ name = "backend", image = "i" }]
        "#,
    );
    check_marked(
        r#"
        == trueup.toml
        [environments.production]
        account = "210987654321"
        region = "eu-central-1"
        variables = { domain = "learn.example.com" }

        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "${var.domain}"
        containerDefinitions = [{ name = "backend", image = "i" }]
        "#,
    );
}

#[test]
fn fargate_needs_the_size_of_the_task() {
    check_marked(
        r#"
        == web/task-definition.json
        {
        ^ fargate-size: Fargate needs `cpu` of the whole task
        help: add `cpu`, such as "256"
        ^ fargate-size: Fargate needs `memory` of the whole task
        help: add `memory`, such as "512"
          "family": "web",
          "requiresCompatibilities": ["FARGATE"],
          "networkMode": "awsvpc",
          "containerDefinitions": [
            { "name": "backend", "image": "i" },
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no-memory /containerDefinitions/0: the container has no memory, and its task has none either
            help: add `memory` or `memoryReservation` here, or `memory` to the task
            { "name": "frontend", "image": "i" }
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no-memory /containerDefinitions/1: the container has no memory, and its task has none either
            help: add `memory` or `memoryReservation` here, or `memory` to the task
          ]
        }
        "#,
    );
}

#[test]
fn fargate_needs_the_network_mode_awsvpc() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        ^ fargate-network-mode: tasks on Fargate need the network mode `awsvpc`
        help: write `networkMode = "awsvpc"`
        requiresCompatibilities = ["FARGATE"]
        cpu = "1024"
        memory = "2GB"
        containerDefinitions = [{ name = "backend", image = "i" }]
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "bridge"
                      ^^^^^^^^ fargate-network-mode /networkMode: tasks on Fargate need the network mode `awsvpc`
                      help: write `networkMode = "awsvpc"`
        cpu = "1024"
        memory = "2GB"
        containerDefinitions = [{ name = "backend", image = "i" }]
        "#,
    );
}

#[test]
fn fargate_lacks_what_needs_a_host() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "2GB"
        placementConstraints = [{ type = "memberOf", expression = "x" }]
                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ not-on-fargate /placementConstraints: Fargate does not have placement constraints
                               help: remove it

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        privileged = true
                     ^^^^ not-on-fargate /containerDefinitions/0/privileged: Fargate does not have privileged containers
                     help: remove it
        stopTimeout = 300
                      ^^^ fargate-stop-timeout /containerDefinitions/0/stopTimeout: Fargate waits 120 s at most, not 300 s
                      help: write 120 or less
        logConfiguration = { logDriver = "syslog" }
                                         ^^^^^^^^ fargate-log-driver /containerDefinitions/0/logConfiguration/logDriver: Fargate does not have this log driver
                                         help: write `awslogs`, `awsfirelens` or `splunk`

        [[volumes]]
        name = "v"
        host = { sourcePath = "/x" }
                              ^^^^ not-on-fargate /volumes/0/host/sourcePath: Fargate does not have volumes of the host
                              help: remove it

        [[volumes]]
        name = "w"
        host = {}

        [[volumes]]
        name = "d"
        dockerVolumeConfiguration = {}
                                    ^^ not-on-fargate /volumes/2/dockerVolumeConfiguration: Fargate does not have Docker volumes
                                    help: remove it
        "#,
    );
}

#[test]
fn fargate_has_no_daemon_services_and_no_placement() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "2GB"
        containerDefinitions = [{ name = "backend", image = "i" }]

        == web/service.toml
        serviceName = "web"
        launchType = "FARGATE"
        schedulingStrategy = "DAEMON"
                             ^^^^^^^^ not-on-fargate /schedulingStrategy: Fargate does not have daemon services
                             help: remove it
        placementStrategy = [{ type = "random" }]
        ^^^^^^^^^^^^^^^^^ daemon /placementStrategy: a `DAEMON` service has no `placementStrategy`: it runs one task on every instance
        help: remove it
                            ^^^^^^^^^^^^^^^^^^^^^ not-on-fargate /placementStrategy: Fargate does not have placement strategies
                            help: remove it
        desiredCount = 1
        ^^^^^^^^^^^^ daemon /desiredCount: a `DAEMON` service has no `desiredCount`: it runs one task on every instance
        help: remove it
        deploymentConfiguration = { maximumPercent = 200 }
                                                     ^^^ daemon /deploymentConfiguration/maximumPercent: the `maximumPercent` of a `DAEMON` service is 100
                                                     help: write 100, or remove it
        networkConfiguration.awsvpcConfiguration = { subnets = ["subnet-1"] }
        "#,
    );
}
