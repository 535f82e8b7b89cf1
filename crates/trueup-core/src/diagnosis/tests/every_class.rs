//! The sentences of every class: without any detail, and with all that they may name.

use std::fmt::Write as _;

use serde_json::json;

use super::super::cause::{ClassifiedFailure, Sentences};
use super::super::evidence::{Container, Task};
use super::super::health::FailedHealthCheck;
use super::super::message::Message;
use super::super::{Class, DeploymentState, FailureContext, UnhealthyDeployment};
use super::GROUP;

/// A text with every marker after which a sentence takes a name.
const ALL: &str = "matching platform 'linux/amd64' failed to resolve ref example.com/web:1 not authorized to perform: \
                   ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:1:parameter/a json key KEY file system \
                   fs-0a1b in subnet 'subnet-0a1b' arn:aws:iam::1:role/web exec: \"run\": vcpu target-group";

/// Other texts that decide between sentences of one class.
const OTHERS: [(Class, &str); 5] = [
    (Class::ExecutionRoleDenied, "no VPC endpoint policy allows it"),
    (Class::SecretNotFound, "invalid ssm parameters: /a/b"),
    (Class::SecretsUnreachable, "unable to retrieve ecr registry auth"),
    (Class::LogDriver, "the log group does not exist"),
    (Class::LogDriver, "AccessDenied"),
];

fn sentences(case: &ClassifiedFailure<'_>) -> String {
    let Sentences { cause, remedy } = case.sentences();
    format!("    {cause}\n    -> {remedy}\n")
}

#[test]
fn every_class_has_a_cause_and_a_remedy() {
    let deployment = UnhealthyDeployment {
        id: super::DEPLOYMENT.to_owned(),
        task_definition: None,
        state: DeploymentState::Failed,
        failed_tasks: 1,
        since: None,
    };
    let nothing = FailureContext { deployment: &deployment, service: None, task_definition: None, target_groups: &[] };
    let service = json!({
        "healthCheckGracePeriodSeconds": 30,
        "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "backend", "containerPort": 8000}],
    });
    let group = json!({"TargetGroupArn": GROUP, "HealthCheckPath": "/health", "Matcher": {"HttpCode": "200"}});
    let task_definition = json!({
        "executionRoleArn": "arn:aws:iam::1:role/exec",
        "containerDefinitions": [{
            "name": "backend", "memory": 512, "command": ["gunicorn", "app"],
            "healthCheck": {"command": ["CMD-SHELL", "true"]},
            "logConfiguration": {"options": {"awslogs-group": "/ecs/backend"}},
        }],
    });
    let groups = [&group];
    let everything = FailureContext {
        service: Some(&service),
        task_definition: Some(&task_definition),
        target_groups: &groups,
        ..nothing
    };
    let container = Container { name: "backend".to_owned(), exit_code: Some(0), ..Container::default() };
    let task = Task { containers: vec![container.clone()], ..Task::default() };
    let failure = FailedHealthCheck {
        class: Class::TargetResponseCode,
        group: GROUP.to_owned(),
        port: Some(8000),
        message: "Health checks failed with these codes: [503]".to_owned(),
    };
    let (silent, all) = (Message::new(""), Message::new(ALL));
    let mut table = String::new();
    for class in Class::ALL.iter().copied() {
        let bare = ClassifiedFailure {
            class,
            message: &silent,
            task: None,
            container: None,
            failure: None,
            context: &nothing,
        };
        writeln!(table, "{}\n{}", class.name(), sentences(&bare)).expect("a String takes everything");
        let known = ClassifiedFailure {
            message: &all,
            task: Some(&task),
            container: Some(&container),
            failure: Some(&failure),
            context: &everything,
            ..bare
        };
        table.push_str(&sentences(&known));
        for (_, text) in OTHERS.iter().filter(|(other, _)| *other == class) {
            let message = Message::new(text);
            table.push_str(&sentences(&ClassifiedFailure { message: &message, ..known }));
        }
    }
    insta::assert_snapshot!(table);
}
