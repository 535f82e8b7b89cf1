use serde_json::{Value, json};

use super::{call, refusal, world};
use crate::services::ecr::{self, Build};
use crate::wire::Api::Ecr;
use crate::workload::{Behaviour, Health};

fn get(world: &mut crate::World, id: &Value) -> Value {
    call(world, Ecr, "BatchGetImage", json!({"repositoryName": "web", "imageIds": [id]}))
}

#[test]
fn a_tag_moves_and_digests_stay() {
    let mut world = world();
    let first = ecr::push(&mut world, "web", "latest", &Build::of("1"));
    let silent = Behaviour { health: Health::Silent, ..Behaviour::default() };
    let second = ecr::push(&mut world, "web", "latest", &Build::of("2").that(silent.clone()));
    assert_ne!(first, second);
    let tagged = get(&mut world, &json!({"imageTag": "latest"}));
    assert_eq!(tagged["images"][0]["imageId"], json!({"imageTag": "latest", "imageDigest": second}));
    assert_eq!(get(&mut world, &json!({"imageDigest": first}))["images"][0]["imageId"], json!({"imageDigest": first}));
    let shown =
        call(&mut world, Ecr, "DescribeImages", json!({"repositoryName": "web", "imageIds": [{"imageDigest": first}]}));
    assert_eq!(shown["imageDetails"][0].get("imageTags"), None, "the tag went on");
    assert_eq!(ecr::push(&mut world, "web", "v1", &Build::of("1")), first, "the same content has the same digest");

    let name = ecr::uri(&world, "web");
    assert_eq!(world.workloads.of(&format!("{name}:latest")), silent);
    assert_eq!(world.workloads.of(&format!("{name}@{first}")), Behaviour::default());
}

#[test]
fn an_index_names_platforms_and_a_single_manifest_names_none() {
    let mut world = world();
    let of = |world: &mut crate::World, build: &Build| -> Value {
        ecr::push(world, "web", "t", build);
        let image = get(world, &json!({"imageTag": "t"}))["images"][0].clone();
        let text = image["imageManifest"].as_str().unwrap_or_default();
        let manifest: Value = serde_json::from_str(text).expect("a manifest is JSON");
        assert_eq!(manifest["mediaType"], image["imageManifestMediaType"]);
        manifest
    };
    let single = of(&mut world, &Build::of("1").on(&["linux/arm64/v8"]));
    assert_eq!(single.get("manifests"), None);
    let config = single["config"]["digest"].as_str().expect("it has one").to_owned();
    let url = json!({"repositoryName": "web", "layerDigest": config});
    assert!(
        call(&mut world, Ecr, "GetDownloadUrlForLayer", url)["downloadUrl"]
            .as_str()
            .is_some_and(|u| u.ends_with(&config))
    );
    let blob: Value = serde_json::from_str(&world.repositories["web"].blobs[&config]).expect("it is JSON");
    assert_eq!(
        (&blob["os"], &blob["architecture"], &blob["variant"]),
        (&json!("linux"), &json!("arm64"), &json!("v8"))
    );

    let attested = of(&mut world, &Build { attested: true, ..Build::of("1").on(&["linux/amd64", "linux/arm64"]) });
    let platforms: Vec<&Value> = attested["manifests"]
        .as_array()
        .expect("it is an index")
        .iter()
        .map(|m| &m["platform"]["architecture"])
        .collect();
    assert_eq!(platforms, ["amd64", "arm64", "unknown"]);
}

#[test]
fn what_is_missing_is_told_as_ecr_does() {
    let mut world = world();
    let error =
        refusal(&mut world, Ecr, "BatchGetImage", json!({"repositoryName": "web", "imageIds": [{"imageTag": "1"}]}));
    assert_eq!(error.code, "RepositoryNotFoundException");
    assert_eq!(error.message, "The repository with name 'web' does not exist in the registry with id '123456789012'");
    ecr::create(&mut world, "web");
    assert_eq!(
        get(&mut world, &json!({"imageTag": "1"})),
        json!({"images": [], "failures": [{
        "imageId": {"imageTag": "1"}, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}]})
    );
    let error =
        refusal(&mut world, Ecr, "DescribeImages", json!({"repositoryName": "web", "imageIds": [{"imageTag": "1"}]}));
    assert_eq!(error.code, "ImageNotFoundException");
    let other = json!({"repositoryName": "web", "registryId": "210987654321", "imageIds": [{"imageTag": "1"}]});
    assert_eq!(refusal(&mut world, Ecr, "BatchGetImage", other).code, "RepositoryNotFoundException");
    let shown = call(&mut world, Ecr, "DescribeRepositories", json!({}));
    assert_eq!(shown["repositories"][0]["repositoryUri"], "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web");
}
