//! From an empty cluster to what git wants, and then to rest.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use trueup_e2e::scenario::scenario;
use trueup_e2e::world::operations;

#[test]
fn an_empty_cluster_becomes_the_example_and_then_nothing_more_is_written() {
    scenario(|scenario| {
        let world = &scenario.world;
        let revision = scenario.push_example()?;
        let mut daemon = scenario.daemon(&[])?;
        daemon.wait_for_revision("revision.accepted", &revision)?;
        world.wait_for("CreateService", 0, 1)?;
        world.wait_for_rest(0)?;

        let mutations = world.mutations(0)?;
        let mut calls: BTreeMap<&str, u32> = BTreeMap::new();
        for operation in operations(&mutations) {
            *calls.entry(operation).or_default() += 1;
        }
        // moto's CreateService forgets the deployment configuration and the grace period, which is drift; one
        // UpdateService cures it. AWS would need none.
        let expected = [
            ("ecs:CreateService", 1),
            ("ecs:RegisterTaskDefinition", 1),
            ("ecs:UpdateService", 1),
            // The digest of a target group is written when its attributes are there too.
            ("elbv2:AddTags", 2),
            ("elbv2:CreateRule", 2),
            ("elbv2:CreateTargetGroup", 2),
            ("elbv2:ModifyTargetGroupAttributes", 2),
        ];
        assert_eq!(calls, BTreeMap::from(expected));

        check_service(&world.service()?.context("there is no service")?);
        check_task_definition(&world.task_definition()?);
        check_target_groups(scenario)?;
        check_rules(&world.rules()?);

        let status = scenario.run("status", &[])?;
        assert_eq!(status.code, Some(0), "{status:?}");

        // Another process knows nothing but what is in git and in AWS.
        let mark = world.mark()?;
        daemon.terminate()?;
        let _second = scenario.daemon(&[])?;
        world.wait_for_rest(mark)?;
        assert_eq!(operations(&world.mutations(mark)?), [""; 0]);
        Ok(())
    });
}

#[test]
fn sigterm_ends_the_daemon_with_success() {
    scenario(|scenario| {
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;
        let (code, took) = daemon.terminate()?;
        assert_eq!(code, Some(0), "{}", daemon.last_words());
        assert!(took < Duration::from_secs(5), "took {took:?}");
        let told: Vec<_> = daemon.events.iter().filter_map(|event| event["event"].as_str()).collect();
        assert_eq!((told.first(), told.last()), (Some(&"daemon.started"), Some(&"daemon.stopping")));
        Ok(())
    });
}

#[test]
fn no_event_carries_an_environment_value() {
    scenario(|scenario| {
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;
        scenario.repository.edit(
            "desired-state/elearning/task-definition.toml",
            "\"INFO\"",
            "\"very-private-level\"",
        )?;
        let revision = scenario.repository.push("Log more")?;
        daemon.wait_for_revision("step.applied", &revision)?;
        let plan = scenario.run("plan", &["--format", "json"])?;
        daemon.terminate()?;
        let told: Vec<String> = daemon.events.iter().map(Value::to_string).collect();
        let told = told.join("\n") + &daemon.last_words() + &plan.stdout + &plan.stderr;
        for value in ["very-private-level", "config.settings.production"] {
            assert!(!told.contains(value), "`{value}` was told:\n{told}");
        }
        Ok(())
    });
}

fn check_service(service: &Value) {
    assert_eq!(service["desiredCount"], 1);
    assert_eq!(service["launchType"], "FARGATE");
    assert_eq!(service["healthCheckGracePeriodSeconds"], 300);
    let deployment = &service["deploymentConfiguration"];
    assert_eq!(deployment["deploymentCircuitBreaker"], json!({"enable": true, "rollback": true}));
    assert_eq!((&deployment["maximumPercent"], &deployment["minimumHealthyPercent"]), (&json!(200), &json!(50)));
    let network = &service["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["assignPublicIp"], "ENABLED");
    assert_eq!(network["subnets"].as_array().map(Vec::len), Some(2));
    let balancers = service["loadBalancers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ports: Vec<_> = balancers.iter().map(|one| (&one["containerName"], &one["containerPort"])).collect();
    assert_eq!(ports, [(&json!("backend"), &json!(8000)), (&json!("frontend"), &json!(80))]);
}

fn check_task_definition(task_definition: &Value) {
    assert_eq!(task_definition["family"], "elearning-system");
    for container in task_definition["containerDefinitions"].as_array().into_iter().flatten() {
        let image = container["image"].as_str().unwrap_or_default();
        let repository = format!(
            "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/elearning-system-{}@sha256:",
            container["name"].as_str().unwrap_or_default()
        );
        assert!(image.starts_with(&repository), "`{image}` is not pinned by digest in `{repository}`");
    }
    let backend = &task_definition["containerDefinitions"][0];
    assert_eq!(backend["healthCheck"]["startPeriod"], 120);
    let secret = backend["secrets"][2]["valueFrom"].as_str().unwrap_or_default();
    assert!(secret.starts_with("arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:elearning-system/database-"));
    assert!(secret.ends_with(":password::"), "{secret}");
}

fn check_target_groups(scenario: &trueup_e2e::scenario::Scenario) -> Result<()> {
    for (name, port, path, interval, timeout) in [
        ("elearning-system-backend-tg", 8000, "/api/health/", 60, 30),
        ("elearning-system-frontend-tg", 80, "/", 30, 10),
    ] {
        let group = scenario.world.target_group(name)?;
        let got = ["Port", "HealthCheckPath", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds"]
            .map(|member| group[member].clone());
        assert_eq!(got, [json!(port), json!(path), json!(interval), json!(timeout)], "{name}");
        let counts = (&group["HealthyThresholdCount"], &group["UnhealthyThresholdCount"]);
        assert_eq!(counts, (&json!(2), &json!(5)), "{name}");
    }
    Ok(())
}

fn check_rules(rules: &[Value]) {
    let mut priorities: Vec<_> = rules.iter().filter_map(|rule| rule["Priority"].as_str()).collect();
    priorities.sort_unstable();
    assert_eq!(priorities, ["10", "100"]);
}
