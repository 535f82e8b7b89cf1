//! What there is, and how reads show it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_core::kind::Kind;
use trueup_core::live::{
    Live, LiveRule, LiveService, LiveTargetGroup, LiveTaskDefinition, Observed, OwnedResource, Tags,
};
use trueup_core::names::{Arn, ServiceId};
use trueup_core::service_deployment::ServiceDeployment;
use trueup_ports::ObserveRequest;

#[derive(Clone, Default)]
pub(super) struct Resources {
    pub services: BTreeMap<ServiceId, (Value, Tags)>,
    /// In the order of registration.
    pub task_definitions: Vec<(Arn, Value, Tags)>,
    pub target_groups: BTreeMap<String, (Value, BTreeMap<String, String>, Tags)>,
    pub rules: BTreeMap<Arn, Vec<(Value, Tags)>>,
    /// The service deployments of a service, newest first, each with what its service revision says.
    pub record: BTreeMap<ServiceId, Vec<(Value, Value)>>,
    /// A service as it was before its newest deployment.
    pub before: BTreeMap<ServiceId, Value>,
}

impl Resources {
    pub fn observe(&self, wanted: &ObserveRequest) -> Live {
        let mut live = Live::default();
        for id in &wanted.services {
            let service = match self.services.get(id) {
                Some((description, tags)) => {
                    Observed::Present(LiveService { description: description.clone().into(), tags: tags.clone() })
                }
                None => Observed::Absent,
            };
            if let Some(service) = service.present() {
                let arn = Arn::new(text(&service.description, "taskDefinition"));
                let found = self.task_definitions.iter().find(|(known, _, _)| *known == arn);
                let found = found.map_or(Observed::Absent, |found| Observed::Present(task_definition(found)));
                live.task_definitions.insert(arn, found);
            }
            live.services.insert(id.clone(), service);
        }
        for id in &wanted.service_deployments {
            let read = |(entry, revision): &(Value, Value)| ServiceDeployment::read(entry, |_| Some(revision.clone()));
            let record: Vec<_> = self.record.get(id).into_iter().flatten().filter_map(read).collect();
            for name in record.iter().filter_map(|entry| entry.target.as_ref()?.task_definition()) {
                let found = self.task_definitions.iter().find(|(known, _, _)| known.as_str() == name);
                let found = found.map_or(Observed::Absent, |found| Observed::Present(task_definition(found)));
                live.task_definitions.insert(Arn::new(name), found);
            }
            live.service_deployments.insert(id.clone(), Observed::Present(record));
        }
        for family in wanted.families.keys() {
            let newest = self.task_definitions.iter().rev().filter(|(_, d, _)| d["family"] == **family);
            live.families.insert(family.clone(), Observed::Present(newest.map(task_definition).collect()));
        }
        for name in &wanted.target_groups {
            let group = match self.target_groups.get(name) {
                Some((description, attributes, tags)) => Observed::Present(LiveTargetGroup {
                    description: description.clone().into(),
                    attributes: Observed::Present(attributes.clone()),
                    tags: Observed::Present(tags.clone()),
                }),
                None => Observed::Absent,
            };
            live.target_groups.insert(name.clone(), group);
        }
        for listener in &wanted.listeners {
            let rules = self.rules.get(listener).into_iter().flatten().map(|(description, tags)| LiveRule {
                description: description.clone().into(),
                tags: Observed::Present(tags.clone()),
            });
            live.rules.insert(listener.clone(), Observed::Present(rules.collect()));
        }
        live.inventory = wanted.inventory.as_ref().map(|(instance, _)| {
            let services = self.services.values().map(|(d, tags)| (d, tags, Kind::Service, "serviceArn"));
            let groups = self.target_groups.values().map(|(d, _, tags)| (d, tags, Kind::TargetGroup, "TargetGroupArn"));
            let is_ours = |tags: &Tags| tags.get("trueup:instance").is_some_and(|owner| owner == instance.as_str());
            let owned = services.chain(groups).filter(|(_, tags, _, _)| is_ours(tags));
            let owned = owned.map(|(description, tags, kind, arn)| OwnedResource {
                arn: Arn::new(text(description, arn)),
                kind,
                tags: tags.clone(),
                description: description.clone(),
            });
            Observed::Present(owned.collect())
        });
        live
    }

    /// `FAMILY:REVISION`, or an ARN, as an ARN.
    pub fn full_arn(&self, task_definition: &str) -> String {
        let ends =
            |arn: &Arn| arn.as_str() == task_definition || arn.as_str().ends_with(&format!("/{task_definition}"));
        let found = self.task_definitions.iter().find(|(arn, _, _)| ends(arn));
        found.map(|(arn, _, _)| arn.as_str().to_owned()).expect("a service runs what was registered")
    }

    pub fn tags_mut(&mut self, arn: &str) -> &mut Tags {
        let services = self.services.values_mut().map(|(d, tags)| (text(d, "serviceArn"), tags));
        let groups = self.target_groups.values_mut().map(|(d, _, tags)| (text(d, "TargetGroupArn"), tags));
        let definitions = self.task_definitions.iter_mut().map(|(arn, _, tags)| (arn.as_str().to_owned(), tags));
        let rules = self.rules.values_mut().flatten().map(|(d, tags)| (text(d, "RuleArn"), tags));
        let mut all = services.chain(groups).chain(definitions).chain(rules);
        all.find(|(known, _)| known == arn).map(|(_, tags)| tags).expect("what is tagged exists")
    }
}

fn task_definition((_, description, tags): &(Arn, Value, Tags)) -> LiveTaskDefinition {
    LiveTaskDefinition { description: description.clone().into(), tags: tags.clone() }
}

/// What a call acts on, by name.
pub(super) fn name_of(input: &Value) -> String {
    let name = ["serviceName", "service", "family", "Name", "resourceArn", "TargetGroupArn", "ListenerArn"]
        .iter()
        .find_map(|m| input[m].as_str());
    let name = name.or_else(|| input["ResourceArns"][0].as_str()).unwrap_or_default();
    match name.split_once(':') {
        Some(_) if name.contains(":targetgroup/") => name.split('/').nth(1).unwrap_or(name).to_owned(),
        Some(_) => name.split('/').nth(2).unwrap_or(name).to_owned(),
        None => name.to_owned(),
    }
}

pub(super) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

pub(super) fn tags_of(list: &Value, key: &str, value: &str) -> Tags {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|tag| (text(tag, key), text(tag, value))).collect()
}

pub(super) fn tags_to(tags: &Tags, key: &str, value: &str) -> Value {
    tags.iter().map(|(k, v)| json!({key: k, value: v})).collect()
}

pub(super) fn service_id(name: &str) -> ServiceId {
    ServiceId { cluster: "main".to_owned(), name: name.to_owned() }
}
