//! Application Auto Scaling: the services whose counts it governs, and a scriptable autoscaler.

use serde_json::{Value, json};

use super::common::{page, page_size, unknown_operation};
use super::model::{ScalableTarget, TargetKey};
use crate::ecs::model::{ServiceKey, ServiceStatus};
use crate::ecs::scheduler;
use crate::input::{number, text, texts};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

pub(super) fn answer(world: &mut World, action: &str, input: &Value) -> Outcome {
    match action {
        "RegisterScalableTarget" => register(world, input),
        "DescribeScalableTargets" => describe(world, input),
        "DeregisterScalableTarget" => deregister(world, input),
        _ => Err(unknown_operation(action)),
    }
}

/// Has an autoscaler change the desired count of a service, within the bounds of its scalable target. Does nothing if
/// the target or the service does not exist.
pub fn scale(world: &mut World, cluster: &str, service: &str, count: u64) {
    let key = ("ecs".to_owned(), format!("service/{cluster}/{service}"), "ecs:service:DesiredCount".to_owned());
    let Some(target) = world.scalable_targets.get(&key) else { return };
    let count = count.clamp(target.min, target.max);
    set_count(world, &ServiceKey { cluster: cluster.to_owned(), name: service.to_owned() }, count);
}

fn set_count(world: &mut World, key: &ServiceKey, count: u64) {
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    if service.status == ServiceStatus::Active && service.desired_count != count {
        service.desired_count = count;
        scheduler::settings_changed(world, key);
    }
}

fn key(input: &Value) -> Result<TargetKey, ApiError> {
    let member = |name: &str| {
        text(input, name).map(str::to_owned).ok_or_else(|| {
            let spelt = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
            invalid(format!(
                "1 validation error detected: Value null at '{spelt}' failed to satisfy constraint: Member must not be null"
            ))
        })
    };
    Ok((member("ServiceNamespace")?, member("ResourceId")?, member("ScalableDimension")?))
}

/// The service of a target that is one of ECS.
fn service(key: &TargetKey) -> Option<ServiceKey> {
    let (cluster, name) = key.1.strip_prefix("service/")?.split_once('/')?;
    (key.2 == "ecs:service:DesiredCount").then(|| ServiceKey { cluster: cluster.to_owned(), name: name.to_owned() })
}

/// Registering changes the count of a service that is out of bounds at once.
fn register(world: &mut World, input: &Value) -> Outcome {
    let key = key(input)?;
    let known = world.scalable_targets.get(&key).cloned();
    let min = number(input, "MinCapacity")?.or(known.as_ref().map(|known| known.min));
    let max = number(input, "MaxCapacity")?.or(known.as_ref().map(|known| known.max));
    let (Some(min), Some(max)) = (min, max) else {
        return Err(invalid("MinCapacity and MaxCapacity must be specified when a scalable target is registered"));
    };
    if min > max {
        return Err(invalid("Maximum capacity cannot be less than minimum capacity"));
    }
    let of_service = service(&key);
    let count = match &of_service {
        Some(service) => match world.ecs.services.get(service) {
            Some(found) if found.status == ServiceStatus::Active => Some(found.desired_count),
            _ => return Err(invalid(format!("ECS service doesn't exist: {}", key.1))),
        },
        None => None,
    };
    let id = world.chance.of("autoscaling: ids").hex(32);
    let mut target = known.unwrap_or_else(|| ScalableTarget {
        arn: world.arn("application-autoscaling", &format!("scalable-target/{id}")),
        min,
        max,
        suspended: json!({
            "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": false,
        }),
        created_at: world.now,
    });
    (target.min, target.max) = (min, max);
    for (kind, suspended) in input.get("SuspendedState").and_then(Value::as_object).into_iter().flatten() {
        target.suspended[kind] = suspended.clone();
    }
    let arn = target.arn.clone();
    world.scalable_targets.insert(key, target);
    if let (Some(service), Some(count)) = (of_service, count) {
        set_count(world, &service, count.clamp(min, max));
    }
    Ok(json!({"ScalableTargetARN": arn}))
}

fn describe(world: &World, input: &Value) -> Outcome {
    let namespace = text(input, "ServiceNamespace").ok_or_else(|| {
        invalid(
            "1 validation error detected: Value null at 'serviceNamespace' failed to satisfy constraint: Member must not \
             be null",
        )
    })?;
    let (ids, dimension) = (texts(input, "ResourceIds"), text(input, "ScalableDimension"));
    let selected = world.scalable_targets.iter().filter(|(key, _)| {
        key.0 == namespace
            && (ids.is_empty() || ids.contains(&key.1.as_str()))
            && dimension.is_none_or(|dimension| dimension == key.2)
    });
    let all = selected.map(|(key, target)| {
        let shown = json!({
            "ServiceNamespace": key.0, "ResourceId": key.1, "ScalableDimension": key.2, "MinCapacity": target.min,
            "MaxCapacity": target.max, "SuspendedState": target.suspended, "ScalableTargetARN": target.arn,
            "CreationTime": target.created_at.epoch_seconds(),
            "RoleARN": format!(
                "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/\
                 AWSServiceRoleForApplicationAutoScaling_ECSService",
                world.account
            ),
        });
        (key.1.clone(), shown)
    });
    let (targets, next) = page(all.collect(), text(input, "NextToken"), page_size(input, "MaxResults", 50)?);
    let mut answer = json!({"ScalableTargets": targets});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

fn deregister(world: &mut World, input: &Value) -> Outcome {
    let key = key(input)?;
    if world.scalable_targets.remove(&key).is_none() {
        return Err(ApiError::client(
            "ObjectNotFoundException",
            format!(
                "No scalable target registered for service namespace: {}, resource ID: {}, scalable dimension: {}",
                key.0, key.1, key.2
            ),
        ));
    }
    Ok(json!({}))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}
