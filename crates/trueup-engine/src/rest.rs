//! Applications at rest: while the input of a plan does not change, the last plan holds.
//!
//! Comparing a fleet field by field with AWS costs more than the rest of a cycle, and nearly always nothing has
//! changed. A plan is a pure function of its input: if it had nothing to do and the input is the same, there still is
//! nothing to do. Time is part of the input, but only matters while something is in progress.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use trueup_core::broken::{self, Broken};
use trueup_core::description::Description;
use trueup_core::live::{Live, LiveTaskDefinition, Observed, Tags, Traffic};
use trueup_core::names::{ApplicationName, Arn};
use trueup_core::plan::Memory;
use trueup_core::resources::service::is_delegated;
use trueup_ports::ObserveRequest;

/// The observation, mostly as a hash, that left nothing to do.
pub(crate) struct Rest {
    live: u64,
    memory: Memory,
    /// The task definitions that its service runs.
    task_definitions: Vec<Arn>,
}

/// Live state that many applications of an environment share, hashed once per cycle.
pub(crate) struct Shared {
    applications: u64,
    rules: BTreeMap<Arn, u64>,
}

impl Shared {
    pub fn new(live: &Live, applications: &BTreeSet<ApplicationName>) -> Self {
        // Services of other applications decide whose weights are ECS's: if none shifts traffic, no rule needs to be parsed.
        let unread = live.services.iter().filter(|(_, service)| matches!(service, Observed::Unknown(_)));
        let unread = unread.map(|(id, _)| (id.clone(), Traffic { unread: true, ..Traffic::default() }));
        let traffic: BTreeMap<_, _> = live.traffic.clone().into_iter().chain(unread).collect();
        let shifted = (!traffic.is_empty()).then(|| Live { traffic, ..Live::default() });
        let rules = live.rules.iter().map(|(listener, rules)| {
            let hash = hashed(|hasher| {
                observed(rules, hasher, |rules, hasher| {
                    for rule in rules {
                        rule.description.fingerprint(hasher);
                        // A copy: its parsed form is not needed for long.
                        let is_delegated = |shifted: &Live| is_delegated(shifted, &rule.description.clone());
                        shifted.as_ref().is_some_and(is_delegated).hash(hasher);
                        observed(&rule.tags, hasher, Hash::hash);
                    }
                });
            });
            (listener.clone(), hash)
        });
        Self { applications: hashed(|hasher| applications.hash(hasher)), rules: rules.collect() }
    }
}

impl Rest {
    /// Records the observation of an application: `part` is its part of the live state.
    pub fn new(part: &Live, shared: &Shared, request: &ObserveRequest, memory: &Memory) -> Self {
        let task_definitions: Vec<Arn> = part.task_definitions.keys().cloned().collect();
        Self { live: fingerprint(part, shared, request, &task_definitions), memory: memory.clone(), task_definitions }
    }

    /// Whether the same is observed now, in the live state of the whole environment.
    pub fn holds(&self, live: &Live, shared: &Shared, request: &ObserveRequest, memory: &Memory) -> bool {
        let is_unchanged = || self.live == fingerprint(live, shared, request, &self.task_definitions);
        self.memory == *memory && (broken::is(Broken::RestForEver) || is_unchanged())
    }
}

