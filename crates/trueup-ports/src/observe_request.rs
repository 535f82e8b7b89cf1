//! The observation that a cycle requests from AWS, and the part of the live state that belongs to one request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_core::digest::Digest;
use trueup_core::live::{Live, Observed, Traffic};
use trueup_core::names::{Arn, InstanceName, ServiceId};

use crate::Priority;

/// The resources to observe in one environment in one cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObserveRequest {
    /// Services, ten per call.
    pub services: BTreeSet<ServiceId>,
    /// Families, each with the wanted digest: where the running revision carries another digest, the family's newest
    /// revisions are read too.
    pub families: BTreeMap<String, Digest>,
    /// Target groups by name, with attributes and tags.
    pub target_groups: BTreeSet<String>,
    /// Listeners whose rules are read, with tags.
    pub listeners: BTreeSet<Arn>,
    /// Services whose documents set a desired count: whether an autoscaler governs that count. A service that is also
    /// in `refresh`, as `service/CLUSTER/NAME`, is read again instead of answered from the cache.
    pub scaling: BTreeSet<ServiceId>,
    /// Resources that were just written: their cached state is out of date, so they are read again.
    pub refresh: BTreeSet<String>,
    /// Services whose service deployments are read, with the task definition revisions that they name. Worth the reads
    /// only for a service that does not serve the desired state.
    pub service_deployments: BTreeSet<ServiceId>,
    /// For pruning: lists all resources with this installation's tag, in these clusters.
    pub inventory: Option<(InstanceName, BTreeSet<String>)>,
    /// The priority of the request as a whole.
    pub priority: Priority,
}

impl ObserveRequest {
    /// Adds the resources of another request of the same installation. The priority becomes the more urgent of the two.
    pub fn merge(&mut self, other: &Self) {
        // All members are named: one that is forgotten here would never be asked for, and its resources would be
        // `NotObserved` for ever.
        let Self {
            services,
            families,
            target_groups,
            listeners,
            scaling,
            refresh,
            service_deployments,
            inventory,
            priority,
        } = other;
        self.services.extend(services.iter().cloned());
        self.families.extend(families.iter().map(|(family, digest)| (family.clone(), digest.clone())));
        self.target_groups.extend(target_groups.iter().cloned());
        self.listeners.extend(listeners.iter().cloned());
        self.scaling.extend(scaling.iter().cloned());
        self.refresh.extend(refresh.iter().cloned());
        self.service_deployments.extend(service_deployments.iter().cloned());
        if let Some((instance, clusters)) = inventory {
            let (_, all) = self.inventory.get_or_insert_with(|| (instance.clone(), BTreeSet::new()));
            all.extend(clusters.iter().cloned());
        }
        self.priority = self.priority.min(*priority);
    }

    /// The part of `live` that this request is about, without the rules of its listeners: a hundred applications may
    /// share them, and a copy for each would be expensive. The inventory belongs to no application.
    pub fn part_of(&self, live: &Live) -> Live {
        // All members of both are named: a new one is either taken below or excused here.
        let Self {
            services: wanted,
            families,
            target_groups,
            listeners,
            scaling: _,
            refresh: _,
            service_deployments: _,
            inventory: _,
            priority: _,
        } = self;
        let Live {
            services,
            task_definitions,
            families: newest,
            target_groups: groups,
            rules: _,
            service_deployments,
            autoscaled,
            traffic: _,
            inventory: _,
        } = live;
        let services = pick(services, wanted.iter());
        let service_deployments = pick(service_deployments, wanted.iter());
        let families = pick(newest, families.keys());
        let mut revisions = BTreeSet::new();
        for service in services.values().filter_map(Observed::present) {
            let deployments = service.description["deployments"].as_array().map(Vec::as_slice).unwrap_or_default();
            let all = std::iter::once::<&Value>(&service.description).chain(deployments);
            revisions.extend(all.filter_map(|one| text(one, "taskDefinition")).map(Arn::new));
        }
        let recorded = service_deployments.values().filter_map(Observed::present).flatten();
        let recorded = recorded.filter_map(|entry| entry.target.as_ref()?.task_definition());
        revisions.extend(recorded.map(Arn::new));
        let mut task_definitions = pick(task_definitions, revisions.iter());
        // The service may be asked next to run a revision that exists already, which then need not be read again.
        for revision in families.values().filter_map(Observed::present).flatten() {
            if let Some(arn) = text(&revision.description, "taskDefinitionArn") {
                task_definitions.entry(Arn::new(arn)).or_insert_with(|| Observed::Present(revision.clone()));
            }
        }
        // Services of other applications may have ECS shift traffic by this one's rules.
        let traffic = if listeners.is_empty() { BTreeMap::new() } else { self.traffic_of_others(live) };
        Live {
            services,
            task_definitions,
            families,
            target_groups: pick(groups, target_groups.iter()),
            rules: BTreeMap::new(),
            service_deployments,
            autoscaled: pick(autoscaled, wanted.iter()),
            traffic,
            inventory: None,
        }
    }

