//! Services: members that `DescribeServices` returns although `CreateService` did not set them, and their other
//! writers.
//!
//! The meaning of a left-out field:
//!
//! | left out | means | why |
//! |---|---|---|
//! | most fields | AWS's create default; another live value is drift, and the change's desired value is that default | `UpdateService` treats a left-out member as unchanged, so a repair has to send the default |
//! | lists, and `[]` | empty | the same |
//! | `desiredCount` | not managed | an autoscaler or an operator owns it; for a daemon AWS does |
//! | `capacityProviderStrategy` | not managed; but `[]` means none | AWS copies the cluster's default strategy onto the service |
//! | `launchType` | not managed | AWS chooses it from the cluster's strategy, and `UpdateService` cannot set it |
//! | `availabilityZoneRebalancing` | not managed | its create default changed in 2025 and depends on the rest of the service |
//! | `platformVersion` | `LATEST`, which every running version satisfies | AWS moves services to it at its own pace |
//! | `role` | not managed | AWS fills in the service-linked role; nothing changes it afterwards |
//! | `taskDefinition`, `cluster` | not managed | trueup sets them itself; a plain request may have them, and then they are compared |
//! | `bakeTimeInMinutes` with another strategy than `ROLLING` | not managed | AWS does not document its default |
//! | `timeoutConfiguration` of a lifecycle hook | not managed | documented, but not seen echoed |
//! | `namespace` of Service Connect | not managed | the cluster's default namespace |
//! | `encrypted`, `sizeInGiB` of a managed volume | not managed | the account's default; the snapshot's size |
//! | a tag | not managed | it belongs to another owner |
//! | `monitoring`, `gatewayConnectors` | not managed | `DescribeServices` does not show them |
//!
//! Fields that AWS returns elsewhere than in the request: Service Connect, volumes and VPC Lattice are in the PRIMARY
//! deployment, `cluster` is `clusterArn`, `role` is `roleArn`.
//!
//! Defaults are those of the ECS API reference, `CreateService` and the shapes it names.

use std::borrow::Cow;

use serde_json::Value;

use crate::drift::coerce::{integer, same_json, text};
use crate::drift::compare::Comparison;
use crate::drift::names::{is_same_cluster, is_same_role, is_same_task_definition};
use crate::drift::rule::{Rule, Scope, Side, tags};
use crate::drift::schema::{Field, Form, Rules};

