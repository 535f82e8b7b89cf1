//! Classifies one AWS message: a class, a family of classes, or nothing known.
//!
//! The fragments are those that stay the same across versions and prefixes. AWS truncates long messages: one that is
//! cut before its cause yields only the family.
//!
//! Source: ECS developer guide, stopped tasks error codes, `CannotPullContainer` task errors, resource initialization
//! errors, service event messages. Texts of loggers, EFS, network interfaces and runtimes as they are published in bug
//! reports of tools that use these APIs.

use super::class::Class;
use super::message::Message;

/// The result of classifying a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Classification {
    /// The message names a cause.
    Class(Class),
    /// The message is an error of this family and does not say which.
    Family(Family),
    /// The message has no known fragment.
    Nothing,
}

/// Errors that share a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `CannotPullContainerError`
    Pull,
    /// `ResourceInitializationError`
    Resources,
}

impl Family {
    /// Whether a cut-off message of this family may mean the class.
    pub(super) fn may_be(self, class: Class) -> bool {
        match self {
            Self::Pull => matches!(
                class,
                Class::ImageArchitecture
                    | Class::ImageNotFound
                    | Class::RegistryUnreachable
                    | Class::ImageLayerDownload
                    | Class::ImagePullDenied
                    | Class::ImagePullRateLimit
                    | Class::ImageTooLarge
            ),
            Self::Resources => matches!(
                class,
                Class::ExecutionRoleDenied
                    | Class::SecretNotFound
                    | Class::SecretFormat
                    | Class::SecretsUnreachable
                    | Class::SecretsThrottled
                    | Class::LogDriver
                    | Class::EfsMount
            ),
        }
    }
}

/// No connection, as Go reports it: ECS's agents are Go programs.
const NETWORK: &[&str] = &[
    "i/o timeout",
    "request canceled while waiting for connection",
    "there is a connection issue between the task and",
    "context canceled",
    "context deadline exceeded",
    "no such host",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "no route to host",
    "tls handshake timeout",
];

/// IAM or a resource policy denies the call.
const DENIED: &[&str] =
    &["accessdenied", "not authorized to perform", "is not authorized", "access to kms is not allowed"];

/// Classifies a stopped reason, a container's reason or an error in a service event.
pub(super) fn classify(message: &Message) -> Classification {
    if message.has("cannotpull") {
        return pull(message).map_or(Classification::Family(Family::Pull), Classification::Class);
    }
    // ECS reports a role that it cannot assume under several prefixes, including the one for secrets: this comes first.
    if message.has("unable to assume the role") {
        return Classification::Class(Class::RoleNotAssumable);
    }
    if message.has("resourceinitializationerror") && !message.has("cannotstartcontainererror") {
        return initialization(message).map_or(Classification::Family(Family::Resources), Classification::Class);
    }
    start(message)
        .or_else(|| stop(message))
        .or_else(|| placement(message))
        .or_else(|| other(message))
        .map_or(Classification::Nothing, Classification::Class)
}

/// `CannotPullContainerError: …`
///
/// The order matters, as one message may have the fragments of several classes: a layer that could not be downloaded ends
/// with a network error, a denied pull adds that the repository may not exist, and a host that is not found is a network
/// error. So the specific classes come first, and "not found" last.
fn pull(message: &Message) -> Option<Class> {
    let refused =
        ["pull access denied", "no basic auth credentials", "401 unauthorized", "403 forbidden", "not authorized"];
    // ECS writes this apostrophe in two ways.
    let role = [
        "the task can't pull the image. check that the role has the permissions",
        "the task can’t pull the image. check that the role has the permissions",
    ];
    let missing =
        ["not found", "manifest unknown", "name unknown", "repository does not exist", "image does not exist"];
    if message.has_any(&["descriptor matching platform", "no matching manifest for"]) {
        Some(Class::ImageArchitecture)
    } else if message.has_any(&["toomanyrequests", "pull rate limit"]) {
        Some(Class::ImagePullRateLimit)
    } else if message.has("no space left on device") {
        Some(Class::ImageTooLarge)
    } else if message.has_any(&["httpreaderseeker: failed open", "httpreadseeker: failed open"]) {
        Some(Class::ImageLayerDownload)
    } else if message.has_any(&refused) || message.has_any(&role) || message.has_any(DENIED) {
        Some(Class::ImagePullDenied)
    } else if message.has_any(NETWORK) {
        Some(Class::RegistryUnreachable)
    } else if message.has_any(&missing) {
        Some(Class::ImageNotFound)
    } else {
        None
    }
}

