//! Deleting services that git no longer has.

use serde_json::json;

use crate::live::OwnedResource;
use crate::operation::Operation;
use crate::resources::Pruning;

pub(in crate::resources) static PRUNING: Pruning = Pruning {
    name_in_git: |application, document| {
        let name = document.body.get("serviceName").and_then(serde_json::Value::as_str).unwrap_or_default();
        format!("{}/{name}", application.cluster)
    },
    name_in_aws: |resource| cluster_and_name(resource).map(|(cluster, name)| format!("{cluster}/{name}")),
    kept_by_document: false,
    deletion: |resource| {
        let (cluster, name) = cluster_and_name(resource).unwrap_or_default();
        // `force` deletes a service that still runs tasks in one call. Scaling it down first would end as many
        // tasks, and leave a service at zero behind whenever we stop in between.
        (Operation::DeleteService, json!({"cluster": cluster, "service": name, "force": true}))
    },
    waits_for_users: false,
};

/// Cluster and name of a service, from its ARN; the older form of ARNs does not have the cluster.
fn cluster_and_name(resource: &OwnedResource) -> Option<(String, String)> {
    let (_, path) = resource.arn.as_str().split_once(":service/")?;
    if let Some((cluster, name)) = path.split_once('/') {
        return Some((cluster.to_owned(), name.to_owned()));
    }
    let cluster = resource.description.get("clusterArn")?.as_str()?;
    Some((cluster.rsplit('/').next()?.to_owned(), path.to_owned()))
}
