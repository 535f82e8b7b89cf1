//! CloudWatch: metrics that were put, kept to be read by the code that drives the simulation, and alarms that ECS watches.

use serde_json::{Value, json};

use super::common::{page, page_size, unknown_operation};
use super::model::{Alarm, Metric};
use crate::ecs::scheduler;
use crate::input::{list, text, texts};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Metrics of one call, values and dimensions of one metric.
const METRICS_MAX: usize = 1_000;
const VALUES_MAX: usize = 150;
const DIMENSIONS_MAX: usize = 30;

pub(super) fn answer(world: &mut World, action: &str, input: &Value) -> Outcome {
    match action {
        "PutMetricData" => put(world, input),
        "DescribeAlarms" => describe_alarms(world, input),
        _ => Err(unknown_operation(action)),
    }
}

/// Creates an alarm, or brings it into another state: `OK`, `ALARM` or `INSUFFICIENT_DATA`. Deployments of ECS that watch
/// it see that.
pub fn set_alarm(world: &mut World, name: &str, state: &str) {
    let reason = match state {
        "ALARM" => "Threshold Crossed: 1 datapoint was greater than or equal to the threshold.",
        "OK" => "Threshold Crossed: 1 datapoint was not greater than or equal to the threshold.",
        _ => "Insufficient Data",
    };
    world.cloudwatch.alarms.insert(name.to_owned(), Alarm { state: state.to_owned(), reason: reason.to_owned() });
    scheduler::set_alarm(world, name, state == "ALARM");
}

fn put(world: &mut World, input: &Value) -> Outcome {
    let namespace = text(input, "Namespace")
        .ok_or_else(|| ApiError::client("MissingParameter", "The parameter Namespace is required."))?;
    // Source: Amazon CloudWatch API reference, `PutMetricData`.
    if namespace.starts_with("AWS/") {
        return Err(ApiError::client(
            "InvalidParameterValue",
            "The value AWS/ for parameter Namespace is invalid: namespaces that begin with AWS/ are reserved.",
        ));
    }
    let data = list(input, "MetricData").unwrap_or_default();
    if data.len() > METRICS_MAX {
        return Err(too_many("MetricData", METRICS_MAX));
    }
    for datum in data {
        if text(datum, "MetricName").is_none() {
            return Err(ApiError::client(
                "MissingParameter",
                "The parameter MetricData.member.1.MetricName is required.",
            ));
        }
        for (member, max) in [("Values", VALUES_MAX), ("Dimensions", DIMENSIONS_MAX)] {
            if list(datum, member).is_some_and(|items| items.len() > max) {
                return Err(too_many(member, max));
            }
        }
    }
    let at = world.now;
    world.cloudwatch.metrics.extend(data.iter().map(|datum| Metric {
        at,
        namespace: namespace.to_owned(),
        datum: datum.clone(),
    }));
    Ok(json!({}))
}

fn too_many(member: &str, max: usize) -> ApiError {
    ApiError::client(
        "InvalidParameterValue",
        format!("The collection {member} must not have a size greater than {max}."),
    )
}

fn describe_alarms(world: &World, input: &Value) -> Outcome {
    let names = texts(input, "AlarmNames");
    let (prefix, state) = (text(input, "AlarmNamePrefix"), text(input, "StateValue"));
    let selected = world.cloudwatch.alarms.iter().filter(|(name, alarm)| {
        (names.is_empty() || names.contains(&name.as_str()))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state == state)
    });
    let all = selected.map(|(name, alarm)| {
        let shown = json!({
            "AlarmName": name, "AlarmArn": world.arn("cloudwatch", &format!("alarm:{name}")), "ActionsEnabled": true,
            "StateValue": alarm.state, "StateReason": alarm.reason,
            // What an alarm watches is not simulated, but its members are there for clients that read them.
            "Namespace": "Simulated", "MetricName": name, "Dimensions": [], "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", "OKActions": [],
            "AlarmActions": [], "InsufficientDataActions": [],
        });
        (name.clone(), shown)
    });
    let (alarms, next) = page(all.collect(), text(input, "NextToken"), page_size(input, "MaxRecords", 100)?);
    let mut answer = json!({"MetricAlarms": alarms, "CompositeAlarms": []});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}
