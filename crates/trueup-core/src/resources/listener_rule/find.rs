//! Finds the rule of a document among those of its listener.
//!
//! A rule has no name in AWS. It is found by trueup's tags, else by its priority on the listener.

use serde_json::Value;

use crate::desired::Document;
use crate::drift::Context;
use crate::kind::Kind;
use crate::live::{LiveRule, Observed, ReadFailure, Tags};
use crate::names::{ApplicationName, Arn};
use crate::plan::Input;
use crate::plan::builder::{Work, not_asked};
use crate::plan::tags;
use crate::plan::three_way::top;

/// Where a document's rule is.
pub(super) enum Found<'a> {
    Nowhere,
    /// This one, with its tags.
    Rule(&'a LiveRule, Tags),
    /// On another listener, which it cannot leave.
    Elsewhere(Arn),
    /// The priority belongs to another owner's rule.
    Taken(Arn),
    NotObserved(ReadFailure),
}

pub(super) fn find<'a>(input: &Input<'a>, document: &Document, listener: &Arn) -> Found<'a> {
    let rules = match input.live.rules.get(listener) {
        Some(Observed::Present(rules)) => rules.as_slice(),
        Some(Observed::Absent) => &[],
        Some(Observed::Unknown(failure)) => return Found::NotObserved(failure.clone()),
        None => return Found::NotObserved(not_asked("elasticloadbalancing:DescribeRules")),
    };
    let work = Work::new(input, document, None);
    let is_ours = |rule: &&LiveRule| rule.tags.present().is_some_and(|tags| work.owner.owns(tags));
    if let Some(rule) = rules.iter().find(is_ours) {
        return Found::Rule(rule, rule.tags.present().cloned().unwrap_or_default());
    }
    // Ours may be among those whose tags could not be read.
    let unread = rules.iter().find_map(|rule| match &rule.tags {
        Observed::Unknown(failure) => Some(failure),
        Observed::Absent | Observed::Present(_) => None,
    });
    if let Some(failure) = unread {
        return Found::NotObserved(failure.clone());
    }
    let elsewhere = input.live.rules.values().filter_map(Observed::present).flatten().find(is_ours);
    if let Some(arn) = elsewhere.and_then(arn) {
        return Found::Elsewhere(arn);
    }
    let wanted = priority(&document.body);
    match rules.iter().find(|rule| wanted.is_some() && priority(&rule.description) == wanted) {
        None => Found::Nowhere,
        Some(rule) => by_priority(input, &work, rule),
    }
}

/// Decides about a rule that shares only its priority with the document.
fn by_priority<'a>(input: &Input<'a>, work: &Work<'_>, rule: &'a LiveRule) -> Found<'a> {
    let tags = rule.tags.present().cloned().unwrap_or_default();
    let taken = arn(rule).map_or(Found::Nowhere, Found::Taken);
    let Some(application) = tags.get(tags::APPLICATION) else {
        // It has no owner: it is ours if its actions or its conditions match the document. Otherwise it is another
        // rule, which merely has the priority that git wants.
        let changes = work.changes(&work.document.body, &rule.description, &tags, &Context::default());
        let differs = |member| changes.iter().any(|change| top(&change.path) == member);
        let other = tags.contains_key(tags::INSTANCE) || (differs("Conditions") && differs("Actions"));
        return if other { taken } else { Found::Rule(rule, tags) };
    };
    let same = |key| tags.get(key) == work.owner.tags().get(key);
    if !same(tags::INSTANCE) || !same(tags::ENVIRONMENT) {
        return taken;
    }
    if same(tags::APPLICATION) {
        let document = tags.get(tags::DOCUMENT);
        let wanted =
            input.desired.of(Kind::ListenerRule).any(|d| document == Some(&tags::document_tag(d.kind, &d.name)));
        // Another document's rule, which may be about to move; or the file was renamed.
        return if wanted { Found::Nowhere } else { Found::Rule(rule, tags) };
    }
    // The application was renamed, unless git still has both.
    if input.applications.contains(&ApplicationName::new(application.as_str())) {
        return taken;
    }
    Found::Rule(rule, tags)
}

pub(super) fn listener(document: &Document) -> Arn {
    Arn::new(document.body.get("ListenerArn").and_then(Value::as_str).unwrap_or_default())
}

pub(super) fn arn(rule: &LiveRule) -> Option<Arn> {
    rule.description.get("RuleArn").and_then(Value::as_str).map(Arn::new)
}

/// A priority as text: requests have a number, answers a string.
pub(super) fn priority(value: &Value) -> Option<String> {
    match value.get("Priority")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
