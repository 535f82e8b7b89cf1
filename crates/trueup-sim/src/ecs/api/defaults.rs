//! What AWS fills in for what a service's request leaves out.

use serde_json::{Map, Value, json};

use super::input;
use super::normalise::default;
use crate::chance::Stream;
use crate::world::World;

/// The platform version that `LATEST` means on Linux.
pub(super) const LATEST: &str = "1.4.0";

/// A `deploymentConfiguration` with every default; `previous` is what an update leaves in place where it says nothing.
pub(super) fn deployment_configuration(sent: Option<&Value>, previous: Option<&Value>, daemon: bool) -> Value {
    let mut told = previous.cloned().unwrap_or_else(|| json!({}));
    if let (Value::Object(told), Some(Value::Object(sent))) = (&mut told, sent) {
        for (name, value) in sent {
            told.insert(name.clone(), value.clone());
        }
    }
    let (maximum, minimum) = if daemon { (100, 0) } else { (200, 100) };
    default(&mut told, "deploymentCircuitBreaker", json!({ "enable": false, "rollback": false }));
    if let Some(breaker) = told.get_mut("deploymentCircuitBreaker") {
        default(breaker, "resetOnHealthyTask", Value::from(true));
        default(breaker, "thresholdConfiguration", json!({ "type": "BOUNDED_PERCENT", "value": 50 }));
    }
    default(&mut told, "maximumPercent", Value::from(maximum));
    default(&mut told, "minimumHealthyPercent", Value::from(minimum));
    default(&mut told, "strategy", Value::from("ROLLING"));
    let strategy = input::text(&told, "strategy").to_owned();
    if strategy != "BLUE_GREEN" {
        default(&mut told, "bakeTimeInMinutes", Value::from(0));
    }
    let stepwise = [
        ("LINEAR", "linearConfiguration", json!({ "stepPercent": 10.0, "stepBakeTimeInMinutes": 6 })),
        ("CANARY", "canaryConfiguration", json!({ "canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10 })),
    ];
    for (owner, name, values) in stepwise {
        if strategy == owner {
            default(&mut told, name, json!({}));
            if let (Some(part), Value::Object(values)) = (told.get_mut(name), values) {
                values.into_iter().for_each(|(name, value)| default(part, &name, value));
            }
        } else if let Value::Object(members) = &mut told {
            // Sent with another strategy, it is dropped without a word.
            members.remove(name);
        }
    }
    told
}

/// A `networkConfiguration`: lists that are sets come back in an order of their own, which the service keeps.
pub(super) fn network_configuration(world: &World, service: &str, sent: &Value) -> Value {
    let mut told = sent.clone();
    if let Some(vpc) = told.get_mut("awsvpcConfiguration") {
        default(vpc, "securityGroups", json!([]));
        default(vpc, "assignPublicIp", Value::from("DISABLED"));
        for name in ["subnets", "securityGroups"] {
            if let Some(Value::Array(items)) = vpc.get_mut(name) {
                // The same set gives the same order, so that equal requests have equal answers.
                items
                    .sort_by_cached_key(|item| Stream::named(world.chance.seed(), &format!("{service} {item}")).bits());
                items.dedup();
            }
        }
    }
    told
}

/// A `placementStrategy`: `cpu` and `memory` come back in capitals.
pub(super) fn placement_strategy(sent: &[Value]) -> Value {
    let told = sent.iter().map(|one| {
        let mut told = one.clone();
        let field = input::text(one, "field");
        if field == "cpu" || field == "memory" {
            told["field"] = Value::from(field.to_uppercase());
        }
        told
    });
    told.collect()
}

/// An element of a capacity provider strategy.
pub(super) fn strategy_item(sent: &Value) -> Value {
    let mut told = sent.clone();
    default(&mut told, "weight", Value::from(0));
    default(&mut told, "base", Value::from(0));
    told
}

/// Settings with either a strategy or a launch type, and never both.
pub(super) fn set_capacity(settings: &mut Map<String, Value>, strategy: &[Value], launch_type: &str) {
    settings.remove("launchType");
    settings.remove("capacityProviderStrategy");
    if strategy.is_empty() {
        settings.insert("launchType".to_owned(), Value::from(launch_type));
    } else {
        let strategy = strategy.iter().map(strategy_item).collect();
        settings.insert("capacityProviderStrategy".to_owned(), strategy);
    }
}

/// Whether tasks with these settings run on Fargate.
pub(super) fn is_fargate(settings: &Map<String, Value>) -> bool {
    let strategy = input::list(settings.get("capacityProviderStrategy"));
    settings.get("launchType").is_some_and(|kind| kind == "FARGATE")
        || strategy.iter().any(|item| input::text(item, "capacityProvider").starts_with("FARGATE"))
}

/// Fills in `platformVersion` and `platformFamily` on Fargate, and takes them away elsewhere.
pub(super) fn set_platform(settings: &mut Map<String, Value>, task_definition: &Map<String, Value>) {
    if !is_fargate(settings) {
        settings.remove("platformVersion");
        settings.remove("platformFamily");
        return;
    }
    settings.entry("platformVersion").or_insert_with(|| Value::from("LATEST"));
    let system =
        task_definition.get("runtimePlatform").map_or("", |platform| input::text(platform, "operatingSystemFamily"));
    // Mixed case, unlike every other word of the API.
    let family = if system.is_empty() || system == "LINUX" { "Linux" } else { system };
    settings.insert("platformFamily".to_owned(), Value::from(family));
}

/// `LATEST` as deployments, revisions and tasks show it.
pub(super) fn concrete_platform_version(settings: &Map<String, Value>) -> Option<&str> {
    let version = settings.get("platformVersion").and_then(Value::as_str)?;
    Some(if version == "LATEST" { LATEST } else { version })
}
