//! IAM is enforced, as moto does it: what `trueup iam-policy` prints is enough for the example, and nothing in it too much.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use trueup_e2e::scenario::{Scenario, scenario};
use trueup_e2e::world::{CLUSTER, Request, SERVICE};

/// The statements whose actions moto is never asked for, and why not. The policy evaluator of the histories judges
/// these as well.
const UNJUDGED: [(&str, &str); 4] = [
    ("PassTaskRoles", "no call is iam:PassRole, and moto does not ask for it where a role is passed"),
    ("ReadServiceDeployments", "moto has no ListServiceDeployments: nothing names a deployment that could be read"),
    ("ReadTasks", "services of moto run no tasks that could be described"),
    ("UnscopedWriteMetrics", "moto does not know the protocol in which the AWS SDK puts metrics"),
];

#[test]
fn the_printed_policy_is_enough_and_without_any_one_statement_something_is_refused() {
    scenario(|scenario| {
        let policy = printed(scenario, &[])?;
        scenario.enforce(&policy)?;
        bring_up_and_heal(scenario)?;
        let refused = refused(scenario)?;
        ensure!(refused.is_empty(), "the policy is not enough for {refused:?}");
        without_a_statement_there_is_a_hold(scenario, &policy)?;

        let statements = actions(&policy);
        scenario.world.allow(&policy, None)?;
        let replayed = scenario.world.replay()?;
        let allowed: BTreeSet<&str> = replayed.keys().map(String::as_str).collect();
        assert!(!replayed.values().any(|is_refused| *is_refused), "{replayed:?}");
        let mut unjudged = BTreeSet::new();
        for (sid, granted) in &statements {
            let others: BTreeSet<&str> = statements
                .iter()
                .filter(|(other, _)| *other != sid)
                .flat_map(|(_, actions)| actions)
                .copied()
                .collect();
            let expected: BTreeSet<&str> =
                granted.difference(&others).copied().filter(|action| allowed.contains(action)).collect();
            if expected.is_empty() {
                unjudged.insert(*sid);
            }
            scenario.world.allow(&policy, Some(sid))?;
            let replayed = scenario.world.replay()?;
            let refused: BTreeSet<&str> =
                replayed.iter().filter(|(_, is_refused)| **is_refused).map(|(action, _)| action.as_str()).collect();
            assert_eq!(refused, expected, "without {sid}");
        }
        assert_eq!(unjudged, UNJUDGED.map(|(sid, _)| sid).into(), "statements that nothing was refused without");
        Ok(())
    });
}

#[test]
fn the_read_only_policy_is_enough_to_plan_and_every_write_is_refused() {
    scenario(|scenario| {
        let world = &scenario.world;
        scenario.enforce(&printed(scenario, &["--read-only"])?)?;
        scenario.push_example()?;
        let plan = scenario.run("plan", &[])?;
        ensure!(plan.code == Some(1) && plan.stdout.contains("CreateService"), "{plan:?}");
        let refused_to_read = refused(scenario)?;
        ensure!(refused_to_read.is_empty(), "the policy is not enough for {refused_to_read:?}");

        let applied = scenario.run("apply", &[])?;
        let told = format!("{}{}", applied.stdout, applied.stderr);
        ensure!(applied.code != Some(0) && told.contains("AccessDenied"), "{applied:?}");
        let writes = world.mutations(0)?;
        ensure!(!writes.is_empty() && writes.iter().all(is_refused), "{writes:?}");
        assert_eq!(world.service()?, None);
        Ok(())
    });
}

/// The policy that trueup prints for the example.
fn printed(scenario: &Scenario, arguments: &[&str]) -> Result<Value> {
    let directory = trueup_e2e::example();
    let directory = directory.to_str().context("a path is text")?;
    let finished = scenario.run_offline(&[&["iam-policy", directory], arguments].concat())?;
    ensure!(finished.code == Some(0), "{finished:?}");
    serde_json::from_str(&finished.stdout).with_context(|| finished.stdout.clone())
}

