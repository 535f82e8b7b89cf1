//! Who changed a resource last, according to CloudTrail: best effort, for reports only.
//!
//! CloudTrail lags by some minutes, keeps events for 90 days, and answers two calls per second for the whole account.
//! ECS's own actions are missing, or appear under its service role.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};
use trueup_core::kind::{Kind, TrailName};
use trueup_core::live::Observed;
use trueup_core::plan::Resource;

use crate::api::operations::LOOKUP_EVENTS;
use crate::failure;
use crate::session::Session;

/// How many events are searched, newest first. Source: CloudTrail API reference, `LookupEvents`.
const EVENTS_MAX: usize = 50;

/// Finds the newest change by another writer: `alice at 2026-01-01T00:00:00Z by UpdateService`.
pub(crate) async fn last_change(session: &Session, resource: &Resource) -> Observed<String> {
    let Some(arn) = &resource.arn else { return Observed::Absent };
    // ECS events name a service by its short name, Elastic Load Balancing events name a resource by its ARN.
    let name = match resource.kind.facts().trail_name {
        TrailName::ShortName => arn.as_str().rsplit('/').next().unwrap_or(arn.as_str()),
        TrailName::Arn => arn.as_str(),
    };
    let attribute = json!({"AttributeKey": "ResourceName", "AttributeValue": name});
    let input = json!({"LookupAttributes": [attribute], "MaxResults": EVENTS_MAX});
    match session.api.read(&session.caller, &LOOKUP_EVENTS, &input).await {
        Ok(answer) => {
            let events = answer.get("Events").and_then(Value::as_array).into_iter().flatten();
            let by = events.filter(|event| changes(resource.kind, event)).find_map(words);
            by.map_or(Observed::Absent, Observed::Present)
        }
        Err(error) => failure::unknown(error),
    }
}

/// Whether an event changed a resource of this kind and is not trueup's own: those carry `app/trueup` as user agent.
fn changes(kind: Kind, event: &Value) -> bool {
    let ours = text(event, "CloudTrailEvent").is_some_and(|event| event.contains("app/trueup"));
    !ours && text(event, "EventName").is_some_and(|name| kind.facts().changed_by.contains(&name))
}

fn words(event: &Value) -> Option<String> {
    let at = event.get("EventTime").and_then(Value::as_f64).map(DateTime::from_secs_f64);
    let at = at.and_then(|time| time.fmt(Format::DateTime).ok()).map(|at| format!(" at {at}")).unwrap_or_default();
    Some(format!("{}{at} by {}", text(event, "Username")?, text(event, "EventName")?))
}

fn text<'a>(event: &'a Value, member: &str) -> Option<&'a str> {
    event.get(member)?.as_str()
}
