//! Merges AWS's answers about task definitions into live state.

use serde_json::Value;

use crate::kind::Kind;
use crate::live::{Live, LiveTaskDefinition, Observed, Tags};
use crate::names::Arn;
use crate::resources::answer::text;

pub(in crate::resources) fn absorb(live: &mut Live, input: &Value, answer: &Value) {
    let Some(description) = answer.get("taskDefinition") else { return };
    let Some(arn) = text(description, "taskDefinitionArn").map(Arn::new) else { return };
    let tagging = Kind::TaskDefinition.facts().tagging;
    let mut tags = tagging.read(input);
    tags.extend(tagging.read(answer));
    let revision = LiveTaskDefinition { description: description.clone().into(), tags };
    if let Some(family) = text(description, "family").or_else(|| text(input, "family")) {
        let known = live.families.entry(family.to_owned()).or_insert(Observed::Absent);
        match known {
            Observed::Present(revisions) => revisions.insert(0, revision.clone()),
            Observed::Absent => *known = Observed::Present(vec![revision.clone()]),
            Observed::Unknown(_) => {}
        }
    }
    live.task_definitions.insert(arn, Observed::Present(revision));
}

/// Changes the tags of the revision with this ARN.
pub(in crate::resources) fn retag(live: &mut Live, arn: &str, change: &dyn Fn(&mut Tags)) {
    let families = live.families.values_mut().filter_map(|family| match family {
        Observed::Present(revisions) => Some(revisions.iter_mut()),
        Observed::Absent | Observed::Unknown(_) => None,
    });
    let running = live.task_definitions.values_mut().filter_map(|revision| match revision {
        Observed::Present(revision) => Some(revision),
        Observed::Absent | Observed::Unknown(_) => None,
    });
    for revision in families.flatten().chain(running) {
        if text(&revision.description, "taskDefinitionArn") == Some(arn) {
            change(&mut revision.tags);
        }
    }
}
