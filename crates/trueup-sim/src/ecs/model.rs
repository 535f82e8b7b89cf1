//! What ECS keeps.
//!
//! Documents that ECS only echoes (network configuration, container definitions, …) are kept as JSON with the API's names;
//! what the scheduler reasons about is typed.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

pub use super::key::ServiceKey;
use super::scheduler::{Memory, State};
use crate::time::Time;

/// Tags by key, in the order of keys.
pub type Tags = BTreeMap<String, String>;

/// All of ECS in one account and region.
#[derive(Clone, Debug, Default)]
pub struct Ecs {
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// All revisions of a family, by revision number. Numbers only grow, also past deleted ones.
    pub families: BTreeMap<String, Family>,
    /// Services by cluster and name; one that is INACTIVE stays until AWS forgets it.
    pub services: BTreeMap<ServiceKey, Service>,
    /// What `RunTask` set for a task and `DescribeTasks` shows (`launchType`, `networkConfiguration`, …), by the task's ARN.
    pub run_settings: BTreeMap<String, Map<String, Value>>,
    /// Tasks by ARN, also stopped ones, for an hour.
    pub tasks: BTreeMap<String, Task>,
    /// RunTask's client tokens: by cluster and token.
    pub run_tokens: BTreeMap<(String, String), RunToken>,
    /// The scheduler's own state.
    pub scheduler: State,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its ARN.
    pub arn: String,
    /// `ACTIVE` or `INACTIVE`.
    pub active: bool,
    /// Its tags.
    pub tags: Tags,
    /// What else DescribeClusters echoes.
    pub settings: Map<String, Value>,
}

/// A task definition family.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// The number that the newest revision got.
    pub newest: u64,
    /// By number.
    pub revisions: BTreeMap<u64, TaskDefinition>,
}

/// A task definition revision.
#[derive(Clone, Debug)]
pub struct TaskDefinition {
    /// Its ARN.
    pub arn: String,
    /// Where it is in its life.
    pub status: TaskDefinitionStatus,
    /// `taskDefinition` as DescribeTaskDefinition answers it, without `status` and times.
    pub description: Map<String, Value>,
    /// Its tags.
    pub tags: Tags,
    /// When it was registered.
    pub registered_at: Time,
    /// Who registered it: an ARN.
    pub registered_by: String,
    /// When it was deregistered.
    pub deregistered_at: Option<Time>,
}

/// The life of a task definition revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskDefinitionStatus {
    /// May be used.
    Active,
    /// Deregistered.
    Inactive,
    /// Deleted.
    DeleteInProgress,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its ARN.
    pub arn: String,
    /// Where it is in its life.
    pub status: ServiceStatus,
    /// When it was created.
    pub created_at: Time,
    /// Who created it: an ARN.
    pub created_by: String,
    /// The client token of its CreateService, and that request, for idempotency.
    pub created_from: (Option<String>, Value),
    /// How many tasks there should be.
    pub desired_count: u64,
    /// The task definition that DescribeServices shows for the service: an ARN.
    pub task_definition: String,
    /// Everything else that CreateService and UpdateService set and DescribeServices echoes (`networkConfiguration`,
    /// `loadBalancers`, `deploymentConfiguration`, …), by the API's names, completed with AWS's defaults.
    pub settings: Map<String, Value>,
    /// Its tags.
    pub tags: Tags,
    /// Deployments that are not fully replaced, the PRIMARY first.
    pub deployments: Vec<Deployment>,
    /// Service deployments, newest first, for 90 days.
    pub service_deployments: Vec<ServiceDeployment>,
    /// Service revisions by number.
    pub revisions: BTreeMap<u64, ServiceRevision>,
    /// Newest first, at most 100.
    pub events: VecDeque<ServiceEvent>,
    /// When it is forgotten after it became INACTIVE.
    pub forgotten_at: Option<Time>,
    /// The scheduler's own state.
    pub memory: Memory,
}

/// The life of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// Normal.
    Active,
    /// Deleted, and its tasks are still stopping.
    Draining,
    /// Gone; the name may be used again.
    Inactive,
}

