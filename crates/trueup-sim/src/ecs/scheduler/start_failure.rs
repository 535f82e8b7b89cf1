//! Why a task never got as far as running, in ECS's words (ECS developer guide, "Stopped task error messages").

use std::time::Duration;

use serde_json::Value;

use super::find::container_definitions;
use super::memory::Failure;
use super::{image, stop, timing};
use crate::workload::Start;
use crate::world::World;

/// How long it takes until the task fails to start; none when it starts.
pub(super) fn takes(world: &mut World, arn: &str) -> Option<Duration> {
    let (_, start) = culprit(world, arn)?;
    Some(match start {
        Start::Runs => return None,
        Start::ImageMissing => timing::PULL_RETRIES.draw(world),
        Start::WrongPlatform | Start::SecretMissing | Start::PullDenied => timing::SECRET_RETRIES.draw(world),
    })
}

/// The task ends without having run.
pub(super) fn happen(world: &mut World, arn: &str) {
    let Some((container, start)) = culprit(world, arn) else { return };
    let Some(reason) = reason(world, arn, container, &start) else { return };
    let message = reason.clone();
    if let Some(task) = world.ecs.tasks.get_mut(arn)
        && let Some(container) = task.containers.get_mut(container)
        && matches!(start, Start::ImageMissing | Start::WrongPlatform | Start::PullDenied)
    {
        container.reason = Some(message);
    }
    stop::failed(world, arn, Failure::NeverRan, "TaskFailedToStart", &reason);
}

/// The first container that cannot start.
fn culprit(world: &World, arn: &str) -> Option<(usize, Start)> {
    let task = world.ecs.tasks.get(arn)?;
    let starts = task.containers.iter().map(|container| image::start(world, &task.task_definition, container));
    starts.enumerate().find(|(_, start)| *start != Start::Runs)
}

fn reason(world: &World, arn: &str, container: usize, start: &Start) -> Option<String> {
    let task = world.ecs.tasks.get(arn)?;
    let named = full_name(&task.containers.get(container)?.image);
    Some(match start {
        Start::Runs => return None,
        Start::ImageMissing => format!(
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref {named}: {named}: not found"
        ),
        Start::WrongPlatform => format!(
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain descriptor matching platform 'linux/{}'",
            image::architecture(world, &task.task_definition)
        ),
        Start::PullDenied => format!(
            "CannotPullContainerError: The task can\u{2019}t pull the image. Check that the role has the permissions to pull images from the registry. failed to resolve ref {named}: pull access denied"
        ),
        Start::SecretMissing => {
            let secret = secret(world, &task.task_definition, container);
            let (from, why) = if secret.contains(":ssm:") {
                ("ssm", "ParameterNotFound".to_owned())
            } else {
                ("asm", "ResourceNotFoundException: Secrets Manager can't find the specified secret.".to_owned())
            };
            format!(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from {from}: service call has been retried 1 time(s): failed to fetch secret {secret}: {why}"
            )
        }
    })
}

/// An image without a registry is Docker Hub's.
fn full_name(image: &str) -> String {
    match image.split_once('/') {
        Some((registry, _)) if registry.contains(['.', ':']) => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    }
}

fn secret(world: &World, task_definition: &str, container: usize) -> String {
    let definitions = container_definitions(world, task_definition);
    let secrets = definitions.get(container).and_then(|container| container["secrets"].as_array());
    let first = secrets.and_then(|secrets| secrets.first()).and_then(|secret| secret["valueFrom"].as_str());
    let unnamed = definitions.get(container).map(|container| &container["name"]).and_then(Value::as_str);
    first.or(unnamed).unwrap_or_default().to_owned()
}