/// A hash of everything that a plan for one application may depend on.
fn fingerprint(live: &Live, shared: &Shared, request: &ObserveRequest, task_definitions: &[Arn]) -> u64 {
    // All members are named: a new one is either hashed below or excused here. The inventory is for pruning alone; rules,
    // and what ECS shifts by them, are shared.
    let Live {
        services,
        task_definitions: revisions,
        families,
        target_groups,
        service_deployments,
        autoscaled,
        rules: _,
        traffic: _,
        inventory: _,
    } = live;
    hashed(|hasher| {
        shared.applications.hash(hasher);
        for listener in &request.listeners {
            shared.rules.get(listener).hash(hasher);
        }
        for id in &request.services {
            each(services.get(id), hasher, |service, hasher| {
                described(&service.description, &service.tags, hasher);
            });
            each(autoscaled.get(id), hasher, |(), _| {});
            each(service_deployments.get(id), hasher, |record, hasher| {
                for entry in record {
                    format!("{entry:?}").hash(hasher);
                }
            });
        }
        for arn in task_definitions {
            each(revisions.get(arn), hasher, revision);
        }
        for family in request.families.keys() {
            each(families.get(family), hasher, |newest, hasher| newest.iter().for_each(|one| revision(one, hasher)));
        }
        for name in &request.target_groups {
            each(target_groups.get(name), hasher, |group, hasher| {
                group.description.fingerprint(hasher);
                observed(&group.attributes, hasher, Hash::hash);
                observed(&group.tags, hasher, Hash::hash);
            });
        }
    })
}

fn revision(revision: &LiveTaskDefinition, hasher: &mut DefaultHasher) {
    described(&revision.description, &revision.tags, hasher);
}

fn described(description: &Description, tags: &Tags, hasher: &mut DefaultHasher) {
    description.fingerprint(hasher);
    tags.hash(hasher);
}

fn each<T>(part: Option<&Observed<T>>, hasher: &mut DefaultHasher, present: impl FnOnce(&T, &mut DefaultHasher)) {
    part.is_some().hash(hasher);
    if let Some(part) = part {
        observed(part, hasher, present);
    }
}

fn observed<T>(part: &Observed<T>, hasher: &mut DefaultHasher, present: impl FnOnce(&T, &mut DefaultHasher)) {
    match part {
        Observed::Absent => 0_u8.hash(hasher),
        Observed::Present(value) => {
            1_u8.hash(hasher);
            present(value, hasher);
        }
        Observed::Unknown(failure) => {
            2_u8.hash(hasher);
            failure.to_string().hash(hasher);
        }
    }
}

