//! What one text of AWS says: a class, a part of one, or nothing that is known.
//!
//! Fragments are those that stay the same over versions and prefixes; a text that is cut off before it says what
//! happened gives the family alone.
//!
//! Source: ECS developer guide, stopped tasks error codes, `CannotPullContainer` task errors, resource initialization
//! errors, service event messages. Texts of loggers, EFS, network interfaces and runtimes as they are published in bug
//! reports of tools that use these APIs.

use super::class::Class;
use super::words::Words;

/// What a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It names a cause.
    Class(Class),
    /// It is an error of this family and does not say which.
    Family(Family),
    /// It says nothing that is known.
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
    /// Whether a cut-off text of this family may well mean the class.
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

/// No connection, in the words of the Go programs that ECS's agents are.
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

/// IAM or a resource policy says no.
const DENIED: &[&str] =
    &["accessdenied", "not authorized to perform", "is not authorized", "access to kms is not allowed"];

/// What a stopped reason, a container's reason or an error in a service event says.
pub(super) fn read(words: &Words) -> Reading {
    if words.has("cannotpull") {
        return pull(words).map_or(Reading::Family(Family::Pull), Reading::Class);
    }
    // A role that cannot be assumed keeps everything from happening, under several prefixes.
    if words.has("unable to assume the role") {
        return Reading::Class(Class::RoleNotAssumable);
    }
    if words.has("resourceinitializationerror") && !words.has("cannotstartcontainererror") {
        return resources(words).map_or(Reading::Family(Family::Resources), Reading::Class);
    }
    start(words)
        .or_else(|| stop(words))
        .or_else(|| place(words))
        .or_else(|| other(words))
        .map_or(Reading::Nothing, Reading::Class)
}

/// `CannotPullContainerError: …`
fn pull(words: &Words) -> Option<Class> {
    let refused =
        ["pull access denied", "no basic auth credentials", "401 unauthorized", "403 forbidden", "not authorized"];
    // ECS writes this apostrophe in both ways.
    let role = [
        "the task can't pull the image. check that the role has the permissions",
        "the task can’t pull the image. check that the role has the permissions",
    ];
    let missing =
        ["not found", "manifest unknown", "name unknown", "repository does not exist", "image does not exist"];
    if words.has_any(&["descriptor matching platform", "no matching manifest for"]) {
        Some(Class::ImageArchitecture)
    } else if words.has_any(&["toomanyrequests", "pull rate limit"]) {
        Some(Class::ImagePullRateLimit)
    } else if words.has("no space left on device") {
        Some(Class::ImageTooLarge)
    } else if words.has_any(&["httpreaderseeker: failed open", "httpreadseeker: failed open"]) {
        Some(Class::ImageLayerDownload)
    } else if words.has_any(&refused) || words.has_any(&role) || words.has_any(DENIED) {
        Some(Class::ImagePullDenied)
    } else if words.has_any(NETWORK) {
        Some(Class::RegistryUnreachable)
    } else if words.has_any(&missing) {
        Some(Class::ImageNotFound)
    } else {
        None
    }
}

/// `ResourceInitializationError: …`
fn resources(words: &Words) -> Option<Class> {
    let logs = [
        "validate logger args",
        "initialize logging driver",
        "create stream has been retried",
        "log group does not exist",
    ];
    let secrets = ["unable to pull secrets", "unable to retrieve secret", "registry auth", "invalid ssm parameters"];
    if words.has("failed to invoke efs utils") {
        return Some(Class::EfsMount);
    }
    if words.has_any(&logs) {
        return Some(Class::LogDriver);
    }
    if !words.has_any(&secrets) {
        return interface(words);
    }
    if words.has_any(DENIED) {
        Some(Class::ExecutionRoleDenied)
    } else if words.has_any(&[
        "resourcenotfoundexception",
        "can't find the specified secret",
        "parameternotfound",
        "invalid ssm parameters",
    ]) {
        Some(Class::SecretNotFound)
    } else if words.has_any(&["invalid character", "did not contain json key", "unexpected end of json"]) {
        Some(Class::SecretFormat)
    } else if words.has_any(&["throttlingexception", "toomanyrequests", "rate exceeded"]) {
        Some(Class::SecretsThrottled)
    } else if words.has_any(NETWORK) {
        Some(Class::SecretsUnreachable)
    } else {
        None
    }
}

