//! What ECS fetches or sets up before a task starts: roles, secrets, log drivers, volumes.

use super::{ClassifiedFailure, Sentences, say};

impl ClassifiedFailure<'_> {
    pub(super) fn execution_role_denied(&self) -> Sentences {
        let role = self.execution_role();
        let action = self.message.after("not authorized to perform").map(|action| format!("`{action}`"));
        let action = action.unwrap_or_else(|| "the actions that read the secrets".to_owned());
        let on = self
            .message
            .after("on resource")
            .or_else(|| self.message.arn("secretsmanager"))
            .or_else(|| self.message.arn("ssm"));
        let on = on.map(|arn| format!(" on `{arn}`")).unwrap_or_default();
        let remedy = if self.message.has("vpc endpoint policy") {
            "allow it in the policy of the VPC endpoint".to_owned()
        } else {
            format!("allow {action}{on} to {role}; for a secret with its own key also `kms:Decrypt` on that key")
        };
        say(format!("{role} may not perform {action}{on}"), remedy)
    }

    pub(super) fn secret_not_found(&self) -> Sentences {
        say(
            format!("the task definition names {}, which does not exist", self.secret()),
            "create it (in this region), give it a value, or correct `valueFrom` in the task definition",
        )
    }

    pub(super) fn secret_format(&self) -> Sentences {
        let key = self.message.after("json key").map(|key| format!(" has no JSON key `{key}`"));
        let fault = key.unwrap_or_else(|| " is not the JSON that `valueFrom` expects".to_owned());
        say(
            format!("{}{fault}", self.secret()),
            "put that key into the secret's JSON, or correct the key in `valueFrom` (`ARN:KEY::`)",
        )
    }

    pub(super) fn secrets_throttled(&self) -> Sentences {
        say(
            format!("{} throttles the calls that ECS makes for the task", self.asked_service()),
            "wait, then run `trueup retry` if ECS gave up the deployment; start fewer tasks at a time",
        )
    }

    pub(super) fn secrets_unreachable(&self) -> Sentences {
        say(
            format!("the task cannot reach {}", self.asked_service()),
            "give the task a public IP or a NAT gateway, or VPC endpoints for `secretsmanager`, `ssm`, `kms` and \
             `ecr.api`, with DNS enabled and outbound HTTPS allowed",
        )
    }

    pub(super) fn log_driver(&self) -> Sentences {
        let (role, group) = (self.execution_role(), self.log_group());
        if self.message.has_any(&["not authorized to perform", "accessdenied"]) {
            return say(
                format!("{role} may not write to {group}"),
                format!(
                    "allow `logs:CreateLogStream` and `logs:PutLogEvents` (and `logs:CreateLogGroup` with \
                     `awslogs-create-group`) to {role}"
                ),
            );
        }
        if self.message.has("does not exist") && self.message.has("log group") {
            return say(
                format!("{group} does not exist"),
                "create it, or set `awslogs-create-group` and allow `logs:CreateLogGroup`",
            );
        }
        say(
            format!("the log driver could not be set up with {group}"),
            "check that the log group and `awslogs-region` are right, that the execution role may write there, and that the task can reach CloudWatch Logs",
        )
    }

    pub(super) fn efs_mount(&self) -> Sentences {
        let volume = self.message.after("failed to resolve").or_else(|| self.message.after("file system"));
        let volume = volume.filter(|name| name.starts_with("fs-")).map(|name| format!(" `{name}`")).unwrap_or_default();
        say(
            format!("the EFS file system{volume} could not be mounted"),
            "check that it has a mount target in the task's zone, that the security groups allow TCP 2049, that DNS is enabled in the VPC, and that the task role may mount it",
        )
    }

    pub(super) fn role_not_assumable(&self) -> Sentences {
        let role = self.message.arn("iam").map(|arn| format!("the role `{arn}`"));
        let role = role.unwrap_or_else(|| "the task role or the execution role".to_owned());
        say(
            format!("ECS may not assume {role}"),
            "check that it exists and that its trust policy allows `sts:AssumeRole` to `ecs-tasks.amazonaws.com`; a new role takes a while to become usable, then run `trueup retry`",
        )
    }

    pub(super) fn resource_not_found(&self) -> Sentences {
        say(
            format!("a resource that the task needs does not exist: {}", self.message.text),
            "create the resource that the message names, or correct the name",
        )
    }

    /// The AWS service that was asked for what the task needs before it starts.
    fn asked_service(&self) -> &'static str {
        if self.message.has("ssm") {
            "Systems Manager"
        } else if self.message.has("ecr") {
            "ECR"
        } else {
            "Secrets Manager"
        }
    }
}
