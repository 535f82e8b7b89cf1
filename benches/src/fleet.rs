//! A fleet: any number of services like the example's, each an application with one target group and one rule.

use std::sync::Arc;

use trueup_core::desired::{FileTree, Lookup, load};
use trueup_core::live::Observed;
use trueup_core::names::{ApplicationName, Revision};
use trueup_core::plan::tags;

use crate::template::{Digests, Template};

/// The configuration of the fleet's repository.
const CONFIGURATION: &str = r#"
[environments.production]
account = "123456789012"
region = "ap-northeast-1"
cluster = "main"

[environments.production.variables]
domain = "learn.example.com"
"#;

/// The documents of one application: the example's, with one target group, and ARNs in place of what the example looks
/// up in AWS, because the number of reads is promised for observing alone.
const DOCUMENTS: [(&str, &str); 5] = [
    ("app.toml", ""),
    (
        "service.toml",
        r#"
serviceName = "service-%n%"
launchType = "FARGATE"
desiredCount = 1
healthCheckGracePeriodSeconds = 300

[deploymentConfiguration]
maximumPercent = 200
minimumHealthyPercent = 50
deploymentCircuitBreaker = { enable = true, rollback = true }

[networkConfiguration.awsvpcConfiguration]
subnets = ["subnet-0a1b2c3d4e5f60718", "subnet-0f1e2d3c4b5a69788"]
securityGroups = ["sg-0123456789abcdef0"]
assignPublicIp = "ENABLED"

[[loadBalancers]]
targetGroupArn = "${target_group.backend}"
containerName = "backend"
containerPort = 8000
"#,
    ),
    (
        "task-definition.toml",
        r#"
family = "family-%n%"
requiresCompatibilities = ["FARGATE"]
networkMode = "awsvpc"
cpu = "512"
memory = "1024"
executionRoleArn = "arn:aws:iam::123456789012:role/task-execution"
taskRoleArn = "arn:aws:iam::123456789012:role/task"

[runtimePlatform]
cpuArchitecture = "X86_64"
operatingSystemFamily = "LINUX"

[[containerDefinitions]]
name = "backend"
image = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/backend:1.%n%"
essential = true
portMappings = [{ containerPort = 8000, protocol = "tcp" }]
environment = [
  { name = "DJANGO_SETTINGS_MODULE", value = "config.settings.production" },
  { name = "ALLOWED_HOSTS", value = "s%n%.${var.domain}" },
  { name = "LOG_LEVEL", value = "INFO" },
]
secrets = [
  { name = "DATABASE_HOST", valueFrom = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:database-AbCdEf:host::" },
  { name = "DATABASE_USER", valueFrom = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:database-AbCdEf:username::" },
  { name = "DATABASE_PASSWORD", valueFrom = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:database-AbCdEf:password::" },
  { name = "DJANGO_SECRET_KEY", valueFrom = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:django-AbCdEf:secret_key::" },
  { name = "REDIS_URL", valueFrom = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:redis-AbCdEf:url::" },
]

[containerDefinitions.healthCheck]
command = ["CMD-SHELL", "curl -f http://localhost:8000/api/health/ || exit 1"]
interval = 60
timeout = 30
retries = 5
startPeriod = 120

[containerDefinitions.logConfiguration]
logDriver = "awslogs"
options = { awslogs-group = "/ecs/service-%n%", awslogs-region = "${region}", awslogs-stream-prefix = "ecs" }

[[containerDefinitions]]
name = "frontend"
image = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/frontend:1.%n%"
essential = true
portMappings = [{ containerPort = 80, protocol = "tcp" }]

[containerDefinitions.healthCheck]
command = ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]
interval = 30
timeout = 10
retries = 5
startPeriod = 60

[containerDefinitions.logConfiguration]
logDriver = "awslogs"
options = { awslogs-group = "/ecs/service-%n%", awslogs-region = "${region}", awslogs-stream-prefix = "ecs" }
"#,
    ),
    (
        "target-groups/backend.toml",
        r#"
Name = "group-%n%"
Protocol = "HTTP"
Port = 8000
VpcId = "vpc-0a1b2c3d4e5f60718"
TargetType = "ip"
HealthCheckPath = "/api/health/"
HealthCheckIntervalSeconds = 60
HealthCheckTimeoutSeconds = 30
HealthyThresholdCount = 2
UnhealthyThresholdCount = 5
Matcher = { HttpCode = "200" }

[[Attributes]]
Key = "deregistration_delay.timeout_seconds"
Value = "60"
"#,
    ),
    (
        "listener-rules/api.toml",
        r#"
ListenerArn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:listener/app/balancer-%listener%/50dc6c495c0c9188/f2f7dc8efc522ab2"
Priority = %priority%

Conditions = [
  { Field = "host-header", HostHeaderConfig = { Values = ["s%n%.${var.domain}"] } },
  { Field = "path-pattern", PathPatternConfig = { Values = ["/api/*", "/admin/*", "/static/*"] } },
]
Actions = [
  { Type = "forward", TargetGroupArn = "${target_group.backend}" },
]
"#,
    ),
];

/// How many applications are loaded at a time to find out their digests, so that little memory is used for it.
const LOADED_AT_ONCE: usize = 50;

/// The one commit of the fleet's repository.
pub fn revision() -> Revision {
    Revision::new("5".repeat(40))
}

/// The ARN of a target group of the fleet.
pub fn target_group_arn(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/{name}/73e2d6bc24d8a067")
}

/// The name of an application of the fleet.
pub fn application(number: usize) -> ApplicationName {
    ApplicationName::new(format!("app-{number:04}"))
}

/// The documents of any number of applications.
#[derive(Debug)]
pub struct Documents(Vec<(&'static str, Template)>);

impl Default for Documents {
    fn default() -> Self {
        Self(DOCUMENTS.into_iter().map(|(path, text)| (path, Template::new(text))).collect())
    }
}

impl Documents {
    /// The files of these applications, and the configuration.
    pub fn files(&self, applications: impl IntoIterator<Item = usize>) -> FileTree {
        let mut files = FileTree::from([("trueup.toml".to_owned(), Arc::from(CONFIGURATION.as_bytes()))]);
        for number in applications {
            for (path, template) in &self.0 {
                let text = template.text(number, None);
                files.insert(format!("{}/{path}", application(number)), Arc::from(text.into_bytes()));
            }
        }
        files
    }

    /// What the tags of each application's resources carry when git's documents were applied to them.
    ///
    /// # Panics
    /// When a document is not valid.
    pub fn digests(&self, count: usize) -> Vec<Digests> {
        let numbers: Vec<usize> = (0..count).collect();
        numbers.chunks(LOADED_AT_ONCE).flat_map(|numbers| self.digests_of(numbers)).collect()
    }

    fn digests_of(&self, numbers: &[usize]) -> Vec<Digests> {
        let loaded = load(&self.files(numbers.iter().copied()));
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let digests = loaded.applications.into_values().map(|application| {
            let application = application.expect("no problem was reported");
            let answer = |lookup: Lookup| {
                let Lookup::TargetGroup(name) = &lookup else { panic!("{lookup:?}") };
                let arn = target_group_arn(name);
                (lookup, Observed::Present(arn))
            };
            let answers = application.lookups().into_iter().map(answer).collect();
            let desired = application.resolve(&revision(), &answers);
            assert!(desired.unresolved.is_empty(), "{:?}", desired.unresolved);
            desired.documents.iter().map(|document| (document.kind, tags::applied_digest(&desired, document))).collect()
        });
        digests.collect()
    }
}
