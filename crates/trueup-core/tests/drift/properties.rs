//! What must hold of any document: documents made from the API's shapes, an AWS that completes and reorders them, and
//! single changes that must be found.
//!
//! The AWS here is a second opinion: its defaults and keys are written down again, and nothing of the comparison is
//! used to make an answer.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trueup_core::drift::{Context, digest, drift};
use trueup_core::model::{Api, Kind, Model, Shape};

use crate::paths;

/// Chance, as a list of numbers that proptest can shrink: all zeros make the smallest document.
#[derive(Debug)]
struct Chance {
    numbers: Vec<u32>,
    next: usize,
}

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        let number = self.numbers.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        usize::try_from(number).unwrap_or(0) % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == bound - 1
    }
}

fn chance() -> impl Strategy<Value = Chance> {
    proptest::collection::vec(any::<u32>(), 0..600).prop_map(|numbers| Chance { numbers, next: 0 })
}

/// The key members of a list's elements, by the list's name.
fn key_of(list: &str) -> &'static [&'static str] {
    match list {
        "containerDefinitions"
        | "environment"
        | "secrets"
        | "ulimits"
        | "secretOptions"
        | "volumes"
        | "properties"
        | "volumeConfigurations" => &["name"],
        "portMappings" => &["containerPort"],
        "mountPoints" | "tmpfs" => &["containerPath"],
        "volumesFrom" => &["sourceContainer"],
        "dependsOn" => &["containerName"],
        "systemControls" => &["namespace"],
        "extraHosts" => &["hostname"],
        "resourceRequirements" | "Transforms" => &["type"],
        "devices" => &["hostPath"],
        "inferenceAccelerators" => &["deviceName"],
        "tags" => &["key"],
        "Tags" | "Attributes" => &["Key"],
        "capacityProviderStrategy" => &["capacityProvider"],
        "loadBalancers" => &["containerName", "containerPort"],
        "serviceRegistries" => &["registryArn"],
        "lifecycleHooks" => &["hookTargetArn"],
        "services" | "vpcLatticeConfigurations" => &["portName"],
        "clientAliases" => &["port"],
        "tagSpecifications" => &["resourceType"],
        _ => &[],
    }
}

/// Lists of plain values whose order means nothing.
const SETS: [&str; 14] = [
    "requiresCompatibilities",
    "links",
    "ignoredExitCodes",
    "dockerSecurityOptions",
    "add",
    "drop",
    "permissions",
    "placementConstraints",
    "subnets",
    "securityGroups",
    "alarmNames",
    "lifecycleStages",
    "containerConfigurations",
    "metricNames",
];

/// Members that no answer has, that another field governs, or that the comparison gives to another writer.
const LEFT_OUT: [&str; 12] = [
    "clientToken",
    "monitoring",
    "gatewayConnectors",
    "role",
    "cluster",
    "taskDefinition",
    "deploymentController",
    "schedulingStrategy",
    "linearConfiguration",
    "canaryConfiguration",
    "containerPortRange",
    "fsxWindowsFileServerVolumeConfiguration",
];

/// A document of `shape`, which stands in `name`.
fn generate(api: Api, shape: &str, name: &str, depth: u32, chance: &mut Chance) -> Value {
    match Model::aws().shape(api, shape) {
        Shape::Structure(structure) if structure.document => json!({"free": chance.below(3)}),
        Shape::Structure(structure) => {
            let mut object = Map::new();
            let is_key = |member: &str| key_of(name).contains(&member) || (name == "environment" && member == "value");
            for (member, found) in &structure.members {
                let needed = structure.required.contains(member) || is_key(member);
                if !LEFT_OUT.contains(&member.as_str()) && (needed || (depth < 6 && chance.one_in(3))) {
                    object.insert(member.clone(), generate(api, &found.shape, member, depth + 1, chance));
                }
            }
            Value::Object(object)
        }
        Shape::List(list) => {
            let mut elements: Vec<Value> = Vec::new();
            for _ in 0..chance.below(4) {
                let element = generate(api, &list.member, name, depth, chance);
                let is_same = |other: &Value| key_of(name).iter().all(|key| other[*key] == element[*key]);
                if key_of(name).is_empty() || !elements.iter().any(is_same) {
                    elements.push(element);
                }
            }
            Value::Array(elements)
        }
        Shape::Map(_) => {
            let entries =
                (0..chance.below(3)).map(|index| (format!("k{index}"), json!(format!("v{}", chance.below(9)))));
            Value::Object(entries.collect())
        }
        Shape::String(_) if name == "cpu" => json!(["256", ".5 vCPU", "1 vcpu"][chance.below(3)]),
        Shape::String(_) if name == "memory" => json!(["512", "1GB", "2 GB"][chance.below(3)]),
        Shape::String(text) if !text.values.is_empty() => json!(text.values[chance.below(text.values.len())]),
        Shape::String(_) => json!(format!("t{}", chance.below(20))),
        // Switches of whole structures are on, so that what is inside counts.
        Shape::Boolean {} => json!(name == "enabled" || name == "enable" || chance.one_in(2)),
        Shape::Integer(range) | Shape::Long(range) | Shape::Float(range) | Shape::Double(range) => {
            #[expect(clippy::cast_possible_truncation, reason = "the model's bounds are whole and small")]
            let least = range.min.unwrap_or(0.0) as i64;
            json!(least + i64::try_from(chance.below(50)).unwrap_or(0))
        }
        Shape::Timestamp {} | Shape::Blob {} => Value::Null,
    }
}

