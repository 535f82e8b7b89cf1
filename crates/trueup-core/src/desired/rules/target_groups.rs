//! Target groups: names, required members of all but Lambda target groups, and health checks that ELB refuses.

use super::{ApplicationView, Located, member_or};
use crate::document::Problem;
use crate::kind::Kind;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    for (_, group) in subject.documents_of(Kind::TargetGroup) {
        if let Some(place) = group.get("Name") {
            name(&place, problems);
        }
        let target_type = group.get("TargetType");
        if target_type.as_ref().is_some_and(Located::is_deferred) {
            continue;
        }
        let target_type = target_type.and_then(|place| place.text()).unwrap_or("instance");
        if target_type == "lambda" {
            continue;
        }
        for (member, example) in [("Protocol", "\"HTTP\""), ("Port", "80"), ("VpcId", "\"${stack.STACK.LOGICAL_ID}\"")]
        {
            if group.get(member).is_none() {
                let message = format!("`{member}` is missing: only a group of Lambda functions has none");
                problems
                    .push(group.problem("missing-member", message).help(format!("add `{member}`, such as {example}")));
            }
        }
        if group.member_flag("HealthCheckEnabled") == Some(false) {
            let place = member_or(&group, "HealthCheckEnabled");
            let message = "health checks cannot be switched off for targets that are not Lambda functions";
            problems.push(place.problem("health-check-disabled", message).help("remove `HealthCheckEnabled`"));
        }
        timeout(&group, problems);
    }
}

/// Source: Elastic Load Balancing API reference, `CreateTargetGroup`, `Name`.
fn name(place: &Located<'_>, problems: &mut Vec<Problem>) {
    let Some(text) = place.text() else { return };
    let good = (1..=32).contains(&text.chars().count())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.starts_with("internal-");
    if !good {
        problems.push(
            place
                .problem("bad-target-group-name", format!("`{text}` cannot be the name of a target group"))
                .help("at most 32 letters, digits and `-`, no `-` at the ends, no `internal-` at the front"),
        );
    }
}

/// Source: Elastic Load Balancing user guide, "Health checks for Application Load Balancer target groups": the interval
/// is 30 seconds and the timeout 5 by default; the timeout must be shorter. Behind Network Load Balancers it may be as
/// long, and the defaults differ.
fn timeout(group: &Located<'_>, problems: &mut Vec<Problem>) {
    let application = matches!(group.member_text("Protocol"), Some("HTTP" | "HTTPS"));
    let value = |name: &str, default: i64| match group.get(name) {
        Some(place) => place.node.as_i64(),
        None => application.then_some(default),
    };
    let (interval, timeout) = (value("HealthCheckIntervalSeconds", 30), value("HealthCheckTimeoutSeconds", 5));
    let (Some(interval), Some(timeout)) = (interval, timeout) else { return };
    if timeout > interval || (application && timeout == interval) {
        let given = group.get("HealthCheckTimeoutSeconds");
        let place = given.unwrap_or_else(|| member_or(group, "HealthCheckIntervalSeconds"));
        let message = if application {
            format!("the health check's timeout of {timeout} s is not below its interval of {interval} s")
        } else {
            format!("the health check's timeout of {timeout} s is above its interval of {interval} s")
        };
        let help = "lower `HealthCheckTimeoutSeconds`, or raise `HealthCheckIntervalSeconds`";
        problems.push(place.problem("timeout-not-below-interval", message).help(help));
    }
}
