//! Rules for services that the API model does not have.

use super::check_marked;

/// A task definition on Fargate with a container `backend` on port 8000.
const FARGATE_TASK: &str = r#"
        == web/task-definition.toml
        family = "web"
        requiresCompatibilities = ["FARGATE"]
        networkMode = "awsvpc"
        cpu = "1024"
        memory = "2GB"
        containerDefinitions = [{ name = "backend", image = "i", portMappings = [{ containerPort = 8000 }] }]

"#;

/// A task definition for EC2 instances.
const EC2_TASK: &str = r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "bridge"
        containerDefinitions = [{ name = "backend", image = "i", memory = 64 }]

"#;

/// Checks a service of this task definition.
#[track_caller]
fn check_service(task: &str, service: &str) {
    check_marked(&format!("{task}{service}"));
}

#[test]
fn tasks_with_awsvpc_need_a_network_configuration() {
    check_service(
        FARGATE_TASK,
        r#"
        == web/service.toml
        serviceName = "web"
        ^ no-network-configuration: tasks with the network mode `awsvpc` need a network configuration
        help: add `networkConfiguration.awsvpcConfiguration` with `subnets` and `securityGroups`
        launchType = "FARGATE"
        "#,
    );
}

#[test]
fn tasks_with_bridge_have_no_network_configuration() {
    check_service(
        EC2_TASK,
        r#"
        == web/service.toml
        serviceName = "web"
        launchType = "EC2"

        [networkConfiguration.awsvpcConfiguration]
         ^^^^^^^^^^^^^^^^^^^^ network-configuration /networkConfiguration: tasks with the network mode `bridge` have no network configuration
         help: remove it, or set `networkMode` to `awsvpc` in the task definition
        subnets = ["subnet-1"]
        "#,
    );
}

#[test]
fn load_balancers_name_a_port_of_a_container() {
    check_service(
        FARGATE_TASK,
        r#"
        == web/service.toml
        serviceName = "web"
        networkConfiguration.awsvpcConfiguration = { subnets = ["subnet-1"] }

        [[loadBalancers]]
        targetGroupArn = "arn:aws:elasticloadbalancing:x"
        containerName = "bakcend"
                        ^^^^^^^^^ unknown-name /loadBalancers/0/containerName: the task definition has no container `bakcend`
                        help: did you mean `backend`?
        containerPort = 8000

        [[loadBalancers]]
        targetGroupArn = "arn:aws:elasticloadbalancing:x"
        containerName = "backend"
        containerPort = 8001
                        ^^^^ unknown-port /loadBalancers/1/containerPort: container `backend` has no port 8001
                        help: `backend` has 8000

        [[loadBalancers]]
        ^^^^^^^^^^^^^^^^^ missing-member /loadBalancers/2: `containerPort` is missing
        help: name the port of the container that the target group sends to
        targetGroupArn = "arn:aws:elasticloadbalancing:x"
        containerName = "backend"

        [[loadBalancers]]
        targetGroupArn = "backend"
                         ^^^^^^^^^ not-an-arn /loadBalancers/3/targetGroupArn: `backend` is not the ARN of a target group
                         help: write `${target_group.backend}`
        containerName = "backend"
        containerPort = 8000
        "#,
    );
}

#[test]
fn deployments_can_start_or_stop_a_task() {
    check_service(
        EC2_TASK,
        r#"
        == web/service.toml
        serviceName = "web"
        desiredCount = 1

        [deploymentConfiguration]
        ^^^^^^^^^^^^^^^^^^^^^^^^^ deployment-deadlock /deploymentConfiguration: a deployment of `desiredCount` 1 with maximum 150 % and minimum 100 % may neither start nor stop a task
        help: raise `maximumPercent` (200 starts new tasks first), or lower `minimumHealthyPercent`
        maximumPercent = 150
        minimumHealthyPercent = 100
        "#,
    );
    check_service(
        EC2_TASK,
        r#"
        == web/service.toml
        serviceName = "web"
        desiredCount = 1

        [deploymentConfiguration]
        maximumPercent = 100
        minimumHealthyPercent = 0
        "#,
    );
    check_service(
        EC2_TASK,
        r#"
        == web/service.toml
        serviceName = "web"

        [deploymentConfiguration]
        ^^^^^^^^^^^^^^^^^^^^^^^^^ deployment-deadlock /deploymentConfiguration: a deployment with maximum 100 % and minimum 100 % may neither start nor stop a task
        help: raise `maximumPercent` (200 starts new tasks first), or lower `minimumHealthyPercent`
        maximumPercent = 100
        "#,
    );
    check_service(
        EC2_TASK,
        r#"
        == web/service.toml
        serviceName = "web"

        [deploymentConfiguration]
        maximumPercent = 150
        "#,
    );
}

