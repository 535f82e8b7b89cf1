//! Reading service deployments, where a plan is better with them.

use trueup_core::live::{Live, Observed};
use trueup_ports::{Cloud, ObserveRequest};

/// Reads service deployments into the live state.
pub(crate) async fn read(cloud: &dyn Cloud, request: &ObserveRequest, live: &mut Live) {
    let read = cloud.observe(request).await;
    for service in &request.service_deployments {
        // A cloud that does not answer for one is asked only once.
        let record = read.service_deployments.get(service).cloned().unwrap_or(Observed::Absent);
        live.service_deployments.insert(service.clone(), record);
    }
    for (arn, revision) in read.task_definitions {
        live.task_definitions.entry(arn).or_insert(revision);
    }
}
