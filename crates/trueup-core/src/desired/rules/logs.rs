//! The log driver `awslogs` needs a destination.
//!
//! Source: ECS developer guide, "Send Amazon ECS logs to `CloudWatch`".

use super::{ApplicationView, member_or};
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    for logs in subject.containers().iter().filter_map(|container| container.get("logConfiguration")) {
        if logs.member_text("logDriver") != Some("awslogs") {
            continue;
        }
        let options = member_or(&logs, "options");
        let needed = [
            ("awslogs-group", "the log group's name", true),
            ("awslogs-region", "`${region}`", true),
            ("awslogs-stream-prefix", "a prefix such as `ecs`", subject.on_fargate()),
        ];
        for (name, what, _) in needed.iter().filter(|(name, _, needed)| *needed && options.get(name).is_none()) {
            problems.push(
                options
                    .problem("log-options", format!("the log driver `awslogs` needs the option `{name}`"))
                    .help(format!("add `{name}`: {what}")),
            );
        }
    }
}