/// The rules of `CreateService`, in the order of the API reference.
pub(crate) const RULES: Rules = &[
    ("cluster", Rule::IF_DECLARED.live(|live| live.get("clusterArn")).equal(is_same_cluster)),
    ("taskDefinition", Rule::IF_DECLARED.equal(is_task_definition_settled)),
    ("availabilityZoneRebalancing", Rule::IF_DECLARED),
    ("loadBalancers", Rule::PLAIN.equal(is_external)),
    ("loadBalancers/*/targetGroupArn", Rule::PLAIN.equal(is_target_group_settled)),
    ("loadBalancers/*/advancedConfiguration/alternateTargetGroupArn", Rule::PLAIN.equal(is_alternate_settled)),
    ("loadBalancers/*/advancedConfiguration/roleArn", Rule::PLAIN.equal(is_same_role)),
    ("serviceRegistries", Rule::PLAIN.equal(is_external)),
    // 0 is how SDKs without optional numbers write "absent".
    ("serviceRegistries/*/port", Rule::PLAIN.int(0)),
    ("serviceRegistries/*/containerPort", Rule::PLAIN.int(0)),
    ("desiredCount", Rule::IF_DECLARED.equal(is_count_of_others)),
    ("clientToken", Rule::NEVER),
    ("launchType", Rule::IF_DECLARED.equal(is_external)),
    ("capacityProviderStrategy", Rule::IF_DECLARED.equal(is_external)),
    ("capacityProviderStrategy/*/weight", Rule::PLAIN.int(0)),
    ("capacityProviderStrategy/*/base", Rule::PLAIN.int(0)),
    ("platformVersion", Rule::PLAIN.text("LATEST").equal(is_platform_version_settled)),
    ("role", Rule::IF_DECLARED.live(|live| live.get("roleArn")).equal(is_same_role)),
    ("deploymentConfiguration", Rule::ALWAYS),
    ("deploymentConfiguration/deploymentCircuitBreaker", Rule::ALWAYS),
    ("deploymentConfiguration/deploymentCircuitBreaker/enable", Rule::PLAIN.flag(false)),
    ("deploymentConfiguration/deploymentCircuitBreaker/rollback", Rule::PLAIN.flag(false)),
    // Newer responses have these two, older ones do not; both occur.
    ("deploymentConfiguration/deploymentCircuitBreaker/resetOnHealthyTask", Rule::PLAIN.flag(true)),
    ("deploymentConfiguration/deploymentCircuitBreaker/thresholdConfiguration", Rule::ALWAYS),
    (
        "deploymentConfiguration/deploymentCircuitBreaker/thresholdConfiguration/type",
        Rule::PLAIN.text("BOUNDED_PERCENT"),
    ),
    ("deploymentConfiguration/deploymentCircuitBreaker/thresholdConfiguration/value", Rule::PLAIN.int(50)),
    (
        "deploymentConfiguration/maximumPercent",
        Rule::PLAIN
            .default_by(|service| Some(maximum_percent(service)))
            .accepts(|scope, live| same_json(live, &maximum_percent(scope.live))),
    ),
    (
        "deploymentConfiguration/minimumHealthyPercent",
        Rule::PLAIN
            .default_by(|service| Some(minimum_percent(service)))
            .accepts(|scope, live| same_json(live, &minimum_percent(scope.live))),
    ),
    ("deploymentConfiguration/alarms", Rule::ALWAYS),
    ("deploymentConfiguration/alarms/alarmNames", Rule::SET),
    ("deploymentConfiguration/alarms/rollback", Rule::PLAIN.flag(false)),
    ("deploymentConfiguration/alarms/enable", Rule::PLAIN.flag(false)),
    ("deploymentConfiguration/strategy", Rule::PLAIN.text("ROLLING")),
    (
        "deploymentConfiguration/bakeTimeInMinutes",
        Rule::PLAIN.int(0).accepts(|scope, _| strategy(scope.desired.root) != "ROLLING"),
    ),
    ("deploymentConfiguration/lifecycleHooks/*/targetType", Rule::PLAIN.text("AWS_LAMBDA")),
    ("deploymentConfiguration/lifecycleHooks/*/roleArn", Rule::PLAIN.equal(is_same_role)),
    ("deploymentConfiguration/lifecycleHooks/*/lifecycleStages", Rule::SET),
    ("deploymentConfiguration/lifecycleHooks/*/hookDetails", Rule::PLAIN.equal(is_same_json_text)),
    ("deploymentConfiguration/lifecycleHooks/*/timeoutConfiguration", Rule::IF_DECLARED.always()),
    ("deploymentConfiguration/lifecycleHooks/*/timeoutConfiguration/timeoutInMinutes", Rule::PLAIN.int(1440)),
    ("deploymentConfiguration/lifecycleHooks/*/timeoutConfiguration/action", Rule::PLAIN.text("ROLLBACK")),
    // Each belongs to its strategy; with another one AWS silently drops it.
    (
        "deploymentConfiguration/linearConfiguration",
        Rule::ALWAYS.compare(|c, f, d, l| of_strategy("LINEAR", c, f, d, l)),
    ),
    ("deploymentConfiguration/linearConfiguration/stepPercent", Rule::PLAIN.int(10)),
    ("deploymentConfiguration/linearConfiguration/stepBakeTimeInMinutes", Rule::PLAIN.int(6)),
    (
        "deploymentConfiguration/canaryConfiguration",
        Rule::ALWAYS.compare(|c, f, d, l| of_strategy("CANARY", c, f, d, l)),
    ),
    ("deploymentConfiguration/canaryConfiguration/canaryPercent", Rule::PLAIN.int(5)),
    ("deploymentConfiguration/canaryConfiguration/canaryBakeTimeInMinutes", Rule::PLAIN.int(10)),
    ("deploymentConfiguration/earlySuccessCriteria", Rule::ALWAYS.gate("enable")),
    ("deploymentConfiguration/earlySuccessCriteria/healthyPercent", Rule::PLAIN.int(100)),
    ("deploymentConfiguration/earlySuccessCriteria/sourceServiceRevisionCleanup", Rule::PLAIN.text("BLOCKING")),
    ("placementConstraints", Rule::SET),
    // `placementStrategy` is ordered: the first rule is applied first.
    ("placementStrategy/*/field", Rule::PLAIN.spelling(placement_field)),
    ("networkConfiguration", Rule::PLAIN.equal(is_of_other_controller)),
    ("networkConfiguration/awsvpcConfiguration/subnets", Rule::SET),
    ("networkConfiguration/awsvpcConfiguration/securityGroups", Rule::SET),
    ("networkConfiguration/awsvpcConfiguration/assignPublicIp", Rule::PLAIN.text("DISABLED")),
    ("healthCheckGracePeriodSeconds", Rule::PLAIN.int(0)),
    ("schedulingStrategy", Rule::PLAIN.text("REPLICA")),
    ("deploymentController", Rule::ALWAYS),
    ("deploymentController/type", Rule::PLAIN.text("ECS")),
    ("tags", tags("value")),
    ("tags/*/value", Rule::PLAIN.keep_empty()),
    ("enableECSManagedTags", Rule::PLAIN.flag(false)),
    ("propagateTags", Rule::PLAIN.text("NONE")),
    ("enableExecuteCommand", Rule::PLAIN.flag(false)),
    (
        "serviceConnectConfiguration",
        Rule::PLAIN.gate("enabled").live(|live| primary(live, "serviceConnectConfiguration")),
    ),
    ("serviceConnectConfiguration/namespace", Rule::IF_DECLARED),
    ("serviceConnectConfiguration/services/*/discoveryName", Rule::PLAIN.default_by(port_name)),
    ("serviceConnectConfiguration/services/*/clientAliases/*/dnsName", Rule::PLAIN.equal(is_default_dns_name)),
    ("serviceConnectConfiguration/services/*/ingressPortOverride", Rule::PLAIN.int(0)),
    // 0 switches a timeout off and is not the same as leaving it out.
    (
        "serviceConnectConfiguration/services/*/timeout/idleTimeoutSeconds",
        Rule::PLAIN.accepts(|_, live| is_number(live, 300) || is_number(live, 3600)),
    ),
    (
        "serviceConnectConfiguration/services/*/timeout/perRequestTimeoutSeconds",
        Rule::PLAIN.accepts(|_, live| is_number(live, 15)),
    ),
    ("serviceConnectConfiguration/services/*/tls/roleArn", Rule::PLAIN.equal(is_same_role)),
    ("serviceConnectConfiguration/logConfiguration/secretOptions", Rule::PLAIN.pair("valueFrom")),
    ("serviceConnectConfiguration/accessLogConfiguration/includeQueryParameters", Rule::PLAIN.text("DISABLED")),
    ("serviceConnectConfiguration/containerConfigurations", Rule::SET),
    ("serviceConnectConfiguration/containerConfigurations/*/logLevel", Rule::PLAIN.text("info")),
    ("volumeConfigurations", Rule::PLAIN.live(|live| primary(live, "volumeConfigurations"))),
    ("volumeConfigurations/*/managedEBSVolume/encrypted", Rule::IF_DECLARED),
    ("volumeConfigurations/*/managedEBSVolume/sizeInGiB", Rule::IF_DECLARED),
    // gp3's own values: they belong to the volume and may show on the service.
    (
        "volumeConfigurations/*/managedEBSVolume/volumeType",
        Rule::PLAIN.accepts(|_, live| live == "gp3" || live == "gp2"),
    ),
    ("volumeConfigurations/*/managedEBSVolume/iops", Rule::PLAIN.accepts(|_, live| is_number(live, 3000))),
    ("volumeConfigurations/*/managedEBSVolume/throughput", Rule::PLAIN.accepts(|_, live| is_number(live, 125))),
    ("volumeConfigurations/*/managedEBSVolume/roleArn", Rule::PLAIN.equal(is_same_role)),
    ("volumeConfigurations/*/managedEBSVolume/tagSpecifications/*/tags", Rule::PLAIN.pair("value").skip(is_aws_tag)),
    ("volumeConfigurations/*/managedEBSVolume/tagSpecifications/*/tags/*/value", Rule::PLAIN.keep_empty()),
    ("volumeConfigurations/*/managedEBSVolume/tagSpecifications/*/propagateTags", Rule::PLAIN.text("NONE")),
    ("volumeConfigurations/*/managedEBSVolume/filesystemType", Rule::PLAIN.text("xfs")),
    ("vpcLatticeConfigurations", Rule::PLAIN.live(|live| primary(live, "vpcLatticeConfigurations"))),
    ("vpcLatticeConfigurations/*/roleArn", Rule::PLAIN.equal(is_same_role)),
    ("gatewayConnectors", Rule::IF_DECLARED.equal(|_, _, live| live.is_none())),
    ("gatewayConnectors/*/filters/accessTypes", Rule::SET),
    ("monitoring", Rule::IF_DECLARED.equal(|_, _, live| live.is_none())),
    ("monitoring/metricConfigurations", Rule::SET),
    ("monitoring/metricConfigurations/*/metricNames", Rule::SET),
];

