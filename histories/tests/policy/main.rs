//! Least privilege, proven on histories: every call of the product is allowed by the policy of its desired state, and
//! without any one statement of it some call is denied.
//!
//! | file | idea |
//! |---|---|
//! | `evaluate.rs` | what IAM decides by a policy document |
//! | `asks.rs` | what a recorded call asks IAM for: actions, resources, conditions |
//! | `template.rs` | the role that `deploy/cloudformation.yaml` makes |
//! | `whole.rs` | a history that uses everything: references, pruning, an assumed role, a quarrel |

mod asks;
mod evaluate;
mod template;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};
use trueup_core::desired::{FileTree, load};
use trueup_core::names::{EnvironmentName, InstanceName};
use trueup_core::permissions::{ACTIONS, Access, Answers, Grant, Request, policy};
use trueup_histories::scenarios::scenarios;
use trueup_histories::{ACCOUNT, REGION, Stage, parallel};

use crate::asks::{Ask, asks};
use crate::evaluate::allows;

/// A history that is over.
struct Played {
    name: &'static str,
    /// The trees of its commits.
    trees: Vec<FileTree>,
    /// What the product asked IAM for, by the account that it acted in with an assumed role, each once.
    asks: BTreeSet<(Option<String>, Ask)>,
    /// What its playing found wrong.
    found: Vec<String>,
}

impl Played {
    fn of(name: &'static str, stage: &Stage, found: Vec<String>) -> Self {
        Self { name, trees: stage.repository.trees(), asks: asks(&stage.aws()), found }
    }

    /// The policies of its commits, for the daemon's own role or for the role of an environment.
    fn policies(&self, role_of: Option<&str>, read_only: bool) -> Vec<Value> {
        let request = Request {
            environments: role_of.into_iter().map(EnvironmentName::new).collect(),
            instance: InstanceName::new("trueup"),
            read_only,
        };
        let of_tree = |tree: &FileTree| {
            let json = policy(&load(tree), &Answers::new(), &request).to_json();
            serde_json::from_str(&json).expect("a policy is JSON")
        };
        let policies: BTreeMap<String, Value> =
            self.trees.iter().map(of_tree).map(|policy: Value| (policy.to_string(), policy)).collect();
        policies.into_values().collect()
    }

    /// What is denied, with the statements of these names taken away.
    fn denied(&self, read_only: bool, without: &[&str]) -> BTreeSet<&Ask> {
        let mut by_role: BTreeMap<Option<&str>, Vec<Value>> = BTreeMap::new();
        let mut denied = BTreeSet::new();
        for (account, ask) in &self.asks {
            let role_of = account.as_ref().map(|_| whole::ABROAD);
            let policies = by_role.entry(role_of).or_insert_with(|| {
                let mut policies = self.policies(role_of, read_only);
                for policy in &mut policies {
                    take_away(policy, without);
                }
                policies
            });
            if !policies.iter().any(|policy| allows(policy, ask)) {
                denied.insert(ask);
            }
        }
        denied
    }
}

fn take_away(policy: &mut Value, names: &[&str]) {
    let statements = policy["Statement"].as_array_mut().expect("a policy has statements");
    statements.retain(|statement| !names.iter().any(|name| statement["Sid"] == *name));
}

/// All scenarios, and the history that uses everything.
static PLAYED: LazyLock<Vec<Played>> = LazyLock::new(|| {
    let mut played: Vec<Played> = parallel(&scenarios(), |scenario| {
        scenario.play_and(|found, stage| Played::of(scenario.name, stage, std::mem::take(found)))
    });
    played.push(whole::play(|stage, found| Played::of("everything", stage, found)));
    played
});