/// `ResourceInitializationError: …`
///
/// First what ECS was setting up (a volume, the log driver, secrets), then what went wrong with secrets: a missing log
/// group is reported with the same error code as a missing secret. The network comes last, as ECS adds advice about it to
/// other errors.
fn initialization(message: &Message) -> Option<Class> {
    let logs = [
        "validate logger args",
        "initialize logging driver",
        "create stream has been retried",
        "log group does not exist",
    ];
    let secrets = ["unable to pull secrets", "unable to retrieve secret", "registry auth", "invalid ssm parameters"];
    if message.has("failed to invoke efs utils") {
        return Some(Class::EfsMount);
    }
    if message.has_any(&logs) {
        return Some(Class::LogDriver);
    }
    if !message.has_any(&secrets) {
        return network_interface(message);
    }
    if message.has_any(DENIED) {
        Some(Class::ExecutionRoleDenied)
    } else if message.has_any(&[
        "resourcenotfoundexception",
        "can't find the specified secret",
        "parameternotfound",
        "invalid ssm parameters",
    ]) {
        Some(Class::SecretNotFound)
    } else if message.has_any(&["invalid character", "did not contain json key", "unexpected end of json"]) {
        Some(Class::SecretFormat)
    } else if message.has_any(&["throttlingexception", "toomanyrequests", "rate exceeded"]) {
        Some(Class::SecretsThrottled)
    } else if message.has_any(NETWORK) {
        Some(Class::SecretsUnreachable)
    } else {
        None
    }
}

/// The cause that keeps a container from starting, or ends it.
///
/// `CannotStartContainerError` wraps the runtime's error, so that the wrapped causes come before the table of prefixes.
fn start(message: &Message) -> Option<Class> {
    if message.has("outofmemoryerror") {
        return Some(Class::OutOfMemory);
    }
    if message.has("exec format error") {
        return Some(Class::ExecFormatError);
    }
    // A missing mount has "no such file or directory" too, but no command in quotes before it.
    let command = message.has("exec: \"") && message.has_any(&["no such file or directory", "permission denied"]);
    if message.has("executable file not found") || command {
        return Some(Class::BadCommand);
    }
    if message.has("failed to initialize logging driver") {
        return Some(Class::LogDriver);
    }
    let table = [
        ("cannotstartcontainererror", Class::ContainerNotStarted),
        ("cannotcreatevolumeerror", Class::VolumeNotCreated),
        ("cannotinspectcontainererror", Class::ContainerNotInspected),
        ("cannotstopcontainererror", Class::ContainerNotStopped),
        ("containerruntimetimeouterror", Class::ContainerRuntimeTimeout),
        ("dockertimeouterror", Class::ContainerRuntimeTimeout),
        ("containerruntimeerror", Class::ContainerRuntime),
    ];
    table.into_iter().find(|(fragment, _)| message.has(fragment)).map(|(_, class)| class)
}

/// The cause for which the scheduler or AWS stopped a task.
fn stop(message: &Message) -> Option<Class> {
    let host = message.has("host ec2 (instance") && message.has_any(&["terminated", "stopped"]);
    let table = [
        (message.has("task failed elb health checks in"), Class::TargetUnhealthy),
        (message.has("task failed container health checks"), Class::ContainerHealthCheck),
        (message.has("scaling activity initiated by"), Class::Scaling),
        (message.has("task stopped by user"), Class::StoppedByUser),
        (message.has("your spot task was interrupted"), Class::SpotInterruption),
        (message.has("performing maintenance on the underlying infrastructure"), Class::Maintenance),
        (host, Class::HostGone),
    ];
    table.into_iter().find(|(says, _)| *says).map(|(_, class)| class)
}

