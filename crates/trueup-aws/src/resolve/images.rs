//! Digests of images in ECR, by tag, for the platform they must run on.
//!
//! An index names the platforms of its manifests, so an image that could never start is detected here, before anything
//! is written. A single manifest names none: its platform is in its configuration blob, which would cost two more
//! requests per image, one of them outside the API. Such an image is accepted unchecked.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trueup_core::desired::Lookup;
use trueup_core::live::{FailureKind, Observed};

use super::found::{Found, all, unknown};
use crate::api::operations::BATCH_GET_IMAGE;
use crate::failure;
use crate::reading::take_array;
use crate::session::Session;

/// How many tags one call takes. Source: ECR API reference, `BatchGetImage`.
const TAGS_MAX: usize = 100;

/// The manifests that are understood. Without the first two, ECR would choose one image out of an index, and its digest
/// would not be the one that was pushed.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// Resolves the tags that are wanted of one repository.
pub(super) async fn resolve(session: &Session, repository: &str, lookups: Vec<&Lookup>) -> Found {
    let environment = &session.environment;
    let place = match ImagePlace::of(repository, &environment.account, &environment.region) {
        Ok(place) => place,
        Err(message) => return all(lookups, &unknown(BATCH_GET_IMAGE.action, FailureKind::Rejected, message)),
    };
    let api = session.api.in_region(&place.region);
    let tags: Vec<&str> = lookups.iter().map(|lookup| tag(lookup)).collect::<BTreeSet<_>>().into_iter().collect();
    let mut images = Vec::new();
    let mut failures = Vec::new();
    for chunk in tags.chunks(TAGS_MAX) {
        let ids: Vec<Value> = chunk.iter().map(|tag| json!({"imageTag": tag})).collect();
        let input = json!({
            "registryId": place.registry, "repositoryName": place.name, "imageIds": ids,
            "acceptedMediaTypes": MEDIA_TYPES,
        });
        match api.read(&session.caller, &BATCH_GET_IMAGE, &input).await {
            Ok(mut answer) => {
                images.extend(take_array(&mut answer, "images"));
                failures.extend(take_array(&mut answer, "failures"));
            }
            Err(error) if error.code.as_deref() == Some("RepositoryNotFoundException") => {
                return all(lookups, &Observed::Absent);
            }
            Err(error) => return all(lookups, &failure::unknown(error)),
        }
    }
    lookups.into_iter().map(|lookup| (lookup.clone(), digest(&place, lookup, &images, &failures))).collect()
}

/// Where a repository is.
#[derive(Debug, PartialEq, Eq)]
struct ImagePlace {
    /// The account whose registry it is in.
    registry: String,
    region: String,
    name: String,
    /// What an image reference begins with.
    uri: String,
}

impl ImagePlace {
    /// Understands a repository's name in the environment, or `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`.
    fn of(repository: &str, account: &str, region: &str) -> Result<Self, String> {
        let (host, name) = match repository.split_once('/') {
            Some((host, name)) if host.contains('.') => (host, name),
            _ => {
                let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                let uri = format!("{account}.dkr.ecr.{region}.{suffix}/{repository}");
                return Ok(Self {
                    registry: account.to_owned(),
                    region: region.to_owned(),
                    name: repository.to_owned(),
                    uri,
                });
            }
        };
        let parts = host
            .split_once(".dkr.ecr.")
            .or_else(|| host.split_once(".dkr-ecr."))
            .and_then(|(registry, rest)| Some((registry, rest.split_once('.')?.0)))
            .filter(|(registry, _)| registry.len() == 12 && registry.bytes().all(|b| b.is_ascii_digit()));
        match parts {
            Some((registry, region)) => Ok(Self {
                registry: registry.to_owned(),
                region: region.to_owned(),
                name: name.to_owned(),
                uri: repository.to_owned(),
            }),
            None => Err(format!("`{host}` is not an ECR registry: write the image with its digest instead")),
        }
    }
}

