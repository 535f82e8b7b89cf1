//! What ECS knows of a container's image: its digest, whether it can be pulled, and how it behaves.
//!
//! Images of this account's registry are looked up there when their repository exists; all others are as they are scripted.

use serde_json::Value;

use super::find::definition;
use crate::ecs::model::Container;
use crate::services::model::Repository;
use crate::workload::{Behaviour, Start};
use crate::world::World;

/// The digest that an image has now; none when there is no such image.
pub(super) fn digest(world: &World, image: &str) -> Option<String> {
    match repository(world, image) {
        Some((repository, id)) => repository.resolve(id),
        None => world.workloads.digest(image),
    }
}

/// How a container behaves. A task keeps the image that its deployment resolved: a tag that has moved since changes nothing
/// (ECS developer guide, "Container image resolution").
pub(super) fn behaviour(world: &World, container: &Container) -> Behaviour {
    let moved =
        container.image_digest.as_ref().filter(|known| digest(world, &container.image).as_ref() != Some(*known));
    let pinned = moved.and_then(|digest| world.workloads.scripted_of(&format!("{}@{digest}", container.image)));
    pinned.unwrap_or_else(|| world.workloads.of(&container.image))
}

/// Whether, and how, a container of a task gets as far as running.
pub(super) fn start(world: &World, task_definition: &str, container: &Container) -> Start {
    let scripted = behaviour(world, container).start;
    let Some((repository, id)) = repository(world, &container.image).filter(|_| scripted == Start::Runs) else {
        return scripted;
    };
    let pinned = container.image_digest.as_ref().map(|digest| format!("@{digest}"));
    let Some(digest) = repository.resolve(pinned.as_deref().unwrap_or(id)) else { return Start::ImageMissing };
    let architecture = architecture(world, task_definition);
    let built = repository.architectures(&digest);
    if built.is_empty() || built.iter().any(|known| known == architecture) { Start::Runs } else { Start::WrongPlatform }
}

/// `amd64` or `arm64`, as the task definition's `runtimePlatform` says.
pub(super) fn architecture(world: &World, task_definition: &str) -> &'static str {
    let platform = definition(world, task_definition).and_then(|found| found.description.get("runtimePlatform"));
    match platform.and_then(|platform| platform["cpuArchitecture"].as_str()) {
        Some("ARM64") => "arm64",
        _ => "amd64",
    }
}

/// The repository of an image of this account and region, if it exists, and what comes after its name: `:TAG`, `@DIGEST`,
/// both, or nothing.
fn repository<'a>(world: &'a World, image: &'a str) -> Option<(&'a Repository, &'a str)> {
    let registry = format!("{}.dkr.ecr.{}.amazonaws.com/", world.account, world.region);
    let rest = image.strip_prefix(&registry)?;
    let (name, id) = rest.split_at(rest.find([':', '@']).unwrap_or(rest.len()));
    Some((world.repositories.get(name)?, id))
}

impl Repository {
    /// The digest that `:TAG`, `@DIGEST`, both or nothing (the tag `latest`) means.
    fn resolve(&self, id: &str) -> Option<String> {
        let digest = match id.split_once('@') {
            Some((_, digest)) => digest,
            None => self.tags.get(id.strip_prefix(':').unwrap_or("latest"))?,
        };
        self.images.contains_key(digest).then(|| digest.to_owned())
    }

    /// For which architectures an image was built; none when that is unknown.
    fn architectures(&self, digest: &str) -> Vec<String> {
        let parse = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_default();
        let manifest = self.images.get(digest).map(|image| parse(&image.manifest)).unwrap_or_default();
        let config = manifest["config"]["digest"].as_str().and_then(|digest| self.blobs.get(digest)).map(parse);
        let index = manifest["manifests"].as_array().into_iter().flatten().map(|part| part["platform"].clone());
        let platforms = index.chain(config);
        platforms.filter_map(|platform| platform["architecture"].as_str().map(str::to_owned)).collect()
    }
}
