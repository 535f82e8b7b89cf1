//! Resolving references, and what must be observed for what they became.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use trueup_core::desired::{Application, DesiredApplication, Lookup};
use trueup_core::kind::Kind;
use trueup_core::live::{Live, LiveService, Observed, Traffic};
use trueup_core::names::{Arn, Revision, ServiceId};
use trueup_core::plan;
use trueup_ports::Wanted;

use crate::follower::Valid;
use crate::rest::Rest;

/// AWS's answers to lookups.
pub(crate) type Answers = BTreeMap<Lookup, Observed<String>>;

/// A resolved application, with what it was made from: while that stays the same, nothing is resolved again.
pub(crate) struct Resolved {
    application: Arc<Application>,
    revision: Revision,
    /// The answers to its lookups, as far as there were any.
    answers: BTreeMap<Lookup, Option<Observed<String>>>,
    /// What must be observed for it.
    wanted: Wanted,
    /// Its documents, unless it rests: parsed, they take several times the memory of what they are made from.
    desired: Option<Arc<DesiredApplication>>,
    /// What was seen when there was nothing to do.
    pub rest: Option<Rest>,
}

impl Resolved {
    /// Whether it was made from this.
    fn is_of(&self, valid: &Valid, answers: &Answers) -> bool {
        Arc::ptr_eq(&self.application, &valid.application)
            && self.revision == valid.revision
            && self.answers.iter().all(|(lookup, answer)| answers.get(lookup) == answer.as_ref())
    }

    /// Notes that there is nothing to do as long as this is seen, and leaves out what is not needed meanwhile.
    pub fn put_to_rest(&mut self, rest: Rest) {
        self.rest = Some(rest);
        self.desired = None;
    }
}

/// Resolves an application, or takes what was resolved before when it is still that.
pub(crate) fn resolve(valid: &Valid, answers: &Answers, before: &mut Option<Resolved>) -> Arc<DesiredApplication> {
    if let Some(before) = before.as_mut().filter(|before| before.is_of(valid, answers)) {
        let make = || Arc::new(valid.application.resolve(&valid.revision, answers));
        return before.desired.get_or_insert_with(make).clone();
    }
    let desired = Arc::new(valid.application.resolve(&valid.revision, answers));
    let mut wanted = Wanted::default();
    want(&desired, &mut wanted);
    let lookups = valid.application.lookups().into_iter();
    *before = Some(Resolved {
        application: valid.application.clone(),
        revision: valid.revision.clone(),
        answers: lookups.map(|lookup| (lookup.clone(), answers.get(&lookup).cloned())).collect(),
        wanted,
        desired: Some(desired.clone()),
        rest: None,
    });
    desired
}

/// What must be observed for an application: as [`resolve`] and [`want`], without making again what is known.
pub(crate) fn wanted<'a>(valid: &Valid, answers: &Answers, before: &'a mut Option<Resolved>) -> &'a Wanted {
    if !before.as_ref().is_some_and(|before| before.is_of(valid, answers)) {
        resolve(valid, answers, before);
    }
    &before.as_ref().expect("it was made just before").wanted
}

/// What is known of an application that rests, when it was made from this.
pub(crate) fn rest<'a>(
    valid: &Valid,
    answers: &Answers,
    before: Option<&'a Resolved>,
) -> Option<(&'a Wanted, &'a Rest)> {
    let before = before.filter(|before| before.is_of(valid, answers))?;
    Some((&before.wanted, before.rest.as_ref()?))
}

/// The names in AWS of the target groups that an application's own documents make. They are observed with everything
/// else, so that no lookup is spent on them.
pub(crate) fn own_target_groups(application: &Application) -> impl Iterator<Item = String> + '_ {
    let documents = application.documents.iter().filter(|draft| draft.kind == Kind::TargetGroup);
    documents.filter_map(|draft| draft.in_aws.clone())
}

/// Takes what was observed of target groups as answers to lookups of them.
pub(crate) fn answer_target_groups(live: &Live, answers: &mut Answers) {
    for (name, observed) in &live.target_groups {
        let arn =
            observed.clone().map(|group| text(&group.description, "TargetGroupArn").unwrap_or_default().to_owned());
        answers.insert(Lookup::TargetGroup(name.clone()), arn);
    }
}

