//! Other owners: autoscalers, ECS that shifts traffic, other installations, people.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use trueup_core::names::InstanceName;
use trueup_sim::services::autoscaling::{self, ScalableTarget};

use super::{expect, expect_git, expect_no_writes, service, settle, up, web};
use crate::ask::{ask, call};
use crate::desired::{Application, BlueGreen, CLUSTER, Desired};
use crate::seeded::listener;
use crate::stage::{ACCOUNT, REGION, Stage};

/// Who does things by hand.
const PERSON: &str = "person";

/// Git has no number of tasks; somebody set one.
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
    let key = ("ecs".to_owned(), format!("service/{CLUSTER}/web"), "ecs:service:DesiredCount".to_owned());
    let target = ScalableTarget {
        arn: format!("arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/1"),
        min: 2,
        max: 10,
        suspended: json!({}),
        created_at: stage.now(),
    };
    stage.aws().world_mut().scalable_targets.insert(key, target);
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
    let shifted = load_balancing(stage);
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

/// Two target groups, and a production rule that sends all to the first.
fn load_balancing(stage: &Stage) -> BlueGreen {
    const PRIORITY: u64 = 50;
    let aws = &mut *stage.aws();
    for name in ["web-blue", "web-green"] {
        let input = json!({"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d", "TargetType": "ip"});
        call(aws, "founder", "elasticloadbalancing", "CreateTargetGroup", &input);
    }
    let mut group = |name: &str| {
        let groups = ask(aws, "elasticloadbalancing", "DescribeTargetGroups", &json!({"Names": [name]}));
        text(&groups["TargetGroups"][0]["TargetGroupArn"])
    };
    let (blue, green) = (group("web-blue"), group("web-green"));
    let listener = listener(aws);
    let groups = json!([{"TargetGroupArn": blue, "Weight": 100}, {"TargetGroupArn": green, "Weight": 0}]);
    let conditions = json!([{"Field": "path-pattern", "PathPatternConfig": {"Values": [format!("/{PRIORITY}/*")]}}]);
    let input = json!({
        "ListenerArn": listener, "Priority": PRIORITY, "Conditions": conditions,
        "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    });
    call(aws, "founder", "elasticloadbalancing", "CreateRule", &input);
    let rules = ask(aws, "elasticloadbalancing", "DescribeRules", &json!({"ListenerArn": listener}));
    let rules = rules["Rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rule = rules.iter().find(|rule| rule["Priority"] == json!(PRIORITY.to_string()));
    let rule = rule.map(|rule| text(&rule["RuleArn"])).unwrap_or_default();
    BlueGreen { blue, green, rule, priority: PRIORITY }
}

fn actions(stage: &Stage, rule: &str) -> Value {
    let input = json!({"RuleArns": [rule]});
    ask(&mut stage.aws(), "elasticloadbalancing", "DescribeRules", &input)["Rules"][0]["Actions"].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
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

/// A person changes a setting by hand: it is put back.
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
