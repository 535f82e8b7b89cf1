//! The load balancer's health checks of a task.

use serde_json::Value;

use super::subject::group_name;
use super::{ClassifiedFailure, Sentences, say};

/// The names in the sentences about one failed health check.
struct Check<'a> {
    /// The target group, as `DescribeTargetGroups` shows it.
    group: Option<&'a Value>,
    /// The target group in words.
    name: String,
    /// The container and port that are checked, in words.
    target: String,
    /// ` to` and the path; empty where it is unknown.
    path: String,
}

impl ClassifiedFailure<'_> {
    pub(super) fn target_response_code(&self) -> Sentences {
        let Check { group, name, target, path } = self.check();
        let failure = self.failure;
        let codes = failure.and_then(|failure| Some(failure.message.split_once('[')?.1.split_once(']')?.0.to_owned()));
        let codes = codes
            .map_or_else(|| "with a code that its matcher does not accept".to_owned(), |codes| format!("with {codes}"));
        let matcher = group.and_then(|group| group["Matcher"]["HttpCode"].as_str());
        let matcher = matcher.map(|codes| format!(" (it accepts {codes})")).unwrap_or_default();
        say(
            format!("{target} answers the health check of {name}{path} {codes}{matcher}"),
            format!(
                "make that path return an accepted code, or correct `HealthCheckPath` or `Matcher` of the target group; {}",
                self.grace()
            ),
        )
    }

    pub(super) fn target_timeout(&self) -> Sentences {
        let Check { name, target, path, .. } = self.check();
        say(
            format!("{target} does not answer the health check of {name}{path} in time"),
            format!(
                "check that the application listens on that port on 0.0.0.0, that its security group allows the load balancer, and that it answers within `HealthCheckTimeoutSeconds`; {}",
                self.grace()
            ),
        )
    }

    pub(super) fn target_zone_not_enabled(&self) -> Sentences {
        let name = self.check().name;
        say(
            format!("tasks run in an Availability Zone that the load balancer of {name} does not serve"),
            "enable that zone on the load balancer, or remove its subnet from the service's network configuration",
        )
    }

    pub(super) fn target_unhealthy(&self) -> Sentences {
        let Check { name, target, path, .. } = self.check();
        say(
            format!("{target} fails the health checks of {name}{path}"),
            format!(
                "check the target's health while a task runs, that the application listens on that port, that the security group allows the load balancer, and that path and matcher are right; {}",
                self.grace()
            ),
        )
    }

    fn check(&self) -> Check<'_> {
        let arn = match self.failure {
            Some(failure) => &failure.group,
            None => self.message.after("target-group ").unwrap_or_default(),
        };
        let target = match (self.balanced(arn), self.failure.and_then(|failure| failure.port)) {
            (Some((container, port)), _) => format!("container `{container}` on port {port}"),
            (None, Some(port)) => format!("the task on port {port}"),
            (None, None) => "the task".to_owned(),
        };
        let group = self.group(arn);
        let path = group.and_then(|group| group["HealthCheckPath"].as_str());
        let path = path.map(|path| format!(" to `{path}`")).unwrap_or_default();
        Check { group, name: group_name(arn), target, path }
    }
}