#[test]
fn every_call_is_allowed_by_the_policy_of_its_desired_state() {
    let mut actions = BTreeSet::new();
    for played in PLAYED.iter() {
        assert!(played.found.is_empty(), "{}: {:#?}", played.name, played.found);
        assert!(played.asks.len() > 5, "{}: hardly anything was asked for", played.name);
        let denied = played.denied(false, &[]);
        assert!(denied.is_empty(), "{}: {denied:#?}", played.name);
        actions.extend(played.asks.iter().map(|(_, ask)| ask.action.as_str()));
    }
    // What AWS never denies is not asked for.
    let unseen: Vec<_> = ACTIONS
        .iter()
        .filter(|action| action.grant.is_some() && !actions.contains(action.name))
        .map(|action| action.name)
        .collect();
    assert_eq!(unseen, [""; 0], "actions that no history shows to be needed");
}

#[test]
fn without_any_one_statement_a_call_is_denied() {
    let is_needed = |grant: &Grant| {
        let name = format!("{grant:?}");
        PLAYED.iter().any(|played| !played.denied(false, &[&name]).is_empty())
    };
    let needless: Vec<_> = Grant::ALL.into_iter().filter(|grant| !is_needed(grant)).collect();
    assert_eq!(needless, [], "statements that no call needs");
}

#[test]
fn metrics_go_to_their_own_namespace_alone() {
    let played = PLAYED.last().expect("histories were played");
    for namespace in ["Trueup", "AWS/ECS"] {
        let mut ask = Ask::of("cloudwatch:PutMetricData", "*");
        ask.context.insert("cloudwatch:namespace".to_owned(), namespace.to_owned());
        let ours = namespace == "Trueup";
        for read_only in [false, true] {
            let policies = played.policies(None, read_only);
            assert!(policies.iter().all(|policy| allows(policy, &ask) == ours), "{namespace}");
        }
        let mut policies = played.policies(None, false);
        for policy in &mut policies {
            take_away(policy, &["UnscopedWriteMetrics"]);
        }
        assert!(!policies.iter().any(|policy| allows(policy, &ask)));
    }
}

#[test]
fn the_read_only_policy_allows_all_reads_and_no_write() {
    let access = |ask: &Ask| ACTIONS.iter().find(|action| action.name == ask.action).map(|action| action.access);
    for played in PLAYED.iter() {
        let denied = played.denied(true, &[]);
        for (_, ask) in &played.asks {
            let is_read = access(ask) == Some(Access::Read);
            assert_eq!(!denied.contains(ask), is_read, "{}: {ask:?}", played.name);
        }
    }
}

