//! The record of service deployments, read where a plan is better with it.

use trueup_core::live::{Live, Observed};
use trueup_ports::{Cloud, ObserveRequest};

/// Reads the record of service deployments into what was observed.
pub(crate) async fn read(cloud: &dyn Cloud, wanted: &ObserveRequest, live: &mut Live) {
    let read = cloud.observe(wanted).await;
    for service in &wanted.service_deployments {
        // A cloud that says nothing of it is asked once.
        let record = read.service_deployments.get(service).cloned().unwrap_or(Observed::Absent);
        live.service_deployments.insert(service.clone(), record);
    }
    for (arn, revision) in read.task_definitions {
        live.task_definitions.entry(arn).or_insert(revision);
    }
}