/// A member of the PRIMARY deployment. (A handwritten response may have it in the service itself.)
fn primary<'v>(live: &'v Value, member: &str) -> Option<&'v Value> {
    let deployments = live.get("deployments").and_then(Value::as_array);
    let primary =
        deployments.into_iter().flatten().find(|deployment| deployment.get("status") == Some(&"PRIMARY".into()));
    primary.and_then(|primary| primary.get(member)).or_else(|| live.get(member))
}

fn word<'v>(document: &'v Value, pointer: &str, default: &'v str) -> &'v str {
    document.pointer(pointer).and_then(Value::as_str).filter(|word| !word.is_empty()).unwrap_or(default)
}

fn strategy(document: &Value) -> &str {
    word(document, "/deploymentConfiguration/strategy", "ROLLING")
}

fn is_daemon(document: &Value) -> bool {
    word(document, "/schedulingStrategy", "REPLICA") == "DAEMON"
}

/// The current service decides who may write to it.
fn controller(live: &Value) -> &str {
    word(live, "/deploymentController/type", "ECS")
}

/// With an external controller this is in task sets, which are not managed.
fn is_external(scope: &Scope, _: Option<&Value>, _: Option<&Value>) -> bool {
    controller(scope.live.root) == "EXTERNAL"
}

/// `CodeDeploy` and external controllers own this, and `UpdateService` refuses it.
fn is_of_other_controller(scope: &Scope, _: Option<&Value>, _: Option<&Value>) -> bool {
    matches!(controller(scope.live.root), "CODE_DEPLOY" | "EXTERNAL")
}

