//! Resolving references, and what must be observed for what they became.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use trueup_core::desired::{Application, DesiredApplication, Lookup};
use trueup_core::kind::Kind;
use trueup_core::live::{Live, LiveService, Observed, Traffic};
use trueup_core::names::{Arn, Revision, ServiceId};
use trueup_core::plan;
use trueup_ports::ObserveRequest;

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
    wanted: ObserveRequest,
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
    let mut wanted = ObserveRequest::default();
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
pub(crate) fn wanted<'a>(valid: &Valid, answers: &Answers, before: &'a mut Option<Resolved>) -> &'a ObserveRequest {
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
) -> Option<(&'a ObserveRequest, &'a Rest)> {
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
pub(crate) fn want(desired: &DesiredApplication, wanted: &mut ObserveRequest) {
    if let Some(name) = desired.single(Kind::Service).and_then(|service| text(&service.body, "serviceName")) {
        let id = ServiceId { cluster: desired.cluster.clone(), name: name.to_owned() };
        let count = desired.single(Kind::Service).and_then(|service| service.body.get("desiredCount"));
        if count.is_some_and(|count| !count.is_null()) {
            wanted.scaling.insert(id.clone());
        }
        wanted.services.insert(id);
    }
    if let Some(document) = desired.single(Kind::TaskDefinition)
        && let Some(family) = text(&document.body, "family")
    {
        wanted.families.insert(family.to_owned(), document.digest.clone());
    }
    wanted.target_groups.extend(desired.of(Kind::TargetGroup).filter_map(|d| text(&d.body, "Name").map(str::to_owned)));
    // An unresolved reference is no ARN.
    let listeners = desired.of(Kind::ListenerRule).filter_map(|rule| text(&rule.body, "ListenerArn"));
    wanted.listeners.extend(listeners.filter(|arn| arn.starts_with("arn:")).map(Arn::new));
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
    let name = text(&desired.single(Kind::Service)?.body, "serviceName")?;
    let id = ServiceId { cluster: desired.cluster.clone(), name: name.to_owned() };
    let service = live.services.get(&id)?.present()?;
    service.tags.get("trueup:revision").map(Revision::new)
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}