/// An element of `deployments[]`.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The digits after `ecs-svc/`.
    pub id: u64,
    /// PRIMARY, ACTIVE or INACTIVE.
    pub status: DeploymentStatus,
    /// Its task definition's ARN.
    pub task_definition: String,
    /// The number of its service revision.
    pub revision: u64,
    /// The ARN of the service deployment that it belongs to.
    pub service_deployment: String,
    /// How many tasks this deployment should have.
    pub desired_count: u64,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`.
    pub rollout_state: RolloutState,
    /// ECS's reason for that state.
    pub rollout_state_reason: String,
    /// Consecutive (or all) failures as the circuit breaker counts them.
    pub failed_tasks: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it changed last.
    pub updated_at: Time,
    /// The service's settings that apply to it (`networkConfiguration`, `launchType`, …).
    pub settings: Map<String, Value>,
}

/// The status of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// The newest.
    Primary,
    /// Being replaced.
    Active,
    /// Replaced.
    Inactive,
}

/// How far a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutState {
    /// Under way.
    InProgress,
    /// Reached.
    Completed,
    /// Given up by a failure detector.
    Failed,
}

/// The record of a deployment that outlives it.
#[derive(Clone, Debug)]
pub struct ServiceDeployment {
    /// `arn:aws:ecs:REGION:ACCOUNT:service-deployment/CLUSTER/SERVICE/ID`.
    pub arn: String,
    /// `PENDING`, `IN_PROGRESS`, `SUCCESSFUL`, `STOPPED`, `STOP_REQUESTED`, `ROLLBACK_REQUESTED`, `ROLLBACK_IN_PROGRESS`,
    /// `ROLLBACK_SUCCESSFUL` or `ROLLBACK_FAILED`.
    pub status: String,
    /// ECS's words.
    pub status_reason: Option<String>,
    /// When it was asked for.
    pub created_at: Time,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// When it was stopped.
    pub stopped_at: Option<Time>,
    /// When it changed last.
    pub updated_at: Time,
    /// The number of the service revision that it rolls out.
    pub target_revision: u64,
    /// The numbers of the service revisions that served before.
    pub source_revisions: Vec<u64>,
    /// The rollback, when there is one.
    pub rollback: Option<Rollback>,
    /// The stage of a blue/green, linear or canary deployment, such as `BAKE_TIME`.
    pub lifecycle_stage: Option<String>,
    /// The circuit breaker: failures so far and threshold, and `DISABLED`, `MONITORING`, `MONITORING_COMPLETE` or `TRIGGERED`.
    pub circuit_breaker: (String, u64, u64),
    /// The alarms: status, names, triggered names.
    pub alarms: (String, Vec<String>, Vec<String>),
    /// The `deploymentConfiguration` at the start of the deployment.
    pub configuration: Value,
    /// Final task counts of a finished deployment: revision number → (requested, running, pending).
    pub final_counts: BTreeMap<u64, (u64, u64, u64)>,
}

/// The rollback within a service deployment.
#[derive(Clone, Debug)]
pub struct Rollback {
    /// ECS's words.
    pub reason: String,
    /// When it began.
    pub started_at: Time,
    /// The number of the service revision that it restores.
    pub revision: u64,
}

/// An immutable record of the configuration that a deployment rolls out.
#[derive(Clone, Debug)]
pub struct ServiceRevision {
    /// `arn:aws:ecs:REGION:ACCOUNT:service-revision/CLUSTER/SERVICE/NUMBER`.
    pub arn: String,
    /// Its number: about 19 digits.
    pub number: u64,
    /// Its task definition's ARN.
    pub task_definition: String,
    /// The settings that a service revision records (`networkConfiguration`, `launchType`, `platformVersion`,
    /// `loadBalancers`, …).
    pub settings: Map<String, Value>,
    /// Image digests by container.
    pub images: BTreeMap<String, (String, String)>,
    /// When it was created.
    pub created_at: Time,
}

/// An element of a service's `events`.
#[derive(Clone, Debug)]
pub struct ServiceEvent {
    /// A UUID.
    pub id: String,
    /// When.
    pub created_at: Time,
    /// AWS's text, such as `(service web) has reached a steady state.`.
    pub message: String,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its ARN, which ends in 32 hexadecimal digits.
    pub arn: String,
    /// The cluster's name.
    pub cluster: String,
    /// Its task definition's ARN.
    pub task_definition: String,
    /// The service that it belongs to; none for RunTask.
    pub service: Option<ServiceKey>,
    /// `ecs-svc/N` of its deployment, or what RunTask was given.
    pub started_by: Option<String>,
    /// `service:NAME` or `family:NAME`.
    pub group: String,
    /// `lastStatus`: PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED.
    pub last_status: TaskStatus,
    /// Whether `desiredStatus` is `STOPPED` rather than `RUNNING`.
    pub to_stop: bool,
    /// Since when it has `last_status`.
    pub since: Time,
    /// When it was created.
    pub created_at: Time,
    /// When it reached RUNNING.
    pub started_at: Option<Time>,
    /// When it was asked to stop.
    pub stopping_at: Option<Time>,
    /// When it was STOPPED.
    pub stopped_at: Option<Time>,
    /// `stopCode`, such as `EssentialContainerExited`.
    pub stop_code: Option<String>,
    /// `stoppedReason`: free text.
    pub stopped_reason: Option<String>,
    /// Its containers, in the order of the task definition.
    pub containers: Vec<Container>,
    /// Its private address.
    pub ip: String,
    /// Whether ECS counts it as healthy for a rollout (and since when).
    pub healthy_since: Option<Time>,
    /// Targets that ECS registered for it: target group ARN and port.
    pub targets: Vec<(String, u16)>,
    /// Its tags.
    pub tags: Tags,
    /// `overrides` as RunTask got them.
    pub overrides: Value,
}

/// The statuses of a task, in the order of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskStatus {
    /// Network is being prepared.
    Provisioning,
    /// Images are being pulled.
    Pending,
    /// Targets are being registered.
    Activating,
    /// Runs.
    Running,
    /// Targets are being deregistered.
    Deactivating,
    /// Containers got SIGTERM.
    Stopping,
    /// Network is being taken down.
    Deprovisioning,
    /// Ended.
    Stopped,
}

/// A container of a task.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name in the task definition.
    pub name: String,
    /// Its image as the task definition names it.
    pub image: String,
    /// The digest that ECS resolved it to.
    pub image_digest: Option<String>,
    /// Whether the task ends when it ends.
    pub essential: bool,
    /// Its exit code, once it has exited.
    pub exit_code: Option<i32>,
    /// ECS's words on why it ended or did not start.
    pub reason: Option<String>,
    /// `healthStatus`: HEALTHY, UNHEALTHY, or UNKNOWN when it has no check or none was decided.
    pub health: ContainerHealth,
}

/// Health by the container's own check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerHealth {
    /// Passed.
    Healthy,
    /// Failed.
    Unhealthy,
    /// No check, or not decided.
    Unknown,
}

/// What RunTask remembers of a client token.
#[derive(Clone, Debug)]
pub struct RunToken {
    /// The request that used it.
    pub request: Value,
    /// The tasks that it started.
    pub tasks: Vec<String>,
    /// When.
    pub at: Time,
}
