//! Where trueup must keep its hands off: report-only policies, and what another installation owns.

use serde_json::json;
use trueup_e2e::scenario::scenario;
use trueup_e2e::world::{CLUSTER, SERVICE, operations};

#[test]
fn a_report_only_policy_writes_nothing_into_an_empty_cluster() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        repository.copy(&trueup_e2e::example(), "desired-state")?;
        repository.edit("desired-state/trueup.toml", "follow = \"on\" ", "follow = \"report\" ")?;
        repository.push("The e-learning system, to look at")?;
        let mut daemon = scenario.daemon(&[])?;
        daemon.wait_for("a hold", |event| event["event"] == "hold.started" && event["reason"] == "ReportOnly")?;
        world.wait_for_rest(0)?;
        assert_eq!(operations(&world.mutations(0)?), [""; 0]);
        assert_eq!(scenario.run("plan", &[])?.code, Some(1));
        assert_eq!(scenario.run("status", &[])?.code, Some(1));
        Ok(())
    });
}

#[test]
fn a_report_only_policy_tells_drift_and_leaves_it() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;
        repository.edit("desired-state/trueup.toml", "heal = \"on\" ", "heal = \"report\" ")?;
        let revision = repository.push("Only tell")?;
        daemon.wait_for_revision("revision.accepted", &revision)?;
        world.wait_for_rest(world.mark()?)?;

        let mark = world.mark()?;
        world.call("ecs", "update_service", &json!({"cluster": CLUSTER, "service": SERVICE, "desiredCount": 3}))?;
        let drift = daemon.wait_for("the drift", |event| event["event"] == "drift.detected")?;
        assert_eq!(drift["changes"], json!([{"path": "/desiredCount", "live": 3, "desired": 1}]));
        world.wait_for_rest(world.mark()?)?;
        assert_eq!(operations(&world.mutations(mark)?), [""; 0]);
        assert_eq!(world.service()?.map(|service| service["desiredCount"].clone()), Some(3.into()));
        Ok(())
    });
}

#[test]
fn what_another_installation_owns_is_not_touched() {
    scenario(|scenario| {
        let world = &scenario.world;
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;

        // Another installation takes the service and the backend's target group over, and changes both.
        let mark = world.mark()?;
        let service = world.service()?.map(|service| service["serviceArn"].clone());
        let tags = json!([{"key": "trueup:instance", "value": "somebody-else"}]);
        world.call("ecs", "tag_resource", &json!({"resourceArn": service, "tags": tags}))?;
        let group = world.target_group("elearning-system-backend-tg")?["TargetGroupArn"].clone();
        let tags = json!([{"Key": "trueup:instance", "Value": "somebody-else"}]);
        world.call("elbv2", "add_tags", &json!({"ResourceArns": [group], "Tags": tags}))?;
        world.call("ecs", "update_service", &json!({"cluster": CLUSTER, "service": SERVICE, "desiredCount": 3}))?;
        let params = json!({"TargetGroupArn": group, "HealthCheckIntervalSeconds": 90});
        world.call("elbv2", "modify_target_group", &params)?;

        for kind in ["service", "target-group"] {
            daemon.wait_for(kind, |event| {
                event["event"] == "hold.started"
                    && event["reason"] == "ForeignInstance"
                    && event["instance"] == "somebody-else"
            })?;
        }
        world.wait_for_rest(world.mark()?)?;
        assert_eq!(operations(&world.mutations(mark)?), [""; 0]);
        Ok(())
    });
}
