//! A small world for the tests: an application like the e-learning site, and an AWS that answers calls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trueup_fixture::{answer, changed, created};

use super::{check, plan};
use crate::desired::{DesiredApplication, Document, Policy};
use crate::drift;
use crate::kind::{self, Kind};
use crate::live::{Live, LiveService, Observed, Tags};
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision, ServiceId};
use crate::plan::{Ahead, Call, Input, Memory, Operation, Plan, Step, tags};
use crate::pointer::Pointer;
use crate::resources::service::REVISION_FIELDS;

pub(crate) const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/1/2";
pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) fn group_arn(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/{name}/1")
}

pub(crate) fn revision_arn(number: usize) -> String {
    format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/elearning:{number}")
}

pub(crate) fn document(kind: Kind, name: &str, body: Value) -> Document {
    let digest = kind::digest(kind, &body);
    Document { kind, name: name.to_owned(), path: format!("elearning/{name}"), body, digest, awaits: BTreeSet::new() }
}

/// The planner's whole input, with ways to change it.
pub(crate) struct World {
    pub(crate) desired: DesiredApplication,
    pub(crate) last_applied: Option<DesiredApplication>,
    pub(crate) live: Live,
    pub(crate) memory: Memory,
    pub(crate) now: Timestamp,
    pub(crate) waits_for: BTreeSet<ApplicationName>,
    pub(crate) ahead: Option<Ahead>,
    pub(crate) applications: BTreeSet<ApplicationName>,
    /// How many resources AWS has created.
    made: usize,
}