fn hashed(feed: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trueup_core::digest::Digest;
    use trueup_core::live::{FailureKind, LiveRule, LiveService, LiveTargetGroup, ReadFailure};
    use trueup_core::names::ServiceId;
    use trueup_core::service_deployment::ServiceDeployment;

    use super::*;

    fn id() -> ServiceId {
        ServiceId { cluster: "main".to_owned(), name: "web".to_owned() }
    }

    fn tags() -> Tags {
        [("trueup:digest".to_owned(), "d".to_owned())].into()
    }

    fn revision_of(number: u32) -> LiveTaskDefinition {
        LiveTaskDefinition { description: json!({ "revision": number }).into(), tags: tags() }
    }

    fn live() -> Live {
        let service = LiveService { description: json!({"desiredCount": 1}).into(), tags: tags() };
        let group = LiveTargetGroup {
            description: json!({"Port": 80}).into(),
            attributes: Observed::Present([("slow_start.duration_seconds".to_owned(), "0".to_owned())].into()),
            tags: Observed::Present(tags()),
        };
        let rule = LiveRule {
            description: json!({"RuleArn": "rule", "Priority": "1"}).into(),
            tags: Observed::Present(tags()),
        };
        Live {
            services: [(id(), Observed::Present(service))].into(),
            service_deployments: [(id(), Observed::Present(Vec::new()))].into(),
            autoscaled: [(id(), Observed::Absent)].into(),
            task_definitions: [(Arn::new("web:1"), Observed::Present(revision_of(1)))].into(),
            families: [("web".to_owned(), Observed::Present(vec![revision_of(1)]))].into(),
            target_groups: [("web".to_owned(), Observed::Present(group))].into(),
            rules: [(Arn::new("listener"), Observed::Present(vec![rule]))].into(),
            ..Live::default()
        }
    }

    fn present<T>(part: &mut Observed<T>) -> &mut T {
        let Observed::Present(value) = part else { panic!("it is present") };
        value
    }

    type Change = fn(&mut Live);

    /// Changes to the live state of the application; each one ends its rest.
    const CHANGES: [(&str, Change); 16] = [
        ("service", |live| present(live.services.get_mut(&id()).unwrap()).description["desiredCount"] = json!(2)),
        ("its tags", |live| present(live.services.get_mut(&id()).unwrap()).tags.clear()),
        ("no service", |live| drop(live.services.insert(id(), Observed::Absent))),
        ("not asked for", |live| live.services.clear()),
        ("record", |live| {
            let entry = json!({"serviceDeploymentArn": "d/1", "status": "ROLLBACK_SUCCESSFUL"});
            let entry = ServiceDeployment::read(&entry, |_| None).expect("it has an ARN");
            live.service_deployments.insert(id(), Observed::Present(vec![entry]));
        }),
        ("autoscaled", |live| drop(live.autoscaled.insert(id(), Observed::Present(())))),
        ("not known whether", |live| live.autoscaled.clear()),
        ("a service of others shifts its rule", |live| {
            let traffic = Traffic { rules: [Arn::new("rule")].into(), ..Traffic::default() };
            live.traffic.insert(ServiceId { name: "other".to_owned(), ..id() }, traffic);
        }),
        ("no record", |live| live.service_deployments.clear()),
        ("revision", |live| {
            live.task_definitions.insert(Arn::new("web:1"), Observed::Present(revision_of(2)));
        }),
        ("family", |live| present(live.families.get_mut("web").unwrap()).push(revision_of(2))),
        ("target group", |live| {
            present(live.target_groups.get_mut("web").unwrap()).description["Port"] = json!(81);
        }),
        ("attributes", |live| {
            present(&mut present(live.target_groups.get_mut("web").unwrap()).attributes).clear();
        }),
        ("its tags", |live| present(live.target_groups.get_mut("web").unwrap()).tags = Observed::Absent),
        ("rule", |live| {
            present(live.rules.get_mut(&Arn::new("listener")).unwrap())[0].description["Priority"] = json!("2");
        }),
        ("its tags", |live| {
            present(&mut present(live.rules.get_mut(&Arn::new("listener")).unwrap())[0].tags).clear();
        }),
    ];

    #[test]
    fn rest_ends_with_any_change_of_what_the_application_has_and_with_no_other() {
        let failure = || ReadFailure {
            operation: "ecs:DescribeServices".to_owned(),
            kind: FailureKind::Throttled,
            message: "Rate exceeded".to_owned(),
        };
        let request = ObserveRequest {
            services: [id()].into(),
            families: [("web".to_owned(), Digest::of(b""))].into(),
            target_groups: ["web".to_owned()].into(),
            listeners: [Arn::new("listener")].into(),
            ..ObserveRequest::default()
        };
        let (all, memory) = (BTreeSet::from([ApplicationName::new("web")]), Memory::default());
        let rest = Rest::new(&live(), &Shared::new(&live(), &all), &request, &memory);
        let holds = |live: &Live| rest.holds(live, &Shared::new(live, &all), &request, &memory);
        assert!(holds(&live()));
        for (what, change) in CHANGES {
            let mut changed = live();
            change(&mut changed);
            assert!(!holds(&changed), "{what}");
        }
        let mut unread = live();
        unread.services.insert(id(), Observed::Unknown(failure()));
        assert!(!holds(&unread));

        let mut others = live();
        others.services.insert(ServiceId { name: "other".to_owned(), ..id() }, Observed::Absent);
        let traffic = Traffic { rules: [Arn::new("another rule")].into(), ..Traffic::default() };
        others.traffic.insert(ServiceId { name: "other".to_owned(), ..id() }, traffic);
        others.inventory = Some(Observed::Present(Vec::new()));
        assert!(holds(&others), "resources of others do not count");
        let more = BTreeSet::from([ApplicationName::new("other"), ApplicationName::new("web")]);
        assert!(!rest.holds(&live(), &Shared::new(&live(), &more), &request, &memory));
        let mut wrote = Memory::default();
        wrote.deployed(Digest::of(b""));
        assert!(!rest.holds(&live(), &Shared::new(&live(), &all), &request, &wrote));
    }
}
