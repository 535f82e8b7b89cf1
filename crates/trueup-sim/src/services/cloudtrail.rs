//! CloudTrail: the calls of all principals, available for lookup some minutes later.
//!
//! Only calls that change something are kept. CloudTrail keeps reads too, but nothing here needs them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::common::{page, page_size, unknown_operation};
use super::model::Event;
use crate::input::{list, text};
use crate::wire::{Api, ApiError, Outcome};
use crate::world::World;

/// The delay until an event can be looked up, in seconds: minimum and maximum. AWS documents five minutes as typical.
const DELAY: (u64, u64) = (60, 600);

/// How long events are kept.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// The number of events in a page.
const PAGE: usize = 50;

/// The input members that name a resource, with its type. ECS members begin in lower case.
const RESOURCES: [(&str, &str); 9] = [
    ("service", "AWS::ECS::Service"),
    ("serviceName", "AWS::ECS::Service"),
    ("cluster", "AWS::ECS::Cluster"),
    ("taskDefinition", "AWS::ECS::TaskDefinition"),
    ("family", "AWS::ECS::TaskDefinition"),
    ("RuleArn", "AWS::ElasticLoadBalancingV2::ListenerRule"),
    ("ListenerArn", "AWS::ElasticLoadBalancingV2::Listener"),
    ("TargetGroupArn", "AWS::ElasticLoadBalancingV2::TargetGroup"),
    ("LoadBalancerArn", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
];

/// A call to append to the trail.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    /// The ARN of the caller.
    pub caller: &'a str,
    /// The access key id that signed.
    pub access_key: &'a str,
    /// Which service.
    pub service: Api,
    /// Which action.
    pub action: &'a str,
    /// Its input.
    pub input: &'a Value,
    /// Why it was refused.
    pub error: Option<&'a ApiError>,
}

/// Appends a call that changed something, or tried to. Values of environment variables are not kept.
pub fn append(world: &mut World, happened: Happened<'_>) {
    let (from, to) = DELAY;
    let now = world.now;
    let chance = world.chance.of("cloudtrail: events");
    let delay = Duration::from_secs(chance.between(from, to));
    let parts = [chance.hex(8), chance.hex(4), chance.hex(3), chance.hex(3), chance.hex(12)];
    let id = format!("{}-{}-4{}-a{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4]);
    let source = match happened.service {
        Api::Ecs => "ecs.amazonaws.com",
        Api::ElasticLoadBalancing => "elasticloadbalancing.amazonaws.com",
        Api::CloudFormation => "cloudformation.amazonaws.com",
        Api::Sts => "sts.amazonaws.com",
        Api::Ecr => "ecr.amazonaws.com",
        Api::SecretsManager => "secretsmanager.amazonaws.com",
        Api::Ssm => "ssm.amazonaws.com",
        Api::CloudWatch => "monitoring.amazonaws.com",
        Api::ApplicationAutoScaling => "application-autoscaling.amazonaws.com",
        Api::CloudTrail => "cloudtrail.amazonaws.com",
    };
    let named = RESOURCES.iter().filter_map(|(member, kind)| Some((*kind, text(happened.input, member)?)));
    let resources: Vec<(String, String)> = named.map(|(kind, name)| (kind.to_owned(), name.to_owned())).collect();
    let is_role = happened.caller.contains(":assumed-role/");
    let mut document = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": if is_role { "AssumedRole" } else { "IAMUser" }, "arn": happened.caller,
            "accountId": world.account, "accessKeyId": happened.access_key,
        },
        "eventTime": now.iso(), "eventSource": source, "eventName": happened.action, "awsRegion": world.region,
        "requestParameters": without_environment(happened.input), "responseElements": null, "eventID": id,
        "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": world.account,
    });
    if let Some(error) = happened.error {
        document["errorCode"] = json!(error.code);
        document["errorMessage"] = json!(error.message);
    }
    let username = happened.caller.rsplit('/').next().unwrap_or_default().to_owned();
    world.trail.push(Event {
        at: now,
        visible_at: now + delay,
        id,
        name: happened.action.to_owned(),
        source: source.to_owned(),
        username,
        access_key: happened.access_key.to_owned(),
        resources,
        document,
    });
    // Events are in the order of time, so those that are too old are next to each other.
    let expired = world.trail.partition_point(|event| now.since(event.at) > KEPT);
    world.trail.drain(..expired);
}

fn without_environment(input: &Value) -> Value {
    match input {
        Value::Object(members) => {
            let shown: Map<String, Value> = members
                .iter()
                .map(|(name, member)| match name.as_str() {
                    "environment" => (name.clone(), json!("HIDDEN_DUE_TO_SECURITY_REASONS")),
                    _ => (name.clone(), without_environment(member)),
                })
                .collect();
            Value::Object(shown)
        }
        Value::Array(items) => items.iter().map(without_environment).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => input.clone(),
    }
}

pub(super) fn answer(world: &mut World, action: &str, input: &Value) -> Outcome {
    match action {
        "LookupEvents" => look_up(world, input),
        _ => Err(unknown_operation(action)),
    }
}

/// The newest first.
fn look_up(world: &World, input: &Value) -> Outcome {
    let attributes = list(input, "LookupAttributes").unwrap_or_default();
    if attributes.len() > 1 {
        return Err(ApiError::client("InvalidLookupAttributesException", "You can specify only one lookup attribute."));
    }
    let wanted = attributes.first().map(|attribute| {
        (text(attribute, "AttributeKey").unwrap_or_default(), text(attribute, "AttributeValue").unwrap_or_default())
    });
    let time = |member: &str| {
        input.get(member).and_then(Value::as_f64).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    };
    let (from, to) = (time("StartTime"), time("EndTime"));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(ApiError::client("InvalidTimeRangeException", "The start time must be before the end time."));
    }
    let within = |event: &Event| {
        let at = Duration::from_millis(event.at.0);
        event.visible_at <= world.now && from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
    };
    let has = |event: &Event| match wanted {
        None => true,
        Some(("EventId", value)) => event.id == value,
        Some(("EventName", value)) => event.name == value,
        Some(("EventSource", value)) => event.source == value,
        Some(("Username", value)) => event.username == value,
        Some(("AccessKeyId", value)) => event.access_key == value,
        Some(("ReadOnly", value)) => value == "false",
        Some(("ResourceName", value)) => event.resources.iter().any(|(_, name)| name == value),
        Some(("ResourceType", value)) => event.resources.iter().any(|(kind, _)| kind == value),
        Some(_) => false,
    };
    let found = world.trail.iter().filter(|event| within(event) && has(event));
    // The keys count down, so that the newest comes first and events to come move no page.
    let mut found: Vec<_> = found.map(|event| (format!("{:020} {}", u64::MAX - event.at.0, event.id), event)).collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let (events, next) = page(found, text(input, "NextToken"), page_size(input, "MaxResults", PAGE)?);
    let events: Vec<Value> = events.into_iter().map(shown).collect();
    let mut answer = json!({"Events": events});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

fn shown(event: &Event) -> Value {
    let resources: Vec<Value> =
        event.resources.iter().map(|(kind, name)| json!({"ResourceType": kind, "ResourceName": name})).collect();
    json!({
        "EventId": event.id, "EventName": event.name, "ReadOnly": "false", "AccessKeyId": event.access_key,
        "EventTime": event.at.epoch_seconds(), "EventSource": event.source, "Username": event.username,
        "Resources": resources, "CloudTrailEvent": event.document.to_string(),
    })
}
