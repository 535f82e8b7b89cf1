//! Which rules' weights are ECS's, also on behalf of services that a cycle does not look at.

use trueup_core::kind::Kind;
use trueup_core::live::{Live, Observed};
use trueup_core::names::ServiceId;
use trueup_ports::ObserveRequest;

use crate::environment::{EnvironmentLoop, Scope};
use crate::follower::InForce;
use crate::resolution::shifted;

impl EnvironmentLoop {
    /// Asks for the services of all applications when rules are looked at: any of them may name a rule of another
    /// application. Where all applications are minded, full cycles see them anyway, and what they saw is remembered.
    pub(crate) fn want_delegating_services(&self, in_force: &InForce, scope: &Scope, wanted: &mut ObserveRequest) {
        let are_seen = self.context.options.applications.is_empty() || *scope != Scope::All;
        if wanted.listeners.is_empty() || (self.full_cycles > 0 && are_seen) {
            return;
        }
        let ours = in_force.applications.iter().filter(|((environment, _), _)| *environment == self.name);
        let valid = ours.filter_map(|(_, standing)| standing.valid.as_ref());
        wanted.services.extend(valid.filter_map(|valid| {
            let application = &valid.application;
            let service = application.documents.iter().find(|document| document.kind == Kind::Service)?;
            Some(ServiceId { cluster: application.cluster.clone(), name: service.in_aws.clone()? })
        }));
    }

    /// Remembers what ECS shifts for the services that were read, and adds what is remembered to what was observed.
    pub(crate) fn note_traffic(&mut self, live: &mut Live) {
        for (id, service) in &live.services {
            // A copy: what is parsed of it is not needed for long.
            match (service, shifted(&service.clone())) {
                (Observed::Unknown(_), Some(unread)) => drop(self.traffic.entry(id.clone()).or_insert(unread)),
                (_, Some(traffic)) => drop(self.traffic.insert(id.clone(), traffic)),
                (_, None) => drop(self.traffic.remove(id)),
            }
        }
        live.traffic = self.traffic.clone();
    }
}