/// The cause for which ECS cannot place a task.
fn placement(message: &Message) -> Option<Class> {
    if let Some(class) = network_interface(message) {
        return Some(class);
    }
    let quota = message.has("reached the limit on the number of") && message.has_any(&["tasks", "vcpus"]);
    let instances = message.has("no container instance met all of its requirements")
        || message.has("no container instances were found")
        || message.has("tasks provisioning capacity limit was exceeded");
    let table = [
        (message.has("capacity is unavailable at this time"), Class::FargateCapacity),
        (message.has("resource:fargate"), Class::FargateCapacity),
        (quota, Class::AccountQuota),
        (instances, Class::NoPlacement),
    ];
    table.into_iter().find(|(says, _)| *says).map(|(_, class)| class)
}

/// The cause for which a task has no network interface.
fn network_interface(message: &Message) -> Option<Class> {
    if message.has("unexpected ec2 error while attempting to create network interface") {
        let full = message.has_any(&["insufficientfreeaddresses", "not have enough free addresses"]);
        return Some(if full { Class::SubnetFull } else { Class::NetworkInterface });
    }
    let timeout = message.has("timeout waiting for network interface provisioning")
        || (message.has("network interface") && message.has_any(&["internalerror", "timeout wait"]));
    timeout.then_some(Class::NetworkInterfaceTimeout)
}

fn other(message: &Message) -> Option<Class> {
    message.has("resourcenotfoundexception").then_some(Class::ResourceNotFound)
}

/// Classifies a service event.
///
/// Its prefix contains the service's name, which may itself look like an error, so that only what follows a marker or the
/// prefix is classified.
pub(super) fn classify_event(message: &Message) -> Classification {
    if let Some(reason) = deployment_failed(message) {
        return if reason.has("alarm detected") {
            Classification::Class(Class::Alarm)
        } else {
            Classification::Nothing
        };
    }
    // The longer marker first: it ends where the reason begins.
    for marker in
        ["was unable to place a task. reason", "was unable to place a task", "failed to launch a task with (error"]
    {
        let Some(rest) = message.rest(marker) else { continue };
        let classification = classify(&rest);
        // Without a reason, or with an unknown one, the event still says that the placement failed.
        let is_placement = classification == Classification::Nothing && marker == "was unable to place a task";
        return if is_placement { Classification::Class(Class::NoPlacement) } else { classification };
    }
    let table: [(&[&str], Class); 5] = [
        (&["because of the service deployment configuration"], Class::DeploymentDeadlock),
        (&["operations are being throttled"], Class::EcsThrottled),
        (
            &[
                "failed to describe target health on",
                "failed to register targets in",
                "failed to deregister targets in",
            ],
            Class::TargetRegistration,
        ),
        (&["tasks provisioning capacity limit was exceeded", "could not launch"], Class::NoPlacement),
        (&["is unable to consistently start tasks successfully"], Class::CrashLoop),
    ];
    let message = without_name(message).unwrap_or_else(|| message.clone());
    let found = table.into_iter().find(|(fragments, _)| message.has_any(fragments));
    found.map_or(Classification::Nothing, |(_, class)| Classification::Class(class))
}

/// The event's text after its prefix, `(service NAME)` or `service NAME`. A service's name has no spaces and no brackets.
fn without_name(message: &Message) -> Option<Message> {
    if message.starts_with("service ") { message.rest("service ")?.rest(" ") } else { message.rest(")") }
}

/// ECS's reason for giving up a deployment, from a service event.
pub(super) fn deployment_failed(message: &Message) -> Option<Message> {
    message.rest("deployment failed:")
}
