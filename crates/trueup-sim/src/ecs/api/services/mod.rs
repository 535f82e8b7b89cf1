//! The actions on services.
//!
//! | file | idea |
//! |---|---|
//! | `create.rs` | `CreateService` |
//! | `update.rs` | `UpdateService`: what changes, and whether that begins a deployment |
//! | `rules.rs` | what both refuse |
//! | `load_balancers.rs` | what both refuse about load balancers |
//! | `describe.rs` | a service as the API shows it |

mod create;
mod describe;
mod load_balancers;
mod rules;
mod update;

use serde_json::{Value, json};

pub(super) use create::create;
pub(super) use describe::{deployment_id, describe};
pub(super) use rules::{check_network, check_platform, check_strategy};
pub(super) use update::update;

use super::errors::{invalid, service_not_active, service_not_found};
use super::input::Input;
use super::names;
use super::paging::{self, Listing};
use super::uncertain::{Question, does};
use crate::ecs::model::ServiceStatus;
use crate::ecs::scheduler;
use crate::wire::Outcome;
use crate::world::World;

/// `DeleteService`: ACTIVE becomes DRAINING. Without `force`, only when nothing is wanted any more.
pub(super) fn delete(world: &mut World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let (key, service) = names::service(world, &cluster, input.required("service")).ok_or_else(service_not_found)?;
    if service.status != ServiceStatus::Active {
        let not_active = does(world, Question::DeletedIsNotActive);
        return Err(if not_active { service_not_active() } else { service_not_found() });
    }
    if service.desired_count > 0 && !input.flag("force") {
        return Err(invalid("The service cannot be stopped while it is scaled above 0."));
    }
    if let Some(service) = world.ecs.services.get_mut(&key) {
        service.status = ServiceStatus::Draining;
        service.desired_count = 0;
    }
    scheduler::deleted(world, &key);
    Ok(json!({ "service": describe::view(world, &key, false) }))
}

/// `ListServices`: the ACTIVE ones, 10 to a page unless the caller asks for another number.
pub(super) fn list(world: &mut World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let is_wanted = |name: &str, settings: &serde_json::Map<String, Value>| {
        input.text(name).is_none_or(|wanted| settings.get(name).is_some_and(|value| value == wanted))
    };
    let items: Vec<_> = world
        .ecs
        .services
        .iter()
        .filter(|(key, service)| key.cluster == cluster && service.status == ServiceStatus::Active)
        .filter(|(_, service)| {
            is_wanted("launchType", &service.settings)
                && is_wanted("schedulingStrategy", &service.settings)
                && input.text("resourceManagementType") != Some("ECS")
        })
        .map(|(key, service)| (key.name.clone(), Value::from(service.arn.clone())))
        .collect();
    paging::page(world, input, Listing { name: "serviceArns", default: 10, descending: false }, items)
}