/// What keeps a container from starting, or ends it.
fn start(words: &Words) -> Option<Class> {
    if words.has("outofmemoryerror") {
        return Some(Class::OutOfMemory);
    }
    if words.has("exec format error") {
        return Some(Class::ExecFormatError);
    }
    // A mount that is missing has "no such file or directory" too, and no command in quotes before it.
    let command = words.has("exec: \"") && words.has_any(&["no such file or directory", "permission denied"]);
    if words.has("executable file not found") || command {
        return Some(Class::BadCommand);
    }
    if words.has("failed to initialize logging driver") {
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
    table.into_iter().find(|(fragment, _)| words.has(fragment)).map(|(_, class)| class)
}

/// Why the scheduler or AWS stopped a task.
fn stop(words: &Words) -> Option<Class> {
    let host = words.has("host ec2 (instance") && words.has_any(&["terminated", "stopped"]);
    let table = [
        (words.has("task failed elb health checks in"), Class::TargetUnhealthy),
        (words.has("task failed container health checks"), Class::ContainerHealthCheck),
        (words.has("scaling activity initiated by"), Class::Scaling),
        (words.has("task stopped by user"), Class::StoppedByUser),
        (words.has("your spot task was interrupted"), Class::SpotInterruption),
        (words.has("performing maintenance on the underlying infrastructure"), Class::Maintenance),
        (host, Class::HostGone),
    ];
    table.into_iter().find(|(says, _)| *says).map(|(_, class)| class)
}

/// Why a task finds no place.
fn place(words: &Words) -> Option<Class> {
    if let Some(class) = interface(words) {
        return Some(class);
    }
    let quota = words.has("reached the limit on the number of") && words.has_any(&["tasks", "vcpus"]);
    let instances = words.has("no container instance met all of its requirements")
        || words.has("no container instances were found")
        || words.has("tasks provisioning capacity limit was exceeded");
    let table = [
        (words.has("capacity is unavailable at this time"), Class::FargateCapacity),
        (words.has("resource:fargate"), Class::FargateCapacity),
        (quota, Class::AccountQuota),
        (instances, Class::NoPlacement),
    ];
    table.into_iter().find(|(says, _)| *says).map(|(_, class)| class)
}

/// What goes wrong with a task's network interface.
fn interface(words: &Words) -> Option<Class> {
    if words.has("unexpected ec2 error while attempting to create network interface") {
        let full = words.has_any(&["insufficientfreeaddresses", "not have enough free addresses"]);
        return Some(if full { Class::SubnetFull } else { Class::NetworkInterface });
    }
    let timeout = words.has("timeout waiting for network interface provisioning")
        || (words.has("network interface") && words.has_any(&["internalerror", "timeout wait"]));
    timeout.then_some(Class::NetworkInterfaceTimeout)
}

fn other(words: &Words) -> Option<Class> {
    words.has("resourcenotfoundexception").then_some(Class::ResourceNotFound)
}

/// What a service event says. Its own words come first: the prefix has the service's name, which may be anything.
pub(super) fn read_event(words: &Words) -> Reading {
    if let Some(reason) = deployment_failed(words) {
        return if reason.has("alarm detected") { Reading::Class(Class::Alarm) } else { Reading::Nothing };
    }
    for marker in
        ["was unable to place a task. reason", "was unable to place a task", "failed to launch a task with (error"]
    {
        let Some(rest) = words.rest(marker) else { continue };
        return match read(&rest) {
            Reading::Nothing if marker == "was unable to place a task" => Reading::Class(Class::NoPlacement),
            reading => reading,
        };
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
    let message = without_name(words).unwrap_or_else(|| words.clone());
    let found = table.into_iter().find(|(fragments, _)| message.has_any(fragments));
    found.map_or(Reading::Nothing, |(_, class)| Reading::Class(class))
}

/// What an event says after its prefix, `(service NAME)` or `service NAME`. A service's name has no spaces and no brackets.
fn without_name(words: &Words) -> Option<Words> {
    if words.starts_with("service ") { words.rest("service ")?.rest(" ") } else { words.rest(")") }
}

/// ECS's reason for giving a deployment up, out of a service event.
pub(super) fn deployment_failed(words: &Words) -> Option<Words> {
    words.rest("deployment failed:")
}
