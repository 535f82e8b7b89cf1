//! Diagnosis: why a rollout failed, or too few tasks run, in sentences that an operator can act on.
//!
//! [`unhealthy_deployment()`] finds the deployment of a service that is in question. Its [`Evidence`] is read while it
//! exists (ECS forgets a stopped task after an hour), and [`diagnose()`] turns it into a [`Finding`]: class, cause,
//! evidence, remedy.
//!
//! `unknown` is a valid answer: a wrong class costs an operator more than none.

mod cause;
mod class;
mod classify;
mod diagnose;
mod evidence;
mod facts;
mod health;
mod message;
mod stopped_task;
#[cfg(test)]
mod tests;
mod unhealthy;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use self::class::{Bearing, Class};
pub use self::diagnose::diagnose;
pub use self::evidence::{Container, Deployment, Evidence, ServiceEvent, Target, Task};
pub use self::unhealthy::{DeploymentState, UnhealthyDeployment, unhealthy_deployment};

/// AWS's description of the service that the evidence is about.
#[derive(Clone, Copy, Debug)]
pub struct FailureContext<'a> {
    /// The deployment in question.
    pub deployment: &'a UnhealthyDeployment,
    /// The service, as `DescribeServices` shows it.
    pub service: Option<&'a Value>,
    /// The task definition revision of the deployment in question, as `DescribeTaskDefinition` shows it.
    pub task_definition: Option<&'a Value>,
    /// The service's target groups, as `DescribeTargetGroups` shows them.
    pub target_groups: &'a [&'a Value],
}

/// The cause of a failure, with the evidence and the remedy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The class of the cause.
    pub class: Class,
    /// Its bearing on the release.
    pub bearing: Bearing,
    /// The deployment's id (`ecs-svc/…`).
    pub deployment: String,
    /// The cause: one sentence that names the resource.
    pub cause: String,
    /// The decisive facts, newest first.
    pub evidence: Vec<Fact>,
    /// The remedy: one sentence.
    pub cure: String,
}

/// One fact, with the number of times it was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// Its source.
    pub source: Source,
    /// AWS's message, on one line.
    pub text: String,
    /// How often it was seen.
    pub count: usize,
    /// When it was seen last.
    pub time: Option<Timestamp>,
}

/// The source of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A stopped task.
    Task,
    /// The health of a target.
    Target,
    /// A service event.
    Event,
    /// A deployment or service deployment.
    Deployment,
    /// A read that failed.
    NotRead,
}

impl Source {
    /// The word for it, such as `task`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Target => "target",
            Self::Event => "event",
            Self::Deployment => "deployment",
            Self::NotRead => "not read",
        }
    }
}
