//! What others change by hand is reported with its path and reverted, and only that is written.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use trueup_e2e::scenario::scenario;
use trueup_e2e::world::{CLUSTER, SERVICE, World, operations};

/// Something that a person does with another client.
struct Hand {
    what: &'static str,
    does: fn(&World) -> Result<Value>,
    /// The changes that must be reported: path, what AWS has, what git wants.
    told: Value,
    /// The one call that takes it back, with the members that its request may have.
    call: (&'static str, &'static [&'static str]),
}

#[test]
fn what_somebody_changes_by_hand_is_told_and_taken_back() {
    let hands = [
        Hand {
            what: "the target group's interval",
            does: |world| {
                let group = world.target_group("elearning-system-backend-tg")?["TargetGroupArn"].clone();
                let params = json!({"TargetGroupArn": group, "HealthCheckIntervalSeconds": 90});
                world.call("elbv2", "modify_target_group", &params)
            },
            told: json!([{"path": "/HealthCheckIntervalSeconds", "live": 90, "desired": 60}]),
            call: ("elbv2:ModifyTargetGroup", &["TargetGroupArn", "HealthCheckIntervalSeconds"]),
        },
        Hand {
            what: "the desired count",
            does: |world| update_service(world, json!({"desiredCount": 3})),
            told: json!([{"path": "/desiredCount", "live": 3, "desired": 1}]),
            call: ("ecs:UpdateService", &["cluster", "service", "desiredCount"]),
        },
        Hand {
            what: "the deployment configuration",
            does: |world| {
                update_service(
                    world,
                    json!({"deploymentConfiguration": {
                        "maximumPercent": 150, "minimumHealthyPercent": 50,
                        "deploymentCircuitBreaker": {"enable": true, "rollback": true},
                    }}),
                )
            },
            told: json!([{"path": "/deploymentConfiguration/maximumPercent", "live": 150, "desired": 200}]),
            call: ("ecs:UpdateService", &["cluster", "service", "deploymentConfiguration"]),
        },
        Hand {
            what: "a target group's attribute",
            does: |world| {
                let group = world.target_group("elearning-system-frontend-tg")?["TargetGroupArn"].clone();
                let attributes = json!([{"Key": "deregistration_delay.timeout_seconds", "Value": "111"}]);
                let params = json!({"TargetGroupArn": group, "Attributes": attributes});
                world.call("elbv2", "modify_target_group_attributes", &params)
            },
            told: json!([{
                "path": "/Attributes/deregistration_delay.timeout_seconds", "live": "111", "desired": "30",
            }]),
            call: ("elbv2:ModifyTargetGroupAttributes", &["TargetGroupArn", "Attributes"]),
        },
    ];
    scenario(|scenario| {
        let world = &scenario.world;
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;
        for hand in &hands {
            let mark = world.mark()?;
            (hand.does)(world).with_context(|| hand.what)?;
            let drift = daemon
                .wait_for(hand.what, |event| event["event"] == "drift.detected" && event["changes"] == hand.told)?;
            assert_eq!(drift["application"], "elearning");
            daemon.wait_for(hand.what, |event| {
                event["event"] == "drift.resolved" && event["resource"]["name"] == drift["resource"]["name"]
            })?;
            world.wait_for_rest(mark)?;

            let mutations = world.mutations(mark)?;
            assert_eq!(operations(&mutations), [hand.call.0], "{}: {mutations:?}", hand.what);
            for member in mutations[0].input.as_object().into_iter().flatten().map(|(name, _)| name.as_str()) {
                assert!(hand.call.1.contains(&member), "{}: `{member}` was written too", hand.what);
            }
        }
        Ok(())
    });
}

#[test]
fn what_git_does_not_name_is_nobodys_business() {
    scenario(|scenario| {
        let world = &scenario.world;
        scenario.push_example()?;
        let _daemon = scenario.daemon_at_rest()?;
        let mark = world.mark()?;
        let group = world.target_group("elearning-system-backend-tg")?["TargetGroupArn"].clone();
        // An attribute that the document does not declare, and another writer's tag.
        let attributes = json!([{"Key": "slow_start.duration_seconds", "Value": "45"}]);
        let params = json!({"TargetGroupArn": group, "Attributes": attributes});
        world.call("elbv2", "modify_target_group_attributes", &params)?;
        let tags = json!([{"Key": "CostCentre", "Value": "42"}]);
        world.call("elbv2", "add_tags", &json!({"ResourceArns": [group], "Tags": tags}))?;
        world.wait_for_rest(world.mark()?)?;
        assert_eq!(operations(&world.mutations(mark)?), [""; 0]);
        Ok(())
    });
}

#[test]
fn a_service_that_somebody_deleted_comes_back() {
    scenario(|scenario| {
        let world = &scenario.world;
        scenario.push_example()?;
        // A process that has just created the service itself first takes its absence for a late read.
        scenario.daemon_at_rest()?.terminate()?;
        let before = world.service()?.context("there is no service")?;
        let mark = world.mark()?;
        let _daemon = scenario.daemon(&[])?;
        world.wait_for_rest(mark)?;

        world.call("ecs", "delete_service", &json!({"cluster": CLUSTER, "service": SERVICE, "force": true}))?;
        assert_eq!(world.service()?, None);
        world.wait_for("CreateService", mark, 1)?;
        world.wait_for_rest(mark)?;

        let after = world.service()?.context("it did not come back")?;
        assert_eq!(after["taskDefinition"], before["taskDefinition"], "the same revision, not registered again");
        assert_eq!(after["deploymentConfiguration"], before["deploymentConfiguration"]);
        // The second call because of what moto's CreateService forgets.
        assert_eq!(operations(&world.mutations(mark)?), ["ecs:CreateService", "ecs:UpdateService"]);
        Ok(())
    });
}

fn update_service(world: &World, change: Value) -> Result<Value> {
    let mut params = change;
    params["cluster"] = json!(CLUSTER);
    params["service"] = json!(SERVICE);
    world.call("ecs", "update_service", &params)
}
