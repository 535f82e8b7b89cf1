//! The sentences about a cause, one family of classes per file: what failed, with its name, and the remedy.
//!
//! One function returns both for one class, so that they cannot disagree. The match below is the table of contents.

mod container;
mod image;
mod placement;
mod resources;
mod runtime;
mod stopped;
mod subject;
mod target;

use super::FailureContext;
use super::class::Class;
use super::evidence::{Container, Task};
use super::health::FailedHealthCheck;
use super::message::{Message, clean};

/// A failure whose class is known, with everything that the sentences may name.
#[derive(Clone, Copy)]
pub(super) struct ClassifiedFailure<'a> {
    pub(super) class: Class,
    /// The decisive message.
    pub(super) message: &'a Message,
    pub(super) task: Option<&'a Task>,
    pub(super) container: Option<&'a Container>,
    /// The failed health check, if it is about one.
    pub(super) failure: Option<&'a FailedHealthCheck>,
    pub(super) context: &'a FailureContext<'a>,
}

/// A cause and its remedy, one sentence each.
pub(super) struct Sentences {
    pub(super) cause: String,
    pub(super) remedy: String,
}

/// Both sentences, each on one line and safe to print: they may quote AWS.
fn say(cause: impl AsRef<str>, remedy: impl AsRef<str>) -> Sentences {
    Sentences { cause: clean(cause.as_ref()), remedy: clean(remedy.as_ref()) }
}

impl ClassifiedFailure<'_> {
    /// Cause and remedy.
    pub(super) fn sentences(&self) -> Sentences {
        match self.class {
            Class::ImageArchitecture => self.image_architecture(),
            Class::ImageNotFound => self.image_not_found(),
            Class::RegistryUnreachable => self.registry_unreachable(),
            Class::ImageLayerDownload => self.image_layer_download(),
            Class::ImagePullDenied => self.image_pull_denied(),
            Class::ImagePullRateLimit => self.image_pull_rate_limit(),
            Class::ImageTooLarge => self.image_too_large(),
            Class::ExecutionRoleDenied => self.execution_role_denied(),
            Class::SecretNotFound => self.secret_not_found(),
            Class::SecretFormat => self.secret_format(),
            Class::SecretsUnreachable => self.secrets_unreachable(),
            Class::SecretsThrottled => self.secrets_throttled(),
            Class::LogDriver => self.log_driver(),
            Class::EfsMount => self.efs_mount(),
            Class::RoleNotAssumable => self.role_not_assumable(),
            Class::ResourceNotFound => self.resource_not_found(),
            Class::OutOfMemory => self.out_of_memory(),
            Class::Killed => self.killed(),
            Class::Terminated => self.terminated(),
            Class::SegmentationFault => self.segmentation_fault(),
            Class::BadCommand => self.bad_command(),
            Class::ApplicationExit => self.application_exit(),
            Class::ExecFormatError => self.exec_format_error(),
            Class::ContainerHealthCheck => self.container_health_check(),
            Class::TargetResponseCode => self.target_response_code(),
            Class::TargetTimeout => self.target_timeout(),
            Class::TargetZoneNotEnabled => self.target_zone_not_enabled(),
            Class::TargetUnhealthy => self.target_unhealthy(),
            Class::VolumeNotCreated => self.volume_not_created(),
            Class::ContainerNotInspected => self.container_not_inspected(),
            Class::ContainerNotStarted => self.container_not_started(),
            Class::ContainerNotStopped => self.container_not_stopped(),
            Class::ContainerRuntime => self.container_runtime(),
            Class::ContainerRuntimeTimeout => self.container_runtime_timeout(),
            Class::SubnetFull => self.subnet_full(),
            Class::NetworkInterface => self.network_interface(),
            Class::NetworkInterfaceTimeout => Self::network_interface_timeout(),
            Class::FargateCapacity => Self::fargate_capacity(),
            Class::AccountQuota => self.account_quota(),
            Class::NoPlacement => self.no_placement(),
            Class::DeploymentDeadlock => Self::deployment_deadlock(),
            Class::EcsThrottled => Self::ecs_throttled(),
            Class::TargetRegistration => self.target_registration(),
            Class::Scaling => Self::scaling(),
            Class::StoppedByUser => self.stopped_by_user(),
            Class::SpotInterruption => Self::spot_interruption(),
            Class::Maintenance => Self::maintenance(),
            Class::HostGone => Self::host_gone(),
            Class::Alarm => Self::alarm(),
            Class::CrashLoop => Self::crash_loop(),
            Class::Unknown => Self::unknown(),
        }
    }
}