#[test]
fn launch_type_and_capacity_providers_do_not_mix() {
    check_service(
        FARGATE_TASK,
        r#"
        == web/service.toml
        serviceName = "web"
        launchType = "FARGATE"
        ^^^^^^^^^^ launch-type /launchType: `launchType` and `capacityProviderStrategy` exclude each other
        help: keep one of the two
        capacityProviderStrategy = [{ capacityProvider = "FARGATE", base = 1 }, { capacityProvider = "mine", base = 1 }]
                                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ capacity-providers /capacityProviderStrategy: Fargate's capacity providers cannot be mixed with others
                                   help: keep either `FARGATE` and `FARGATE_SPOT`, or the others
                                                                                                                    ^ capacity-providers /capacityProviderStrategy/1/base: only one capacity provider of a strategy may have a `base`
                                                                                                                    help: remove it here
        networkConfiguration.awsvpcConfiguration = { subnets = ["subnet-1"] }
        "#,
    );
}

#[test]
fn daemon_services_run_one_task_on_every_instance() {
    check_service(
        EC2_TASK,
        r#"
        == web/service.toml
        serviceName = "web"
        launchType = "EC2"
        platformVersion = "1.4.0"
        ^^^^^^^^^^^^^^^ platform-version /platformVersion: only Fargate has platform versions
        help: remove `platformVersion`
        schedulingStrategy = "DAEMON"
        desiredCount = 1
        ^^^^^^^^^^^^ daemon /desiredCount: a `DAEMON` service has no `desiredCount`: it runs one task on every instance
        help: remove it

        [deploymentConfiguration]
        maximumPercent = 200
                         ^^^ daemon /deploymentConfiguration/maximumPercent: the `maximumPercent` of a `DAEMON` service is 100
                         help: write 100, or remove it
        "#,
    );
}

#[test]
fn tasks_on_instances_get_no_public_address() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "awsvpc"
        containerDefinitions = [{ name = "backend", image = "i", memory = 64 }]

        == web/service.toml
        serviceName = "web"
        launchType = "EC2"

        [networkConfiguration.awsvpcConfiguration]
        subnets = ["subnet-1"]
        assignPublicIp = "ENABLED"
                         ^^^^^^^^^ public-address /networkConfiguration/awsvpcConfiguration/assignPublicIp: tasks of the launch type `EC2` get no public address
                         help: remove `assignPublicIp`
        "#,
    );
}

#[test]
fn circuit_breakers_say_whether_they_roll_back() {
    check_service(
        EC2_TASK,
        r#"
        == web/service.toml
        serviceName = "web"

        [deploymentConfiguration.deploymentCircuitBreaker]
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ missing-member /deploymentConfiguration/deploymentCircuitBreaker: `rollback` is missing
        help: write `rollback = true` (Determines whether to configure Amazon ECS to roll back the service if a service deployment fails)
        enable = true
        "#,
    );
}

/// Two environments with different clusters.
const TWO_ENVIRONMENTS: &str = r#"
        == trueup.toml
        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        cluster = "elearning-system-cluster"

        [environments.staging]
        account = "109876543210"
        region = "ap-northeast-1"
        cluster = "elearning-staging"

        == web/task-definition.toml
        family = "web-${environment}"
        containerDefinitions = [{ name = "backend", image = "i", memory = 64 }]

"#;

#[test]
fn the_service_is_in_the_environments_cluster() {
    check_service(
        TWO_ENVIRONMENTS,
        r#"
        == web/service.toml
        serviceName = "web"
        cluster = "other"
                  ^^^^^^^ contradicts-environment /cluster: environment `production` has the cluster `elearning-system-cluster`, not `other`
                  help: remove `cluster`: the environment sets it
                  ^^^^^^^ contradicts-environment /cluster: environment `staging` has the cluster `elearning-staging`, not `other`
                  help: remove `cluster`: the environment sets it
        "#,
    );
    check_service(
        TWO_ENVIRONMENTS,
        r#"
        == web/service.toml
        serviceName = "web"
        cluster = "arn:aws:ecs:ap-northeast-1:210987654321:cluster/${cluster}"
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ contradicts-environment /cluster: environment `staging` is account `109876543210` in `ap-northeast-1`, not account `210987654321` in `ap-northeast-1`
                  help: remove `cluster`: the environment sets it
        taskDefinition = "x"
        ^^^^^^^^^^^^^^ set-by-trueup /taskDefinition: `taskDefinition` is set by trueup and not allowed in a document
        help: remove it: the service runs the application's own task definition document
        "#,
    );
}

#[test]
fn names_are_known_without_asking_aws() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "${stack.a.output.b}"
                 ^^^^^^^^^^^^^^^^^^^^^ unknown-name /family: `family` must be known without asking AWS
                 help: write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` are allowed in it
        containerDefinitions = [{ name = "backend", image = "i", memory = 64 }]

        == web/service.toml
        serviceName = "web"
        cluster = "${stack.a.output.b}"
                  ^^^^^^^^^^^^^^^^^^^^^ unknown-name /cluster: the cluster of a service must be known without asking AWS
                  help: write its name, or `${cluster}`, `${environment}` or `${var.NAME}`

        == web/target-groups/backend.toml
        Name = "${stack.a.output.b}"
               ^^^^^^^^^^^^^^^^^^^^^ unknown-name /Name: `Name` must be known without asking AWS
               help: write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` are allowed in it
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
        "#,
    );
}
