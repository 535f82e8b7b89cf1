//! Never back to an older commit.

use std::collections::BTreeMap;

use super::history::{Begun, Commit, History, Violation, effect_time, named};
use crate::ecs::model::ServiceKey;
use crate::recorder::Effect;

/// The product must not deploy an older commit after a newer one, nor write an older `trueup:revision` over a newer one.
///
/// A deployment is as new as the newest pushed commit that wants its images: a revert brings old content by a new commit.
/// Where the harness did not say which images a commit wants, the task definition's tag decides. A late effect is AWS's doing.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let commits = &history.facts.commits;
    let mut violations = Vec::new();
    for (service, deployments) in history.deployments() {
        let mut newest: Option<usize> = None;
        for begun in deployments.iter().filter(|begun| history.is_product(begun.record)) {
            let Some(rank) = rank(commits, service, begun) else { continue };
            if newest.is_some_and(|newest| rank < newest) && !matches!(begun.record.effect, Effect::Late(_)) {
                let newer = newest.map_or("", |newest| commits[newest].id.as_str());
                let text = format!("{} deploys commit {} after {newer}", named(begun.record), commits[rank].id);
                violations.push(Violation { rule: "older commit", call: Some(begun.record.index), text });
            }
            newest = newest.max(Some(rank));
        }
    }
    violations.extend(tags(history));
    violations.sort_by_key(|violation| violation.call);
    violations
}

fn rank(commits: &[Commit], service: &ServiceKey, begun: &Begun) -> Option<usize> {
    if commits.iter().any(|commit| commit.images.contains_key(service)) {
        return commits
            .iter()
            .rposition(|commit| commit.at <= begun.at && commit.images.get(service) == Some(&begun.deployed.images));
    }
    let tag = begun.deployed.revision.as_ref()?;
    commits.iter().position(|commit| commit.id == *tag)
}

fn tags(history: &History) -> Vec<Violation> {
    let order: BTreeMap<&str, usize> =
        history.facts.commits.iter().enumerate().map(|(rank, commit)| (commit.id.as_str(), rank)).collect();
    let mut writes: Vec<_> = history.product_writes().collect();
    writes.sort_by_key(|record| (effect_time(record), record.index));
    let mut violations = Vec::new();
    for record in writes {
        for (service, old, new) in record.truth.iter().flat_map(|truth| &truth.revisions) {
            let (Some(old), Some(new)) = (old.as_deref().and_then(|old| order.get(old)), order.get(new.as_str()))
            else {
                continue;
            };
            if new < old && !matches!(record.effect, Effect::Late(_)) {
                let text = format!(
                    "{} sets trueup:revision of {} back from {} to {}",
                    named(record),
                    service.name,
                    history.facts.commits[*old].id,
                    history.facts.commits[*new].id
                );
                violations.push(Violation { rule: "older commit", call: Some(record.index), text });
            }
        }
    }
    violations
}