/// Adds what must be observed for an application.
pub(crate) fn want(desired: &DesiredApplication, wanted: &mut Wanted) {
    if let Some(name) = desired.service.as_ref().and_then(|service| text(&service.body, "serviceName")) {
        let id = ServiceId { cluster: desired.cluster.clone(), name: name.to_owned() };
        let count = desired.service.as_ref().and_then(|service| service.body.get("desiredCount"));
        if count.is_some_and(|count| !count.is_null()) {
            wanted.scaling.insert(id.clone());
        }
        wanted.services.insert(id);
    }
    if let Some(document) = &desired.task_definition
        && let Some(family) = text(&document.body, "family")
    {
        wanted.families.insert(family.to_owned(), document.digest.clone());
    }
    wanted.target_groups.extend(desired.target_groups.iter().filter_map(|d| text(&d.body, "Name").map(str::to_owned)));
    // An unresolved reference is no ARN.
    let listeners = desired.listener_rules.iter().filter_map(|rule| text(&rule.body, "ListenerArn"));
    wanted.listeners.extend(listeners.filter(|arn| arn.starts_with("arn:")).map(Arn::new));
}

/// What belongs to one application in what was observed of the whole environment, but for the rules of its listeners:
/// they are shared with a hundred others.
pub(crate) fn part_of(live: &Live, wanted: &Wanted) -> Live {
    fn pick<K: Ord + Clone, T: Clone>(from: &BTreeMap<K, T>, keys: impl IntoIterator<Item = K>) -> BTreeMap<K, T> {
        keys.into_iter().filter_map(|key| from.get(&key).cloned().map(|value| (key, value))).collect()
    }
    let services = pick(&live.services, wanted.services.iter().cloned());
    let mut task_definitions: BTreeSet<Arn> = BTreeSet::new();
    for service in services.values().filter_map(Observed::present) {
        let deployments = service.description["deployments"].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = std::iter::once::<&Value>(&service.description).chain(deployments);
        task_definitions.extend(all.filter_map(|one| text(one, "taskDefinition")).map(Arn::new));
    }
    let service_deployments = pick(&live.service_deployments, wanted.services.iter().cloned());
    let recorded = service_deployments.values().filter_map(Observed::present).flatten();
    let recorded = recorded.filter_map(|entry| entry.target.as_ref()?.task_definition());
    task_definitions.extend(recorded.map(Arn::new));
    let families = pick(&live.families, wanted.families.keys().cloned());
    let mut task_definitions = pick(&live.task_definitions, task_definitions);
    // A revision that is there already may be what the service is told to run next: it need not be read again then.
    for revision in families.values().filter_map(Observed::present).flatten() {
        if let Some(arn) = text(&revision.description, "taskDefinitionArn") {
            task_definitions.entry(Arn::new(arn)).or_insert_with(|| Observed::Present(revision.clone()));
        }
    }
    // Services of other applications may have ECS shift traffic by this one's rules.
    let traffic = if wanted.listeners.is_empty() { BTreeMap::new() } else { shifted_for_others(live, wanted) };
    Live {
        task_definitions,
        families,
        target_groups: pick(&live.target_groups, wanted.target_groups.iter().cloned()),
        rules: BTreeMap::new(),
        autoscaled: pick(&live.autoscaled, wanted.services.iter().cloned()),
        traffic,
        services,
        service_deployments,
        inventory: None,
    }
}

/// What ECS shifts on behalf of services of others: what was noted of them, and whether one could not be read now.
fn shifted_for_others(live: &Live, wanted: &Wanted) -> BTreeMap<ServiceId, Traffic> {
    let is_of_others = |id: &ServiceId| !wanted.services.contains(id);
    let noted =
        live.traffic.iter().filter(|(id, _)| is_of_others(id)).map(|(id, traffic)| (id.clone(), traffic.clone()));
    let unread =
        live.services.iter().filter(|(id, service)| is_of_others(id) && matches!(service, Observed::Unknown(_)));
    let unread = unread.map(|(id, _)| (id.clone(), Traffic { unread: true, ..Traffic::default() }));
    noted.chain(unread).collect()
}

/// What ECS shifts on behalf of an observed service; `None` when there is nothing.
pub(crate) fn shifted(service: &Observed<LiveService>) -> Option<Traffic> {
    let traffic = match service {
        Observed::Present(service) => plan::traffic(&service.description),
        Observed::Absent => return None,
        Observed::Unknown(_) => Traffic { unread: true, ..Traffic::default() },
    };
    (traffic != Traffic::default()).then_some(traffic)
}

/// The commit that was applied last to an application's service, by its tag.
pub(crate) fn applied_revision(desired: &DesiredApplication, live: &Live) -> Option<Revision> {
    let name = text(&desired.service.as_ref()?.body, "serviceName")?;
    let id = ServiceId { cluster: desired.cluster.clone(), name: name.to_owned() };
    let service = live.services.get(&id)?.present()?;
    service.tags.get("trueup:revision").map(Revision::new)
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}
