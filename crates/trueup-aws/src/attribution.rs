//! Who changed a resource last, as CloudTrail tells: best effort, for reports alone.
//!
//! CloudTrail is some minutes behind, keeps 90 days, and has two calls a second for everybody in the account. What ECS
//! does by itself is not in it, or under the name of its service role.

use aws_sdk_cloudtrail::primitives::DateTimeFormat;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use trueup_core::kind::Kind;
use trueup_core::live::Observed;
use trueup_core::plan::Resource;

use crate::buckets::Bucket;
use crate::cloud::AwsCloud;
use crate::failure;

/// How many events are looked through, the newest first. Source: CloudTrail API reference, `LookupEvents`.
const EVENTS_MAX: i32 = 50;

/// Finds the newest change that somebody else made: `alice at 2026-01-01T00:00:00Z by UpdateService`.
pub(crate) async fn last_change(cloud: &AwsCloud, resource: &Resource) -> Observed<String> {
    let Some(arn) = &resource.arn else { return Observed::Absent };
    // ECS's events name a service by its short name, those of Elastic Load Balancing by the ARN.
    let name = match resource.kind {
        Kind::Service => arn.as_str().rsplit('/').next().unwrap_or(arn.as_str()),
        Kind::TaskDefinition | Kind::TargetGroup | Kind::ListenerRule => arn.as_str(),
    };
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::ResourceName)
        .attribute_value(name)
        .build()
        .expect("key and value are set");
    let send = || cloud.trail.lookup_events().lookup_attributes(attribute.clone()).max_results(EVENTS_MAX).send();
    match cloud.caller.read(Bucket::Trail, "cloudtrail:LookupEvents", send).await {
        Ok(answer) => {
            let by = answer.events().iter().filter(|event| changes(resource.kind, event)).find_map(words);
            by.map_or(Observed::Absent, Observed::Present)
        }
        Err(error) => failure::unknown(error),
    }
}

/// Whether an event changed a resource of this kind, and is not our own: those carry our name as user agent.
fn changes(kind: Kind, event: &Event) -> bool {
    let names: &[&str] = match kind {
        Kind::Service => &["UpdateService", "CreateService", "DeleteService"],
        Kind::TaskDefinition => &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
        Kind::TargetGroup => &["ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup"],
        Kind::ListenerRule => &["ModifyRule", "SetRulePriorities", "DeleteRule"],
    };
    let ours = event.cloud_trail_event().is_some_and(|event| event.contains("app/trueup"));
    !ours && event.event_name().is_some_and(|name| names.contains(&name))
}

fn words(event: &Event) -> Option<String> {
    let at = event.event_time().and_then(|time| time.fmt(DateTimeFormat::DateTime).ok());
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    Some(format!("{}{at} by {}", event.username()?, event.event_name()?))
}