impl World {
    /// Git has the application, and AWS has nothing of it.
    pub(crate) fn new() -> Self {
        let group = |name: &str, path: &str| {
            let body = json!({
                "Name": format!("{name}-tg"), "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip",
                "HealthCheckPath": path, "HealthCheckIntervalSeconds": 60,
                "Tags": [{"Key": "Team", "Value": "learning"}],
                "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
            });
            document(Kind::TargetGroup, name, body)
        };
        let rule = json!({
            "ListenerArn": LISTENER, "Priority": 10,
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
            "Actions": [{"Type": "forward", "TargetGroupArn": group_arn("backend-tg")}],
        });
        let task_definition = json!({
            "family": "elearning", "networkMode": "awsvpc", "cpu": "512", "memory": "1024",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [{
                "name": "backend", "image": "backend:1", "portMappings": [{"containerPort": 8000}],
                "environment": [{"name": "LOG_LEVEL", "value": "info"}],
            }],
            "tags": [{"key": "Team", "value": "learning"}],
        });
        let service = json!({
            "serviceName": "elearning", "launchType": "FARGATE", "desiredCount": 1,
            "loadBalancers": [
                {"containerName": "backend", "containerPort": 8000, "targetGroupArn": group_arn("backend-tg")}],
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}},
            "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100,
                "deploymentCircuitBreaker": {"enable": true, "rollback": true}},
            "tags": [{"key": "Team", "value": "learning"}],
        });
        let name = ApplicationName::new("elearning");
        let desired = DesiredApplication {
            name: name.clone(),
            environment: EnvironmentName::new("production"),
            revision: Revision::new("a".repeat(40)),
            cluster: "main".to_owned(),
            policy: Policy::default(),
            depends_on: BTreeSet::new(),
            documents: vec![
                group("backend", "/health"),
                document(Kind::ListenerRule, "api", rule),
                document(Kind::TaskDefinition, "task-definition", task_definition),
                document(Kind::Service, "service", service),
            ],
            unresolved: Vec::new(),
        };
        let mut live = Live::default();
        live.services.insert(service_id(), Observed::Absent);
        live.autoscaled.insert(service_id(), Observed::Absent);
        live.families.insert("elearning".to_owned(), Observed::Absent);
        live.target_groups.insert("backend-tg".to_owned(), Observed::Absent);
        live.rules.insert(Arn::new(LISTENER), Observed::Absent);
        Self {
            desired,
            last_applied: None,
            live,
            memory: Memory::default(),
            now: "2026-01-01T00:00:00Z".parse().expect("a time"),
            waits_for: BTreeSet::new(),
            ahead: None,
            applications: BTreeSet::from([name]),
            made: 0,
        }
    }

    /// All resources exist, created by trueup, and the rollout is complete.
    pub(crate) fn settled() -> Self {
        let mut world = Self::new();
        world.converge();
        world.last_applied = Some(world.desired.clone());
        world.finish_rollout();
        world.later(3600);
        world
    }

    pub(crate) fn input<'a>(&'a self, instance: &'a InstanceName) -> Input<'a> {
        Input {
            desired: &self.desired,
            last_applied: self.last_applied.as_ref(),
            live: &self.live,
            instance,
            applications: &self.applications,
            waits_for: &self.waits_for,
            ahead: self.ahead.as_ref(),
            memory: &self.memory,
            now: self.now,
        }
    }

    /// The plan, which must be sound and the same a second time.
    pub(crate) fn plan(&self) -> Plan {
        let instance = InstanceName::new("main");
        let input = self.input(&instance);
        let made = plan(&input);
        assert_eq!(check::check(&input, &made), Vec::<String>::new());
        assert_eq!(made, plan(&input), "a plan depends on its arguments alone");
        made
    }

    /// Takes the first step whose conditions are met, and returns it.
    pub(crate) fn step(&mut self) -> Option<Step> {
        let step = self.plan().steps.into_iter().find(|step| step.awaits.is_empty())?;
        let answer = self.answer(&step.call);
        self.memory.wrote(&step, self.now);
        self.memory.answered(&step, &answer, self.now);
        self.live.absorb(&step.call, &answer);
        Some(step)
    }

    /// Takes steps until there is none, and returns their operations.
    pub(crate) fn converge(&mut self) -> Vec<Operation> {
        let mut operations = Vec::new();
        while let Some(step) = self.step() {
            operations.push(step.call.operation);
            assert!(operations.len() < 30, "it never ends: {operations:?}");
        }
        operations
    }

    pub(crate) fn later(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).expect("not the end of time");
    }

    /// A new commit.
    pub(crate) fn commit(&mut self, kind: Kind, name: &str, change: impl FnOnce(&mut Value)) {
        self.desired.revision = Revision::new("b".repeat(40));
        let found = self.document(kind, name);
        change(&mut found.body);
        found.digest = kind::digest(kind, &found.body);
    }

    /// The document of a kind and name, to be changed.
    pub(crate) fn document(&mut self, kind: Kind, name: &str) -> &mut Document {
        let found = self.desired.documents.iter_mut().find(|d| d.kind == kind && d.name == name);
        found.expect("the document")
    }

    /// Adds a document, in the order in which resources are created.
    pub(crate) fn add(&mut self, document: Document) {
        self.desired.documents.push(document);
        self.desired.documents.sort_by_key(|document| document.kind.facts().order.created);
    }

    /// Removes a kind of documents.
    pub(crate) fn remove(&mut self, kind: Kind) {
        self.desired.documents.retain(|document| document.kind != kind);
    }

    /// Another writer changes the service.
    pub(crate) fn edit_service(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.service().description);
    }

    pub(crate) fn service(&mut self) -> &mut LiveService {
        let Some(Observed::Present(service)) = self.live.services.get_mut(&service_id()) else {
            panic!("there is no service")
        };
        service
    }

    pub(crate) fn group(&mut self) -> &mut crate::live::LiveTargetGroup {
        let Some(Observed::Present(group)) = self.live.target_groups.get_mut("backend-tg") else {
            panic!("there is no target group")
        };
        group
    }

    pub(crate) fn rules(&mut self) -> &mut Vec<crate::live::LiveRule> {
        let Some(Observed::Present(rules)) = self.live.rules.get_mut(&Arn::new(LISTENER)) else {
            panic!("there are no rules")
        };
        rules
    }

    /// ECS completes the rollout.
    pub(crate) fn finish_rollout(&mut self) {
        self.edit_service(|service| {
            service["deployments"][0]["rolloutState"] = json!("COMPLETED");
            service["runningCount"] = service["desiredCount"].clone();
        });
    }

    /// AWS's response to a call.
    fn answer(&mut self, call: &Call) -> Value {
        self.made += 1;
        let (operation, input) = (call.operation.as_str(), &call.input);
        let description = match call.operation {
            Operation::RegisterTaskDefinition => created(operation, input, &revision_arn(self.made)),
            Operation::CreateTargetGroup => {
                created(operation, input, &group_arn(input["Name"].as_str().expect("a name")))
            }
            Operation::CreateRule => created(operation, input, &rule_arn(self.made)),
            Operation::CreateService => {
                let arn = format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:service/main/elearning");
                let mut description = created(operation, input, &arn);
                deploy(&mut description, input, self.now);
                description
            }
            Operation::UpdateService => {
                let mut description = changed(&self.service().description, input);
                let mut members = input.as_object().expect("an object").keys();
                if members.any(|name| REVISION_FIELDS.contains(&name.as_str()) || name == "forceNewDeployment") {
                    deploy(&mut description, input, self.now);
                }
                description
            }
            Operation::ModifyTargetGroup => changed(&self.group().description, input),
            Operation::ModifyRule => {
                let found = self.rules().iter().find(|rule| rule.description["RuleArn"] == input["RuleArn"]);
                changed(&found.expect("the rule").description, input)
            }
            Operation::ModifyTargetGroupAttributes
            | Operation::SetRulePriorities
            | Operation::TagResource
            | Operation::UntagResource
            | Operation::AddTags
            | Operation::RemoveTags
            | Operation::DeleteService
            | Operation::DeleteTargetGroup
            | Operation::DeleteRule => Value::Null,
        };
        answer(operation, input, &description)
    }
}