fn document(kind: Kind, chance: &mut Chance) -> Value {
    let (api, _) = kind.request();
    let mut object = Map::new();
    let shape = kind.shape();
    for (member, found) in &shape.members {
        if !LEFT_OUT.contains(&member.as_str()) && (shape.required.contains(member) || chance.one_in(2)) {
            object.insert(member.clone(), generate(api, &found.shape, member, 0, chance));
        }
    }
    if kind == Kind::TargetGroup {
        object.insert("Attributes".to_owned(), generate(api, "TargetGroupAttributes", "Attributes", 0, chance));
    }
    Value::Object(object)
}

/// What AWS fills in, by the end of the path.
#[expect(clippy::match_same_arms, reason = "a table: equal defaults of different fields are no duplicates")]
fn aws_default(path: &[String], document: &Value, parent: &Map<String, Value>) -> Option<Value> {
    let ends: Vec<&str> = path.iter().map(String::as_str).collect();
    Some(match &ends[..] {
        ["networkMode"] => json!("bridge"),
        ["enableFaultInjection"] | [.., "mountPoints" | "volumesFrom", "*", "readOnly"] => json!(false),
        ["containerDefinitions", "*", "cpu"] => json!(0),
        ["containerDefinitions", "*", "essential"] => json!(true),
        [
            "containerDefinitions",
            "*",
            "environment" | "mountPoints" | "volumesFrom" | "portMappings" | "systemControls",
        ]
        | ["volumes" | "placementConstraints" | "placementStrategy" | "loadBalancers" | "serviceRegistries"]
        | [.., "capabilities", "add" | "drop"]
        | [.., "awsvpcConfiguration", "securityGroups"] => json!([]),
        ["volumes", "*", "host"] => json!({}),
        [.., "portMappings", "*", "protocol"] => json!("tcp"),
        [.., "portMappings", "*", "hostPort"] => match document["networkMode"].as_str() {
            Some("awsvpc" | "host") => parent["containerPort"].clone(),
            _ => json!(0),
        },
        [.., "healthCheck", "interval"] => json!(30),
        [.., "healthCheck", "timeout"] => json!(5),
        [.., "healthCheck", "retries"] => json!(3),
        [.., "efsVolumeConfiguration" | "s3filesVolumeConfiguration", "rootDirectory"] => json!("/"),
        [.., "proxyConfiguration", "type"] => json!("APPMESH"),
        [.., "dockerVolumeConfiguration", "scope"] => json!("task"),
        [.., "dockerVolumeConfiguration", "driver"] => json!("local"),
        ["propagateTags"] => json!("NONE"),
        ["healthCheckGracePeriodSeconds"] => json!(0),
        ["enableECSManagedTags" | "enableExecuteCommand"] => json!(false),
        ["desiredCount"] => json!(3),
        ["availabilityZoneRebalancing"] => json!("ENABLED"),
        ["platformVersion"] => json!("LATEST"),
        ["deploymentConfiguration"] => {
            json!({"maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING",
            "bakeTimeInMinutes": 0, "alarms": {"alarmNames": [], "enable": false, "rollback": false},
            "deploymentCircuitBreaker": {"enable": false, "rollback": false}})
        }
        ["deploymentConfiguration", "maximumPercent"] => json!(200),
        ["deploymentConfiguration", "minimumHealthyPercent"] => json!(100),
        ["deploymentConfiguration", "strategy"] => json!("ROLLING"),
        ["deploymentConfiguration", "deploymentCircuitBreaker"] => json!({"enable": false, "rollback": false}),
        [.., "deploymentCircuitBreaker", "resetOnHealthyTask"] => json!(true),
        [.., "deploymentCircuitBreaker", "thresholdConfiguration"] => json!({"type": "BOUNDED_PERCENT", "value": 50}),
        [.., "capacityProviderStrategy", "*", "weight" | "base"] => json!(0),
        [.., "awsvpcConfiguration", "assignPublicIp"] => json!("DISABLED"),
        [.., "services", "*", "discoveryName"] => parent["portName"].clone(),
        ["TargetType"] => json!("instance"),
        ["IpAddressType"] => json!("ipv4"),
        ["HealthCheckIntervalSeconds"] => json!(30),
        ["HealthCheckPath"] => json!("/"),
        ["Matcher"] => json!({"HttpCode": "200"}),
        _ => return None,
    })
}

