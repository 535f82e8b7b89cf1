//! Which rules' weights are ECS's, also on behalf of services that a cycle does not observe.

use trueup_core::kind::Kind;
use trueup_core::live::{Live, LiveService, Observed, Traffic};
use trueup_core::names::ServiceId;
use trueup_core::resources::service::traffic;
use trueup_ports::ObserveRequest;

use crate::desired_state::DesiredState;
use crate::environment::{EnvironmentLoop, Scope};

impl EnvironmentLoop {
    /// Adds the services of all applications to a request for rules: any of them may name a rule of another application.
    /// Where all applications are selected, full cycles observe them anyway, and the result is kept.
    pub(crate) fn want_delegating_services(&self, current: &DesiredState, scope: &Scope, request: &mut ObserveRequest) {
        let are_seen = self.context.options.applications.is_empty() || *scope != Scope::All;
        if request.listeners.is_empty() || (self.full_cycles > 0 && are_seen) {
            return;
        }
        let ours = current.applications.iter().filter(|((environment, _), _)| *environment == self.name);
        let valid = ours.filter_map(|(_, documents)| documents.valid.as_ref());
        request.services.extend(valid.filter_map(|valid| {
            let application = &valid.application;
            let service = application.documents.iter().find(|document| document.kind == Kind::Service)?;
            Some(ServiceId { cluster: application.cluster.clone(), name: service.in_aws.clone()? })
        }));
    }

    /// Records what ECS shifts for the services that were read, and adds everything recorded to the live state.
    pub(crate) fn note_traffic(&mut self, live: &mut Live) {
        for (id, service) in &live.services {
            // A copy: its parsed form is not needed for long.
            match (service, shifted(&service.clone())) {
                (Observed::Unknown(_), Some(unread)) => drop(self.traffic.entry(id.clone()).or_insert(unread)),
                (_, Some(traffic)) => drop(self.traffic.insert(id.clone(), traffic)),
                (_, None) => drop(self.traffic.remove(id)),
            }
        }
        live.traffic = self.traffic.clone();
    }
}

/// What ECS shifts on behalf of an observed service; `None` when there is nothing.
fn shifted(service: &Observed<LiveService>) -> Option<Traffic> {
    let traffic = match service {
        Observed::Present(service) => traffic(&service.description),
        Observed::Absent => return None,
        Observed::Unknown(_) => Traffic { unread: true, ..Traffic::default() },
    };
    (traffic != Traffic::default()).then_some(traffic)
}