pub(crate) fn rule_arn(number: usize) -> String {
    format!("{}/{number}", LISTENER.replace(":listener/", ":listener-rule/"))
}

pub(crate) fn service_id() -> ServiceId {
    ServiceId { cluster: "main".to_owned(), name: "elearning".to_owned() }
}

fn deploy(service: &mut Value, input: &Value, now: Timestamp) {
    let begun =
        json!({"rolloutState": "IN_PROGRESS", "createdAt": now.as_second(), "runningCount": 0, "pendingCount": 1});
    trueup_fixture::deploy(service, input, begun);
}

/// Every step and hold of a plan, one a line: `Operation name cause /path …`, `held Reason name /path …`.
pub(crate) fn shown(plan: &Plan) -> Vec<String> {
    let path = |path: &Pointer| if *path == Pointer::root() { "/".to_owned() } else { path.to_string() };
    let paths = |changes: &[drift::Change]| changes.iter().fold(String::new(), |all, c| all + " " + &path(&c.path));
    let steps = plan.steps.iter().map(|step| {
        let cause = format!("{:?}", step.cause).to_lowercase();
        let awaits = if step.awaits.is_empty() {
            String::new()
        } else {
            format!(" awaits {}", step.awaits.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
        };
        format!("{} {} {cause}{}{awaits}", step.call.operation.as_str(), step.subject.name(), paths(&step.changes))
    });
    let held = plan.held.iter().map(|held| {
        let name = held.subject.resource().map_or("all", |resource| resource.name.as_str());
        format!("held {} {name}{}", held.reason.reason(), paths(&held.changes))
    });
    steps.chain(held).collect()
}

/// The tags of a resource that another writer created.
pub(crate) fn tags_of(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
}

/// Removes all of trueup's tags.
pub(crate) fn untagged(all: &mut Tags) {
    all.retain(|key, _| !key.starts_with(tags::PREFIX));
}
