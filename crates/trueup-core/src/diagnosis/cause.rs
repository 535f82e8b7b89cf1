//! The cause in one sentence that names what it is about, and what a person does about it.

use serde_json::Value;

use super::Context;
use super::class::Class;
use super::evidence::{Container, Task};
use super::health::Failure;
use super::named::group_name;
use super::words::{Words, clean};

/// All that the sentences may name.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) class: Class,
    /// The decisive text.
    pub(super) words: &'a Words,
    pub(super) task: Option<&'a Task>,
    pub(super) container: Option<&'a Container>,
    /// The failed health check, where it is about one.
    pub(super) failure: Option<&'a Failure>,
    pub(super) context: &'a Context<'a>,
}

impl Case<'_> {
    /// Cause and cure.
    pub(super) fn sentences(&self) -> (String, String) {
        let (cause, cure) = match self.class {
            Class::ImageArchitecture
            | Class::ImageNotFound
            | Class::RegistryUnreachable
            | Class::ImageLayerDownload
            | Class::ImagePullDenied
            | Class::ImagePullRateLimit
            | Class::ImageTooLarge => self.image(),
            Class::ExecutionRoleDenied
            | Class::SecretNotFound
            | Class::SecretFormat
            | Class::SecretsUnreachable
            | Class::SecretsThrottled
            | Class::LogDriver
            | Class::EfsMount
            | Class::RoleNotAssumable
            | Class::ResourceNotFound => self.resources(),
            Class::OutOfMemory
            | Class::Killed
            | Class::Terminated
            | Class::SegmentationFault
            | Class::BadCommand
            | Class::ApplicationExit
            | Class::ExecFormatError => self.container(),
            Class::TargetResponseCode
            | Class::TargetTimeout
            | Class::TargetZoneNotEnabled
            | Class::TargetUnhealthy
            | Class::ContainerHealthCheck => self.health(),
            Class::VolumeNotCreated
            | Class::ContainerNotInspected
            | Class::ContainerNotStarted
            | Class::ContainerNotStopped
            | Class::ContainerRuntime
            | Class::ContainerRuntimeTimeout => self.runtime(),
            Class::Scaling
            | Class::StoppedByUser
            | Class::SpotInterruption
            | Class::Maintenance
            | Class::HostGone
            | Class::SubnetFull
            | Class::NetworkInterface
            | Class::NetworkInterfaceTimeout
            | Class::FargateCapacity
            | Class::AccountQuota
            | Class::NoPlacement
            | Class::DeploymentDeadlock
            | Class::EcsThrottled
            | Class::TargetRegistration
            | Class::Alarm
            | Class::CrashLoop
            | Class::Unknown => self.surroundings(),
        };
        (clean(&cause), clean(&cure))
    }

    fn image(&self) -> (String, String) {
        let image = self.image_name();
        let role = self.execution_role();
        match self.class {
            Class::ImageArchitecture => {
                let platform = self.words.after("matching platform").unwrap_or("the task's platform").to_owned();
                (
                    format!("{image} has no variant for `{platform}`"),
                    format!("build and push it for `{platform}` (`docker buildx build --platform {platform}`), or set `runtimePlatform` in the task definition to what it was built for"),
                )
            }
            Class::ImageNotFound => (
                format!("{image} does not exist in its repository"),
                "push that tag or digest, or name one that exists; a digest may have been deleted after the deployment began (see the repository's lifecycle policy)".to_owned(),
            ),
            Class::RegistryUnreachable => (
                format!("the task has no way to the registry of {image}"),
                "give the task a public IP or a NAT gateway, or VPC endpoints for `ecr.api`, `ecr.dkr` and S3, and allow outbound HTTPS in its security groups".to_owned(),
            ),
            Class::ImageLayerDownload => (
                format!("the manifest of {image} was read and a layer could not be downloaded"),
                "check the S3 gateway endpoint, its policy (it must allow `s3:GetObject` on ECR's layer bucket) and the route to it".to_owned(),
            ),
            Class::ImagePullDenied => (
                format!("{role} may not pull {image}, or the repository does not exist"),
                format!("allow `ecr:GetAuthorizationToken`, `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer` to {role}, check the repository's policy and its name; give `repositoryCredentials` for a private registry"),
            ),
            Class::ImagePullRateLimit => (
                format!("the registry's pull rate limit is used up for {image}"),
                "wait, authenticate to the registry with `repositoryCredentials`, or mirror the image in ECR".to_owned(),
            ),
            _ => (
                format!("{image} does not fit on the task's disk"),
                "raise `ephemeralStorage` in the task definition (or the instance's disk), or make the image smaller".to_owned(),
            ),
        }
    }

    /// Which service was asked for what the task needs before it starts.
    fn keeper(&self) -> &'static str {
        if self.words.has("ssm") {
            "Systems Manager"
        } else if self.words.has("ecr") {
            "ECR"
        } else {
            "Secrets Manager"
        }
    }

    fn resources(&self) -> (String, String) {
        let role = self.execution_role();
        match self.class {
            Class::ExecutionRoleDenied => {
                let action = self.words.after("not authorized to perform").map(|action| format!("`{action}`"));
                let on = self
                    .words
                    .after("on resource")
                    .or_else(|| self.words.arn("secretsmanager"))
                    .or_else(|| self.words.arn("ssm"));
                let on = on.map(|arn| format!(" on `{arn}`")).unwrap_or_default();
                let action = action.unwrap_or_else(|| "what it needs to read the secrets".to_owned());
                let endpoint = self.words.has("vpc endpoint policy");
                let cure = if endpoint {
                    "allow it in the policy of the VPC endpoint".to_owned()
                } else {
                    format!(
                        "allow {action}{on} to {role}; for a secret with its own key also `kms:Decrypt` on that key"
                    )
                };
                (format!("{role} may not perform {action}{on}"), cure)
            }
            Class::SecretNotFound => {
                let name = self.secret();
                (
                    format!("the task definition names {name}, which does not exist"),
                    "create it (in this region), give it a value, or correct `valueFrom` in the task definition"
                        .to_owned(),
                )
            }
            Class::SecretFormat => {
                let key = self.words.after("json key").map(|key| format!(" has no JSON key `{key}`"));
                let what = key.unwrap_or_else(|| " is not the JSON that `valueFrom` expects".to_owned());
                (
                    format!("{}{what}", self.secret()),
                    "put that key into the secret's JSON, or correct the key in `valueFrom` (`ARN:KEY::`)".to_owned(),
                )
            }
            Class::SecretsThrottled => (
                format!("{} throttles the calls that ECS makes for the task", self.keeper()),
                "wait, then `trueup retry` when ECS gave the deployment up; have fewer tasks start at a time".to_owned(),
            ),
            Class::SecretsUnreachable => {
                (
                    format!("the task has no way to {}", self.keeper()),
                    "give the task a public IP or a NAT gateway, or VPC endpoints for `secretsmanager`, `ssm`, `kms` and `ecr.api`, with DNS on and outbound HTTPS allowed".to_owned(),
                )
            }
            Class::LogDriver => {
                let group = self.log_group();
                let (cause, cure) = if self.words.has("not authorized to perform") || self.words.has("accessdenied") {
                    (
                        format!("{role} may not write to {group}"),
                        format!(
                            "allow `logs:CreateLogStream` and `logs:PutLogEvents` (and `logs:CreateLogGroup` with `awslogs-create-group`) to {role}"
                        ),
                    )
                } else if self.words.has("does not exist") && self.words.has("log group") {
                    (
                        format!("{group} does not exist"),
                        "create it, or set `awslogs-create-group` and allow `logs:CreateLogGroup`".to_owned(),
                    )
                } else {
                    (format!("the log driver could not be set up with {group}"), "see that the log group and `awslogs-region` are right, that the execution role may write there, and that the task has a way to CloudWatch Logs".to_owned())
                };
                (cause, cure)
            }
            Class::EfsMount => {
                let volume = self.words.after("failed to resolve").or_else(|| self.words.after("file system"));
                let volume =
                    volume.filter(|name| name.starts_with("fs-")).map(|name| format!(" `{name}`")).unwrap_or_default();
                (
                    format!("the EFS file system{volume} could not be mounted"),
                    "see that it has a mount target in the task's zone, that the security groups let TCP 2049 through, that DNS is on in the VPC, and that the task role may mount it".to_owned(),
                )
            }
            Class::RoleNotAssumable => {
                let role = self.words.arn("iam").map_or_else(
                    || "the task role or the execution role".to_owned(),
                    |arn| format!("the role `{arn}`"),
                );
                (
                    format!("ECS may not assume {role}"),
                    "see that it exists and that its trust policy allows `sts:AssumeRole` to `ecs-tasks.amazonaws.com`; a role made a moment ago takes a while to be known, then `trueup retry`".to_owned(),
                )
            }
            _ => (
                format!("something that the task needs does not exist: {}", self.words.text),
                "create what the message names, or correct the name".to_owned(),
            ),
        }
    }

    fn container(&self) -> (String, String) {
        let name = self.container_name();
        let code = self.container.and_then(|container| container.exit_code);
        match self.class {
            Class::OutOfMemory => {
                let limit = self.definition().and_then(|definition| definition["memory"].as_i64());
                let limit = limit.map(|limit| format!(" of {limit} MiB")).unwrap_or_default();
                (
                    format!("{name} used more memory than its limit{limit}"),
                    "raise `memory` (of the container, or of the task), or find what uses it up".to_owned(),
                )
            }
            Class::Killed => (
                format!("{name} was killed by SIGKILL (exit code 137), and nothing says that memory ran out"),
                "see its last log lines, and the memory it used; a process inside may have killed it".to_owned(),
            ),
            Class::SegmentationFault => (
                format!("{name} crashed with a segmentation fault (exit code 139)"),
                "see its last log lines; look for a native library that was built for another platform or C library"
                    .to_owned(),
            ),
            Class::BadCommand => {
                let quoted = self.words.after("exec: \"").map(|command| format!("`{command}`"));
                let command = quoted.or_else(|| self.command()).unwrap_or_else(|| "its command".to_owned());
                let code = code.map(|code| format!(" (exit code {code})")).unwrap_or_default();
                (
                    format!("{name} cannot run {command}{code}"),
                    "correct `command` or `entryPoint` in the task definition, or put the program into the image and make it executable".to_owned(),
                )
            }
            Class::ExecFormatError => (
                format!("{name} holds a program that is none for this platform"),
                "build the image for the platform of `runtimePlatform`; a script needs its `#!` line".to_owned(),
            ),
            Class::Terminated => {
                (format!("{name} obeyed SIGTERM"), "nothing: that is normal in a deployment".to_owned())
            }
            _ => match code {
                Some(0) => (
                    format!(
                        "{name} ended by itself with exit code 0, and a service's essential container must keep running"
                    ),
                    "keep the process in the foreground, or mark a container that is meant to end as not essential"
                        .to_owned(),
                ),
                code => {
                    let code = code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
                    (
                        format!("{name} ended by itself{code}"),
                        "see its last log lines; `exec format error` there means an image for another platform"
                            .to_owned(),
                    )
                }
            },
        }
    }

    fn health(&self) -> (String, String) {
        if self.class == Class::ContainerHealthCheck {
            let name = self.container_name();
            let check = self.definition().and_then(|definition| {
                let command = definition["healthCheck"]["command"].as_array()?;
                Some(command.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
            });
            let check = check.map(|check| format!(" (`{check}`)")).unwrap_or_default();
            return (
                format!("the health check of {name}{check} fails"),
                "see that the tools it calls are in the image and that it succeeds there; raise `startPeriod` when the application needs longer to start".to_owned(),
            );
        }
        let failure = self.failure;
        let arn = failure
            .map(|failure| failure.group.clone())
            .or_else(|| self.words.after("target-group ").map(str::to_owned))
            .unwrap_or_default();
        let group = self.group(&arn);
        let name = group_name(&arn);
        let on = match (self.balanced(&arn), failure.and_then(|failure| failure.port)) {
            (Some((container, port)), _) => format!("container `{container}` on port {port}"),
            (None, Some(port)) => format!("the task on port {port}"),
            (None, None) => "the task".to_owned(),
        };
        let path = group
            .and_then(|group| group["HealthCheckPath"].as_str())
            .map(|path| format!(" to `{path}`"))
            .unwrap_or_default();
        let grace = self.grace();
        match self.class {
            Class::TargetResponseCode => {
                let codes =
                    failure.and_then(|failure| Some(failure.words.split_once('[')?.1.split_once(']')?.0.to_owned()));
                let codes = codes
                    .map_or_else(|| "with another code than the matcher's".to_owned(), |codes| format!("with {codes}"));
                let matcher = group
                    .and_then(|group| group["Matcher"]["HttpCode"].as_str())
                    .map(|codes| format!(" (it accepts {codes})"))
                    .unwrap_or_default();
                (
                    format!("{on} answers the health check of {name}{path} {codes}{matcher}"),
                    format!(
                        "make that path answer, or correct `HealthCheckPath` or `Matcher` of the target group; {grace}"
                    ),
                )
            }
            Class::TargetTimeout => (
                format!("{on} does not answer the health check of {name}{path} in time"),
                format!(
                    "see that the application listens on that port on 0.0.0.0, that its security group lets the load balancer in, and that it answers within `HealthCheckTimeoutSeconds`; {grace}"
                ),
            ),
            Class::TargetZoneNotEnabled => (
                format!("tasks run in an Availability Zone that the load balancer of {name} does not serve"),
                "enable that zone on the load balancer, or take its subnet out of the service's network configuration"
                    .to_owned(),
            ),
            _ => (
                format!("{on} fails the health checks of {name}{path}"),
                format!(
                    "ask for target health while a task runs; see that the application listens on that port, that the security group lets the load balancer in, and that path and matcher are right; {grace}"
                ),
            ),
        }
    }

    fn runtime(&self) -> (String, String) {
        let name = self.container_name();
        let cause = match self.class {
            Class::VolumeNotCreated => "a volume of the task could not be made".to_owned(),
            Class::ContainerNotInspected => format!("the agent could not inspect {name}"),
            Class::ContainerNotStarted => format!("{name} could not be started"),
            Class::ContainerNotStopped => format!("{name} could not be stopped"),
            Class::ContainerRuntimeTimeout => format!("{name} did not get to its next state in time"),
            _ => format!("the container runtime failed with {name}"),
        };
        let cure = match self.class {
            Class::VolumeNotCreated => {
                "see the volumes of the task definition: source path, file system, authorization"
            }
            Class::ContainerNotStarted => "correct what the message names",
            _ => "let ECS try again; when it lasts, look at the host (its load and disk) or ask AWS",
        };
        (format!("{cause}: {}", self.words.text), cure.to_owned())
    }

    fn surroundings(&self) -> (String, String) {
        let text = &self.words.text;
        let (cause, cure) = match self.class {
            Class::Scaling => ("ECS replaced tasks, or scaled in", "nothing: that is normal"),
            Class::StoppedByUser => {
                return (
                    format!("somebody stopped tasks of the service by hand ({text})"),
                    "CloudTrail (`StopTask`) tells who; the release need not change".to_owned(),
                );
            }
            Class::SpotInterruption => (
                "AWS took Spot capacity back",
                "nothing, ECS replaces the tasks; keep a base of on-demand capacity where that is too often",
            ),
            Class::Maintenance => {
                ("AWS maintains the infrastructure that tasks ran on", "nothing: ECS replaces the tasks")
            }
            Class::HostGone => (
                "the infrastructure that tasks ran on went away or is impaired",
                "nothing, ECS replaces the tasks; see that enough instances are left",
            ),
            Class::SubnetFull => {
                let subnet = self
                    .words
                    .after("in subnet")
                    .map_or_else(|| "a subnet of the service".to_owned(), |subnet| format!("the subnet `{subnet}`"));
                return (
                    format!("{subnet} has no free address"),
                    "free addresses there, or name other subnets in the service's network configuration".to_owned(),
                );
            }
            Class::NetworkInterface => {
                return (format!("EC2 refused to make a task's network interface: {text}"), "correct what the message names: subnets, security groups, permissions of ECS's service-linked role".to_owned());
            }
            Class::NetworkInterfaceTimeout => ("a task's network interface was not ready in time", "let ECS try again"),
            Class::FargateCapacity => (
                "Fargate has no capacity for such a task at the moment",
                "let ECS try again; allow more Availability Zones, or another capacity provider",
            ),
            Class::AccountQuota => {
                let quota = if self.words.has("vcpu") { "vCPUs" } else { "tasks (or vCPUs) that run concurrently" };
                return (format!("the account's quota of {quota} is used up: {text}"), "have the quota raised in Service Quotas (AWS Fargate), or stop what is not needed; then `trueup retry`".to_owned());
            }
            Class::NoPlacement => {
                return (format!("ECS finds no place for a task: {text}"), "add container instances that fit CPU, memory, ports and constraints of the task, or ask for less; check the capacity provider".to_owned());
            }
            Class::DeploymentDeadlock => (
                "`minimumHealthyPercent` and `maximumPercent` let ECS neither stop nor start a task",
                "lower `minimumHealthyPercent` or raise `maximumPercent` in `deploymentConfiguration`",
            ),
            Class::EcsThrottled => {
                ("AWS throttles the calls that ECS makes for the service", "wait; have fewer services change at a time")
            }
            Class::TargetRegistration => {
                return (
                    format!("ECS could not register or look at targets: {text}"),
                    "see that the target group exists and that ECS's service-linked role may act on it".to_owned(),
                );
            }
            Class::Alarm => {
                return (
                    "a CloudWatch alarm of the service's `alarms` went off, and ECS ended the deployment".to_owned(),
                    "look at the alarm's metric for the time of the deployment; the tasks themselves started"
                        .to_owned(),
                );
            }
            Class::CrashLoop => (
                "ECS cannot start tasks of the service consistently, and no stopped task was seen that says why",
                "look at the service's stopped tasks within an hour of the next try, and at the containers' logs",
            ),
            _ => (
                "what AWS shows does not tell the cause",
                "read the evidence; look at the containers' logs of that time",
            ),
        };
        (cause.to_owned(), cure.to_owned())
    }
}