fn is_task_definition_settled(scope: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    let names = desired.and_then(Value::as_str).zip(live.and_then(Value::as_str));
    is_of_other_controller(scope, desired, live)
        || names.is_some_and(|(desired, live)| is_same_task_definition(desired, live))
}

/// A service that follows `LATEST` may run any version for a while; its deployments show which.
fn is_platform_version_settled(scope: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    let wanted = desired.and_then(Value::as_str).unwrap_or_default();
    wanted.is_empty() || wanted == "LATEST" || is_of_other_controller(scope, desired, live)
}

/// Whether the count belongs to an autoscaler, or to AWS as for a daemon.
fn is_count_of_others(scope: &Scope, _: Option<&Value>, _: Option<&Value>) -> bool {
    scope.context.autoscaled || is_daemon(scope.desired.root)
}

/// `CodeDeploy` swaps target groups with each deployment; so does ECS between a group and its alternate.
fn is_target_group_settled(scope: &Scope, _: Option<&Value>, _: Option<&Value>) -> bool {
    controller(scope.live.root) == "CODE_DEPLOY"
        || (shifts_traffic(scope) && is_swapped_pair(scope.desired.parent, scope.live.parent))
}

fn is_alternate_settled(scope: &Scope, _: Option<&Value>, _: Option<&Value>) -> bool {
    let [desired, live] = scope.grandparents;
    shifts_traffic(scope) && is_swapped_pair(desired, live)
}

