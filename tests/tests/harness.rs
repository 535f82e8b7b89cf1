//! The harness itself: what judges trueup must be able to find fault.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;
use tempfile::TempDir;
use trueup_e2e::python;
use trueup_e2e::world::World;

/// A world, and a client that sends through the recorder as trueup does.
fn world() -> Result<(TempDir, World)> {
    let directory = TempDir::new()?;
    let world = World::start(directory.path())?;
    Ok((directory, world))
}

fn send(world: &World, service: &str, operation: &str, params: &serde_json::Value) -> Result<bool> {
    let mut command = Command::new(python::interpreter()?);
    command.arg(python::script("client.py")).args([service, operation, &params.to_string()]);
    let output = command.env("AWS_ENDPOINT_URL", &world.recorded).output().context("the client does not start")?;
    Ok(output.status.success())
}

#[test]
fn the_judge_finds_what_moto_lets_pass() -> Result<()> {
    let (_directory, world) = world()?;
    world.create_infrastructure()?;
    let group = world.call(
        "elbv2",
        "create_target_group",
        &json!({"Name": "any", "Protocol": "HTTP", "Port": 80, "TargetType": "ip", "VpcId": vpc(&world)?}),
    )?;
    let arn = &group["TargetGroups"][0]["TargetGroupArn"];
    // moto takes a healthy threshold of 99 and a network mode that does not exist; AWS's models do not.
    let wrong = [
        ("elbv2", "modify_target_group", json!({"TargetGroupArn": arn, "HealthyThresholdCount": 99})),
        (
            "ecs",
            "register_task_definition",
            json!({"family": "any", "networkMode": "nat", "containerDefinitions": [{"name": "a", "memory": 128}]}),
        ),
    ];
    for (service, operation, params) in &wrong {
        send(&world, service, operation, params)?;
    }
    let found = world.violations()?.join("\n");
    for part in
        ["elbv2:ModifyTargetGroup: .HealthyThresholdCount: 99", "ecs:RegisterTaskDefinition: .networkMode: 'nat'"]
    {
        assert!(found.contains(part), "`{part}` is missing in:\n{found}");
    }
    Ok(())
}

#[test]
fn a_right_request_is_recorded_as_it_was_meant() -> Result<()> {
    let (_directory, world) = world()?;
    world.create_infrastructure()?;
    let params = json!({
        "Name": "any", "Protocol": "HTTP", "Port": 80, "TargetType": "ip", "VpcId": vpc(&world)?,
        "HealthCheckEnabled": true, "Matcher": {"HttpCode": "200"}, "Tags": [{"Key": "a", "Value": "b"}],
    });
    assert!(send(&world, "elbv2", "create_target_group", &params)?);
    assert!(send(&world, "elbv2", "describe_target_groups", &json!({"Names": ["any"]}))?);
    assert_eq!(world.violations()?, Vec::<String>::new());
    let mutations = world.mutations(0)?;
    assert_eq!(
        mutations.iter().map(|request| request.operation.as_str()).collect::<Vec<_>>(),
        ["elbv2:CreateTargetGroup"]
    );
    assert_eq!(mutations[0].input, params);
    Ok(())
}

#[test]
fn a_request_can_be_made_to_fail_once() -> Result<()> {
    use trueup_e2e::world::Fault;

    let (_directory, world) = world()?;
    // More than once, because the client tries again by itself.
    world.inject("RegisterTaskDefinition", Fault::Fail { times: 5, status: 400 })?;
    let params = json!({"family": "any", "containerDefinitions": [{"name": "a", "image": "b", "memory": 128}]});
    assert!(!send(&world, "ecs", "register_task_definition", &params)?);
    let families = world.call("ecs", "list_task_definition_families", &json!({}))?;
    assert_eq!(families["families"], json!([]));
    Ok(())
}

fn vpc(world: &World) -> Result<serde_json::Value> {
    let params = json!({"StackName": "elearning-system-infrastructure", "LogicalResourceId": "VPC"});
    let answer = world.call("cloudformation", "describe_stack_resource", &params)?;
    Ok(answer["StackResourceDetail"]["PhysicalResourceId"].clone())
}
