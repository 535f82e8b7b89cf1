//! Rules for target groups and listener rules that the API model does not have.

use super::check_marked;

#[test]
fn the_names_of_target_groups_have_a_form() {
    check_marked(
        r#"
        == web/target-groups/backend.toml
        Name = "-elearning_system-backend-target-group"
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ bad-target-group-name /Name: `-elearning_system-backend-target-group` cannot be the name of a target group
               help: at most 32 letters, digits and `-`, no `-` at the ends, no `internal-` at the front
        Protocol = "HTTP"
        Port = 8000
        VpcId = "vpc-1"
        "#,
    );
}

#[test]
fn health_checks_end_before_the_next_one_begins() {
    check_marked(
        r#"
        == web/target-groups/backend.toml
        Name = "backend"
        Protocol = "HTTP"
        Port = 8000
        VpcId = "vpc-1"
        HealthCheckIntervalSeconds = 60
        HealthCheckTimeoutSeconds = 60
                                    ^^ timeout-not-below-interval /HealthCheckTimeoutSeconds: the health check's timeout of 60 s is not below its interval of 60 s
                                    help: lower `HealthCheckTimeoutSeconds`, or raise `HealthCheckIntervalSeconds`

        == web/target-groups/frontend.toml
        Name = "frontend"
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
        HealthCheckTimeoutSeconds = 30
                                    ^^ timeout-not-below-interval /HealthCheckTimeoutSeconds: the health check's timeout of 30 s is not below its interval of 30 s
                                    help: lower `HealthCheckTimeoutSeconds`, or raise `HealthCheckIntervalSeconds`
        "#,
    );
}

#[test]
fn only_groups_of_functions_have_no_port_and_no_health_check() {
    check_marked(
        r#"
        == web/target-groups/frontend.toml
        Name = "frontend"
        ^ missing-member: `Port` is missing: only a group of Lambda functions has none
        help: add `Port`, such as 80
        ^ missing-member: `Protocol` is missing: only a group of Lambda functions has none
        help: add `Protocol`, such as "HTTP"
        ^ missing-member: `VpcId` is missing: only a group of Lambda functions has none
        help: add `VpcId`, such as "${stack.STACK.LOGICAL_ID}"
        HealthCheckEnabled = false
                             ^^^^^ health-check-disabled /HealthCheckEnabled: health checks cannot be switched off for targets that are not Lambda functions
                             help: remove `HealthCheckEnabled`
        TargetType = "ip"
        "#,
    );
}

#[test]
fn targets_have_the_type_of_the_network_mode() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "awsvpc"
        containerDefinitions = [{ name = "web", image = "i", memory = 64, portMappings = [{ containerPort = 80 }] }]

        == web/service.toml
        serviceName = "web"
        loadBalancers = [{ targetGroupArn = "${target_group.backend}", containerName = "web", containerPort = 80 }]
        networkConfiguration.awsvpcConfiguration = { subnets = ["subnet-1"] }

        == web/target-groups/backend.toml
        Name = "backend"
        ^ target-type: target group `backend` has targets of type `instance`, with the network mode `awsvpc` they are `ip`
        help: write `TargetType = "ip"`
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
        "#,
    );
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        networkMode = "bridge"
        containerDefinitions = [{ name = "web", image = "i", memory = 64, portMappings = [{ containerPort = 80 }] }]

        == web/service.toml
        serviceName = "web"

        [[loadBalancers]]
        targetGroupArn = "${target_group.backend}"
        containerName = "web"
        containerPort = 80

        [[loadBalancers]]
        targetGroupArn = "${target_group.frontend}"
        containerName = "web"
        containerPort = 80

        == web/target-groups/backend.toml
        Name = "backend"
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
        TargetType = "ip"
                     ^^^^ target-type /TargetType: target group `backend` has targets of type `ip`, with the network mode `bridge` they are `instance`
                     help: write `TargetType = "instance"`

        == web/target-groups/frontend.toml
        Name = "frontend"
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
        TargetType = "ip"
                     ^^^^ target-type /TargetType: target group `frontend` has targets of type `ip`, with the network mode `bridge` they are `instance`
                     help: write `TargetType = "instance"`
        "#,
    );
}

#[test]
fn actions_that_forward_name_a_target_group() {
    check_marked(
        r#"
        == web/listener-rules/api.toml
        ListenerArn = "${listener.alb.80}"
        Priority = 10
        Conditions = [{ Field = "path-pattern", Values = ["/api/*"] }]

        [[Actions]]
        ^^^^^^^^^^^ missing-member /Actions/0: the action forwards nowhere
        help: add `TargetGroupArn = "${target_group.NAME}"`, or `ForwardConfig`
        Type = "forward"

        == web/listener-rules/other.toml
        ListenerArn = "${listener.alb.80}"
        Priority = 20
        Conditions = [{ Field = "path-pattern", Values = ["/other/*"] }]

        [[Actions]]
        Type = "forward"
        TargetGroupArn = "backend"
                         ^^^^^^^^^ not-an-arn /Actions/0/TargetGroupArn: `backend` is not the ARN of a target group
                         help: write `${target_group.backend}`
        "#,
    );
}

#[test]
fn listener_rules_answer_once() {
    check_marked(
        r#"
        == web/listener-rules/api.toml
        ListenerArn = "${listener.alb.80}"
        Priority = 10
        Conditions = [{ Field = "path-pattern", Values = ["/api/*"] }]

        [[Actions]]
        ^^^^^^^^^^^ rule-actions /Actions: a rule has exactly one action that forwards, redirects or answers
        help: keep one action with `Type` `forward`, `redirect` or `fixed-response`
        Type = "authenticate-cognito"
        AuthenticateCognitoConfig = { UserPoolArn = "arn:a", UserPoolClientId = "a", UserPoolDomain = "a" }
        "#,
    );
}
