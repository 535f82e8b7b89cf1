//! Tables of evidence: what AWS showed, and the finding.

mod catalogue;
mod every_class;
mod near_misses;
mod sentences;
mod unhealthy;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    DeploymentState, Evidence, FailureContext, Finding, ServiceEvent, Target, Task, UnhealthyDeployment, diagnose,
};
use crate::live::{FailureKind, Observed, ReadFailure};
use crate::names::Arn;

const DEPLOYMENT: &str = "ecs-svc/4000000000000000001";
const REVISION: &str = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/elearning-system:8";
const GROUP: &str =
    "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/elearning-system-backend-tg/0123456789abcdef";

/// The evidence about one deployment.
#[derive(Clone)]
struct Scene {
    tasks: Vec<Value>,
    events: Vec<(i64, String)>,
    targets: Vec<Value>,
    deployments: Vec<Value>,
    state: DeploymentState,
    /// Reading the tasks fails.
    unread: bool,
}

impl Scene {
    fn new() -> Self {
        let state = DeploymentState::Failed;
        let (tasks, events, targets, deployments) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { tasks, events, targets, deployments, state, unread: false }
    }

    /// A world with one stopped task.
    fn stopped(code: &str, reason: &str, containers: &Value) -> Self {
        Self::new().and_stopped(code, reason, containers)
    }

    /// One more stopped task, newer than those before. An empty code or reason is none.
    fn and_stopped(mut self, code: &str, reason: &str, containers: &Value) -> Self {
        let number = self.tasks.len();
        let mut task = json!({
            "taskArn": format!("arn:aws:ecs:ap-northeast-1:123456789012:task/main/task{number}"),
            "taskDefinitionArn": REVISION, "startedBy": DEPLOYMENT, "lastStatus": "STOPPED",
            "stoppedAt": 1000 + number, "containers": containers,
            "attachments": [{"details": [{"name": "privateIPv4Address", "value": format!("10.0.1.{number}")}]}],
            "overrides": {"containerOverrides": [{"environment": [{"name": "TOKEN", "value": "hunter2"}]}]},
        });
        for (member, text) in [("stopCode", code), ("stoppedReason", reason)] {
            if !text.is_empty() {
                task[member] = json!(text);
            }
        }
        self.tasks.push(task);
        self
    }

    fn event(mut self, at: i64, message: &str) -> Self {
        self.events.push((at, message.to_owned()));
        self
    }

    fn target(mut self, address: &str, reason: &str, description: &str) -> Self {
        self.targets.push(json!({"Target": {"Id": address, "Port": 8000},
            "TargetHealth": {"State": "unhealthy", "Reason": reason, "Description": description}}));
        self
    }

    fn finding(&self) -> Option<Finding> {
        let events = self.events.iter().map(|(at, message)| json!({"createdAt": at, "message": message}));
        let service = json!({
            "healthCheckGracePeriodSeconds": 0, "events": events.collect::<Vec<_>>(), "deployments": self.deployments,
            "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "backend", "containerPort": 8000}],
        });
        let group = json!({"TargetGroupArn": GROUP, "TargetGroupName": "elearning-system-backend-tg",
            "HealthCheckPath": "/health", "Matcher": {"HttpCode": "200"}});
        let task_definition = json!({
            "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
            "containerDefinitions": [
                {"name": "backend", "essential": true, "memory": 512, "command": ["gunicorn", "app"],
                 "environment": [{"name": "TOKEN", "value": "hunter2"}],
                 "healthCheck": {"command": ["CMD-SHELL", "curl -f http://localhost:8000/health"]},
                 "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/backend"}}},
                {"name": "frontend"},
                {"name": "helper", "essential": false},
            ],
        });
        let deployment = UnhealthyDeployment {
            id: DEPLOYMENT.to_owned(),
            task_definition: Some(Arn::new(REVISION)),
            state: self.state,
            failed_tasks: 3,
            since: Timestamp::from_second(900).ok(),
        };
        let denied = || ReadFailure {
            operation: "ecs:ListTasks".to_owned(),
            kind: FailureKind::AccessDenied,
            message: "no".to_owned(),
        };
        let tasks = self.tasks.iter().map(Task::read).collect();
        let evidence = Evidence {
            tasks: if self.unread { Observed::Unknown(denied()) } else { Observed::Present(tasks) },
            targets: BTreeMap::from([(
                Arn::new(GROUP),
                Observed::Present(self.targets.iter().map(Target::read).collect()),
            )]),
            events: Observed::Present(ServiceEvent::read_all(&service)),
            deployments: Observed::Present(super::Deployment::read_all(&service)),
            service_deployments: Observed::Absent,
        };
        let groups = [&group];
        let context = FailureContext {
            deployment: &deployment,
            service: Some(&service),
            task_definition: Some(&task_definition),
            target_groups: &groups,
        };
        let finding = diagnose(&evidence, &context);
        let printed = serde_json::to_string(&finding).expect("a finding has string keys only");
        assert!(!printed.contains("hunter2"), "{printed}");
        finding
    }

    fn class(&self) -> &'static str {
        self.finding().map_or("(nothing)", |finding| finding.class.name())
    }
}

/// One container with this exit code and reason.
fn container(code: Option<i64>, reason: &str) -> Value {
    let mut container =
        json!({"name": "backend", "image": "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/backend:v9"});
    if let Some(code) = code {
        container["exitCode"] = json!(code);
    }
    if !reason.is_empty() {
        container["reason"] = json!(reason);
    }
    container
}

/// Several containers with their exit codes.
fn ended(codes: &[(&str, i64)]) -> Value {
    codes.iter().map(|(name, code)| json!({"name": name, "exitCode": code})).collect()
}

/// The names of classes that a table has.
fn names<'a>(classes: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    classes.into_iter().collect()
}
