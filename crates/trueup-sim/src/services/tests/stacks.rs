use serde_json::json;

use super::{call, refusal, world};
use crate::setup;
use crate::wire::Api::CloudFormation;

#[test]
fn the_examples_stack_has_outputs_exports_and_resources() {
    let mut world = world();
    setup::elearning(&mut world);
    let name = json!({"StackName": "elearning-system-infrastructure"});
    let found = call(&mut world, CloudFormation, "DescribeStacks", name.clone())["Stacks"][0].clone();
    assert_eq!(found["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(found["CreationTime"], "2026-01-01T00:00:00.000Z");
    let role = json!({
        "OutputKey": "TaskRoleArn", "OutputValue": "arn:aws:iam::123456789012:role/elearning-system-task",
        "ExportName": "elearning-system-infrastructure-TaskRoleArn",
    });
    assert!(found["Outputs"].as_array().is_some_and(|outputs| outputs.contains(&role)), "{found}");
    let listed = call(&mut world, CloudFormation, "ListStackResources", name.clone());
    let subnet = listed["StackResourceSummaries"]
        .as_array()
        .and_then(|all| all.iter().find(|resource| resource["LogicalResourceId"] == "PublicSubnet1"));
    assert_eq!(subnet.map(|subnet| &subnet["PhysicalResourceId"]), Some(&json!("subnet-0aaaaaaaaaaaaaaa1")));
    let one = json!({"StackName": "elearning-system-infrastructure", "LogicalResourceId": "VPC"});
    let one = call(&mut world, CloudFormation, "DescribeStackResources", one)["StackResources"].clone();
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    assert_eq!(one[0]["PhysicalResourceId"], setup::VPC);
    let of_physical = json!({"PhysicalResourceId": setup::VPC});
    let all = call(&mut world, CloudFormation, "DescribeStackResources", of_physical)["StackResources"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(13));
    let exports = call(&mut world, CloudFormation, "ListExports", json!({}))["Exports"].clone();
    assert_eq!(exports.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_missing_and_a_deleted_stack_are_refused_alike() {
    let mut world = world();
    setup::stack(&mut world, "gone", &[], &[]);
    let id = world.stacks["gone"].id.clone();
    world.stacks.get_mut("gone").expect("it was made").status = "DELETE_COMPLETE".to_owned();
    for (action, name) in [("DescribeStacks", "none"), ("DescribeStacks", "gone"), ("ListStackResources", "none")] {
        let error = refusal(&mut world, CloudFormation, action, json!({"StackName": name}));
        assert_eq!(error.code, "ValidationError");
        assert_eq!(error.message, format!("Stack with id {name} does not exist"));
    }
    let found = call(&mut world, CloudFormation, "DescribeStacks", json!({"StackName": id}));
    assert_eq!(found["Stacks"][0]["StackStatus"], "DELETE_COMPLETE");
    assert_eq!(call(&mut world, CloudFormation, "DescribeStacks", json!({})), json!({"Stacks": []}));
}

#[test]
fn many_resources_come_in_pages() {
    let mut world = world();
    let names: Vec<String> = (0..250).map(|n| format!("R{n:03}")).collect();
    let resources: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "AWS::S3::Bucket", "b")).collect();
    setup::stack(&mut world, "big", &[], &resources);
    let mut input = json!({"StackName": "big"});
    let mut seen = Vec::new();
    loop {
        let page = call(&mut world, CloudFormation, "ListStackResources", input.clone());
        let shown = page["StackResourceSummaries"].as_array().expect("it is a list");
        seen.extend(shown.iter().map(|resource| resource["LogicalResourceId"].as_str().unwrap_or_default().to_owned()));
        let Some(next) = page.get("NextToken") else { break };
        input["NextToken"] = next.clone();
    }
    assert_eq!(seen, names);
}
