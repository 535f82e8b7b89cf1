//! The resource that a cause is about, by name: container, image, role, secret, log group, target group.

use serde_json::Value;

use super::ClassifiedFailure;

impl ClassifiedFailure<'_> {
    pub(super) fn container_name(&self) -> String {
        let only = || match self.task.map(|task| task.containers.as_slice()) {
            Some([only]) => Some(only),
            _ => None,
        };
        let unhealthy = || {
            let mut all = self
                .task?
                .containers
                .iter()
                .filter(|container| container.health_status.as_deref() == Some("UNHEALTHY"));
            all.next().filter(|_| all.next().is_none())
        };
        let found = self.container.or_else(unhealthy).or_else(only);
        found.map_or_else(|| "a container".to_owned(), |container| format!("container `{}`", container.name))
    }

    /// The container's definition in the task definition.
    pub(super) fn definition(&self) -> Option<&Value> {
        let name = self.container_name();
        let all = self.context.task_definition?["containerDefinitions"].as_array()?;
        all.iter()
            .find(|definition| definition["name"].as_str().is_some_and(|own| name == format!("container `{own}`")))
    }

    pub(super) fn command(&self) -> Option<String> {
        let definition = self.definition()?;
        let message = ["entryPoint", "command"].iter().filter_map(|part| definition[*part].as_array()).flatten();
        let message: Vec<&str> = message.filter_map(Value::as_str).collect();
        (!message.is_empty()).then(|| format!("`{}`", message.join(" ")))
    }

    pub(super) fn image_name(&self) -> String {
        let said = ["failed to resolve ref", "ref pull has been retried", "pull access denied for"];
        let said = || {
            said.iter()
                .filter_map(|marker| self.message.after(marker))
                .find(|word| word.contains(['/', ':']) && word.contains(char::is_alphabetic))
        };
        let only = || match self.task.map(|task| task.containers.as_slice()) {
            Some([only]) => only.image.as_deref(),
            _ => None,
        };
        let image = self.container.and_then(|container| container.image.as_deref()).or_else(said).or_else(only);
        image.map_or_else(|| "an image of the task".to_owned(), |image| format!("the image `{image}`"))
    }

    pub(super) fn execution_role(&self) -> String {
        let assumed = self.message.arn("sts").and_then(|arn| arn.split_once(":assumed-role/")?.1.split('/').next());
        let declared = || self.context.task_definition?["executionRoleArn"].as_str()?.rsplit('/').next();
        assumed
            .or_else(declared)
            .map_or_else(|| "the execution role".to_owned(), |role| format!("the execution role `{role}`"))
    }

    pub(super) fn secret(&self) -> String {
        if let Some(arn) = self.message.arn("secretsmanager") {
            return format!("the secret `{arn}`");
        }
        if let Some(name) = self.message.after("invalid ssm parameters") {
            return format!("the parameter `{name}`");
        }
        self.message.arn("ssm").map_or_else(|| "a secret".to_owned(), |arn| format!("the parameter `{arn}`"))
    }

    pub(super) fn log_group(&self) -> String {
        let all = self.context.task_definition.and_then(|definition| definition["containerDefinitions"].as_array());
        let mut groups: Vec<&str> = all
            .into_iter()
            .flatten()
            .filter_map(|c| c["logConfiguration"]["options"]["awslogs-group"].as_str())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        match groups.as_slice() {
            [] => "the log group".to_owned(),
            [one] => format!("the log group `{one}`"),
            several => format!(
                "one of the log groups {}",
                several.iter().map(|group| format!("`{group}`")).collect::<Vec<_>>().join(", ")
            ),
        }
    }

    pub(super) fn group(&self, arn: &str) -> Option<&Value> {
        self.context.target_groups.iter().copied().find(|group| group["TargetGroupArn"].as_str() == Some(arn))
    }

    /// The container and port behind a target group.
    pub(super) fn balanced(&self, arn: &str) -> Option<(&str, i64)> {
        let all = self.context.service?["loadBalancers"].as_array()?;
        let groups = |balancer: &Value| {
            let alternate = balancer["advancedConfiguration"]["alternateTargetGroupArn"].as_str() == Some(arn);
            alternate || balancer["targetGroupArn"].as_str() == Some(arn)
        };
        let balancer = all.iter().find(|balancer| groups(balancer))?;
        Some((balancer["containerName"].as_str()?, balancer["containerPort"].as_i64()?))
    }

    /// The remedy for an application that is only slow to start.
    pub(super) fn grace(&self) -> String {
        let seconds = self
            .context
            .service
            .and_then(|service| service["healthCheckGracePeriodSeconds"].as_i64())
            .unwrap_or_default();
        format!("if it is only slow to start, raise `healthCheckGracePeriodSeconds` of the service (now {seconds})")
    }
}

/// A target group by its name, out of its ARN.
pub(super) fn group_name(arn: &str) -> String {
    match arn.split_once(":targetgroup/").and_then(|(_, rest)| rest.split('/').next()) {
        Some(name) => format!("the target group `{name}`"),
        None => "the target group".to_owned(),
    }
}
