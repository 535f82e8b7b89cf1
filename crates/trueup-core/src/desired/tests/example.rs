//! A complete application on Fargate behind a load balancer, in two environments.

use super::{application, tree};
use crate::desired::{Lookup, load};

/// An e-learning site: two containers, each behind its own target group.
pub(super) const ELEARNING: &str = r#"
== trueup.toml
applications = ["*"]

[policy]
follow = "on"
heal = "on"
prune = "off"
ignore = ["service:/tags/CostCentre"]

[variables]
log_days = 14
domain = "learn.example.com"
count = 1

[environments.production]
account = "210987654321"
region = "ap-northeast-1"
cluster = "elearning-system-cluster"
role = "arn:aws:iam::210987654321:role/trueup"

[environments.staging]
account = "109876543210"
region = "ap-northeast-1"
cluster = "elearning-staging"

[environments.staging.variables]
domain = "staging.example.com"

[environments.staging.policy]
heal = "report"

== README.md
What this is.

== elearning/app.toml
[policy]
ignore = ["target-group/backend:/Attributes/slow_start.duration_seconds"]

[images.backend]
repository = "elearning-system-backend"
tag = "latest"

[images.frontend]
repository = "elearning-system-frontend"
tag = "latest"
platform = "linux/amd64"

== elearning/task-definition.json
{
  "family": "elearning-system",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "1024",
  "memory": "2GB",
  "executionRoleArn": "arn:aws:iam::${account}:role/elearning-execution",
  "taskRoleArn": "${stack.elearning-system-infrastructure.output.TaskRoleArn}",
  "containerDefinitions": [
    {
      "name": "backend",
      "image": "${image.backend}",
      "portMappings": [{ "containerPort": 8000 }],
      "environment": [
        { "name": "ALLOWED_HOSTS", "value": "${var.domain}" },
        { "name": "LITERAL", "value": "$${HOME}" }
      ],
      "secrets": [
        { "name": "DATABASE_URL", "valueFrom": "${secret.elearning/database}" },
        { "name": "REDIS_URL", "valueFrom": "${parameter./elearning/redis}" }
      ],
      "healthCheck": {
        "command": ["CMD-SHELL", "curl -f http://localhost:8000/health/ || exit 1"],
        "interval": 60, "timeout": 30, "retries": 5, "startPeriod": 120
      },
      "logConfiguration": {
        "logDriver": "awslogs",
        "options": {
          "awslogs-group": "/ecs/elearning-system-backend",
          "awslogs-region": "${region}",
          "awslogs-stream-prefix": "ecs"
        }
      }
    },
    {
      "name": "frontend",
      "image": "${image.frontend}",
      "portMappings": [{ "containerPort": 80, "hostPort": 80 }],
      "dependsOn": [{ "containerName": "backend", "condition": "HEALTHY" }],
      "healthCheck": {
        "command": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"],
        "interval": 30, "timeout": 10, "retries": 5, "startPeriod": 60
      }
    }
  ]
}

== elearning/service.toml
serviceName = "elearning-system-service"
launchType = "FARGATE"
desiredCount = "${var.count}"
cluster = "${cluster}"

[[loadBalancers]]
targetGroupArn = "${target_group.backend}"
containerName = "backend"
containerPort = 8000

[[loadBalancers]]
targetGroupArn = "${target_group.frontend}"
containerName = "frontend"
containerPort = 80

[networkConfiguration.awsvpcConfiguration]
subnets = [
  "${stack.elearning-system-infrastructure.PublicSubnet1}",
  "${stack.elearning-system-infrastructure.PublicSubnet2}",
]
securityGroups = ["${stack.elearning-system-infrastructure.ECSSecurityGroup}"]
assignPublicIp = "ENABLED"

[deploymentConfiguration]
maximumPercent = 200
minimumHealthyPercent = 50

[deploymentConfiguration.deploymentCircuitBreaker]
enable = true
rollback = true

[trueup]

== elearning/target-groups/backend.toml
Name = "elearning-system-backend-tg"
Protocol = "HTTP"
Port = 8000
VpcId = "${stack.elearning-system-infrastructure.VPC}"
TargetType = "ip"
HealthCheckPath = "/health/"
HealthCheckIntervalSeconds = 60
HealthCheckTimeoutSeconds = 30
HealthyThresholdCount = 2
UnhealthyThresholdCount = 5

