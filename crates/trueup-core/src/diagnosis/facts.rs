//! The facts behind a finding: AWS's own words, counted, newest first.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::evidence::{Evidence, Task};
use super::words::{Words, clean};
use super::{Fact, Source};
use crate::live::Observed;
use crate::service_deployment::Status;

/// How many different facts are kept: enough for a screen.
const FACTS_MAX: usize = 12;

/// Facts in the making.
#[derive(Default)]
pub(super) struct Facts(BTreeMap<(Source, String), (usize, Option<Timestamp>)>);

impl Facts {
    /// Adds one; the same words again count.
    pub(super) fn add(&mut self, source: Source, text: &str, time: Option<Timestamp>) {
        let text = clean(text);
        if !text.is_empty() {
            let (count, latest) = self.0.entry((source, text)).or_default();
            *count += 1;
            *latest = (*latest).max(time);
        }
    }

    /// How a task stopped, in one line without its id, so that equal stops count.
    pub(super) fn add_stop(&mut self, task: &Task) {
        let mut said = Vec::new();
        said.extend(task.stop_code.clone());
        said.extend(task.stopped_reason.clone());
        for container in &task.containers {
            let code = container.exit_code.map(|code| format!(" exit code {code}")).unwrap_or_default();
            let health = container.health_status.as_deref().filter(|health| *health == "UNHEALTHY");
            let health = health.map(|health| format!(" {health}")).unwrap_or_default();
            let reason = container.reason.as_deref().filter(|reason| Some(*reason) != task.stopped_reason.as_deref());
            let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
            if !(code.is_empty() && reason.is_empty() && health.is_empty()) {
                said.push(format!("container `{}`:{code}{health}{reason}", container.name));
            }
        }
        self.add(Source::Task, &said.join("; "), task.stopped_at);
    }

    /// What could not be read.
    pub(super) fn add_gaps(&mut self, evidence: &Evidence) {
        let targets = evidence.targets.values().map(gap);
        let parts = [
            gap(&evidence.tasks),
            gap(&evidence.events),
            gap(&evidence.deployments),
            gap(&evidence.service_deployments),
        ];
        for text in parts.into_iter().chain(targets).flatten() {
            self.add(Source::NotRead, &text, None);
        }
    }

    /// Why ECS says it gave the deployment up, since `from`.
    pub(super) fn add_deployments(&mut self, evidence: &Evidence, deployment: &str, from: Option<Timestamp>) {
        for one in evidence.deployments.present().into_iter().flatten() {
            let words = Words::new(one.rollout_state_reason.as_deref().unwrap_or_default());
            if one.id == deployment || words.has("rolling back to") {
                self.add(Source::Deployment, &words.text, one.updated_at.or(one.created_at));
            }
        }
        for one in evidence.service_deployments.present().into_iter().flatten() {
            // The newest that did not succeed; without the time it could be one of weeks ago.
            if one.created.zip(from).is_some_and(|(at, from)| at >= from) && one.status != Status::Successful {
                let reason = if one.reason.is_empty() { String::new() } else { format!(": {}", one.reason) };
                let text = format!("{}{reason}", one.status.name());
                self.add(Source::Deployment, &text, one.ended.or(one.created));
            }
        }
    }

    /// The facts, newest first; what has no time comes last.
    pub(super) fn finish(self) -> Vec<Fact> {
        let facts = self.0.into_iter().map(|((source, text), (count, time))| Fact { source, text, count, time });
        let mut facts: Vec<Fact> = facts.collect();
        facts.sort_by(|a, b| {
            b.time.cmp(&a.time).then_with(|| a.source.cmp(&b.source)).then_with(|| a.text.cmp(&b.text))
        });
        facts.truncate(FACTS_MAX);
        facts
    }
}

fn gap<T>(part: &Observed<T>) -> Option<String> {
    match part {
        Observed::Unknown(failure) => Some(failure.to_string()),
        Observed::Present(_) | Observed::Absent => None,
    }
}
