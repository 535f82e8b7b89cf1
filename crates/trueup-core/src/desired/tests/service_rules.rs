//! Rules for services, load balancing and names that the API model does not have, each broken in the example.

use super::check_edits;

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
              help: remove it, or set `networkMode` to `awsvpc` in the task definition
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
              help: name the port of the container that the target group sends to
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
              help: remove it here
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
              help: remove `platformVersion`
            elearning/service.toml:5:1: daemon: a `DAEMON` service has no `desiredCount`: it runs one task on every instance
              help: remove it
            elearning/service.toml:24:18: public-address: tasks of the launch type `EC2` get no public address
              help: remove `assignPublicIp`
            elearning/service.toml:27:18: daemon: the `maximumPercent` of a `DAEMON` service is 100
              help: write 100, or remove it
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
              help: remove `HealthCheckEnabled`
            "#,
        ),
        (
            &[(r#"Name = "elearning-system-backend-tg""#, r#"Name = "${stack.a.output.b}""#)],
            "
            elearning/target-groups/backend.toml:1:8: unknown-name: `Name` must be known without asking AWS
              help: write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` are allowed in it
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
            elearning/task-definition.json:16:53: duplicate-key: `LITERAL` is in this list twice
              help: remove one of the two
            ",
        ),
        (
            &[(r#""name": "REDIS_URL""#, r#""name": "LITERAL""#)],
            "
            elearning/task-definition.json:20:19: duplicate-key: `LITERAL` is in `environment` as well
              help: a variable is either plain or a secret: remove one of them
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
            elearning/service.toml:3:104: duplicate-key: `a` is in this list twice
              help: remove one of the two
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
              help: remove `cluster`: the environment sets it
            elearning/service.toml:4:11: contradicts-environment: environment `staging` has the cluster `elearning-staging`, not `other`
              help: remove `cluster`: the environment sets it
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
            elearning/service.toml:4:11: contradicts-environment: environment `staging` is account `109876543210` in `ap-northeast-1`, not account `210987654321` in `ap-northeast-1`
              help: remove `cluster`: the environment sets it
            elearning/service.toml:5:1: set-by-trueup: `taskDefinition` is set by trueup and not allowed in a document
              help: remove it: the service runs the application's own task definition document
            ",
        ),
        (
            &[(r#""family": "elearning-system""#, r#""family": "${image.backend}""#)],
            "
            elearning/task-definition.json:2:13: unknown-name: `family` must be known without asking AWS
              help: write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` are allowed in it
            ",
        ),
    ]);
}
