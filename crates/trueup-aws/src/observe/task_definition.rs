//! Task definition revisions: read once, and remembered, because their content never changes.
//!
//! Their tags do change; those that we write are read again ([`TaskDefinitions::forget`]).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use trueup_core::description::Description;
use trueup_core::live::{LiveTaskDefinition, Observed};

use crate::ecs::Read;
use crate::failure;
use crate::reading::{json_tags, not_mentioned};
use crate::session::Session;

/// How many revisions are remembered. As text they take about 4 KB each.
const REMEMBERED_MAX: usize = 8_192;

/// How many pages of a family's revisions are read: each may be shorter than requested.
const PAGES_MAX: usize = 2 * NEWEST_LOOKED_AT;

/// How many of a family's newest revisions are searched for an equal one.
///
/// One page of `ListTaskDefinitions`: missing an older equal revision, after a revert, costs only a redundant new
/// revision.
const NEWEST_LOOKED_AT: usize = 10;

/// A cache of task definition revisions, by ARN or by the name that a service uses for them.
#[derive(Debug, Default)]
pub(crate) struct TaskDefinitions(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// Kept as text: a parsed revision takes several times the memory.
    revisions: BTreeMap<String, (LiveTaskDefinition, u64)>,
    /// Counts uses, to find the least recently used entries.
    uses: u64,
}

impl TaskDefinitions {
    /// Drops a revision, so that it is read again the next time it is needed.
    pub(crate) fn forget(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).revisions.remove(text);
    }

    fn recall(&self, text: &str) -> Option<LiveTaskDefinition> {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.uses += 1;
        let now = remembered.uses;
        let (revision, used) = remembered.revisions.get_mut(text)?;
        *used = now;
        Some(revision.clone())
    }

    fn remember(&self, texts: [&str; 2], revision: &LiveTaskDefinition) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.uses += 1;
        let now = remembered.uses;
        for text in texts {
            remembered.revisions.insert(text.to_owned(), (revision.clone(), now));
        }
        if remembered.revisions.len() > REMEMBERED_MAX {
            let mut used: Vec<u64> = remembered.revisions.values().map(|(_, used)| *used).collect();
            used.sort_unstable();
            // An eighth at a time, so that this sorting is rare.
            let oldest_kept = used[REMEMBERED_MAX / 8];
            remembered.revisions.retain(|_, (_, used)| *used >= oldest_kept);
        }
    }
}

/// Describes a revision, by its ARN or by `family:revision`.
///
/// Source: ECS API reference, `DescribeTaskDefinition`: a revision that was deleted is a `ClientException`, "Unable to
/// describe task definition".
pub(crate) async fn describe(session: &Session, known: &TaskDefinitions, text: &str) -> Observed<LiveTaskDefinition> {
    if let Some(live) = known.recall(text) {
        return Observed::Present(live);
    }
    let input = json!({"taskDefinition": text, "include": ["TAGS"]});
    match session.ecs.read(&session.caller, Read::DescribeTaskDefinition, &input).await {
        Ok(answer) => match live(answer) {
            Some((arn, live)) => {
                known.remember([text, arn.as_deref().unwrap_or(text)], &live);
                Observed::Present(live)
            }
            None => not_mentioned("ecs:DescribeTaskDefinition", text),
        },
        Err(error)
            if error.code.as_deref() == Some("ClientException")
                && error.message.contains("Unable to describe task definition") =>
        {
            Observed::Absent
        }
        Err(error) => failure::unknown(error),
    }
}

/// The newest ACTIVE revisions of a family, newest first.
pub(crate) async fn newest(
    session: &Session,
    known: &TaskDefinitions,
    family: &str,
) -> Observed<Vec<LiveTaskDefinition>> {
    let mut input = json!({
        "familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": NEWEST_LOOKED_AT,
    });
    let mut arns: Vec<(u64, String)> = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut answer = match session.ecs.read(&session.caller, Read::ListTaskDefinitions, &input).await {
            Ok(answer) => answer,
            Err(error) => return failure::unknown(error),
        };
        let Some(listed) = answer.get("taskDefinitionArns").and_then(Value::as_array) else {
            return not_mentioned("ecs:ListTaskDefinitions", "taskDefinitionArns");
        };
        // The reference says full family name, the parameter's name says prefix, and both behaviours exist.
        let listed = listed.iter().filter_map(Value::as_str);
        arns.extend(listed.filter_map(|arn| Some((revision_of(arn, family)?, arn.to_owned()))));
        // AWS may end a page before it is full.
        match answer.get_mut("nextToken").map(Value::take) {
            Some(Value::String(token)) if arns.len() < NEWEST_LOOKED_AT => input["nextToken"] = Value::String(token),
            _ => break,
        }
    }
    arns.sort_unstable_by(|a, b| b.cmp(a));
    let described =
        futures::future::join_all(arns.iter().take(NEWEST_LOOKED_AT).map(|(_, arn)| describe(session, known, arn)))
            .await;
    let mut newest = Vec::new();
    for revision in described {
        match revision {
            Observed::Present(revision) => newest.push(revision),
            // Deleted since it was listed.
            Observed::Absent => {}
            Observed::Unknown(failure) => return Observed::Unknown(failure),
        }
    }
    Observed::Present(newest)
}

/// The full ARN of a described revision.
pub(crate) fn arn(live: &LiveTaskDefinition) -> Option<&str> {
    live.description.get("taskDefinitionArn")?.as_str()
}

/// The family that `…task-definition/FAMILY:REVISION` or `FAMILY:REVISION` names.
pub(crate) fn family(text: &str) -> &str {
    let name = text.rsplit('/').next().unwrap_or(text);
    name.rsplit_once(':').map_or(name, |(family, _)| family)
}

fn revision_of(arn: &str, wanted: &str) -> Option<u64> {
    let revision = arn.rsplit_once(':')?.1.parse().ok()?;
    (family(arn) == wanted).then_some(revision)
}

/// What an answer says, with the revision's ARN.
fn live(mut answer: Value) -> Option<(Option<String>, LiveTaskDefinition)> {
    let tags = json_tags(&answer);
    let description = answer.get_mut("taskDefinition").filter(|description| description.is_object())?.take();
    let arn = description.get("taskDefinitionArn").and_then(Value::as_str).map(str::to_owned);
    Some((arn, LiveTaskDefinition { description: Description::from(description).to_text(), tags }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_found_in_an_arn_and_in_a_short_name() {
        for text in ["arn:aws:ecs:r:1:task-definition/web-app:12", "web-app:12", "web-app"] {
            assert_eq!(family(text), "web-app", "{text}");
        }
        assert_eq!(revision_of("arn:aws:ecs:r:1:task-definition/web-app:12", "web-app"), Some(12));
        assert_eq!(revision_of("arn:aws:ecs:r:1:task-definition/web-app:12", "web"), None, "a prefix only");
    }

    #[test]
    fn what_was_not_used_for_longest_is_dropped_first() {
        let cache = TaskDefinitions::default();
        let revision =
            LiveTaskDefinition { description: Description::from(Value::Null).to_text(), tags: BTreeMap::new() };
        for n in 0..REMEMBERED_MAX {
            let text = format!("a:{n}");
            cache.remember([&text, &text], &revision);
        }
        assert!(cache.recall("a:0").is_some());
        cache.remember(["b:1", "b:1"], &revision);
        assert!(cache.recall("a:0").is_some() && cache.recall("b:1").is_some() && cache.recall("a:1").is_none());
        assert!(cache.0.lock().unwrap().revisions.len() <= REMEMBERED_MAX);
    }
}
