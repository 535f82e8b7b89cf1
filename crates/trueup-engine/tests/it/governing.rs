//! Who else governs: autoscalers, people who suspend, people who undo repairs, and ECS itself.

use serde_json::json;
use trueup_core::live::FailureKind;
use trueup_core::names::ApplicationName;
use trueup_core::plan::{Health, Operation, Sync};
use trueup_engine::SuspensionError;

use crate::cloud::Fault;
use crate::world::{World, application, files, tree};

/// A running daemon with the application `web` at rest.
async fn at_rest() -> World {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    world.cloud.take_calls();
    world.take_events();
    world
}

fn set_count(world: &World, count: i64) {
    world.cloud.change_service("web", |service| service["desiredCount"] = count.into());
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_s_number_is_left_alone_also_when_it_registered_a_moment_ago() {
    let world = at_rest().await;
    world.cloud.autoscale(Some(&["web"]));
    set_count(&world, 5);
    world.cloud.change_service("web", |service| service["runningCount"] = 5.into());
    world.pass(300).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Healthy, vec![]));
    // It is gone: the number is git's again.
    world.cloud.autoscale(Some(&[]));
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
}

#[tokio::test(start_paused = true)]
async fn before_a_number_is_sent_it_is_asked_once_more_whose_it_is() {
    let world = at_rest().await;
    world.cloud.take_observations();
    set_count(&world, 5);
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
    let asked = world.cloud.take_observations();
    let is_fresh = |wanted: &trueup_ports::ObserveRequest| {
        wanted.services.is_empty() && wanted.scaling.len() == 1 && wanted.refresh.contains("service/main/web")
    };
    assert_eq!(asked.iter().filter(|wanted| is_fresh(wanted)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_autoscaling_cannot_be_read_the_number_waits_and_the_rest_goes_on() {
    let mut world = World::new();
    world.cloud.autoscale(None);
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Healthy, vec![]), "nothing differs");
    set_count(&world, 5);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.pass(90).await;
    let calls = world.cloud.take_calls();
    assert_eq!(
        calls,
        ["RegisterTaskDefinition web", "CreateService web", "RegisterTaskDefinition web", "UpdateService web"]
    );
    assert_eq!(world.cloud.service("web").expect("it exists")["desiredCount"], 5);
    assert_eq!(world.standing("web").2, ["NotObserved"]);
}

#[tokio::test(start_paused = true)]
async fn contested_drift_is_told_with_who_does_it_and_repaired_every_five_minutes() {
    let world = at_rest().await;
    world.cloud.blame("alice at 2027-01-15T08:00:00Z by UpdateService");
    // A pipeline that sets the number every ten seconds, for an hour.
    let cloud = world.cloud.clone();
    let pipeline = tokio::spawn(async move {
        for _ in 0..360 {
            cloud.change_service("web", |service| service["desiredCount"] = 4.into());
            tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        }
    });
    world.pass(600).await;
    world.cloud.take_calls();
    let events = world.take_events();
    assert!(events.contains(&"hold.started web".to_owned()), "{events:?}");
    world.pass(2400).await;
    let repairs = world.cloud.take_calls();
    assert!((6..=9).contains(&repairs.len()), "one in five minutes: {repairs:?}");
    assert_eq!(world.standing("web").2, ["Contested"]);
    let held = &world.plan("web").held[0];
    assert!(held.reason.message().ends_with("the last change is by alice at 2027-01-15T08:00:00Z by UpdateService"));
    let events = world.take_events();
    assert!(!events.contains(&"hold.ended web".to_owned()), "it lasts: {events:?}");
    pipeline.await.expect("it ends");
    world.pass(1500).await;
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Healthy, vec![]));
    assert!(world.take_events().contains(&"hold.ended web".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_application_is_left_alone_until_it_is_resumed() {
    let web = ApplicationName::new("web");
    let world = at_rest().await;
    let operator = World::with(world.cloud.clone(), world.source.restarted(), |_| {});
    operator.engine.suspend(&web, "alice", Some("moving the database")).await.expect("there is a service");
    assert_eq!(world.cloud.take_calls(), ["TagResource web"]);
    assert!(world.cloud.service_tags("web")["trueup:suspended"].ends_with(" by alice - moving the database"));
    world.pass(90).await;
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Suspended, vec!["Suspended"]));
    assert_eq!(world.take_events(), ["hold.started web"]);

    set_count(&world, 3);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.pass(300).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    let events = world.take_events();
    assert!(events.contains(&"drift.detected web".to_owned()), "drift is still reported: {events:?}");
    assert_eq!(world.standing("web").0, Sync::OutOfSync);

    assert_eq!(operator.engine.resume(&web).await.expect("there is a service")[0].calls, 1);
    assert_eq!(operator.engine.resume(&web).await.expect("there is a service")[0].calls, 0, "a second time");
    world.pass(90).await;
    let calls = world.cloud.take_calls();
    assert_eq!(calls, ["UntagResource web", "RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Healthy, vec![]));
}

#[tokio::test(start_paused = true)]
async fn dependents_wait_for_a_suspended_application() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("shared", "1")])));
    world.settle().await;
    world.engine.suspend(&ApplicationName::new("shared"), "alice", None).await.expect("there is a service");
    world.pass(90).await;
    let mut both = tree(&[application("api", "1"), application("shared", "1")]);
    both[1].1 = "depends_on = [\"shared\"]\n".to_owned();
    world.cloud.take_calls();
    world.push(&files(&both)).await;
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert!(world.standing("api").2.contains(&"WaitsFor"));
}