/// Writes a document down as AWS does: completed, reordered, in plain spelling.
fn answer(api: Api, shape: &str, path: &mut Vec<String>, root: &Value, value: &Value, chance: &mut Chance) -> Value {
    match (Model::aws().shape(api, shape), value) {
        (Shape::Structure(structure), Value::Object(object)) if !structure.document => {
            complete(api, &structure.members, path, root, object, chance)
        }
        (Shape::List(list), Value::Array(elements)) => {
            path.push("*".to_owned());
            let mut elements: Vec<Value> =
                elements.iter().map(|element| answer(api, &list.member, path, root, element, chance)).collect();
            path.pop();
            let name = path.last().map_or("", String::as_str);
            if !key_of(name).is_empty() || SETS.contains(&name) {
                for index in (1..elements.len()).rev() {
                    elements.swap(index, chance.below(index + 1));
                }
            }
            Value::Array(elements)
        }
        (_, value) => match (path.last().map(String::as_str), value.as_str()) {
            (Some("cpu"), Some(".5 vCPU")) => json!("512"),
            (Some("cpu"), Some("1 vcpu")) | (Some("memory"), Some("1GB")) => json!("1024"),
            (Some("memory"), Some("2 GB")) => json!("2048"),
            (Some("field"), Some(field @ ("cpu" | "memory"))) => json!(field.to_uppercase()),
            _ => value.clone(),
        },
    }
}

fn complete(
    api: Api,
    members: &indexmap::IndexMap<String, trueup_core::model::Member>,
    path: &mut Vec<String>,
    root: &Value,
    object: &Map<String, Value>,
    chance: &mut Chance,
) -> Value {
    let mut written = Map::new();
    for (name, member) in members {
        path.push(name.clone());
        match object.get(name) {
            Some(value) => {
                written.insert(name.clone(), answer(api, &member.shape, path, root, value, chance));
            }
            None if chance.below(3) > 0 => {
                if let Some(default) = aws_default(path, root, object) {
                    written.insert(name.clone(), default);
                }
            }
            None => {}
        }
        path.pop();
    }
    Value::Object(written)
}

fn aws_answers(kind: Kind, desired: &Value, chance: &mut Chance) -> Value {
    let (api, _) = kind.request();
    let members = &kind.shape().members;
    let object = desired.as_object().cloned().unwrap_or_default();
    let mut live = complete(api, members, &mut Vec::new(), desired, &object, chance);
    if let (Kind::TargetGroup, Some(live)) = (kind, live.as_object_mut()) {
        let name = live.shift_remove("Name");
        live.insert("TargetGroupName".to_owned(), name.unwrap_or_default());
        let mut attributes = desired["Attributes"].as_array().cloned().unwrap_or_default();
        attributes.reverse();
        attributes.push(json!({"Key": "slow_start.duration_seconds", "Value": "0"}));
        live.insert("Attributes".to_owned(), Value::Array(attributes));
    }
    if let (Kind::Service, Some(live)) = (kind, live.as_object_mut()) {
        let mut primary = Map::from_iter([("status".to_owned(), json!("PRIMARY"))]);
        for name in ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"] {
            primary.extend(live.shift_remove(name).map(|value| (name.to_owned(), value)));
        }
        live.insert("deployments".to_owned(), json!([{"status": "ACTIVE"}, primary]));
    }
    live
}

