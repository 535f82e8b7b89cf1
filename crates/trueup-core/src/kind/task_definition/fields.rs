//! Task definitions: members that `DescribeTaskDefinition` returns although `RegisterTaskDefinition` did not set them.
//!
//! Every registration is a full document, so a left-out field always means AWS's default, and anything else in live is
//! drift: whole containers, variables and mounts as well. The one exception is tags, where undeclared keys are not
//! managed. Absent, `null`, `[]` and `{}` are one value.
//!
//! Defaults are those of the ECS API reference (`RegisterTaskDefinition` and the shapes it names) unless a row says
//! otherwise. A field without a row has no default and is compared verbatim: `image`, `secrets[].valueFrom`, `pidMode`,
//! `ipcMode` (where `none` is not the same as absence), `memory`, `startTimeout`, …

use serde_json::Value;

use crate::drift::coerce::{cpu_units, integer, mebibytes};
use crate::drift::compare::Comparison;
use crate::drift::names::is_same_role;
use crate::drift::rule::{Rule, Scope, Side, tags};
use crate::drift::schema::{Field, Form, Rules};

/// The rules of `RegisterTaskDefinition`, in the order of the API reference.
pub(crate) const RULES: Rules = &[
    // ECS accepts a role's name and returns its ARN.
    ("taskRoleArn", Rule::PLAIN.equal(is_same_role)),
    ("executionRoleArn", Rule::PLAIN.equal(is_same_role)),
    // Docker's default on Linux; echoed or not.
    ("networkMode", Rule::PLAIN.text("bridge")),
    ("placementConstraints", Rule::SET),
    ("placementConstraints/*/type", Rule::PLAIN.text("memberOf")),
    ("requiresCompatibilities", Rule::SET),
    // Sizes as strings; AWS returns the plain number.
    ("cpu", Rule::PLAIN.spelling(cpu_units)),
    ("memory", Rule::PLAIN.spelling(mebibytes)),
    ("proxyConfiguration/type", Rule::PLAIN.text("APPMESH")),
    ("proxyConfiguration/properties", Rule::PLAIN.pair("value")),
    ("proxyConfiguration/properties/*/value", Rule::PLAIN.keep_empty()),
    // Fargate's default size. It cannot be declared (the minimum is 21), so 20 in live means that none was declared.
    ("ephemeralStorage", Rule::ALWAYS),
    ("ephemeralStorage/sizeInGiB", Rule::PLAIN.int(20)),
    ("runtimePlatform", Rule::MARKED.compare(platform)),
    ("runtimePlatform/cpuArchitecture", Rule::PLAIN.text("X86_64")),
    ("runtimePlatform/operatingSystemFamily", Rule::PLAIN.text("LINUX")),
    ("enableFaultInjection", Rule::PLAIN.flag(false)),
    ("trustedExecutionConfiguration/isolationMode", Rule::PLAIN.text("SHARED")),
    ("tags", tags("value")),
    ("tags/*/value", Rule::PLAIN.keep_empty()),
    // Containers.
    ("containerDefinitions/*/cpu", Rule::PLAIN.int(0)),
    ("containerDefinitions/*/essential", Rule::PLAIN.flag(true)),
    ("containerDefinitions/*/links", Rule::SET),
    ("containerDefinitions/*/portMappings/*/hostPort", Rule::PLAIN.default_by(host_port).equal(is_same_host_port)),
    ("containerDefinitions/*/portMappings/*/protocol", Rule::PLAIN.text("tcp")),
    ("containerDefinitions/*/restartPolicy", Rule::PLAIN.gate("enabled")),
    ("containerDefinitions/*/restartPolicy/ignoredExitCodes", Rule::SET),
    ("containerDefinitions/*/restartPolicy/restartAttemptPeriod", Rule::PLAIN.int(300)),
    // An entry without a value is dropped by ECS; one with `""` is an entry.
    ("containerDefinitions/*/environment", Rule::PLAIN.pair("value").skip(has_no_value)),
    ("containerDefinitions/*/environment/*/value", Rule::PLAIN.keep_empty()),
    ("containerDefinitions/*/secrets", Rule::PLAIN.pair("valueFrom")),
    ("containerDefinitions/*/systemControls", Rule::PLAIN.pair("value")),
    ("containerDefinitions/*/systemControls/*/value", Rule::PLAIN.keep_empty()),
    ("containerDefinitions/*/extraHosts", Rule::PLAIN.pair("ipAddress")),
    ("containerDefinitions/*/mountPoints/*/readOnly", Rule::PLAIN.flag(false)),
    ("containerDefinitions/*/volumesFrom/*/readOnly", Rule::PLAIN.flag(false)),
    // `{}` equals absence, so every difference is in a member.
    ("containerDefinitions/*/linuxParameters", Rule::ALWAYS),
    ("containerDefinitions/*/linuxParameters/capabilities", Rule::ALWAYS),
    ("containerDefinitions/*/linuxParameters/capabilities/add", Rule::SET),
    ("containerDefinitions/*/linuxParameters/capabilities/drop", Rule::SET),
    ("containerDefinitions/*/linuxParameters/devices/*/containerPath", Rule::PLAIN.default_by(device_host_path)),
    ("containerDefinitions/*/linuxParameters/devices/*/permissions", Rule::SET.texts(&["mknod", "read", "write"])),
    ("containerDefinitions/*/linuxParameters/initProcessEnabled", Rule::PLAIN.flag(false)),
    // 60 in effect, and ignored without `maxSwap`. `maxSwap` 0 disables swap and is not the same as absence.
    ("containerDefinitions/*/linuxParameters/swappiness", Rule::PLAIN.int(60)),
    ("containerDefinitions/*/stopTimeout", Rule::PLAIN.equal(is_fargate_stop_timeout)),
    ("containerDefinitions/*/versionConsistency", Rule::PLAIN.text("enabled")),
    ("containerDefinitions/*/disableNetworking", Rule::PLAIN.flag(false)),
    ("containerDefinitions/*/privileged", Rule::PLAIN.flag(false)),
    ("containerDefinitions/*/readonlyRootFilesystem", Rule::PLAIN.flag(false)),
    ("containerDefinitions/*/interactive", Rule::PLAIN.flag(false)),
    ("containerDefinitions/*/pseudoTerminal", Rule::PLAIN.flag(false)),
    // `dnsServers` and `dnsSearchDomains` have no row: they are queried in their order.
    ("containerDefinitions/*/dockerSecurityOptions", Rule::SET),
    ("containerDefinitions/*/logConfiguration/secretOptions", Rule::PLAIN.pair("valueFrom")),
    // Without a health check ECS has none, whatever the image says; with one, these are its defaults.
    ("containerDefinitions/*/healthCheck/interval", Rule::PLAIN.int(30)),
    ("containerDefinitions/*/healthCheck/timeout", Rule::PLAIN.int(5)),
    ("containerDefinitions/*/healthCheck/retries", Rule::PLAIN.int(3)),
    ("containerDefinitions/*/healthCheck/startPeriod", Rule::PLAIN.int(0)),
    // Volumes. A volume with a name alone comes back with an empty `host`.
    ("volumes/*/host", Rule::ALWAYS),
    ("volumes/*/dockerVolumeConfiguration", Rule::MARKED),
    ("volumes/*/dockerVolumeConfiguration/scope", Rule::PLAIN.text("task")),
    ("volumes/*/dockerVolumeConfiguration/autoprovision", Rule::PLAIN.flag(false)),
    ("volumes/*/dockerVolumeConfiguration/driver", Rule::PLAIN.text("local")),
    ("volumes/*/efsVolumeConfiguration/rootDirectory", Rule::PLAIN.text("/")),
    ("volumes/*/efsVolumeConfiguration/transitEncryption", Rule::PLAIN.text("DISABLED")),
    // 0 is how SDKs without optional numbers write "absent".
    ("volumes/*/efsVolumeConfiguration/transitEncryptionPort", Rule::PLAIN.int(0)),
    ("volumes/*/efsVolumeConfiguration/authorizationConfig", Rule::ALWAYS),
    ("volumes/*/efsVolumeConfiguration/authorizationConfig/iam", Rule::PLAIN.text("DISABLED")),
    ("volumes/*/s3filesVolumeConfiguration/rootDirectory", Rule::PLAIN.text("/")),
    ("volumes/*/s3filesVolumeConfiguration/transitEncryptionPort", Rule::PLAIN.int(0)),
    ("volumes/*/configuredAtLaunch", Rule::PLAIN.flag(false)),
];