/// Whether ECS moves traffic between two target groups when it deploys. A rolling service keeps to its one group.
fn shifts_traffic(scope: &Scope) -> bool {
    [scope.desired, scope.live].into_iter().any(|side| strategy(side.root) != "ROLLING")
}

/// Whether two load balancers have the same two groups, in either role.
fn is_swapped_pair(desired: Option<&Value>, live: Option<&Value>) -> bool {
    let pair = |load_balancer: Option<&Value>| {
        let load_balancer = load_balancer?;
        let group = load_balancer.get("targetGroupArn")?.as_str()?.to_owned();
        let alternate = load_balancer.pointer("/advancedConfiguration/alternateTargetGroupArn")?.as_str()?.to_owned();
        Some(if group < alternate { (group, alternate) } else { (alternate, group) })
    };
    pair(desired).is_some_and(|desired| Some(desired) == pair(live))
}

fn maximum_percent(service: Side) -> Value {
    Value::from(if is_daemon(service.root) { 100 } else { 200 })
}

fn minimum_percent(service: Side) -> Value {
    Value::from(if is_daemon(service.root) { 0 } else { 100 })
}

fn is_number(value: &Value, number: i64) -> bool {
    integer(value) == Some(number)
}

fn of_strategy<'a>(
    wanted: &str,
    comparison: &mut Comparison<'a>,
    field: &'static Field,
    desired: Option<&'a Value>,
    live: Option<&'a Value>,
) {
    if let (true, Form::Structure(members)) = (strategy(comparison.roots()[0]) == wanted, &field.form) {
        comparison.members(members, desired, live);
    }
}

/// A hook's details are free JSON, which some clients send as text.
fn is_same_json_text(_: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    let read = |value: &Value| {
        let text = value.as_str().and_then(|text| serde_json::from_str(text).ok());
        text.unwrap_or_else(|| value.clone())
    };
    desired.zip(live).is_some_and(|(desired, live)| same_json(&read(desired), &read(live)))
}

/// ECS returns `memory` and `cpu` in upper case, and `host` is its other name for `instanceId`.
fn placement_field(field: &str) -> Cow<'_, str> {
    match field {
        "host" => Cow::Borrowed("instanceId"),
        _ if field.eq_ignore_ascii_case("memory") => Cow::Borrowed("MEMORY"),
        _ if field.eq_ignore_ascii_case("cpu") => Cow::Borrowed("CPU"),
        _ => Cow::Borrowed(field),
    }
}

fn port_name(service: Side) -> Option<Value> {
    service.parent?.get("portName").cloned()
}

/// A client alias without a name has `DISCOVERY_NAME.NAMESPACE`. Where the namespace is an ARN or the cluster's
/// default, its name is not in the documents; then the first part decides.
fn is_default_dns_name(scope: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    let written = |value: Option<&Value>| value.and_then(text).filter(|text| !text.is_empty()).map(Cow::into_owned);
    let (desired, live) = (written(desired), written(live));
    let ((Some(name), None) | (None, Some(name))) = (&desired, &live) else { return desired == live };
    let Some(service) = scope.grandparents[0] else { return false };
    let part = |member: &str| service.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(discovery_name) = part("discoveryName").or_else(|| part("portName")) else { return false };
    let connect = scope.desired.root.get("serviceConnectConfiguration");
    let namespace = connect.and_then(|connect| connect.get("namespace")).and_then(Value::as_str);
    match (name.strip_prefix(discovery_name).and_then(|rest| rest.strip_prefix('.')), namespace) {
        (None, _) => false,
        (Some(rest), Some(namespace)) if !namespace.starts_with("arn:") => rest == namespace,
        (Some(rest), _) => !rest.is_empty(),
    }
}

fn is_aws_tag(tag: &Value) -> bool {
    tag.get("key").and_then(Value::as_str).is_some_and(|key| key.starts_with("aws:"))
}
