//! The task role of `deploy/cloudformation.yaml`: wider than the policy of a desired state, as a template knows no names,
//! and no wider than its statements say.
//!
//! `template/*.json` are that role's policies in both modes, with the clusters and roles of the histories. The template's own
//! test (`tests/python/deploy_template.py`) says when they are not what the template makes.

use std::collections::BTreeSet;

use serde_json::Value;
use trueup_core::permissions::{ACTIONS, Access};
use trueup_histories::{ACCOUNT, REGION};

use crate::asks::Ask;
use crate::evaluate::allows;
use crate::{PLAYED, Row, take_away};

fn policy(mode: &str) -> Value {
    let text = match mode {
        "apply" => include_str!("template/apply.json"),
        "report" => include_str!("template/report.json"),
        other => panic!("the template has no mode {other}"),
    };
    serde_json::from_str(text).expect("a policy is JSON")
}

/// What was asked for with the role itself, in no other account.
fn asked() -> impl Iterator<Item = &'static Ask> {
    let all = PLAYED.iter().flat_map(|played| &played.asks);
    all.filter(|(account, _)| account.is_none()).map(|(_, ask)| ask)
}

#[test]
fn every_call_is_allowed_by_the_role_of_the_template() {
    let policy = policy("apply");
    let denied: BTreeSet<&Ask> = asked().filter(|ask| !allows(&policy, ask)).collect();
    assert!(denied.is_empty(), "{denied:#?}");
}

#[test]
fn without_any_one_statement_of_the_template_a_call_is_denied() {
    let whole = policy("apply");
    let statements = whole["Statement"].as_array().expect("a policy has statements");
    for sid in statements.iter().map(|statement| statement["Sid"].as_str().expect("each has a name")) {
        let mut policy = whole.clone();
        take_away(&mut policy, &[sid]);
        assert!(!asked().all(|ask| allows(&policy, ask)), "no call needs {sid}");
    }
}

#[test]
fn in_report_mode_the_role_reads_everything_and_writes_nothing() {
    let policy = policy("report");
    let access = |ask: &Ask| ACTIONS.iter().find(|action| action.name == ask.action).map(|action| action.access);
    for ask in asked() {
        // Environments in other accounts are named by a parameter, and this stack has none.
        let is_read = access(ask) == Some(Access::Read) && ask.action != "sts:AssumeRole";
        assert_eq!(allows(&policy, ask), is_read, "{ask:?}");
    }
}

#[test]
fn what_the_template_was_not_told_of_is_denied() {
    let ecs = |resource: &str| format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{resource}");
    let elb = |resource: &str| format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{resource}");
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let everything = || "*".to_owned();
    let foreign = ("aws:ResourceTag/trueup:instance", "another");
    let to = |service: &'static str| ("iam:PassedToService", service);
    let table: Vec<Row> = vec![
        ("ecs:DescribeServices", ecs("service/other/web"), vec![]),
        ("ecs:UpdateService", ecs("service/other/web"), vec![]),
        ("ecs:CreateService", ecs("service/other/web"), vec![]),
        ("ecs:DeleteService", ecs("service/main/web"), vec![]),
        ("ecs:DeleteService", ecs("service/main/web"), vec![foreign]),
        ("ecs:RegisterTaskDefinition", everything(), vec![]),
        ("ecs:RegisterTaskDefinition", everything(), vec![("aws:RequestTag/trueup:instance", "another")]),
        ("ecs:DeregisterTaskDefinition", everything(), vec![]),
        ("ecs:ExecuteCommand", ecs("task/main/0123"), vec![]),
        ("iam:PassRole", role("administrator"), vec![to("ecs-tasks.amazonaws.com")]),
        ("iam:PassRole", role("execution"), vec![to("ec2.amazonaws.com")]),
        ("iam:PassRole", role("execution"), vec![]),
        ("elasticloadbalancing:DeleteTargetGroup", elb("targetgroup/web/0"), vec![foreign]),
        ("elasticloadbalancing:DeleteRule", elb("listener-rule/app/edge/0/0/0"), vec![foreign]),
        ("elasticloadbalancing:DeleteListener", elb("listener/app/edge/0/0"), vec![]),
        ("cloudwatch:PutMetricData", everything(), vec![("cloudwatch:namespace", "AWS/ECS")]),
        (
            "secretsmanager:GetSecretValue",
            format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf"),
            vec![],
        ),
        ("sts:AssumeRole", role("administrator"), vec![]),
    ];
    let policies = ["apply", "report"].map(policy);
    for (action, resource, context) in table {
        let mut ask = Ask::of(action, &resource);
        ask.context.extend(context.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert!(!policies.iter().any(|policy| allows(policy, &ask)), "{ask:?}");
    }
}