[[Attributes]]
Key = "deregistration_delay.timeout_seconds"
Value = "30"

== elearning/target-groups/frontend.toml
Name = "elearning-system-frontend-tg"
Protocol = "HTTP"
Port = 80
VpcId = "${stack.elearning-system-infrastructure.VPC}"
TargetType = "ip"
HealthCheckIntervalSeconds = 30
HealthCheckTimeoutSeconds = 10
UnhealthyThresholdCount = 5

== elearning/listener-rules/api.toml
ListenerArn = "${listener.elearning-alb.80}"
Priority = 10

[[Conditions]]
Field = "path-pattern"
Values = ["/api/*"]

[[Actions]]
Type = "forward"
TargetGroupArn = "${target_group.backend}"

== elearning/environments/staging/service.toml
serviceName = "elearning-staging"

== elearning/environments/staging/app.toml
[policy]
prune = "report"

== elearning/environments/staging/task-definition.json
{ "containerDefinitions": [{ "name": "backend", "environment": [{ "name": "DEBUG", "value": "1" }] }] }
"#;

#[test]
fn the_example_loads_without_a_problem() {
    super::check(ELEARNING, "");
}

#[test]
fn policies_variables_and_overlays_arrive_where_they_belong() {
    let loaded = load(&tree(ELEARNING));
    assert!(loaded.configuration_valid);
    let production = application(&loaded, "production", "elearning");
    let staging = application(&loaded, "staging", "elearning");
    let policy = |application: &crate::desired::Application| {
        let policy = &application.policy;
        format!("{:?} {:?} {:?} {}", policy.follow, policy.heal, policy.prune, policy.ignore.len())
    };
    assert_eq!(policy(production), "On On Off 2");
    assert_eq!(policy(staging), "On Report Report 2");
    assert_eq!(
        (production.cluster.as_str(), staging.cluster.as_str()),
        ("elearning-system-cluster", "elearning-staging")
    );

    let names: Vec<_> =
        production.documents.iter().map(|document| format!("{}/{}", document.kind.as_str(), document.name)).collect();
    let expected = [
        "target-group/backend",
        "target-group/frontend",
        "listener-rule/api",
        "task-definition/task-definition",
        "service/service",
    ];
    assert_eq!(names, expected);
    let service = staging.documents.last().unwrap().body();
    assert_eq!(service["serviceName"], "elearning-staging");
    assert_eq!(service["desiredCount"], 1);
    assert_eq!((service.get("cluster"), service.get("trueup")), (None, None));
    let backend = staging.documents[3].body()["containerDefinitions"][0].clone();
    let environment: Vec<_> =
        backend["environment"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(environment, ["ALLOWED_HOSTS", "LITERAL", "DEBUG"]);
    assert_eq!(backend["environment"][0]["value"], "staging.example.com");
    assert_eq!(backend["environment"][1]["value"], "${HOME}");
}

#[test]
fn lookups_are_what_the_references_need_from_aws() {
    let loaded = load(&tree(ELEARNING));
    let lookups: Vec<String> = application(&loaded, "production", "elearning")
        .lookups()
        .into_iter()
        .map(|lookup| match lookup {
            Lookup::Image { repository, tag, platform } => format!("image {repository}:{tag} {platform}"),
            Lookup::TargetGroup(name) => format!("target group {name}"),
            Lookup::Listener { load_balancer, port } => format!("listener {load_balancer}:{port}"),
            Lookup::Secret(name) => format!("secret {name}"),
            Lookup::Parameter(name) => format!("parameter {name}"),
            Lookup::StackResource { stack, logical_id } => format!("resource {stack} {logical_id}"),
            Lookup::StackOutput { stack, key } => format!("output {stack} {key}"),
        })
        .collect();
    let expected = [
        "image elearning-system-backend:latest linux/amd64",
        "image elearning-system-frontend:latest linux/amd64",
        "target group elearning-system-backend-tg",
        "target group elearning-system-frontend-tg",
        "listener elearning-alb:80",
        "secret elearning/database",
        "parameter /elearning/redis",
        "resource elearning-system-infrastructure ECSSecurityGroup",
        "resource elearning-system-infrastructure PublicSubnet1",
        "resource elearning-system-infrastructure PublicSubnet2",
        "resource elearning-system-infrastructure VPC",
        "output elearning-system-infrastructure TaskRoleArn",
    ];
    assert_eq!(lookups, expected);
}