    /// The traffic that ECS shifts for services outside this request: as recorded, and marked as unread for a service
    /// that could not be read now.
    fn traffic_of_others(&self, live: &Live) -> BTreeMap<ServiceId, Traffic> {
        let is_of_others = |id: &ServiceId| !self.services.contains(id);
        let recorded =
            live.traffic.iter().filter(|(id, _)| is_of_others(id)).map(|(id, traffic)| (id.clone(), traffic.clone()));
        let unread =
            live.services.iter().filter(|(id, service)| is_of_others(id) && matches!(service, Observed::Unknown(_)));
        let unread = unread.map(|(id, _)| (id.clone(), Traffic { unread: true, ..Traffic::default() }));
        recorded.chain(unread).collect()
    }
}

/// The entries of `from` with these keys.
fn pick<'a, K: Ord + Clone + 'a, T: Clone>(from: &BTreeMap<K, T>, keys: impl Iterator<Item = &'a K>) -> BTreeMap<K, T> {
    keys.filter_map(|key| Some((key.clone(), from.get(key)?.clone()))).collect()
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trueup_core::live::{LiveRule, LiveService, LiveTargetGroup, LiveTaskDefinition};
    use trueup_core::service_deployment::ServiceDeployment;

    use super::*;

    fn id() -> ServiceId {
        ServiceId { cluster: "main".to_owned(), name: "web".to_owned() }
    }

    /// A request that asks for something of everything: a new member has to be set here, too.
    fn everything() -> ObserveRequest {
        ObserveRequest {
            services: [id()].into(),
            families: [("web".to_owned(), Digest::of(b"web"))].into(),
            target_groups: ["web".to_owned()].into(),
            listeners: [Arn::new("listener")].into(),
            scaling: [id()].into(),
            refresh: ["service/main/web".to_owned()].into(),
            service_deployments: [id()].into(),
            inventory: Some((InstanceName::new("trueup"), ["main".to_owned()].into())),
            priority: Priority::Safety,
        }
    }

    #[test]
    fn a_merged_request_asks_for_every_member_of_the_other() {
        let mut merged = ObserveRequest::default();
        merged.merge(&everything());
        assert_eq!(merged, everything());
    }

    #[test]
    fn merging_keeps_both_requests_and_the_more_urgent_priority() {
        let other = ObserveRequest {
            services: [ServiceId { name: "api".to_owned(), ..id() }].into(),
            inventory: Some((InstanceName::new("trueup"), ["other".to_owned()].into())),
            ..ObserveRequest::default()
        };
        let mut merged = everything();
        merged.merge(&other);
        assert_eq!(merged.services.len(), 2);
        let clusters = ["main", "other"].map(str::to_owned).into();
        assert_eq!(merged.inventory, Some((InstanceName::new("trueup"), clusters)));
        assert_eq!(merged.priority, Priority::Safety);
        assert_eq!(merged.target_groups, everything().target_groups);
    }

    /// Live state in which everything has an entry: a new member has to be set here, too.
    fn live() -> Live {
        let revision = |number: u32| LiveTaskDefinition {
            description: json!({"taskDefinitionArn": format!("web:{number}")}).into(),
            tags: BTreeMap::new(),
        };
        let service = json!({"taskDefinition": "web:1", "deployments": [{"taskDefinition": "web:2"}]});
        let entry = json!({"serviceDeploymentArn": "d/1", "targetServiceRevision": {"arn": "r/3"}});
        let entry = ServiceDeployment::read(&entry, |_| None).expect("it has an ARN");
        let group = LiveTargetGroup {
            description: json!({"Port": 80}).into(),
            attributes: Observed::Absent,
            tags: Observed::Absent,
        };
        let rule = LiveRule { description: json!({"Priority": "1"}).into(), tags: Observed::Absent };
        let others = ServiceId { name: "other".to_owned(), ..id() };
        Live {
            services: [(id(), Observed::Present(LiveService { description: service.into(), tags: BTreeMap::new() }))]
                .into(),
            task_definitions: [1, 2, 3].map(|n| (Arn::new(format!("web:{n}")), Observed::Present(revision(n)))).into(),
            families: [("web".to_owned(), Observed::Present(vec![revision(3)]))].into(),
            target_groups: [("web".to_owned(), Observed::Present(group))].into(),
            rules: [(Arn::new("listener"), Observed::Present(vec![rule]))].into(),
            service_deployments: [(id(), Observed::Present(vec![entry]))].into(),
            autoscaled: [(id(), Observed::Present(()))].into(),
            traffic: [(others, Traffic { rules: [Arn::new("rule")].into(), ..Traffic::default() })].into(),
            inventory: Some(Observed::Present(Vec::new())),
        }
    }

    #[test]
    fn a_part_has_everything_that_was_asked_for_except_rules() {
        let part = everything().part_of(&live());
        assert_eq!(part, Live { rules: BTreeMap::new(), inventory: None, ..live() });
    }

    #[test]
    fn a_part_has_nothing_that_was_not_asked_for() {
        assert_eq!(ObserveRequest::default().part_of(&live()), Live::default());
    }
}
