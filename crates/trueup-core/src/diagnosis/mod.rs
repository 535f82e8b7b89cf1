//! Why a rollout failed, or too few tasks run, in words a person can act on.
//!
//! [`suspect()`] says which deployment of a service is in question. Its [`Evidence`] is read while it exists (ECS forgets
//! a stopped task after an hour), and [`diagnose()`] turns it into a [`Finding`]: class, cause, evidence, cure.
//!
//! Unknown is an honest answer; a wrong class is not.

mod cause;
mod class;
mod diagnose;
mod evidence;
mod facts;
mod health;
mod reading;
mod suspect;
mod task;
#[cfg(test)]
mod tests;
mod words;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use self::class::{Bearing, Class};
pub use self::diagnose::diagnose;
pub use self::evidence::{Container, Deployment, Evidence, ServiceEvent, Target, Task};
pub use self::suspect::{Standing, Suspect, suspect};

/// What the evidence is about.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The deployment in question.
    pub suspect: &'a Suspect,
    /// The service, as `DescribeServices` shows it.
    pub service: Option<&'a Value>,
    /// The task definition revision of the deployment in question, as `DescribeTaskDefinition` shows it.
    pub task_definition: Option<&'a Value>,
    /// The service's target groups, as `DescribeTargetGroups` shows them.
    pub target_groups: &'a [&'a Value],
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of cause it is.
    pub class: Class,
    /// How it bears on the release.
    pub bearing: Bearing,
    /// The deployment that it is about (`ecs-svc/…`).
    pub deployment: String,
    /// The cause, one sentence that names what it is about.
    pub cause: String,
    /// The decisive facts, newest first.
    pub evidence: Vec<Fact>,
    /// What a person does about it.
    pub cure: String,
}

/// One fact, with how often it was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// Where it is from.
    pub source: Source,
    /// AWS's own words, on one line.
    pub text: String,
    /// How often it was seen.
    pub count: usize,
    /// When it was seen last.
    pub time: Option<Timestamp>,
}

/// Where a fact is from.
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
    /// What could not be read.
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