#[tokio::test(start_paused = true)]
async fn what_has_nothing_in_aws_cannot_be_suspended() {
    let world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    let suspend = |name: &'static str| {
        let engine = world.engine.clone();
        async move { engine.suspend(&ApplicationName::new(name), "alice", None).await }
    };
    assert!(matches!(suspend("web").await, Err(SuspensionError::NothingToMark { .. })));
    assert!(matches!(suspend("wbe").await, Err(SuspensionError::Unknown(_))));
    world.cloud.answer_as(Some("999999999999"));
    assert!(matches!(suspend("web").await, Err(SuspensionError::Refused { .. })));
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_service_is_drift_and_made_again_where_drift_is_healed() {
    let world = at_rest().await;
    world.cloud.delete_service("web");
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["CreateService web"]);
    assert!(world.prints().contains("\"reason\":\"deleted\""), "{}", world.prints());
    assert_eq!(world.take_events()[0], "drift.detected web");

    let mut reported = tree(&[application("web", "1")]);
    reported[1].1 = "[policy]\nheal = \"report\"\n".to_owned();
    world.push(&files(&reported)).await;
    world.pass(60).await;
    world.cloud.take_calls();
    world.cloud.delete_service("web");
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.standing("web"), (Sync::OutOfSync, Health::Missing, vec!["ReportOnly"]));
}