/// Action, resource, context.
type Row = (&'static str, String, Vec<(&'static str, &'static str)>);

#[test]
fn what_is_not_the_desired_states_is_denied() {
    let played = PLAYED.last().expect("histories were played");
    let ecs = |resource: &str| format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{resource}");
    let elb = |resource: &str| format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{resource}");
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let own = ("aws:RequestTag/trueup:instance", "trueup");
    let foreign = ("aws:ResourceTag/trueup:instance", "another");
    let to = |service: &'static str| ("iam:PassedToService", service);
    let table: Vec<Row> = vec![
        ("ecs:UpdateService", ecs("service/main/stranger"), vec![]),
        ("ecs:UpdateService", ecs("service/other/web"), vec![]),
        ("ecs:CreateService", ecs("service/main/web"), vec![]),
        ("ecs:CreateService", ecs("service/main/stranger"), vec![own]),
        ("ecs:DeleteService", ecs("service/main/stranger"), vec![]),
        ("ecs:DeleteService", ecs("service/main/stranger"), vec![foreign]),
        ("ecs:TagResource", ecs("task-definition/stranger:1"), vec![]),
        ("ecs:RegisterTaskDefinition", "*".to_owned(), vec![]),
        ("ecs:ListTasks", "*".to_owned(), vec![("ecs:cluster", "arn:aws:ecs:eu-west-1:123456789012:cluster/other")]),
        ("ecs:ExecuteCommand", ecs("service/main/web"), vec![]),
        ("iam:PassRole", role("administrator"), vec![to("ecs-tasks.amazonaws.com")]),
        ("iam:PassRole", role("execution"), vec![to("ec2.amazonaws.com")]),
        ("iam:PassRole", role("execution"), vec![]),
        ("elasticloadbalancing:ModifyTargetGroup", elb("targetgroup/stranger/0"), vec![]),
        ("elasticloadbalancing:DeleteTargetGroup", elb("targetgroup/stranger/0"), vec![foreign]),
        ("elasticloadbalancing:CreateRule", elb("listener/app/stranger/0/0"), vec![own]),
        ("elasticloadbalancing:ModifyRule", elb("listener-rule/app/stranger/0/0/0"), vec![]),
        (
            "secretsmanager:GetSecretValue",
            format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf"),
            vec![],
        ),
        (
            "secretsmanager:DescribeSecret",
            format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db2-AbCdEf"),
            vec![],
        ),
        ("sts:AssumeRole", role("administrator"), vec![]),
        ("iam:CreateRole", role("administrator"), vec![]),
    ];
    let policies = played.policies(None, false);
    for (action, resource, context) in table {
        let mut ask = Ask::of(action, &resource);
        ask.context.extend(context.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert!(!policies.iter().any(|policy| allows(policy, &ask)), "{ask:?}");
    }
}

#[test]
fn iam_decides_as_documented() {
    let allow = |action: Value, resource: Value, condition: Value| json!({"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition});
    let when = |operator: &str, key: &str, value: &str| json!({operator: {key: value}});
    let none = json!({});
    let context = [("ecs:cluster", "arn:c/main"), ("aws:RequestTag/a", "b"), ("n", "Trueup")];
    let table = [
        (true, allow(json!("ecs:UpdateService"), json!("*"), none.clone())),
        (true, allow(json!(["s3:Get*", "ecs:Update*"]), json!(["arn:x", "arn:s/*"]), none.clone())),
        (true, allow(json!("ECS:updateservice"), json!("arn:s/?/web"), none.clone())),
        (false, allow(json!("ecs:CreateService"), json!("*"), none.clone())),
        (false, allow(json!("ecs:UpdateService"), json!("arn:s/web"), none.clone())),
        (false, allow(json!("ecs:UpdateService"), json!("ARN:s/*"), none.clone())),
        (true, allow(json!("*"), json!("*"), when("StringEquals", "aws:RequestTag/a", "b"))),
        (false, allow(json!("*"), json!("*"), when("StringEquals", "aws:RequestTag/a", "B"))),
        (false, allow(json!("*"), json!("*"), when("StringEquals", "aws:RequestTag/z", "b"))),
        (true, allow(json!("*"), json!("*"), when("StringLike", "n", "True*"))),
        (false, allow(json!("*"), json!("*"), when("StringEquals", "n", "True*"))),
        (true, allow(json!("*"), json!("*"), when("ArnEquals", "ecs:cluster", "arn:c/main"))),
        (true, allow(json!("*"), json!("*"), when("Null", "aws:ResourceTag/a", "true"))),
        (false, allow(json!("*"), json!("*"), when("Null", "aws:RequestTag/a", "true"))),
        (true, allow(json!("*"), json!("*"), when("Null", "aws:RequestTag/a", "false"))),
        (true, allow(json!("*"), json!("*"), json!({"StringEquals": {"n": ["x", "Trueup"], "aws:RequestTag/a": "b"}}))),
        (false, allow(json!("*"), json!("*"), json!({"StringEquals": {"n": "Trueup"}, "Null": {"n": "true"}}))),
    ];
    let mut ask = Ask::of("ecs:UpdateService", "arn:s/m/web");
    ask.context.extend(context.map(|(key, value)| (key.to_owned(), value.to_owned())));
    for (expected, statement) in table {
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        assert_eq!(allows(&policy, &ask), expected, "{policy}");
        let deny = json!({"Effect": "Deny", "Action": "ecs:*", "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement, deny]});
        assert!(!allows(&policy, &ask), "what is denied is denied, whatever allows it");
    }
}