/// A place in a document: the way there by members and indexes, and as the comparison addresses it.
#[derive(Clone, Debug, Default)]
struct Place {
    raw: String,
    keyed: String,
}

/// Every scalar of a document. The key of an element is addressed as its list.
fn scalars(value: &Value, list: &str, place: &Place, found: &mut Vec<Place>) {
    let escape = |text: &str| text.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let raw = format!("{}/{}", place.raw, escape(name));
                let keyed = if key_of(list).contains(&name.as_str()) {
                    place.keyed.rsplit_once('/').map_or(String::new(), |(list, _)| list.to_owned())
                } else {
                    format!("{}/{}", place.keyed, escape(name))
                };
                scalars(value, name, &Place { raw, keyed }, found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let keys: Vec<String> = key_of(list)
                    .iter()
                    .map(|key| element[*key].as_str().map_or_else(|| element[*key].to_string(), str::to_owned))
                    .collect();
                let keyed = if keys.is_empty() {
                    place.keyed.clone()
                } else {
                    format!("{}/{}", place.keyed, escape(&keys.join(":")))
                };
                scalars(
                    element,
                    if keys.is_empty() { "" } else { list },
                    &Place { raw: format!("{}/{index}", place.raw), keyed },
                    found,
                );
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(place.clone()),
    }
}

/// Another value, far from any default.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_i64().unwrap_or(0) + 1_000_003),
        _ => json!("zz-changed"),
    }
}

fn is_near(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    within(a, b) || within(b, a)
}

/// The value at a place that is addressed by key.
fn at<'v>(value: &'v Value, list: &str, path: &[String]) -> Option<&'v Value> {
    let Some((segment, rest)) = path.split_first() else { return Some(value) };
    match value {
        Value::Array(elements) => at(elements.iter().find(|element| has_key(element, list, segment))?, "", rest),
        value => at(value.get(segment)?, segment, rest),
    }
}

/// Whether an element of a list has this key.
fn has_key(element: &Value, list: &str, key: &str) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    key_of(list).iter().map(|member| text(&element[*member])).collect::<Vec<_>>().join(":") == key
}

/// Writes a value at a place that is addressed by key, or takes away what is there.
fn put(document: &mut Value, list: &str, path: &[String], value: Option<&Value>) {
    let Some((segment, rest)) = path.split_first() else { return };
    if let Value::Array(elements) = document {
        let found = elements.iter().position(|element| has_key(element, list, segment));
        match (found, value) {
            (Some(index), _) if !rest.is_empty() => put(&mut elements[index], "", rest, value),
            (Some(index), Some(value)) => elements[index] = value.clone(),
            (Some(index), None) => drop(elements.remove(index)),
            (None, Some(value)) => elements.push(value.clone()),
            (None, None) => {}
        }
    } else if !rest.is_empty() {
        if document.get(segment).is_none_or(Value::is_null) {
            document[segment] = if key_of(segment).is_empty() { json!({}) } else { json!([]) };
        }
        put(&mut document[segment], segment, rest, value);
    } else if let Some(value) = value {
        document[segment] = value.clone();
    } else if let Some(object) = document.as_object_mut() {
        object.shift_remove(segment);
    }
}

