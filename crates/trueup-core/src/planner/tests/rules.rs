//! Listener rules.

use serde_json::{Value, json};

use super::{Row, World, check_rows, shown};
use crate::kind::Kind;
use crate::live::{LiveRule, Observed, Tags};
use crate::names::ApplicationName;
use crate::planner::fixture::{LISTENER, document, group_arn, rule_arn, tags_of, untagged};

fn rule(number: usize, priority: &str, tags: Tags) -> LiveRule {
    let description = json!({"RuleArn": rule_arn(number), "Priority": priority, "IsDefault": false,
        "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["other.example.com"]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": "another"}]});
    LiveRule { description: description.into(), tags: Observed::Present(tags) }
}

fn tags(application: &str, document: &str) -> Tags {
    tags_of(&[
        ("trueup:instance", "main"),
        ("trueup:environment", "production"),
        ("trueup:application", application),
        ("trueup:document", document),
    ])
}

/// A second rule of the application, settled too.
fn with_second(world: &mut World) {
    let body = json!({"ListenerArn": LISTENER, "Priority": 20,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/admin/*"]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group_arn("backend-tg")}]});
    world.add(document(Kind::ListenerRule, "web", body));
    world.converge();
    world.later(3600);
    world.last_applied = Some(world.desired.clone());
}

fn priority(world: &mut World, name: &str, to: Value) {
    world.commit(Kind::ListenerRule, name, |body| body["Priority"] = to);
}

#[test]
fn a_rule_is_found_by_our_tags_and_then_by_its_priority() {
    let rows: [Row<'_>; 8] = [
        (
            "its priority was changed",
            |w| w.rules()[0].description["Priority"] = json!("50"),
            &["SetRulePriorities api drift /Priority"],
        ),
        (
            "nobody's, and it serves the same requests",
            |w| {
                w.last_applied = None;
                w.rules()[0].tags = Observed::Present(Tags::new());
                w.rules()[0].description["Actions"][0]["TargetGroupArn"] = json!("another");
            },
            &["ModifyRule api pending /Actions", "AddTags api adopt"],
        ),
        (
            "nobody's, and it has nothing in common with ours",
            |w| w.rules()[0] = rule(9, "10", Tags::new()),
            &["held PriorityTaken api /"],
        ),
        (
            "another installation's",
            |w| w.rules()[0] = rule(9, "10", tags_of(&[("trueup:instance", "other")])),
            &["held PriorityTaken api /"],
        ),
        (
            "an application's that git still has",
            |w| {
                w.applications.insert(ApplicationName::new("shop"));
                w.rules()[0] = rule(9, "10", tags("shop", "listener-rules/api"));
            },
            &["held PriorityTaken api /"],
        ),
        (
            "an application's that git no longer has",
            |w| {
                let tags = tags("old-name", "listener-rules/api");
                w.rules()[0].tags = Observed::Present(tags);
            },
            &["AddTags api adopt"],
        ),
        (
            "a document's that was renamed",
            |w| {
                let tags = tags("elearning", "listener-rules/old-name");
                w.rules()[0].tags = Observed::Present(tags);
            },
            &["AddTags api adopt"],
        ),
        ("it is gone", |w| w.rules().clear(), &["CreateRule api create /"]),
    ];
    for (what, change, expected) in rows {
        let mut world = World::settled();
        change(&mut world);
        let lines = shown(&world.plan());
        // How deep inside a member a change lies is the comparison's business.
        let alike = |line: &String, expected: &&str| {
            line == expected || line.split("/Actions").next() == expected.split("/Actions").next()
        };
        assert!(
            lines.len() == expected.len() && lines.iter().zip(expected).all(|(line, e)| alike(line, e)),
            "{what}: {lines:?}"
        );
    }
}

#[test]
fn rules_trade_places_in_one_call_and_a_blocked_one_is_held() {
    let rows: [Row<'_>; 4] = [
        (
            "two trade places",
            |w| {
                with_second(w);
                priority(w, "api", json!(20));
                priority(w, "web", json!(10));
            },
            &["SetRulePriorities api, web pending /Priority /Priority"],
        ),
        (
            "the place is somebody else's",
            |w| {
                w.rules().push(rule(9, "30", Tags::new()));
                priority(w, "api", json!(30));
            },
            &["held PriorityTaken api /Priority"],
        ),
        (
            "a blocked one blocks another",
            |w| {
                with_second(w);
                w.rules().push(rule(9, "30", Tags::new()));
                priority(w, "api", json!(30));
                priority(w, "web", json!(10));
            },
            &["held PriorityTaken api /Priority", "held PriorityTaken web /Priority"],
        ),
        (
            "a new one takes the place of one that leaves",
            |w| {
                priority(w, "api", json!(20));
                let mut other = w.document(Kind::ListenerRule, "api").clone();
                other.name = "new".to_owned();
                other.body["Priority"] = json!(10);
                w.add(other);
            },
            &["SetRulePriorities api pending /Priority", "CreateRule new create / awaits priority 10"],
        ),
    ];
    check_rows(&rows);
}

#[test]
fn a_rule_cannot_leave_its_listener() {
    let mut world = World::settled();
    let other = LISTENER.replace("/web/", "/other/");
    world.live.rules.insert(crate::names::Arn::new(other.clone()), Observed::Present(vec![]));
    world.commit(Kind::ListenerRule, "api", |body| body["ListenerArn"] = json!(other));
    assert_eq!(shown(&world.plan()), ["held Immutable api /ListenerArn"]);
}

#[test]
fn the_weights_that_ecs_shifts_are_never_written() {
    let mut world = World::settled();
    let arn = world.rules()[0].description["RuleArn"].clone();
    world.commit(Kind::Service, "service", |body| {
        body["loadBalancers"][0]["advancedConfiguration"] = json!({"productionListenerRule": arn});
    });
    world.converge();
    // ECS has made two weighted groups of the one.
    let shifted = json!([
        {"TargetGroupArn": group_arn("backend-tg"), "Weight": 0}, {"TargetGroupArn": "green", "Weight": 100}]);
    world.rules()[0].description["Actions"] = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": shifted}}]);
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
    // What else git says of the action is written, with the weights as they are.
    let stickiness = json!({"Enabled": true, "DurationSeconds": 60});
    world.commit(Kind::ListenerRule, "api", |body| {
        body["Actions"] = json!([{"Type": "forward", "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": group_arn("backend-tg"), "Weight": 1}],
            "TargetGroupStickinessConfig": stickiness}}]);
    });
    let plan = world.plan();
    let config = &plan.steps[0].call.input["Actions"][0]["ForwardConfig"];
    assert_eq!(config, &json!({"TargetGroups": shifted, "TargetGroupStickinessConfig": stickiness}));
    world.converge();
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
    // Another group is another group: weights stay where they are known.
    world.commit(Kind::ListenerRule, "api", |body| {
        body["Actions"] = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": "green", "Weight": 7}, {"TargetGroupArn": "new", "Weight": 3}]}}]);
    });
    for step in world.plan().steps {
        let groups = &step.call.input["Actions"][0]["ForwardConfig"]["TargetGroups"];
        assert_eq!(groups[0]["Weight"], 100);
    }
    world.converge();
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_rule_without_known_tags_is_nobody_s_to_judge() {
    let mut world = World::settled();
    let failure = crate::plan::builder::not_asked("elasticloadbalancing:DescribeTags");
    world.rules()[0].tags = Observed::Unknown(failure);
    assert_eq!(shown(&world.plan()), ["held NotObserved api"]);
    if let Observed::Present(tags) = &mut world.rules()[0].tags {
        untagged(tags);
    }
}

#[test]
fn transforms_are_taken_away_by_name() {
    let mut world = World::settled();
    world.rules()[0].description["Transforms"] = json!([{"Type": "url-rewrite"}]);
    world.document(Kind::ListenerRule, "api").body["Transforms"] = json!([]);
    let plan = world.plan();
    assert_eq!(shown(&plan), ["ModifyRule api drift /Transforms/url-rewrite"]);
    assert_eq!(plan.steps[0].call.input, json!({"RuleArn": rule_arn(4), "ResetTransforms": true}));
}
