//! ECR: repositories, images with manifests and platforms, and tags that move.
//!
//! An image for one platform has a single manifest, whose platform is in its configuration only; one for several, or
//! one with attestations as `docker buildx` makes them, has an index that names its platforms.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::common::{page, page_size, unknown_operation};
use super::model::{Image, Repository};
use crate::input::{list, text, texts};
use crate::time::Time;
use crate::wire::{ApiError, Outcome};
use crate::workload::Behaviour;
use crate::world::World;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// The most images in one BatchGetImage.
const IMAGES_MAX: usize = 100;

/// An image to push.
#[derive(Clone, Debug)]
pub struct Build {
    /// The text that distinguishes builds: equal content gives an equal digest.
    pub content: String,
    /// Platforms such as `linux/amd64` or `linux/arm64/v8`. One is pushed as a single manifest, several as an index.
    pub platforms: Vec<String>,
    /// Whether there is an index with an attestation (`unknown/unknown`) even for one platform.
    pub attested: bool,
    /// The behaviour of its containers.
    pub behaviour: Behaviour,
}

impl Build {
    /// A build for `linux/amd64` that runs well.
    pub fn of(content: &str) -> Self {
        Self {
            content: content.to_owned(),
            platforms: vec!["linux/amd64".to_owned()],
            attested: false,
            behaviour: Behaviour::default(),
        }
    }

    /// The same build with another behaviour.
    #[must_use]
    pub fn that(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }

    /// The same build for other platforms.
    #[must_use]
    pub fn on(self, platforms: &[&str]) -> Self {
        Self { platforms: platforms.iter().map(|&platform| platform.to_owned()).collect(), ..self }
    }
}

/// The name under which ECS pulls from a repository of this account and region, without tag or digest.
pub fn uri(world: &World, repository: &str) -> String {
    format!("{}.dkr.ecr.{}.amazonaws.com/{repository}", world.account, world.region)
}

/// Creates a repository, unless it is there.
pub fn create(world: &mut World, repository: &str) {
    let created_at = world.now;
    world
        .repositories
        .entry(repository.to_owned())
        .or_insert_with(|| Repository { created_at, ..Repository::default() });
}

/// Pushes a build and moves the tag to it; its digest. The repository is created when it is not there. From now on
/// containers of the tag, and of the digest, behave as the build does.
pub fn push(world: &mut World, repository: &str, tag: &str, build: &Build) -> String {
    create(world, repository);
    let now = world.now;
    let name = uri(world, repository);
    let Some(found) = world.repositories.get_mut(repository) else { return String::new() };
    let mut manifests = Vec::new();
    for platform in &build.platforms {
        let mut parts = platform.split('/');
        let (os, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut place = json!({"os": os, "architecture": architecture});
        if let Some(variant) = parts.next() {
            place["variant"] = json!(variant);
        }
        let mut config = place.clone();
        config["config"] = json!({"Labels": {"content": build.content}});
        let config = keep_blob(&mut found.blobs, &config.to_string());
        let digest = found.add(&manifest(&config), MANIFEST, now);
        manifests.push(described(found, &digest, &place));
    }
    if build.attested {
        let place = json!({"os": "unknown", "architecture": "unknown"});
        let config = json!({"config": {"Labels": {"attests": build.content}}});
        let config = keep_blob(&mut found.blobs, &config.to_string());
        let digest = found.add(&manifest(&config), MANIFEST, now);
        manifests.push(described(found, &digest, &place));
    }
    let digest = if let [only] = &manifests[..] {
        only["digest"].as_str().unwrap_or_default().to_owned()
    } else {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        found.add(&index.to_string(), INDEX, now)
    };
    found.tags.insert(tag.to_owned(), digest.clone());
    for image in [format!("{name}:{tag}"), format!("{name}@{digest}"), format!("{name}:{tag}@{digest}")] {
        world.workloads.script(&image, build.behaviour.clone());
    }
    digest
}

fn manifest((digest, size): &(String, usize)) -> String {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": CONFIG, "digest": digest, "size": size},
        "layers": [],
    });
    manifest.to_string()
}

/// Keeps a blob; its digest and size.
fn keep_blob(blobs: &mut BTreeMap<String, String>, blob: &str) -> (String, usize) {
    let digest = digest(blob);
    blobs.insert(digest.clone(), blob.to_owned());
    (digest, blob.len())
}