/// Sorts, or turns round, every list of a document that is a set.
fn permuted(value: &Value, list: &str) -> Value {
    match value {
        Value::Object(object) => {
            object.iter().rev().map(|(name, value)| (name.clone(), permuted(value, name))).collect()
        }
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(|element| permuted(element, "")).collect();
            if !key_of(list).is_empty() || SETS.contains(&list) {
                elements.reverse();
            }
            Value::Array(elements)
        }
        value => value.clone(),
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::TaskDefinition), Just(Kind::Service), Just(Kind::TargetGroup)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_aws_makes_of_a_document_is_no_drift(kind in kinds(), mut chance in chance(), mut aws in chance()) {
        let desired = document(kind, &mut chance);
        let live = aws_answers(kind, &desired, &mut aws);
        let told = paths(kind, &desired, &live, &Context::default());
        prop_assert!(told.is_empty(), "{told:?}\ndesired {desired}\nlive {live}");
    }

    #[test]
    fn any_single_change_is_found_where_it_is(kind in kinds(), mut chance in chance(), mut aws in chance(), which in any::<usize>()) {
        let desired = document(kind, &mut chance);
        let live = aws_answers(kind, &desired, &mut aws);
        let mut places = Vec::new();
        scalars(&desired, "", &Place::default(), &mut places);
        let place = &places[which % places.len()];
        let mut changed = desired.clone();
        let value = changed.pointer_mut(&place.raw).expect("the place was found in this document");
        *value = other(value);
        let told = paths(kind, &changed, &live, &Context::default());
        prop_assert!(!told.is_empty(), "{place:?} is not told\ndesired {desired}\nlive {live}");
        prop_assert!(told.iter().any(|path| is_near(path, &place.keyed)), "{place:?} is told as {told:?}");
    }

    #[test]
    fn live_with_all_changes_applied_is_as_desired(mut chance in chance(), mut aws in chance(), which in proptest::collection::vec(any::<usize>(), 1..5)) {
        let desired = document(Kind::TaskDefinition, &mut chance);
        let mut live = aws_answers(Kind::TaskDefinition, &desired, &mut aws);
        for (index, which) in which.into_iter().enumerate() {
            let mut places = Vec::new();
            scalars(&live, "", &Place::default(), &mut places);
            let value = live.pointer_mut(&places[which % places.len()].raw).expect("the place was found in this document");
            *value = match other(value) {
                Value::String(text) => json!(format!("{text}-{index}")),
                other => other,
            };
        }
        for change in drift(Kind::TaskDefinition, &desired, &live, &Context::default()) {
            let path = change.path.segments();
            put(&mut live, "", path, at(&desired, "", path));
        }
        let told = paths(Kind::TaskDefinition, &desired, &live, &Context::default());
        prop_assert!(told.is_empty(), "{told:?}\ndesired {desired}\nlive {live}");
    }

    #[test]
    fn the_order_of_a_set_changes_neither_drift_nor_digest(kind in kinds(), mut chance in chance()) {
        let desired = document(kind, &mut chance);
        let other = permuted(&desired, "");
        prop_assert_eq!(digest(kind, &desired), digest(kind, &other));
        let live = aws_answers(kind, &desired, &mut Chance { numbers: Vec::new(), next: 0 });
        prop_assert!(drift(kind, &other, &live, &Context::default()).is_empty());
    }

    #[test]
    fn the_order_of_an_ordered_list_is_found(mut chance in chance(), first in "[a-m]{1,4}", second in "[n-z]{1,4}") {
        let mut desired = document(Kind::TaskDefinition, &mut chance);
        let container = json!({"name": "it", "image": "it"});
        for member in ["command", "entryPoint", "dnsServers", "dnsSearchDomains"] {
            let mut live = desired.clone();
            for (document, list) in [(&mut desired, json!([first, second])), (&mut live, json!([second, first]))] {
                let mut container = container.clone();
                container[member] = list;
                document["containerDefinitions"] = json!([container]);
            }
            let told = paths(Kind::TaskDefinition, &desired, &live, &Context::default());
            prop_assert_eq!(told, [format!("/containerDefinitions/it/{member}")]);
            prop_assert_ne!(digest(Kind::TaskDefinition, &desired), digest(Kind::TaskDefinition, &live));
        }
    }

    #[test]
    fn a_document_does_not_drift_from_itself_nor_its_digest_from_its_canonical_form(kind in kinds(), mut chance in chance()) {
        let desired = document(kind, &mut chance);
        let told = paths(kind, &desired, &desired, &Context::default());
        prop_assert!(told.is_empty(), "{told:?}");
        let canonical = trueup_core::drift::canonical(kind, &desired);
        prop_assert_eq!(digest(kind, &canonical), digest(kind, &desired));
    }

    #[test]
    fn the_comparison_takes_any_json(desired in json_value(), live in json_value()) {
        for kind in Kind::ALL {
            let told = drift(kind, &desired, &live, &Context::default());
            prop_assert!(told.is_sorted_by(|a, b| a.path <= b.path));
            digest(kind, &desired);
        }
    }
}

/// Any JSON, with names that the schemas know here and there.
fn json_value() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("containerDefinitions"),
        Just("environment"),
        Just("name"),
        Just("portMappings"),
        Just("containerPort"),
        Just("deploymentConfiguration"),
        Just("loadBalancers"),
        Just("containerName"),
        Just("Actions"),
        Just("ForwardConfig"),
        Just("TargetGroups"),
        Just("Conditions"),
        Just("Field"),
        Just("Values"),
        Just("Tags"),
        Just("Key"),
        Just("x"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z/~:]{0,4}".prop_map(Value::from),
        Just(json!("host-header")),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}
