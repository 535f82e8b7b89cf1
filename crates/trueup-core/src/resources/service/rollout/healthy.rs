//! How many tasks of a rollout are healthy, which `DescribeServices` does not show.
//!
//! Counted as ECS does it (ECS API reference, `DeploymentConfiguration`, `minimumHealthyPercent`): a task is healthy
//! when it runs, the essential containers that have a health check are `HEALTHY`, and its targets are `healthy`;
//! without any check, when it has been running for 40 seconds. Where that cannot be determined the number is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{primary, text};
use crate::diagnosis::{Target, Task};
use crate::live::Observed;
use crate::names::Arn;

/// How long a task without any check has to run. Source: ECS API reference, `DeploymentConfiguration`.
const UNCHECKED: SignedDuration = SignedDuration::from_secs(40);

/// The tasks that a deployment runs, and the health of the targets of its service. Each part is known or unknown on its
/// own.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningTasks {
    /// All tasks of the deployment that were not asked to stop.
    pub tasks: Observed<Vec<Task>>,
    /// Target health by target group.
    pub targets: BTreeMap<Arn, Observed<Vec<Target>>>,
}

/// The conditions under which a task of the PRIMARY deployment of a service is healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskHealth {
    /// The deployment (`ecs-svc/…`).
    pub deployment: String,
    /// The task definition revision that it rolls out.
    pub task_definition: Arn,
    /// The essential containers that have a health check.
    containers: BTreeSet<String>,
    /// Where a task registers: once for each entry of `loadBalancers`.
    registrations: Vec<Registration>,
}

/// A target group, or the two between which a deployment shifts traffic, and the container's port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Registration {
    target_groups: BTreeSet<Arn>,
    port: Option<i64>,
}

impl TaskHealth {
    /// The revision whose description [`TaskHealth::of`] needs; none for services that another controller deploys.
    pub fn revision(service: &Value) -> Option<Arn> {
        text(primary(service)?, "taskDefinition").map(Arn::new)
    }

    /// Reads a service as `DescribeServices` and its revision as `DescribeTaskDefinition` shows it. `None` where the
    /// health of its tasks cannot be determined: behind a Classic Load Balancer or `VPC Lattice`, whose targets are not
    /// read.
    pub fn of(service: &Value, task_definition: &Value) -> Option<Self> {
        let primary = primary(service)?;
        // A deployment can have other settings than its service.
        let lattice = [primary, service].iter().any(|of| array(of, "vpcLatticeConfigurations").next().is_some());
        if lattice {
            return None;
        }
        let is_checked = |container: &&Value| {
            container.get("essential").and_then(Value::as_bool) != Some(false)
                && container.get("healthCheck").is_some_and(Value::is_object)
        };
        let checked = array(task_definition, "containerDefinitions").filter(is_checked);
        Some(Self {
            deployment: text(primary, "id")?.to_owned(),
            task_definition: Arn::new(text(primary, "taskDefinition")?),
            containers: checked.filter_map(|container| text(container, "name")).map(str::to_owned).collect(),
            registrations: array(service, "loadBalancers").map(Registration::read).collect::<Option<_>>()?,
        })
    }

    /// The target groups whose health is needed.
    pub fn target_groups(&self) -> BTreeSet<Arn> {
        self.registrations.iter().flat_map(|registration| registration.target_groups.iter().cloned()).collect()
    }

    /// How many tasks are healthy. `None` where a part could not be read, and where targets are not tasks' IPv4 addresses
    /// (instances, IPv6).
    pub fn count(&self, running: &RunningTasks, now: Timestamp) -> Option<i64> {
        let tasks = running.tasks.present()?;
        let mut healthy: Vec<&Task> = tasks.iter().filter(|task| self.runs(task)).collect();
        healthy.retain(|task| self.containers.iter().all(|name| is_healthy(task, name)));
        for registration in &self.registrations {
            let targets = registration.targets(running)?;
            healthy.retain(|task| targets.iter().any(|target| registration.is_healthy(target, task)));
        }
        if self.containers.is_empty() && self.registrations.is_empty() {
            let long = |at: Timestamp| now.duration_since(at) >= UNCHECKED;
            healthy.retain(|task| task.started_at.is_some_and(long));
        }
        i64::try_from(healthy.len()).ok()
    }

    fn runs(&self, task: &Task) -> bool {
        let is_own = task.started_by.as_deref() == Some(self.deployment.as_str());
        is_own && task.last_status == "RUNNING" && !task.is_stopped()
    }
}

impl Registration {
    fn read(load_balancer: &Value) -> Option<Self> {
        let group = text(load_balancer, "targetGroupArn").filter(|arn| !arn.is_empty())?;
        let other = load_balancer.pointer("/advancedConfiguration/alternateTargetGroupArn").and_then(Value::as_str);
        let target_groups = std::iter::once(group).chain(other).map(Arn::new).collect();
        Some(Self { target_groups, port: load_balancer.get("containerPort").and_then(Value::as_i64) })
    }

    /// The targets of both groups, where they were read and are addresses.
    fn targets<'a>(&self, running: &'a RunningTasks) -> Option<Vec<&'a Target>> {
        let mut all = Vec::new();
        for group in &self.target_groups {
            all.extend(running.targets.get(group)?.present()?);
        }
        all.iter().all(|target| target.id.parse::<Ipv4Addr>().is_ok()).then_some(all)
    }

    fn is_healthy(&self, target: &Target, task: &Task) -> bool {
        let is_here = target.port.is_none() || self.port.is_none() || target.port == self.port;
        is_here && target.state == "healthy" && task.addresses.contains(&target.id)
    }
}