fn described(repository: &Repository, digest: &str, platform: &Value) -> Value {
    let size = repository.images.get(digest).map_or(0, |image| image.manifest.len());
    json!({"mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform})
}

fn digest(content: &str) -> String {
    let bytes = Sha256::digest(content.as_bytes());
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", digits.concat())
}

impl Repository {
    fn add(&mut self, manifest: &str, media_type: &str, now: Time) -> String {
        let digest = digest(manifest);
        self.images.entry(digest.clone()).or_insert_with(|| Image {
            manifest: manifest.to_owned(),
            media_type: media_type.to_owned(),
            pushed_at: now,
        });
        digest
    }

    /// By digest or by tag; a tag with the wrong digest is no image.
    fn find(&self, id: &Value) -> Option<(&String, &Image)> {
        let (by_digest, tag) = (text(id, "imageDigest"), text(id, "imageTag"));
        let by_tag = tag.map(|tag| self.tags.get(tag));
        let digest = match (by_digest, by_tag) {
            (Some(digest), None) => digest,
            (None, Some(Some(tagged))) => tagged,
            (Some(digest), Some(Some(tagged))) if digest == tagged => digest,
            _ => return None,
        };
        self.images.get_key_value(digest)
    }

    fn tags_of(&self, digest: &str) -> Vec<&String> {
        self.tags.iter().filter(|(_, tagged)| *tagged == digest).map(|(tag, _)| tag).collect()
    }
}

pub(super) fn answer(world: &mut World, action: &str, input: &Value) -> Outcome {
    match action {
        "DescribeRepositories" => describe_repositories(world, input),
        "DescribeImages" => describe_images(world, input),
        "BatchGetImage" => batch_get(world, input),
        "GetDownloadUrlForLayer" => download_url(world, input),
        _ => Err(unknown_operation(action)),
    }
}

/// The repository of an input, in the registry of this account.
fn repository<'a>(world: &'a World, input: &'a Value) -> Result<(&'a str, &'a Repository), ApiError> {
    let name = text(input, "repositoryName").ok_or_else(|| {
        ApiError::client(
            "InvalidParameterException",
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must not be null'",
        )
    })?;
    let registry = text(input, "registryId").unwrap_or(&world.account);
    let found = world.repositories.get(name).filter(|_| registry == world.account);
    Ok((name, found.ok_or_else(|| repository_not_found(name, registry))?))
}

fn repository_not_found(name: &str, registry: &str) -> ApiError {
    ApiError::client(
        "RepositoryNotFoundException",
        format!("The repository with name '{name}' does not exist in the registry with id '{registry}'"),
    )
}

fn describe_repositories(world: &World, input: &Value) -> Outcome {
    let names = texts(input, "repositoryNames");
    if let Some(missing) = names.iter().find(|name| !world.repositories.contains_key(**name)) {
        return Err(repository_not_found(missing, &world.account));
    }
    let selected = world.repositories.iter().filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()));
    let all = selected.map(|(name, repository)| {
        let shown = json!({
            "repositoryArn": world.arn("ecr", &format!("repository/{name}")), "registryId": world.account,
            "repositoryName": name, "repositoryUri": uri(world, name), "imageTagMutability": "MUTABLE",
            "createdAt": repository.created_at.epoch_seconds(), "imageScanningConfiguration": {"scanOnPush": false},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        });
        (name.clone(), shown)
    });
    let (repositories, next) = page(all.collect(), text(input, "nextToken"), page_size(input, "maxResults", 100)?);
    let mut answer = json!({"repositories": repositories});
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}

fn describe_images(world: &World, input: &Value) -> Outcome {
    let (name, repository) = repository(world, input)?;
    let mut selected = Vec::new();
    match list(input, "imageIds") {
        Some(ids) => {
            for id in ids {
                let found = repository.find(id).ok_or_else(|| {
                    let (digest, tag) = (text(id, "imageDigest"), text(id, "imageTag"));
                    ApiError::client(
                        "ImageNotFoundException",
                        format!(
                            "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the \
                             repository with name '{name}' in the registry with id '{}'",
                            digest.unwrap_or("null"),
                            tag.unwrap_or("null"),
                            world.account
                        ),
                    )
                })?;
                selected.push(found);
            }
        }
        None => selected.extend(repository.images.iter()),
    }
    let all = selected.into_iter().map(|(digest, image)| {
        let mut shown = json!({
            "registryId": world.account, "repositoryName": name, "imageDigest": digest,
            "imageSizeInBytes": image.manifest.len(), "imagePushedAt": image.pushed_at.epoch_seconds(),
            "imageManifestMediaType": image.media_type,
        });
        let tags = repository.tags_of(digest);
        if !tags.is_empty() {
            shown["imageTags"] = json!(tags);
        }
        if image.media_type == MANIFEST {
            shown["artifactMediaType"] = json!(CONFIG);
        }
        (digest.clone(), shown)
    });
    let (images, next) = page(all.collect(), text(input, "nextToken"), page_size(input, "maxResults", 100)?);
    let mut answer = json!({"imageDetails": images});
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}

fn batch_get(world: &World, input: &Value) -> Outcome {
    let (name, repository) = repository(world, input)?;
    let ids = list(input, "imageIds").unwrap_or_default();
    if ids.is_empty() || ids.len() > IMAGES_MAX {
        return Err(ApiError::client(
            "InvalidParameterException",
            "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length between 1 and 100'",
        ));
    }
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match repository.find(id) {
            Some((digest, image)) => {
                let mut full = id.clone();
                full["imageDigest"] = json!(digest);
                images.push(json!({
                    "registryId": world.account, "repositoryName": name, "imageId": full,
                    "imageManifest": image.manifest, "imageManifestMediaType": image.media_type,
                }));
            }
            None => failures.push(json!({
                "imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(json!({"images": images, "failures": failures}))
}

/// The address contains the digest; what is behind it is [`Repository::blobs`].
fn download_url(world: &World, input: &Value) -> Outcome {
    let (name, repository) = repository(world, input)?;
    let wanted = text(input, "layerDigest").unwrap_or_default();
    if !repository.blobs.contains_key(wanted) {
        return Err(ApiError::client(
            "LayersNotFoundException",
            format!(
                "The layer with digest '{wanted}' does not exist within the repository with name '{name}' in the registry \
                 with id '{}'",
                world.account
            ),
        ));
    }
    let region = &world.region;
    Ok(json!({
        "downloadUrl": format!("https://prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com/{wanted}"),
        "layerDigest": wanted,
    }))
}
