//! The evidence about an unhealthy deployment: its tasks, target health, service events and reasons.
//!
//! Read from AWS's JSON. Members that may have values of environment variables (`overrides`) are never copied.
//!
//! Source: ECS API reference, `Task`, `Container`, `ServiceEvent`, `Deployment`, `ServiceDeploymentBrief`; Elastic Load
//! Balancing API reference, `TargetHealthDescription`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::live::Observed;
use crate::names::Arn;
use crate::service_deployment::{self, ServiceDeployment};

/// The evidence about one service. Each part is read, or fails, on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Tasks of the deployment in question, stopped ones and running ones. ECS forgets a stopped task after an hour.
    pub tasks: Observed<Vec<Task>>,
    /// Target health by target group.
    pub targets: BTreeMap<Arn, Observed<Vec<Target>>>,
    /// Service events, newest first.
    pub events: Observed<Vec<ServiceEvent>>,
    /// The service's deployments, as `DescribeServices` shows them.
    pub deployments: Observed<Vec<Deployment>>,
    /// The service's deployments of the last weeks, newest first, as `ListServiceDeployments` shows them.
    pub service_deployments: Observed<Vec<ServiceDeployment>>,
}

/// A task: the members that show why it stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// The task's ARN.
    pub arn: String,
    /// The task definition revision that it runs.
    pub task_definition: String,
    /// The deployment that started it (`ecs-svc/…`).
    pub started_by: Option<String>,
    /// `RUNNING`, `STOPPED` and so on.
    pub last_status: String,
    /// `TaskFailedToStart`, `EssentialContainerExited` and so on; `None` while it is not stopped.
    pub stop_code: Option<String>,
    /// ECS's reason for the stop.
    pub stopped_reason: Option<String>,
    /// When it reached `RUNNING`.
    pub started_at: Option<Timestamp>,
    /// When it stopped, or began to stop.
    pub stopped_at: Option<Timestamp>,
    /// Its private IPv4 addresses.
    pub addresses: Vec<String>,
    /// Its containers.
    pub containers: Vec<Container>,
}

/// A container of a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// Its name in the task definition.
    pub name: String,
    /// Its image.
    pub image: Option<String>,
    /// Absent when it never ran.
    pub exit_code: Option<i64>,
    /// ECS's reason for its failure.
    pub reason: Option<String>,
    /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`, from its own health check.
    pub health_status: Option<String>,
}

/// A target of a target group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// An address, or an instance's id.
    pub id: String,
    /// The port that is checked.
    pub port: Option<i64>,
    /// `healthy`, `unhealthy`, `initial`, `draining` and so on.
    pub state: String,
    /// A code such as `Target.Timeout`.
    pub reason: Option<String>,
    /// The reason as a sentence.
    pub description: Option<String>,
}

/// A service event.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceEvent {
    /// When it was written.
    pub created_at: Option<Timestamp>,
    /// What happened.
    pub message: String,
}

/// A deployment of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deployment {
    /// `ecs-svc/…`.
    pub id: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// The task definition revision that it rolls out.
    pub task_definition: String,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`; absent behind a Classic Load Balancer.
    pub rollout_state: Option<String>,
    /// ECS's reason for the state.
    pub rollout_state_reason: Option<String>,
    /// How many tasks failed in a row.
    pub failed_tasks: i64,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When it changed last.
    pub updated_at: Option<Timestamp>,
}

impl Task {
    /// Reads one element of `tasks` of `DescribeTasks`.
    pub fn read(task: &Value) -> Self {
        let attachments = array(task, "attachments").flat_map(|attachment| array(attachment, "details"));
        let addresses = attachments.filter(|detail| text(detail, "name").as_deref() == Some("privateIPv4Address"));
        Self {
            arn: text(task, "taskArn").unwrap_or_default(),
            task_definition: text(task, "taskDefinitionArn").unwrap_or_default(),
            started_by: text(task, "startedBy"),
            last_status: text(task, "lastStatus").unwrap_or_default(),
            stop_code: text(task, "stopCode"),
            stopped_reason: text(task, "stoppedReason"),
            started_at: time(task, "startedAt"),
            stopped_at: time(task, "stoppedAt").or_else(|| time(task, "stoppingAt")),
            addresses: addresses.filter_map(|detail| text(detail, "value")).collect(),
            containers: array(task, "containers").map(Container::read).collect(),
        }
    }

    /// The last part of its ARN, as service events name it.
    pub fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it stopped, for whatever cause, or ECS is about to stop it.
    pub fn is_stopped(&self) -> bool {
        self.stop_code.is_some() || self.stopped_reason.is_some() || self.last_status == "STOPPED"
    }
}

impl Container {
    fn read(container: &Value) -> Self {
        Self {
            name: text(container, "name").unwrap_or_default(),
            image: text(container, "image"),
            exit_code: container.get("exitCode").and_then(Value::as_i64),
            reason: text(container, "reason"),
            health_status: text(container, "healthStatus"),
        }
    }
}

impl Target {
    /// Reads one element of `TargetHealthDescriptions` of `DescribeTargetHealth`, in the form of the AWS CLI.
    pub fn read(description: &Value) -> Self {
        let (target, health) = (&description["Target"], &description["TargetHealth"]);
        let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
        Self {
            id: text(target, "Id").unwrap_or_default(),
            port: number(&target["Port"]),
            state: text(health, "State").unwrap_or_default(),
            reason: text(health, "Reason"),
            description: text(health, "Description"),
        }
    }
}

impl ServiceEvent {
    /// Reads the `events` of a service as `DescribeServices` shows it.
    pub fn read_all(service: &Value) -> Vec<Self> {
        let read = |event| Some(Self { created_at: time(event, "createdAt"), message: text(event, "message")? });
        array(service, "events").filter_map(read).collect()
    }
}

impl Deployment {
    /// Reads the `deployments` of a service as `DescribeServices` shows it.
    pub fn read_all(service: &Value) -> Vec<Self> {
        let read = |deployment| Self {
            id: text(deployment, "id").unwrap_or_default(),
            status: text(deployment, "status").unwrap_or_default(),
            task_definition: text(deployment, "taskDefinition").unwrap_or_default(),
            rollout_state: text(deployment, "rolloutState"),
            rollout_state_reason: text(deployment, "rolloutStateReason"),
            failed_tasks: deployment.get("failedTasks").and_then(Value::as_i64).unwrap_or_default(),
            created_at: time(deployment, "createdAt"),
            updated_at: time(deployment, "updatedAt"),
        };
        array(service, "deployments").map(read).collect()
    }
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn time(value: &Value, name: &str) -> Option<Timestamp> {
    service_deployment::time(value.get(name)?)
}
