//! Resolving references, and what must be observed for the resolved documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use trueup_core::desired::{Application, DesiredApplication, Document, Lookup};
use trueup_core::kind::Kind;
use trueup_core::live::{Live, Observed};
use trueup_core::names::{Arn, Revision};
use trueup_ports::ObserveRequest;

use crate::desired_state::ValidDocuments;
use crate::rest::Rest;

/// AWS's answers to lookups.
pub(crate) type LookupAnswers = BTreeMap<Lookup, Observed<String>>;

/// A resolved application, with its sources: while these stay the same, nothing is resolved again.
pub(crate) struct Resolved {
    application: Arc<Application>,
    revision: Revision,
    /// The answers to its lookups, if there were any.
    answers: BTreeMap<Lookup, Option<Observed<String>>>,
    /// The resources to observe for it.
    request: ObserveRequest,
    /// Its documents, unless it is at rest: parsed, they take several times the memory of their sources.
    desired: Option<Arc<DesiredApplication>>,
    /// The observation that left nothing to do, while the application is at rest.
    pub rest: Option<Rest>,
}

impl Resolved {
    /// Whether it was resolved from these sources.
    fn is_of(&self, valid: &ValidDocuments, answers: &LookupAnswers) -> bool {
        Arc::ptr_eq(&self.application, &valid.application)
            && self.revision == valid.revision
            && self.answers.iter().all(|(lookup, answer)| answers.get(lookup) == answer.as_ref())
    }

    /// Records that there is nothing to do while this is observed, and drops the parsed documents.
    pub fn put_to_rest(&mut self, rest: Rest) {
        self.rest = Some(rest);
        self.desired = None;
    }
}

/// Resolves an application, or returns the earlier result when its sources are the same.
pub(crate) fn resolve(
    valid: &ValidDocuments,
    answers: &LookupAnswers,
    before: &mut Option<Resolved>,
) -> Arc<DesiredApplication> {
    if let Some(before) = before.as_mut().filter(|before| before.is_of(valid, answers)) {
        let make = || Arc::new(valid.application.resolve(&valid.revision, answers));
        return before.desired.get_or_insert_with(make).clone();
    }
    let desired = Arc::new(valid.application.resolve(&valid.revision, answers));
    let lookups = valid.application.lookups().into_iter();
    *before = Some(Resolved {
        application: valid.application.clone(),
        revision: valid.revision.clone(),
        answers: lookups.map(|lookup| (lookup.clone(), answers.get(&lookup).cloned())).collect(),
        request: request_for(&desired),
        desired: Some(desired.clone()),
        rest: None,
    });
    desired
}

/// The resources to observe for an application. Resolves it only if its sources changed.
pub(crate) fn request<'a>(
    valid: &ValidDocuments,
    answers: &LookupAnswers,
    before: &'a mut Option<Resolved>,
) -> &'a ObserveRequest {
    if !before.as_ref().is_some_and(|before| before.is_of(valid, answers)) {
        resolve(valid, answers, before);
    }
    &before.as_ref().expect("it was resolved just before").request
}

/// The request and the observation of an application at rest; `None` if its sources changed.
pub(crate) fn rest<'a>(
    valid: &ValidDocuments,
    answers: &LookupAnswers,
    before: Option<&'a Resolved>,
) -> Option<(&'a ObserveRequest, &'a Rest)> {
    let before = before.filter(|before| before.is_of(valid, answers))?;
    Some((&before.request, before.rest.as_ref()?))
}

/// The names in AWS of the target groups that an application's own documents create. They are observed with all other
/// resources, so that no lookup is spent on them.
pub(crate) fn own_target_groups(application: &Application) -> impl Iterator<Item = String> + '_ {
    let documents = application.documents.iter().filter(|draft| draft.kind == Kind::TargetGroup);
    documents.filter_map(|draft| draft.in_aws.clone())
}

/// Answers lookups of target groups from the observed target groups.
pub(crate) fn answer_target_groups(live: &Live, answers: &mut LookupAnswers) {
    for (name, observed) in &live.target_groups {
        let arn =
            observed.clone().map(|group| text(&group.description, "TargetGroupArn").unwrap_or_default().to_owned());
        answers.insert(Lookup::TargetGroup(name.clone()), arn);
    }
}

/// The request for the resources of an application.
fn request_for(desired: &DesiredApplication) -> ObserveRequest {
    let mut request = ObserveRequest::default();
    for Document { kind, body, digest, .. } in &desired.documents {
        // One arm for each kind: the resources of a kind without one would be `NotObserved` for ever.
        match kind {
            Kind::Service => {
                let Some(id) = desired.service_id() else { continue };
                if body.get("desiredCount").is_some_and(|count| !count.is_null()) {
                    request.scaling.insert(id.clone());
                }
                request.services.insert(id);
            }
            Kind::TaskDefinition => {
                request.families.extend(text(body, "family").map(|family| (family.to_owned(), digest.clone())));
            }
            Kind::TargetGroup => request.target_groups.extend(text(body, "Name").map(str::to_owned)),
            Kind::ListenerRule => {
                // An unresolved reference is not an ARN.
                let listener = text(body, "ListenerArn").filter(|arn| arn.starts_with("arn:"));
                request.listeners.extend(listener.map(Arn::new));
            }
        }
    }
    request
}

/// The commit that was applied last to an application's service, by its tag.
pub(crate) fn applied_revision(desired: &DesiredApplication, live: &Live) -> Option<Revision> {
    let service = live.services.get(&desired.service_id()?)?.present()?;
    service.tags.get("trueup:revision").map(Revision::new)
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}