fn digest(place: &ImagePlace, lookup: &Lookup, images: &[Value], failures: &[Value]) -> Observed<String> {
    let Lookup::Image { platform, .. } = lookup else { unreachable!("{lookup:?} is not an image") };
    let id = |found: &&Value| found.pointer("/imageId/imageTag").and_then(Value::as_str) == Some(tag(lookup));
    let text = |found: &'_ Value, member: &str| found.get(member).and_then(Value::as_str).map(str::to_owned);
    if let Some(image) = images.iter().find(id) {
        let Some(digest) = image.pointer("/imageId/imageDigest").and_then(Value::as_str) else {
            let message = "the answer has no digest of the image".into();
            return unknown(BATCH_GET_IMAGE.action, FailureKind::Unavailable, message);
        };
        return match check(&text(image, "imageManifest").unwrap_or_default(), platform) {
            Ok(()) => Observed::Present(format!("{}@{digest}", place.uri)),
            Err(message) => unknown(BATCH_GET_IMAGE.action, FailureKind::Rejected, message),
        };
    }
    let Some(failure) = failures.iter().find(id) else {
        let message = "the answer does not mention the tag".into();
        return unknown(BATCH_GET_IMAGE.action, FailureKind::Unavailable, message);
    };
    let code = text(failure, "failureCode");
    if code.as_deref() == Some("ImageNotFound") {
        return Observed::Absent;
    }
    let code = code.unwrap_or_else(|| "a failure without a code".to_owned());
    let message = format!("{code}: {}", text(failure, "failureReason").unwrap_or_default());
    unknown(BATCH_GET_IMAGE.action, FailureKind::Rejected, message)
}

/// Checks that an image has a manifest for a platform. A manifest that names no platform passes.
fn check(manifest: &str, wanted: &str) -> Result<(), String> {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let Some(manifests) = manifest.get("manifests").and_then(Value::as_array) else { return Ok(()) };
    let platforms: BTreeSet<String> = manifests.iter().filter_map(|m| platform(m.get("platform")?)).collect();
    // An index without any platform (a bundle of artefacts) says as little as a single manifest.
    let fits = |has: &String| has == wanted || has.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'));
    if platforms.is_empty() || platforms.iter().any(fits) {
        return Ok(());
    }
    let has = platforms.into_iter().collect::<Vec<_>>().join(", ");
    Err(format!("the image has no manifest for {wanted} (it has {has}): build it with --platform {wanted}"))
}

/// `os/architecture[/variant]`. Attestations are `unknown/unknown`, which is not a platform.
fn platform(platform: &Value) -> Option<String> {
    let text = |name| platform.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (os, architecture) = (text("os")?, text("architecture")?);
    if os == "unknown" {
        return None;
    }
    Some(match text("variant") {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    })
}

fn tag(lookup: &Lookup) -> &str {
    match lookup {
        Lookup::Image { tag, .. } => tag,
        other @ (Lookup::TargetGroup(_)
        | Lookup::Listener { .. }
        | Lookup::Secret(_)
        | Lookup::Parameter(_)
        | Lookup::StackResource { .. }
        | Lookup::StackOutput { .. }) => unreachable!("{other:?} is not an image"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_a_name_in_the_environment_or_a_full_uri() {
        let place = |repository| ImagePlace::of(repository, "123456789012", "ap-northeast-1");
        for (repository, registry, region, name) in [
            ("web", "123456789012", "ap-northeast-1", "web"),
            ("team/web", "123456789012", "ap-northeast-1", "team/web"),
            ("210987654321.dkr.ecr.us-east-1.amazonaws.com/team/web", "210987654321", "us-east-1", "team/web"),
            ("210987654321.dkr-ecr.us-east-1.on.aws/web", "210987654321", "us-east-1", "web"),
        ] {
            let found = place(repository).unwrap();
            assert_eq!((&*found.registry, &*found.region, &*found.name), (registry, region, name), "{repository}");
        }
        assert_eq!(place("web").unwrap().uri, "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web");
        assert!(place("docker.io/library/nginx").unwrap_err().contains("docker.io"));
        assert!(ImagePlace::of("web", "1", "cn-north-1").unwrap().uri.contains("amazonaws.com.cn/web"));
    }

    #[test]
    fn an_index_must_have_the_platform_and_a_single_manifest_is_believed() {
        let index = |platforms: &[(&str, &str, &str)]| {
            let manifests: Vec<Value> = platforms
                .iter()
                .map(|(os, architecture, variant)| {
                    serde_json::json!({"platform": {"os": os, "architecture": architecture, "variant": variant}})
                })
                .collect();
            serde_json::json!({"manifests": manifests}).to_string()
        };
        let mac = index(&[("linux", "arm64", "v8"), ("unknown", "unknown", "")]);
        assert_eq!(
            check(&mac, "linux/amd64").unwrap_err(),
            "the image has no manifest for linux/amd64 (it has linux/arm64/v8): build it with --platform linux/amd64"
        );
        for (manifest, platform) in [
            (mac.as_str(), "linux/arm64"),
            (&index(&[("linux", "amd64", ""), ("linux", "arm64", "")]), "linux/amd64"),
            (r#"{"config":{},"layers":[]}"#, "linux/amd64"),
            ("", "linux/amd64"),
        ] {
            assert_eq!(check(manifest, platform), Ok(()), "{manifest}");
        }
        assert!(check(&index(&[("linux", "arm", "v7")]), "linux/arm64").is_err());
    }
}
