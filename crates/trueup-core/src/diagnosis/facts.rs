//! The facts behind a finding: AWS's messages, counted, newest first.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::evidence::{Evidence, Task};
use super::message::{Message, clean};
use super::{Fact, Source};
use crate::live::Observed;
use crate::service_deployment::Status;

/// How many different facts are kept: enough for a screen.
const FACTS_MAX: usize = 12;

/// Collects facts and counts equal ones.
#[derive(Default)]
pub(super) struct FactCollector(BTreeMap<(Source, String), (usize, Option<Timestamp>)>);

impl FactCollector {
    /// Adds a fact; equal texts are counted.
    pub(super) fn add(&mut self, source: Source, text: &str, time: Option<Timestamp>) {
        let text = clean(text);
        if !text.is_empty() {
            let (count, latest) = self.0.entry((source, text)).or_default();
            *count += 1;
            *latest = (*latest).max(time);
        }
    }

    /// Adds how a task stopped, in one line without its id, so that equal stops are counted.
    pub(super) fn add_stop(&mut self, task: &Task) {
        let mut parts = Vec::new();
        parts.extend(task.stop_code.clone());
        parts.extend(task.stopped_reason.clone());
        for container in &task.containers {
            let code = container.exit_code.map(|code| format!(" exit code {code}")).unwrap_or_default();
            let health = container.health_status.as_deref().filter(|health| *health == "UNHEALTHY");
            let health = health.map(|health| format!(" {health}")).unwrap_or_default();
            let reason = container.reason.as_deref().filter(|reason| Some(*reason) != task.stopped_reason.as_deref());
            let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
            if !(code.is_empty() && reason.is_empty() && health.is_empty()) {
                parts.push(format!("container `{}`:{code}{health}{reason}", container.name));
            }
        }
        self.add(Source::Task, &parts.join("; "), task.stopped_at);
    }

    /// Adds the reads that failed.
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

    /// Adds ECS's reasons for giving up the deployment, since `from`.
    pub(super) fn add_deployments(&mut self, evidence: &Evidence, deployment: &str, from: Option<Timestamp>) {
        for one in evidence.deployments.present().into_iter().flatten() {
            let message = Message::new(one.rollout_state_reason.as_deref().unwrap_or_default());
            if one.id == deployment || message.has("rolling back to") {
                self.add(Source::Deployment, &message.text, one.updated_at.or(one.created_at));
            }
        }
        for one in evidence.service_deployments.present().into_iter().flatten() {
            // One that failed since then; one without a time could be weeks old.
            if one.created.zip(from).is_some_and(|(at, from)| at >= from) && one.status != Status::Successful {
                let reason = if one.reason.is_empty() { String::new() } else { format!(": {}", one.reason) };
                let text = format!("{}{reason}", one.status.name());
                self.add(Source::Deployment, &text, one.ended.or(one.created));
            }
        }
    }

    /// The facts, newest first; those without a time come last.
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
