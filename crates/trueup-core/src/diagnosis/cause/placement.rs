//! Placement of a task: capacity, network interfaces, quotas, and ECS's own calls for the service.

use super::{ClassifiedFailure, Sentences, say};

impl ClassifiedFailure<'_> {
    pub(super) fn subnet_full(&self) -> Sentences {
        let subnet = self.message.after("in subnet").map(|subnet| format!("the subnet `{subnet}`"));
        let subnet = subnet.unwrap_or_else(|| "a subnet of the service".to_owned());
        say(
            format!("{subnet} has no free address"),
            "free addresses there, or name other subnets in the service's network configuration",
        )
    }

    pub(super) fn network_interface(&self) -> Sentences {
        say(
            format!("EC2 refused to create a task's network interface: {}", self.message.text),
            "correct the subject of the message: subnets, security groups, permissions of ECS's service-linked role",
        )
    }

    pub(super) fn network_interface_timeout() -> Sentences {
        say("a task's network interface was not ready in time", "let ECS retry")
    }

    pub(super) fn fargate_capacity() -> Sentences {
        say(
            "Fargate has no capacity for the task at the moment",
            "let ECS retry; allow more Availability Zones, or another capacity provider",
        )
    }

    pub(super) fn account_quota(&self) -> Sentences {
        let quota = if self.message.has("vcpu") { "vCPUs" } else { "tasks (or vCPUs) that run concurrently" };
        say(
            format!("the account's quota of {quota} is used up: {}", self.message.text),
            "request a higher quota in Service Quotas (AWS Fargate), or stop tasks that are not needed; then run `trueup retry`",
        )
    }

    pub(super) fn no_placement(&self) -> Sentences {
        say(
            format!("ECS cannot place a task: {}", self.message.text),
            "add container instances that fit CPU, memory, ports and constraints of the task, or lower its requirements; check the capacity provider",
        )
    }

    pub(super) fn deployment_deadlock() -> Sentences {
        say(
            "`minimumHealthyPercent` and `maximumPercent` let ECS neither stop nor start a task",
            "lower `minimumHealthyPercent` or raise `maximumPercent` in `deploymentConfiguration`",
        )
    }

    pub(super) fn ecs_throttled() -> Sentences {
        say("AWS throttles the calls that ECS makes for the service", "wait; change fewer services at a time")
    }

    pub(super) fn target_registration(&self) -> Sentences {
        say(
            format!("ECS could not register targets or read their health: {}", self.message.text),
            "check that the target group exists and that ECS's service-linked role may use it",
        )
    }
}
