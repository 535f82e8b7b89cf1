//! Clusters.

use serde_json::{Map, Value, json};

use super::errors::{invalid, missing};
use super::input::{Input, tag_list};
use super::paging::{self, Listing};
use super::{names, tags};
use crate::ecs::model::{Cluster, ServiceStatus, TaskStatus};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// At most so many clusters in one `DescribeClusters`.
const DESCRIBE_MAX: usize = 100;

/// `CreateCluster`: a name that exists already is no error, and nothing of it changes.
pub(super) fn create(world: &mut World, input: &Input) -> Outcome {
    let name = input.text("clusterName").filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
    if !is_name(&name) {
        return Err(invalid("Cluster name contains invalid characters"));
    }
    let given = tags::given(input)?;
    if !world.ecs.clusters.get(&name).is_some_and(|cluster| cluster.active) {
        let mut settings = Map::new();
        for member in ["configuration", "settings", "serviceConnectDefaults"] {
            if let Some(value) = input.0.get(member) {
                settings.insert(member.to_owned(), value.clone());
            }
        }
        settings.entry("settings").or_insert_with(|| json!([{ "name": "containerInsights", "value": "disabled" }]));
        set_providers(&mut settings, input);
        let arn = world.arn("ecs", &format!("cluster/{name}"));
        world.ecs.clusters.insert(name.clone(), Cluster { arn, active: true, tags: given, settings });
    }
    Ok(json!({ "cluster": view(world, &name, &["TAGS", "SETTINGS", "CONFIGURATIONS"]) }))
}

/// `DescribeClusters`: clusters that are gone are in `failures`.
pub(super) fn describe(world: &World, input: &Input) -> Outcome {
    let mut asked = input.texts("clusters");
    if asked.is_empty() {
        asked.push("default");
    }
    if asked.len() > DESCRIBE_MAX {
        return Err(invalid("Clusters cannot have more than 100 elements."));
    }
    let include = input.texts("include");
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for reference in asked {
        let name = names::cluster_name(reference);
        if world.ecs.clusters.contains_key(name) {
            clusters.push(view(world, name, &include));
        } else {
            failures.push(missing(&world.arn("ecs", &format!("cluster/{name}"))));
        }
    }
    Ok(json!({ "clusters": clusters, "failures": failures }))
}

/// `ListClusters`: the ACTIVE ones.
pub(super) fn list(world: &mut World, input: &Input) -> Outcome {
    let active = world.ecs.clusters.iter().filter(|(_, cluster)| cluster.active);
    let items: Vec<_> = active.map(|(name, cluster)| (name.clone(), Value::from(cluster.arn.clone()))).collect();
    paging::page(world, input, Listing { name: "clusterArns", default: 100, descending: false }, items)
}

/// `DeleteCluster`: refused while it has services or tasks.
pub(super) fn delete(world: &mut World, input: &Input) -> Outcome {
    let name = names::cluster(world, input)?;
    let has_services =
        world.ecs.services.iter().any(|(key, service)| key.cluster == name && service.status == ServiceStatus::Active);
    if has_services {
        return Err(ApiError::client(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ));
    }
    if world.ecs.tasks.values().any(|task| task.cluster == name && task.last_status != TaskStatus::Stopped) {
        return Err(ApiError::client(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        ));
    }
    if let Some(cluster) = world.ecs.clusters.get_mut(&name) {
        cluster.active = false;
    }
    Ok(json!({ "cluster": view(world, &name, &[]) }))
}

/// `PutClusterCapacityProviders`: both lists replace what was there.
pub(super) fn put_capacity_providers(world: &mut World, input: &Input) -> Outcome {
    let name = names::cluster(world, input)?;
    if let Some(cluster) = world.ecs.clusters.get_mut(&name) {
        set_providers(&mut cluster.settings, input);
    }
    Ok(json!({ "cluster": view(world, &name, &["SETTINGS"]) }))
}

fn set_providers(settings: &mut Map<String, Value>, input: &Input) {
    settings.insert("capacityProviders".to_owned(), Value::from(input.list("capacityProviders")));
    let strategy = input.list("defaultCapacityProviderStrategy").iter().map(super::defaults::strategy_item).collect();
    settings.insert("defaultCapacityProviderStrategy".to_owned(), strategy);
}

/// Letters, digits, `_` and `-`, at most 255 of them: the names of clusters, services and families.
pub(super) fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn view(world: &World, name: &str, include: &[&str]) -> Value {
    let Some(cluster) = world.ecs.clusters.get(name) else { return Value::Null };
    let services = world
        .ecs
        .services
        .iter()
        .filter(|(key, service)| key.cluster == name && service.status == ServiceStatus::Active);
    let tasks = |wanted: &dyn Fn(TaskStatus) -> bool| {
        world.ecs.tasks.values().filter(|task| task.cluster == name && wanted(task.last_status)).count()
    };
    let mut view = json!({
        "clusterArn": cluster.arn,
        "clusterName": name,
        "status": if cluster.active { "ACTIVE" } else { "INACTIVE" },
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": tasks(&|status| status == TaskStatus::Running),
        "pendingTasksCount": tasks(&|status| status < TaskStatus::Running),
        "activeServicesCount": services.count(),
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": cluster.settings.get("capacityProviders"),
        "defaultCapacityProviderStrategy": cluster.settings.get("defaultCapacityProviderStrategy"),
    });
    if include.contains(&"TAGS") {
        view["tags"] = tag_list(&cluster.tags);
    }
    for (wanted, member) in [("SETTINGS", "settings"), ("CONFIGURATIONS", "configuration")] {
        if let Some(value) = cluster.settings.get(member).filter(|_| include.contains(&wanted)) {
            view[member] = value.clone();
        }
    }
    if let Some(value) = cluster.settings.get("serviceConnectDefaults") {
        view["serviceConnectDefaults"] = value.clone();
    }
    view
}
