//! Secrets, images and logs that ECS fetches or writes for a task need an execution role.
//!
//! Source: ECS developer guide, "Amazon ECS task execution IAM role".

use super::{ApplicationView, Located};
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(definition) = &subject.task_definition else { return };
    if definition.get("executionRoleArn").is_some() {
        return;
    }
    // The first reason is enough: all have the same fix.
    let reason = subject.containers().into_iter().find_map(|container| reason(&container, subject.on_fargate()));
    if let Some((place, what)) = reason {
        problems.push(
            place
                .problem("no-execution-role", format!("{what} needs an execution role"))
                .help("add `executionRoleArn` to the task definition"),
        );
    }
}

/// The member of a container that needs the role. On EC2, the instance's own role pulls images and writes logs.
fn reason<'a>(container: &Located<'a>, on_fargate: bool) -> Option<(Located<'a>, &'static str)> {
    if let Some(secrets) = container.get("secrets").filter(|secrets| !secrets.node.items().is_empty()) {
        return Some((secrets, "a container with secrets"));
    }
    if !on_fargate {
        return None;
    }
    let image = container.get("image");
    let from_ecr = |image: &Located<'_>| {
        image.node.as_str().is_some_and(|image| image.starts_with("${image.") || image.contains(".dkr.ecr."))
    };
    if let Some(image) = image.filter(from_ecr) {
        return Some((image, "an image from ECR on Fargate"));
    }
    let driver = container.get("logConfiguration")?.get("logDriver")?;
    (driver.text() == Some("awslogs")).then_some((driver, "the log driver `awslogs` on Fargate"))
}
