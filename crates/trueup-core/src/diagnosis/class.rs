//! Every class of cause that trueup distinguishes, with its stable name and its bearing on the release.
//!
//! Source: ECS developer guide, stopped tasks error codes, `CannotPullContainer` task errors, service event messages;
//! Elastic Load Balancing, target group health checks. `docs/why.md` is the catalogue for readers.

use serde::{Serialize, Serializer};

/// The bearing of a cause on the release that did not reach service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearing {
    /// The same release fails again until the cause is fixed.
    Terminal,
    /// The cause is temporary: the same release may succeed later.
    Transient,
    /// The cause is unrelated to the release.
    NotTheRelease,
    /// The cause is not known.
    Unknown,
}

impl Bearing {
    /// The stable name, as reports carry it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Transient => "transient",
            Self::NotTheRelease => "not_the_release",
            Self::Unknown => "unknown",
        }
    }
}

/// Declares the classes: documentation, variant, stable name, bearing.
macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $bearing:ident,)*) => {
        /// What kind of cause it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class {
            $($(#[$doc])* $variant,)*
        }

        impl Class {
            /// All classes, in the catalogue's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, as reports carry it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How it bears on the release.
            pub fn bearing(self) -> Bearing {
                match self {
                    $(Self::$variant => Bearing::$bearing,)*
                }
            }
        }
    };
}

classes! {
    /// The image has no variant for the platform that the task runs on.
    ImageArchitecture "image_architecture" Terminal,
    /// The tag or digest does not exist in the repository, or the repository does not.
    ImageNotFound "image_not_found" Terminal,
    /// The task cannot reach the registry.
    RegistryUnreachable "registry_unreachable" Terminal,
    /// The manifest was downloaded, and a layer could not be.
    ImageLayerDownload "image_layer_download" Terminal,
    /// The registry refuses the pull.
    ImagePullDenied "image_pull_denied" Terminal,
    /// The registry's pull rate limit.
    ImagePullRateLimit "image_pull_rate_limit" Transient,
    /// The image does not fit on the task's disk.
    ImageTooLarge "image_too_large" Terminal,
    /// The execution role may not read a secret or parameter, or may not log in to the registry.
    ExecutionRoleDenied "execution_role_denied" Terminal,
    /// A secret or parameter does not exist.
    SecretNotFound "secret_not_found" Terminal,
    /// A secret is not the JSON that the task definition expects.
    SecretFormat "secret_format" Terminal,
    /// The task cannot reach Secrets Manager, Systems Manager or ECR's API.
    SecretsUnreachable "secrets_unreachable" Terminal,
    /// Secrets Manager, Systems Manager or ECR throttled the calls for the task.
    SecretsThrottled "secrets_throttled" Transient,
    /// The log driver could not be set up.
    LogDriver "log_driver" Terminal,
    /// An EFS volume could not be mounted.
    EfsMount "efs_mount" Terminal,
    /// A container used more memory than its limit.
    OutOfMemory "out_of_memory" Terminal,
    /// A container was killed by SIGKILL, and AWS does not say that memory ran out.
    Killed "killed" Terminal,
    /// A container stopped on SIGTERM: normal in a deployment.
    Terminated "terminated" NotTheRelease,
    /// A container crashed with a segmentation fault.
    SegmentationFault "segmentation_fault" Terminal,
    /// The command or entry point is not in the image, or cannot be run.
    BadCommand "bad_command" Terminal,
    /// An essential container exited on its own.
    ApplicationExit "application_exit" Terminal,
    /// The container's binary is built for another platform.
    ExecFormatError "exec_format_error" Terminal,
    /// The target answered the health check with a status code that the matcher does not accept.
    TargetResponseCode "target_response_code" Terminal,
    /// The target did not answer the health check in time.
    TargetTimeout "target_timeout" Terminal,
    /// The target is in an Availability Zone that the load balancer does not serve.
    TargetZoneNotEnabled "target_zone_not_enabled" Terminal,
    /// The load balancer's health checks failed, and AWS does not show how.
    TargetUnhealthy "target_unhealthy" Terminal,
    /// A container's own health check failed.
    ContainerHealthCheck "container_health_check" Terminal,
    /// ECS replaced the task, or scaled in: normal.
    Scaling "scaling" NotTheRelease,
    /// A principal called `StopTask`.
    StoppedByUser "stopped_by_user" NotTheRelease,
    /// A subnet has no free address.
    SubnetFull "subnet_full" Terminal,
    /// EC2 refused to create the task's network interface.
    NetworkInterface "network_interface" Terminal,
    /// The task's network interface was not ready in time.
    NetworkInterfaceTimeout "network_interface_timeout" Transient,
    /// Fargate has no capacity for the task at the moment.
    FargateCapacity "fargate_capacity" Transient,
    /// A quota of the account is used up.
    AccountQuota "account_quota" Terminal,
    /// ECS may not assume the task's role or the execution role.
    RoleNotAssumable "role_not_assumable" Terminal,
    /// AWS reclaimed Spot capacity.
    SpotInterruption "spot_interruption" NotTheRelease,
    /// AWS performed maintenance on the task's infrastructure.
    Maintenance "maintenance" NotTheRelease,
    /// The instance that the task ran on was stopped or terminated, or is impaired.
    HostGone "host_gone" NotTheRelease,
    /// A volume could not be created.
    VolumeNotCreated "volume_not_created" Terminal,
    /// The agent could not inspect a container.
    ContainerNotInspected "container_not_inspected" Transient,
    /// The container runtime could not start a container, for another reason than its command.
    ContainerNotStarted "container_not_started" Terminal,
    /// The container runtime could not stop a container.
    ContainerNotStopped "container_not_stopped" Transient,
    /// The container runtime failed.
    ContainerRuntime "container_runtime" Terminal,
    /// A container did not reach its next state in time.
    ContainerRuntimeTimeout "container_runtime_timeout" Transient,
    /// A resource that the task needs does not exist.
    ResourceNotFound "resource_not_found" Terminal,
    /// No container instance fits the task, or its capacity provider provides none.
    NoPlacement "no_placement" Terminal,
    /// The deployment configuration lets ECS neither stop nor start a task.
    DeploymentDeadlock "deployment_deadlock" Terminal,
    /// AWS throttles ECS's own calls.
    EcsThrottled "ecs_throttled" Transient,
    /// ECS could not register the targets or read their health.
    TargetRegistration "target_registration" Terminal,
    /// A CloudWatch alarm ended the deployment.
    Alarm "alarm" Terminal,
    /// ECS cannot start tasks consistently, and AWS does not show why.
    CrashLoop "crash_loop" Terminal,
    /// AWS does not show the cause.
    Unknown "unknown" Unknown,
}

impl Class {
    /// Whether every deployment has stops of this class, so that they explain nothing.
    pub fn is_noise(self) -> bool {
        matches!(self, Self::Terminated | Self::Scaling)
    }
}

/// As its stable name.
impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
