//! The state of one account in one region, and the queue of what happens next; `advance.rs` lets it happen.

use std::collections::{BTreeMap, BTreeSet};

use crate::chance::Chance;
use crate::ecs::model::Ecs;
use crate::elb::model::Elb;
use crate::services::model::{CloudWatch, Event, Parameter, Repository, ScalableTarget, Secret, Stack, TargetKey};
use crate::time::Time;
use crate::workload::Workloads;

/// One account in one region.
#[derive(Clone, Debug)]
pub struct World {
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-west-1`.
    pub region: String,
    /// The time until which everything has happened.
    pub now: Time,
    /// Chance.
    pub chance: Chance,
    /// Amazon ECS.
    pub ecs: Ecs,
    /// Elastic Load Balancing.
    pub elb: Elb,
    /// Stacks of CloudFormation by name.
    pub stacks: BTreeMap<String, Stack>,
    /// Repositories of ECR by name.
    pub repositories: BTreeMap<String, Repository>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Parameters of Systems Manager by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// Metrics and alarms.
    pub cloudwatch: CloudWatch,
    /// What Application Auto Scaling scales.
    pub scalable_targets: BTreeMap<TargetKey, ScalableTarget>,
    /// CloudTrail's events, the oldest first.
    pub trail: Vec<Event>,
    /// ARNs of roles that may not be assumed.
    pub refused_roles: BTreeSet<String>,
    /// How images behave.
    pub workloads: Workloads,
    queue: BTreeMap<(Time, u64), Happening>,
    queued: u64,
}

/// Something that happens by itself at its time.
#[derive(Clone, Debug)]
pub enum Happening {
    /// In ECS.
    Ecs(crate::ecs::tick::Tick),
    /// In load balancing.
    Elb(crate::elb::tick::Tick),
}

impl World {
    /// An account with nothing in it.
    pub fn new(account: &str, region: &str, seed: u64, now: Time) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            now,
            chance: Chance::new(seed),
            ecs: Ecs::default(),
            elb: Elb::default(),
            stacks: BTreeMap::new(),
            repositories: BTreeMap::new(),
            secrets: BTreeMap::new(),
            parameters: BTreeMap::new(),
            cloudwatch: CloudWatch::default(),
            scalable_targets: BTreeMap::new(),
            trail: Vec::new(),
            refused_roles: BTreeSet::new(),
            workloads: Workloads::default(),
            queue: BTreeMap::new(),
            queued: 0,
        }
    }

    /// Has something happen at its time; of two at the same time, the one asked for first is first.
    pub fn at(&mut self, time: Time, happening: Happening) {
        self.queued += 1;
        self.queue.insert((time.max(self.now), self.queued), happening);
    }

    /// When something happens next by itself.
    pub fn next(&self) -> Option<Time> {
        self.queue.keys().next().map(|(time, _)| *time)
    }

    /// What happens next by itself, if that is not after `time`, and when: it is out of the queue then.
    pub(crate) fn take(&mut self, time: Time) -> Option<(Time, Happening)> {
        let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= time)?;
        let ((due, _), happening) = entry.remove_entry();
        Some((due, happening))
    }

    /// An ARN of this account and region, such as of service `ecs`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}