fn is_healthy(task: &Task, container: &str) -> bool {
    let is_it = |found: &&crate::diagnosis::Container| found.name == container;
    let found = task.containers.iter().find(is_it);
    found.and_then(|found| found.health_status.as_deref()) == Some("HEALTHY")
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::live::{FailureKind, ReadFailure};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("in range")
    }

    fn behind(balancers: &Value) -> Value {
        json!({"deployments": [{"status": "PRIMARY", "id": "ecs-svc/2", "taskDefinition": "web:2"},
                               {"status": "ACTIVE", "id": "ecs-svc/1", "taskDefinition": "web:1"}],
               "loadBalancers": balancers})
    }

    fn checked(essential: bool) -> Value {
        json!({"containerDefinitions": [{"name": "app", "essential": essential, "healthCheck": {"command": ["CMD"]}},
                                        {"name": "proxy"}]})
    }

    /// A task that began to run at 960, with the health of `app` and an address that ends so.
    fn task(by: &str, status: &str, health: &str, address: u8) -> Value {
        json!({"taskArn": format!("task/{address}"), "startedBy": by, "lastStatus": status, "startedAt": 960,
               "attachments": [{"details": [{"name": "privateIPv4Address", "value": format!("10.0.0.{address}")}]}],
               "containers": [{"name": "app", "healthStatus": health}, {"name": "proxy", "healthStatus": "UNKNOWN"}]})
    }

    fn targets(group: &str, targets: &[(&str, i64, &str)]) -> (Arn, Observed<Vec<Target>>) {
        let read = |(id, port, state): &(&str, i64, &str)| {
            Target::read(&json!({"Target": {"Id": id, "Port": port}, "TargetHealth": {"State": state}}))
        };
        (Arn::new(group), Observed::Present(targets.iter().map(read).collect()))
    }

    #[test]
    fn a_task_is_healthy_by_its_checks_or_after_forty_seconds_without_any() {
        let own = |status, health, address| task("ecs-svc/2", status, health, address);
        let tasks = [
            own("RUNNING", "HEALTHY", 1),
            own("RUNNING", "UNHEALTHY", 2),
            own("RUNNING", "HEALTHY", 3),
            own("PENDING", "UNKNOWN", 4),
            task("ecs-svc/1", "RUNNING", "HEALTHY", 5),
        ];
        let failure = ReadFailure {
            operation: "elasticloadbalancing:DescribeTargetHealth".to_owned(),
            kind: FailureKind::AccessDenied,
            message: String::new(),
        };
        let running = RunningTasks {
            tasks: Observed::Present(tasks.iter().map(Task::read).collect()),
            targets: [
                targets("blue", &[("10.0.0.5", 80, "healthy"), ("10.0.0.3", 81, "healthy")]),
                targets(
                    "green",
                    &[("10.0.0.1", 80, "healthy"), ("10.0.0.2", 80, "healthy"), ("10.0.0.3", 80, "initial")],
                ),
                targets("instances", &[("i-0123", 32768, "healthy")]),
                (Arn::new("denied"), Observed::Unknown(failure)),
            ]
            .into(),
        };
        let one = |group: &str| json!([{"targetGroupArn": group, "containerPort": 80}]);
        let shifted = json!([{"targetGroupArn": "blue", "containerPort": 80,
                              "advancedConfiguration": {"alternateTargetGroupArn": "green"}}]);
        let two =
            json!([{"targetGroupArn": "green", "containerPort": 80}, {"targetGroupArn": "blue", "containerPort": 81}]);
        let table = [
            ("no check, 40 seconds", json!([]), json!({}), 1000, Some(3)),
            ("no check, too early", json!([]), json!({}), 999, Some(0)),
            ("a check of a container that is not essential", json!([]), checked(false), 999, Some(0)),
            ("container", json!([]), checked(true), 961, Some(2)),
            ("targets", one("green"), json!({}), 961, Some(2)),
            ("container and targets", one("green"), checked(true), 961, Some(1)),
            ("another port", one("blue"), json!({}), 961, Some(0)),
            ("blue and green", shifted, json!({}), 961, Some(2)),
            ("all of its targets", two, json!({}), 961, Some(0)),
            ("instances", one("instances"), json!({}), 961, None),
            ("denied", one("denied"), json!({}), 961, None),
            ("not read", one("other"), json!({}), 961, None),
        ];
        for (what, balancers, revision, now, healthy) in table {
            let health = TaskHealth::of(&behind(&balancers), &revision).expect("it can be told");
            assert_eq!(health.count(&running, at(now)), healthy, "{what}");
        }
        let health = TaskHealth::of(&behind(&json!([])), &json!({})).expect("it can be told");
        let unread =
            RunningTasks { tasks: running.targets[&Arn::new("denied")].clone().map(|_| Vec::new()), ..running };
        assert_eq!(health.count(&unread, at(1000)), None);
    }

    #[test]
    fn what_is_not_a_deployment_of_ecs_or_not_behind_target_groups_cannot_be_told() {
        let classic = behind(&json!([{"loadBalancerName": "old", "containerPort": 80}]));
        let mut lattice = behind(&json!([]));
        lattice["deployments"][0]["vpcLatticeConfigurations"] = json!([{"portName": "http"}]);
        for service in [classic, lattice, json!({"deployments": []})] {
            assert_eq!(TaskHealth::of(&service, &json!({})), None, "{service}");
        }
        assert_eq!(TaskHealth::revision(&behind(&json!([]))), Some(Arn::new("web:2")));
    }
}