#[tokio::test(start_paused = true)]
async fn drift_that_a_commit_s_call_heals_is_told() {
    let world = at_rest().await;
    set_count(&world, 3);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    assert!(world.take_events().contains(&"drift.detected web".to_owned()));
    assert_eq!(world.cloud.service("web").expect("it exists")["desiredCount"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_long_is_held_once() {
    let world = at_rest().await;
    for _ in 0..100 {
        world.cloud.fault(Operation::UpdateService, "web", Fault::LoseRequest);
    }
    set_count(&world, 3);
    world.pass(1800).await;
    let events = world.take_events();
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!((count("hold.started web"), count("hold.ended web")), (1, 0), "{events:?}");
    world.cloud.heal();
    world.pass(600).await;
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Healthy, vec![]));
    assert!(world.take_events().contains(&"hold.ended web".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_is_made_again_within_half_a_minute() {
    let world = at_rest().await;
    world.cloud.fault(Operation::UpdateService, "web", Fault::LoseRequest);
    set_count(&world, 3);
    world.engine.trigger().observe();
    world.pass(30).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web", "UpdateService web"]);
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Healthy, vec![]));
    // AWS refuses for good, and the hold says so.
    world.cloud.fault(Operation::UpdateService, "web", Fault::Refuse(FailureKind::Rejected));
    set_count(&world, 4);
    world.engine.trigger().observe();
    world.pass(5).await;
    assert_eq!(world.standing("web").2, ["CallRefused"]);
}

/// A service, and the rule by which ECS shifts its traffic in another application.
fn shop_and_edge() -> Vec<(String, String)> {
    let group = |name: &str| {
        format!("Name = \"{name}-tg\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-0a1b2c3d\"\nTargetType = \"ip\"\n")
    };
    let rule = "ListenerArn = \"${listener.main.80}\"\nPriority = 10\n\
        [[Conditions]]\nField = \"path-pattern\"\nPathPatternConfig = { Values = [\"/api/*\"] }\n\
        [[Actions]]\nType = \"forward\"\n[Actions.ForwardConfig]\n\
        [[Actions.ForwardConfig.TargetGroups]]\nTargetGroupArn = \"${target_group.blue}\"\nWeight = 100\n\
        [[Actions.ForwardConfig.TargetGroups]]\nTargetGroupArn = \"${target_group.green}\"\nWeight = 0\n";
    let edge = vec![
        ("edge/app.toml".to_owned(), String::new()),
        ("edge/target-groups/blue.toml".to_owned(), group("blue")),
        ("edge/target-groups/green.toml".to_owned(), group("green")),
        ("edge/listener-rules/api.toml".to_owned(), rule.to_owned()),
    ];
    tree(&[edge, application("shop", "1")])
}

#[tokio::test(start_paused = true)]
async fn weights_that_ecs_shifts_for_another_application_s_service_are_left_alone() {
    let mut world = World::new();
    let mut tree = shop_and_edge();
    world.source.commit(&files(&tree));
    world.settle().await;
    world.cloud.take_calls();
    let rule = world.cloud.rule()["RuleArn"].clone();
    world.cloud.change_service("shop", |service| {
        service["loadBalancers"] = json!([{"advancedConfiguration": {"productionListenerRule": rule}}]);
    });
    // Taking the load balancer away again is not what this is about.
    let at = tree.iter().position(|(path, _)| path == "shop/app.toml").expect("it is there");
    tree[at].1 = "[policy]\nheal = \"off\"\n".to_owned();
    world.source.commit(&files(&tree));
    world.engine.trigger().commit();
    world.pass(60).await;
    world.cloud.take_calls();
    world.cloud.change_rule(|rule| {
        rule["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"] = json!(0);
        rule["Actions"][0]["ForwardConfig"]["TargetGroups"][1]["Weight"] = json!(100);
    });
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());

    // A commit to the rule's application observes that one only, and plans again after each call.
    let at = tree.iter().position(|(path, _)| path == "edge/listener-rules/api.toml").expect("it is there");
    tree[at].1 = tree[at].1.replace("/api/*", "/v2/*");
    world.push(&files(&tree)).await;
    let rule = world.cloud.rule();
    assert!(rule.to_string().contains("/v2/*"), "{rule}");
    assert_eq!(rule.pointer("/Actions/0/ForwardConfig/TargetGroups/1/Weight"), Some(&json!(100)), "{rule}");

    // So does a command that selects that application only.
    let only = World::with(world.cloud.clone(), world.source.restarted(), |options| {
        options.applications.insert(ApplicationName::new("edge"));
    });
    let plans = only.engine.plan_once().await.expect("git is there");
    assert_eq!((plans[0].steps.len(), plans[0].sync), (0, Sync::Synced), "{:?}", plans[0]);
}
