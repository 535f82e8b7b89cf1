//! Observing an environment in one go: what its applications need, and what comes before that.

use std::collections::BTreeSet;

use trueup_core::desired::Lookup;
use trueup_core::live::Live;
use trueup_core::names::{ApplicationName, Revision};
use trueup_core::plan::Plan;
use trueup_ports::{Cloud, ObserveRequest, Priority};

use crate::application::ApplicationState;
use crate::desired_state::{DesiredState, ValidDocuments};
use crate::environment::{EnvironmentLoop, Scope};
use crate::resolution::{self, LookupAnswers};

impl EnvironmentLoop {
    /// Resolves the references of the applications, except those to target groups that the applications themselves
    /// create: these are answered by the last observation of them, and by the one that follows.
    pub(crate) async fn resolve(
        &self,
        cloud: &dyn Cloud,
        current: &DesiredState,
        valid: &[(&ApplicationName, &ValidDocuments)],
    ) -> LookupAnswers {
        let own: BTreeSet<Lookup> = valid
            .iter()
            .flat_map(|(_, valid)| resolution::own_target_groups(&valid.application))
            .map(Lookup::TargetGroup)
            .collect();
        let lookups: BTreeSet<Lookup> =
            valid.iter().flat_map(|(_, valid)| valid.application.lookups()).filter(|l| !own.contains(l)).collect();
        tracing::trace!(environment = %self.name, revision = %current.revision, lookups = lookups.len(), "Resolving.");
        let mut answers = if lookups.is_empty() { LookupAnswers::new() } else { cloud.resolve(&lookups).await };
        for (name, seen) in &self.target_groups {
            let lookup = Lookup::TargetGroup(name.clone());
            if own.contains(&lookup) {
                answers.insert(lookup, seen.clone());
            }
        }
        answers
    }

    /// Observes what the applications need, in one go.
    pub(crate) async fn observe(
        &mut self,
        cloud: &dyn Cloud,
        current: &DesiredState,
        scope: &Scope,
        valid: &[(&ApplicationName, &ValidDocuments)],
        answers: &mut LookupAnswers,
    ) -> Live {
        let mut request = ObserveRequest::default();
        for (name, valid) in valid {
            let status = self.context.status.get(&self.name, name);
            let state = self.state(name);
            request.merge(resolution::request(valid, answers, &mut state.resolved));
            // A full cycle is not urgent, whichever applications are in it.
            if *scope != Scope::All {
                let plan = status.as_ref().map(|status| &status.plan);
                request.priority = request.priority.min(urgency(state, plan, &valid.revision));
            }
            request.refresh.append(&mut state.refresh);
        }
        self.want_inventory(current, scope, &mut request);
        self.want_delegating_services(current, scope, &mut request);
        let mut live = cloud.observe(&request).await;
        self.note_traffic(&mut live);
        resolution::answer_target_groups(&live, answers);
        for name in live.target_groups.keys() {
            if let Some(answer) = answers.get(&Lookup::TargetGroup(name.clone())) {
                self.target_groups.insert(name.clone(), answer.clone());
            }
        }
        live
    }
}

/// The priority of observing an application whose last plan is `shown`.
fn urgency(state: &ApplicationState, shown: Option<&Plan>, revision: &Revision) -> Priority {
    match shown {
        _ if !state.refresh.is_empty() => Priority::Safety,
        Some(plan) if plan.is_unsettled() => Priority::Safety,
        Some(plan) if plan.is_rolling() => Priority::Rollout,
        Some(plan) if plan.revision == *revision => Priority::Rest,
        Some(_) | None => Priority::Deploy,
    }
}
