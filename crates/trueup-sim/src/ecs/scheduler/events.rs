//! The events of a service, in ECS's words (ECS developer guide, "Amazon ECS service event messages").

use super::timing;
use super::uncertain::fact;
use crate::ecs::model::{ServiceEvent, ServiceKey};
use crate::world::World;

/// ECS keeps so many events of a service.
const EVENTS_MAX: usize = 100;

/// How an event names the service: `(service web)` or, as the documentation and the console write it, `service web`.
fn subject(world: &World, service: &ServiceKey, task_set: Option<u64>) -> String {
    let name = &service.name;
    match task_set {
        Some(id) => format!("(service {name}, taskSet ecs-svc/{id})"),
        None if fact(world, "events name the service without brackets", 10) => format!("service {name}"),
        None => format!("(service {name})"),
    }
}

/// Adds the event `(service NAME) TEXT`.
pub(super) fn tell(world: &mut World, service: &ServiceKey, text: &str) {
    let message = format!("{} {text}", subject(world, service, None));
    push(world, service, message);
}

/// Adds the event `(service NAME) TEXT`, unless the same was added within six hours.
pub(super) fn tell_once(world: &mut World, service: &ServiceKey, text: &str) {
    let now = world.now;
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    let told = &mut known.memory.told;
    if told.get(text).is_some_and(|at| now.since(*at) < timing::MESSAGE_REPEATED_AFTER) {
        return;
    }
    told.retain(|_, at| now.since(*at) < timing::MESSAGE_REPEATED_AFTER);
    told.insert(text.to_owned(), now);
    tell(world, service, text);
}

/// Adds the event `(service NAME) (deployment ecs-svc/N) TEXT`.
pub(super) fn tell_of_deployment(world: &mut World, service: &ServiceKey, deployment: u64, text: &str) {
    tell(world, service, &format!("(deployment ecs-svc/{deployment}) {text}"));
}

/// Adds the event `(service NAME, taskSet ecs-svc/N) has begun draining connections on 1 tasks.`
pub(super) fn tell_draining(world: &mut World, service: &ServiceKey, deployment: u64) {
    let message = format!("{} has begun draining connections on 1 tasks.", subject(world, service, Some(deployment)));
    push(world, service, message);
}

/// `(task ID) (task ID)`.
pub(super) fn task_list(tasks: &[String]) -> String {
    let ids: Vec<String> = tasks.iter().map(|arn| format!("(task {})", task_id(arn))).collect();
    ids.join(" ")
}

/// The last part of a task's ARN.
pub(super) fn task_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn push(world: &mut World, service: &ServiceKey, message: String) {
    let chance = world.chance.of("event ids");
    let id = format!("{}-{}-4{}-a{}-{}", chance.hex(8), chance.hex(4), chance.hex(3), chance.hex(3), chance.hex(12));
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    known.events.push_front(ServiceEvent { id, created_at: world.now, message });
    known.events.truncate(EVENTS_MAX);
}
