//! What load balancing keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::time::Time;

/// Tags by key, in the order of keys.
pub type Tags = BTreeMap<String, String>;

/// Where a target is: address and port.
pub type Address = (String, u16);

/// All of load balancing in one account and region.
#[derive(Clone, Debug, Default)]
pub struct Elb {
    /// By ARN.
    pub load_balancers: BTreeMap<String, LoadBalancer>,
    /// By ARN.
    pub listeners: BTreeMap<String, Listener>,
    /// By ARN, default rules too.
    pub rules: BTreeMap<String, Rule>,
    /// By ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// How often workloads had been scripted when targets at rest were last woken.
    pub scripted: u64,
}

/// A load balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// Its name.
    pub name: String,
    /// `application`, `network` or `gateway`.
    pub kind: String,
    /// What DescribeLoadBalancers echoes, without name, ARN and state.
    pub settings: Map<String, Value>,
    /// Attributes by key.
    pub attributes: BTreeMap<String, String>,
    /// Its tags.
    pub tags: Tags,
    /// When it is `active` rather than `provisioning`.
    pub active_at: Time,
}

/// A listener. Its default actions are those of its default rule.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The load balancer's ARN.
    pub load_balancer: String,
    /// `Port`, `Protocol`, `SslPolicy`, `Certificates`, … as DescribeListeners shows them.
    pub settings: Map<String, Value>,
    /// Its tags.
    pub tags: Tags,
}

/// A rule of a listener.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The listener's ARN.
    pub listener: String,
    /// From 1 to 50,000; none for the default rule.
    pub priority: Option<u64>,
    /// As DescribeRules shows them.
    pub conditions: Vec<Value>,
    /// As DescribeRules shows them, completed.
    pub actions: Vec<Value>,
    /// As sent.
    pub transforms: Vec<Value>,
    /// Its tags.
    pub tags: Tags,
}

/// A target group.
#[derive(Clone, Debug)]
pub struct TargetGroup {
    /// What DescribeTargetGroups shows, without `TargetGroupArn` and `LoadBalancerArns`.
    pub settings: Map<String, Value>,
    /// Attributes by key; those that apply to its protocol, and no others.
    pub attributes: BTreeMap<String, String>,
    /// Its tags.
    pub tags: Tags,
    /// Its targets by address and port, draining ones too.
    pub targets: BTreeMap<Address, Target>,
    /// Since when a listener or rule forwards to it.
    pub used_since: Option<Time>,
    /// When ECS sees what `used_since` says: the two services are not one.
    pub seen_at: Time,
}

/// A registered target.
#[derive(Clone, Debug)]
pub struct Target {
    /// The ARN of the ECS task behind it; none for a target that another caller registered, which never answers.
    pub task: Option<String>,
    /// Where it is in its life.
    pub state: TargetState,
    /// Checks passed in a row.
    pub passed: u64,
    /// Checks failed in a row.
    pub failed: u64,
    /// Why the last failed check failed: an HTTP status, or none when nothing came.
    pub failure: Option<u16>,
    /// Whether a check without an answer is a refused connection rather than a time-out.
    pub refuses: bool,
    /// When it is checked next; none at rest.
    pub next_check: Option<Time>,
}

/// The life of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Registered, and no load balancer forwards to its group.
    Unused,
    /// Being registered.
    Registering,
    /// Registered; too few checks so far.
    Initial,
    /// Gets requests.
    Healthy,
    /// Gets none, unless all are unhealthy.
    Unhealthy,
    /// Deregistered; shown until then.
    Draining {
        /// When it is forgotten.
        until: Time,
    },
    /// The group has no health checks.
    Unavailable,
}

impl Listener {
    /// Its port.
    pub fn port(&self) -> u64 {
        self.settings.get("Port").and_then(Value::as_u64).unwrap_or_default()
    }
}

impl Rule {
    /// The target groups that it forwards to, with their weights, in the order of the action.
    pub fn forwards_to(&self) -> impl Iterator<Item = (&str, u64)> {
        self.actions.iter().flat_map(|action| {
            let groups = action.pointer("/ForwardConfig/TargetGroups").and_then(Value::as_array);
            groups.into_iter().flatten().filter_map(|group| {
                let weight = group.get("Weight").and_then(Value::as_u64).unwrap_or(1);
                Some((group.get("TargetGroupArn")?.as_str()?, weight))
            })
        })
    }
}

impl TargetGroup {
    /// Its name.
    pub fn name(&self) -> &str {
        self.text("TargetGroupName").unwrap_or_default()
    }

    /// A setting that is a text.
    pub fn text(&self, setting: &str) -> Option<&str> {
        self.settings.get(setting).and_then(Value::as_str)
    }

    /// A setting that is a number.
    pub fn number(&self, setting: &str) -> Option<u64> {
        self.settings.get(setting).and_then(Value::as_u64)
    }

    /// The time from one check of a target to the next.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.number("HealthCheckIntervalSeconds").unwrap_or(30))
    }

    /// How long a deregistered target is shown as draining.
    pub fn deregistration_delay(&self) -> Duration {
        let delay = self.attributes.get("deregistration_delay.timeout_seconds").and_then(|delay| delay.parse().ok());
        Duration::from_secs(delay.unwrap_or_default())
    }

    /// Whether its targets are checked.
    pub fn is_checked(&self) -> bool {
        self.settings.get("HealthCheckEnabled") != Some(&Value::Bool(false))
    }
}

impl Elb {
    /// The rules of a listener: by priority, the default rule last.
    pub fn rules_of(&self, listener: &str) -> Vec<(&String, &Rule)> {
        let mut rules: Vec<_> = self.rules.iter().filter(|(_, rule)| rule.listener == listener).collect();
        rules.sort_by_key(|(_, rule)| rule.priority.unwrap_or(u64::MAX));
        rules
    }

    /// The default rule of a listener.
    pub fn default_rule(&self, listener: &str) -> Option<(&String, &Rule)> {
        self.rules.iter().find(|(_, rule)| rule.listener == listener && rule.priority.is_none())
    }

    /// The load balancers that forward to each target group: ARNs by ARN.
    pub fn load_balancers_by_group(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for rule in self.rules.values() {
            let Some(listener) = self.listeners.get(&rule.listener) else { continue };
            for (group, _) in rule.forwards_to() {
                found.entry(group).or_default().insert(&listener.load_balancer);
            }
        }
        found
    }
}