fn has_no_value(entry: &Value) -> bool {
    entry.get("value").is_none_or(Value::is_null)
}

/// Whether the document requires Fargate alone. With `EC2` as well, a field that only EC2 uses still has an effect.
fn is_fargate(document: &Value) -> bool {
    let compatibilities = document.get("requiresCompatibilities").and_then(Value::as_array);
    compatibilities.is_some_and(|list| !list.is_empty() && list.iter().all(|item| item == "FARGATE"))
}

/// On Fargate a task without a platform runs on Linux and `X86_64`. On EC2 naming that platform restricts placement, so
/// there it differs from naming none; but a partial platform is completed.
fn platform<'a>(
    comparison: &mut Comparison<'a>,
    field: &'static Field,
    desired: Option<&'a Value>,
    live: Option<&'a Value>,
) {
    if let Form::Structure(members) = &field.form
        && is_fargate(comparison.roots()[0])
    {
        comparison.members(members, desired, live);
    } else {
        comparison.by_form(field, desired, live);
    }
}

/// Fargate stops a container after 30 seconds by default; on EC2 the agent's setting applies.
fn is_fargate_stop_timeout(scope: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    let seconds = |value: Option<&Value>| value.map_or(Some(30), integer);
    is_fargate(scope.desired.root) && seconds(desired) == seconds(live)
}

fn device_host_path(device: Side) -> Option<Value> {
    device.parent?.get("hostPath").cloned()
}

fn network_mode(document: &Value) -> &str {
    document.get("networkMode").and_then(Value::as_str).filter(|mode| !mode.is_empty()).unwrap_or("bridge")
}

/// The host port of a mapping that leaves it out or sets it to 0: the container's own port where the task has the
/// host's or its own network interface, else 0, which means any.
fn host_port(mapping: Side) -> Option<Value> {
    match network_mode(mapping.root) {
        "awsvpc" | "host" => mapping.parent?.get("containerPort").cloned(),
        _ => Some(Value::from(0)),
    }
}

/// The mode must come from the same document as the port. Where the two modes differ, a port that each document leaves
/// to its mode is not a difference of its own, nor is a port that both set alike.
fn is_same_host_port(scope: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    let port = |side: Side, written: Option<&Value>| match written.and_then(integer).unwrap_or(0) {
        0 => host_port(side).as_ref().and_then(integer),
        port => Some(port),
    };
    let (effective_desired, effective_live) = (port(scope.desired, desired), port(scope.live, live));
    if effective_desired == effective_live {
        return true;
    }
    let is_left_to_mode = |side: Side, written: Option<&Value>| port(side, written) == port(side, None);
    network_mode(scope.desired.root) != network_mode(scope.live.root)
        && (desired.and_then(integer) == live.and_then(integer)
            || (is_left_to_mode(scope.desired, desired) && is_left_to_mode(scope.live, live)))
}
