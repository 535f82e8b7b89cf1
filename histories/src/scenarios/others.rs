//! Other owners: autoscalers, ECS that shifts traffic, other installations, people.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use trueup_core::names::InstanceName;
use trueup_sim::services::autoscaling;

use super::steps::{expect, expect_git, expect_no_writes, service, settle, up, web};
use crate::account::CLUSTER;
use crate::ask::{ask, call};
use crate::desired::{Application, Balanced, Desired, Strategy};
use crate::stage::Stage;
use crate::surroundings::{autoscale, shifting};

/// Who does things by hand.
const PERSON: &str = "person";

/// Git has no number of tasks; another writer set one.
pub(super) async fn number_left_out(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let before = web().with("web", |web| web.count = None);
    let copy = up(stage, &before, &mut found).await;
    let input = json!({"cluster": CLUSTER, "service": "web", "desiredCount": 4});
    call(&mut stage.aws(), PERSON, "ecs", "UpdateService", &input);
    stage.commit(&before.with("web", |web| web.tag = "2".into()));
    settle(stage, &copy, &mut found).await;
    expect("desired count", &service(stage, "web")["desiredCount"], &json!(4), &mut found);
    found
}

/// Git has a number of tasks, and an autoscaler governs the service.
pub(super) async fn autoscaler(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    autoscale(&mut stage.aws(), "web");
    let copy = up(stage, &web(), &mut found).await;
    autoscaling::scale(stage.aws().world_mut(), CLUSTER, "web", 5);
    sleep(Duration::from_mins(2)).await;
    stage.commit(&web().with("web", |web| web.tag = "2".into()));
    settle(stage, &copy, &mut found).await;
    expect("desired count", &service(stage, "web")["desiredCount"], &json!(5), &mut found);
    found
}

/// ECS shifts the weights of the production rule with each deployment, and leaves them so.
pub(super) async fn blue_green(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let shifted = shifting(&mut stage.aws(), "web", 50, Strategy::BlueGreen);
    let rule = shifted.rule.clone();
    let before = Desired::of([("web", Application { blue_green: Some(shifted), ..Application::default() })]);
    let copy = up(stage, &before, &mut found).await;
    let weights = actions(stage, &rule);
    stage.commit(&before.with("web", |web| web.tag = "2".into()));
    settle(stage, &copy, &mut found).await;
    if actions(stage, &rule) == weights {
        found.push("not shifted: the rule's weights are as before".to_owned());
    }
    found
}

fn actions(stage: &Stage, rule: &str) -> Value {
    let input = json!({"RuleArns": [rule]});
    ask(&mut stage.aws(), "elasticloadbalancing", "DescribeRules", &input)["Rules"][0]["Actions"].clone()
}

/// A second installation finds the same names in its repository: it leaves what belongs to the first alone.
pub(super) async fn other_installation(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let copy = up(stage, &web(), &mut found).await;
    copy.kill().await;
    stage.commit(&web().with("web", |web| web.tag = "2".into()));
    let at = stage.now();
    let _other = stage.start_with("trueup-2", |options| options.instance = InstanceName::new("second"));
    sleep(Duration::from_mins(10)).await;
    expect_no_writes(stage, at, "written to another installation's", &mut found);
    found
}

/// A person suspended an application by its tag; a commit comes.
pub(super) async fn suspended(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let _copy = up(stage, &web(), &mut found).await;
    let tags = json!([{"key": "trueup:suspended", "value": "2026-01-01T00:00:00Z by person"}]);
    let input = json!({"resourceArn": service(stage, "web")["serviceArn"], "tags": tags});
    call(&mut stage.aws(), PERSON, "ecs", "TagResource", &input);
    sleep(Duration::from_mins(3)).await;
    let at = stage.now();
    stage.commit(&web().with("web", |web| web.tag = "2".into()));
    sleep(Duration::from_mins(10)).await;
    expect_no_writes(stage, at, "written although suspended", &mut found);
    found
}

/// A person deletes a service by hand: it is made again, and what else it has stays.
pub(super) async fn deleted_by_hand(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let balanced = Application { balanced: Some(Balanced::at(10)), ..Application::default() };
    let two = Desired::of([("web", balanced), ("api", Application::default())]);
    let two = Desired { prune: true, ..two };
    let copy = up(stage, &two, &mut found).await;
    copy.kill().await;
    stage.facts().killed(stage.now());
    let input = json!({"cluster": CLUSTER, "service": "web", "force": true});
    call(&mut stage.aws(), PERSON, "ecs", "DeleteService", &input);
    sleep(Duration::from_mins(5)).await;
    let copy = stage.start("trueup-2");
    settle(stage, &copy, &mut found).await;
    expect_git(stage, &two, &mut found);
    let aws = stage.aws();
    let deletions = aws.recorder.mutations().filter(|record| record.call.action.starts_with("Delete")).count();
    expect("number of deletions", &json!(deletions), &json!(1), &mut found);
    found
}

/// A person changes a setting by hand: it is restored.
pub(super) async fn by_hand(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let copy = up(stage, &web(), &mut found).await;
    sleep(Duration::from_mins(5)).await;
    let configuration = json!({"minimumHealthyPercent": 0, "maximumPercent": 150});
    let input = json!({"cluster": CLUSTER, "service": "web", "deploymentConfiguration": configuration});
    call(&mut stage.aws(), PERSON, "ecs", "UpdateService", &input);
    sleep(Duration::from_mins(5)).await;
    settle(stage, &copy, &mut found).await;
    expect_git(stage, &web(), &mut found);
    found
}