/// Everything that trueup does with the example on moto: a new service, a commit, drift of a service, of a target group and of
/// a rule, and a writer who does not stop.
fn bring_up_and_heal(scenario: &Scenario) -> Result<()> {
    let world = &scenario.world;
    scenario.push_example()?;
    // While the service does not run yet, trueup asks for its tasks.
    world.claim_running(0)?;
    let mut daemon = scenario.daemon(&[])?;
    world.wait_for("ListTasks", 0, 1).with_context(|| daemon.last_words())?;
    world.claim_running(1)?;
    world.wait_for_rest(0)?;

    let mark = world.mark()?;
    scenario.repository.edit("desired-state/elearning/task-definition.toml", "\"INFO\"", "\"WARNING\"")?;
    scenario.repository.push("Log less")?;
    world.wait_for("TagResource", mark, 1)?;
    world.wait_for_rest(mark)?;

    let mark = world.mark()?;
    world.call("ecs", "update_service", &json!({"cluster": CLUSTER, "service": SERVICE, "desiredCount": 3}))?;
    world.wait_for("UpdateService", mark, 1)?;
    let rule = world.rules()?.first().map(|rule| rule["RuleArn"].clone()).context("there are rules")?;
    let conditions = json!([{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/elsewhere"]}}]);
    world.call("elbv2", "modify_rule", &json!({"RuleArn": rule, "Conditions": conditions}))?;
    world.wait_for("ModifyRule", mark, 1)?;
    for round in 1..=3 {
        change_by_hand(scenario, 90 + round)?;
        world.wait_for("ModifyTargetGroup", mark, round)?;
    }
    // Now it is contested, and CloudTrail is asked who does this.
    change_by_hand(scenario, 94)?;
    world.wait_for("LookupEvents", mark, 1)?;
    assert_eq!(daemon.terminate()?.0, Some(0), "{}", daemon.last_words());
    Ok(())
}

/// Somebody changes a target group. Not to what it was before the last repair: that could be an old answer of AWS's.
fn change_by_hand(scenario: &Scenario, seconds: u32) -> Result<()> {
    let group = scenario.world.target_group("elearning-system-backend-tg")?["TargetGroupArn"].clone();
    let params = json!({"TargetGroupArn": group, "HealthCheckIntervalSeconds": seconds});
    scenario.world.call("elbv2", "modify_target_group", &params).map(drop)
}

/// What an operator sees when a statement is missing: a hold that names the action.
fn without_a_statement_there_is_a_hold(scenario: &Scenario, policy: &Value) -> Result<()> {
    scenario.world.allow(policy, Some("ChangeTargetGroups"))?;
    let mut daemon = scenario.daemon(&[])?;
    let hold =
        daemon.wait_for("a hold", |event| event["event"] == "hold.started" && event["reason"] == "AccessDenied")?;
    let message = hold["message"].as_str().unwrap_or_default();
    ensure!(message.contains("elasticloadbalancing:ModifyTargetGroup"), "{hold}");
    daemon.terminate()?;
    let refused = refused(scenario)?;
    assert_eq!(refused, BTreeSet::from(["elbv2:ModifyTargetGroup".to_owned()]));
    Ok(())
}

/// The actions of each statement, by its Sid.
fn actions(policy: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let statements = policy["Statement"].as_array().into_iter().flatten();
    statements
        .map(|statement| {
            let actions = statement["Action"].as_array().into_iter().flatten().filter_map(Value::as_str);
            (statement["Sid"].as_str().unwrap_or_default(), actions.collect())
        })
        .collect()
}

/// The operations that IAM refused until now.
fn refused(scenario: &Scenario) -> Result<BTreeSet<String>> {
    let requests = scenario.world.requests(0)?;
    Ok(requests.into_iter().filter(is_refused).map(|request| request.operation).collect())
}

fn is_refused(request: &Request) -> bool {
    request.answer.as_ref().is_some_and(|answer| answer.contains("is not authorized to perform"))
}
