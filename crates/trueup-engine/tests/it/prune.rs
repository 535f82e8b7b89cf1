//! Pruning: only with a policy that says so, only what is owned, only on a commit that is valid as a whole.

use crate::world::{CONFIGURATION, World, application, files, tree};

/// A tree whose configuration prunes.
fn pruning(parts: &[Vec<(String, String)>], mode: &str) -> Vec<(String, String)> {
    let mut tree = tree(parts);
    tree[0].1 = format!("{CONFIGURATION}\n[policy]\nprune = \"{mode}\"\n");
    tree
}

/// A daemon at rest with `api` and `web`.
async fn at_rest(mode: &str) -> World {
    let mut world = World::new();
    world.source.commit(&files(&pruning(&[application("api", "1"), application("web", "1")], mode)));
    world.settle().await;
    world.pass(90).await;
    world.cloud.take_calls();
    world.take_events();
    world
}

#[tokio::test(start_paused = true)]
async fn what_git_no_longer_has_is_deleted_after_the_commit() {
    let world = at_rest("on").await;
    world.push(&files(&pruning(&[application("web", "1")], "on"))).await;
    assert_eq!(world.cloud.take_calls(), ["DeleteService api"]);
    assert_eq!(world.take_events(), ["revision.accepted", "plan.made api", "step.applied api"]);
    world.pass(900).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert!(world.engine.status().applications.keys().all(|(_, name)| name.as_str() == "web"), "it is forgotten");
}

#[tokio::test(start_paused = true)]
async fn without_the_policy_nothing_is_even_listed() {
    let world = at_rest("off").await;
    world.push(&files(&pruning(&[application("web", "1")], "off"))).await;
    world.pass(900).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert!(world.cloud.take_observations().iter().all(|wanted| wanted.inventory.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_reports_says_what_would_go() {
    let world = at_rest("report").await;
    world.push(&files(&pruning(&[application("web", "1")], "report"))).await;
    world.pass(900).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.standing("api").2, ["ReportOnly"]);
    assert_eq!(world.take_events(), ["revision.accepted", "hold.started api"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_while_any_application_is_broken_and_it_is_once_that_is_mended() {
    let world = at_rest("on").await;
    let mut broken = pruning(&[application("web", "1")], "on");
    broken[2].1 = "serviceName = \"web\"\ndesired_count = 1\n".to_owned();
    world.push(&files(&broken)).await;
    world.pass(900).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    world.push(&files(&pruning(&[application("web", "1")], "on"))).await;
    assert_eq!(world.cloud.take_calls(), ["DeleteService api"]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_before_it_is_deleted_stays() {
    let world = at_rest("on").await;
    world.cloud.hang("api");
    world.source.commit(&files(&pruning(&[application("api", "2"), application("web", "1")], "on")));
    world.engine.trigger().commit();
    world.pass(5).await;
    // While `api` is being written to, git takes it away and brings it back.
    world.source.commit(&files(&pruning(&[application("web", "1")], "on")));
    world.engine.trigger().commit();
    world.pass(5).await;
    world.source.commit(&files(&pruning(&[application("api", "2"), application("web", "1")], "on")));
    world.engine.trigger().commit();
    world.pass(5).await;
    world.cloud.release();
    world.pass(120).await;
    let calls = world.cloud.take_calls();
    assert!(!calls.iter().any(|call| call.starts_with("Delete")), "{calls:?}");
    assert!(world.cloud.service("api").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_comes_while_something_is_deleted_ends_the_deleting() {
    let mut world = World::new();
    let mut api = application("api", "1");
    let group = "Name = \"api-tg\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-0a1b2c3d\"\n";
    api.push(("api/target-groups/api.toml".to_owned(), group.to_owned()));
    let both = pruning(&[api, application("web", "1")], "on");
    world.source.commit(&files(&both));
    world.settle().await;
    world.pass(90).await;
    world.cloud.take_calls();
    world.cloud.hang("api");
    world.push(&files(&pruning(&[application("web", "1")], "on"))).await;
    world.push(&files(&both)).await;
    world.cloud.release();
    world.pass(90).await;
    // The call that was under way could not be taken back; the target group was next.
    assert_eq!(world.cloud.take_calls(), ["DeleteService api", "CreateService api"]);
}

#[tokio::test(start_paused = true)]
async fn a_target_group_goes_with_its_application() {
    let mut world = World::new();
    let mut api = application("api", "1");
    let group = "Name = \"api-tg\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-0a1b2c3d\"\n";
    api.push(("api/target-groups/api.toml".to_owned(), group.to_owned()));
    world.source.commit(&files(&pruning(&[api, application("web", "1")], "on")));
    world.settle().await;
    world.pass(90).await;
    world.cloud.take_calls();
    world.push(&files(&pruning(&[application("web", "1")], "on"))).await;
    assert_eq!(world.cloud.take_calls(), ["DeleteService api", "DeleteTargetGroup api-tg"]);
}
