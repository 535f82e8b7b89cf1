//! Target groups: desired against live.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::desired::{Document, Mode};
use crate::drift::{Change, Context, Shown};
use crate::live::{LiveTargetGroup, Observed};
use crate::names::Arn;
use crate::operation::Operation;
use crate::plan::builder::{Marks, PlanBuilder, Settling, Work, not_asked};
use crate::plan::keep_live::{get, keep_live};
use crate::plan::tags::Claim;
use crate::plan::three_way::{Basis, Sorted, only, top};
use crate::plan::{Awaited, Call, Cause, Hold, Input};
use crate::pointer::Pointer;

/// The members that no call can change. Source: Elastic Load Balancing API reference, `ModifyTargetGroup` lacks them.
const IMMUTABLE: [&str; 8] =
    ["Name", "Protocol", "ProtocolVersion", "Port", "VpcId", "TargetType", "IpAddressType", "TargetControlPort"];

pub(in crate::resources) fn plan(input: &Input<'_>, document: &Document, builder: &mut PlanBuilder) {
    let name = document.body.get("Name").and_then(Value::as_str).unwrap_or_default();
    match input.live.target_groups.get(name) {
        None => {
            let failure = not_asked("elasticloadbalancing:DescribeTargetGroups");
            builder.not_observed(&Work::new(input, document, None).resource, &failure);
        }
        Some(Observed::Unknown(failure)) => builder.not_observed(&Work::new(input, document, None).resource, failure),
        Some(Observed::Absent) => create(&Work::new(input, document, None), builder),
        Some(Observed::Present(live)) => {
            let arn = live.description.get("TargetGroupArn").and_then(Value::as_str).map(Arn::new);
            present(&Work::new(input, document, arn), live, builder);
        }
    }
}

fn create(work: &Work<'_>, builder: &mut PlanBuilder) {
    match work.creation() {
        Mode::Off => return,
        Mode::Report => return builder.hold(&work.resource, work.whole(), Hold::ReportOnly { cause: Cause::Create }),
        Mode::On => {}
    }
    let mut body = work.document.body.clone();
    let mut attributes = None;
    if let Value::Object(members) = &mut body {
        attributes = members.shift_remove("Attributes").filter(|list| list.as_array().is_some_and(|l| !l.is_empty()));
        // After a crash before the attributes are set, the digest must not claim that all was applied: then it comes
        // last.
        members.insert("Tags".to_owned(), work.creation_tags(attributes.is_none()));
    }
    let awaits = work.awaits();
    let call = Call::new(Operation::CreateTargetGroup, body);
    builder.step_after(&work.resource, Cause::Create, work.whole(), call, awaits);
    if let Some(attributes) = attributes {
        let path = Pointer::from_iter(["Attributes"]);
        let desired = Shown::at(&path, &attributes);
        let change = Change { path, live: Shown::absent(), desired };
        let call = Call::new(Operation::ModifyTargetGroupAttributes, json!({"Attributes": attributes}));
        let awaits = vec![Awaited::Created(work.kind(), work.document.name.clone())];
        builder.step_after(&work.resource, Cause::Create, vec![change], call, awaits);
    }
}

fn present(work: &Work<'_>, live: &LiveTargetGroup, builder: &mut PlanBuilder) {
    let (Some(arn), live_tags) = (work.resource.arn.clone(), &live.tags) else {
        return builder.not_observed(&work.resource, &not_asked("elasticloadbalancing:DescribeTargetGroups"));
    };
    let no_tags = BTreeMap::new();
    let live_tags = match live_tags {
        Observed::Present(tags) => tags,
        Observed::Absent => &no_tags,
        Observed::Unknown(failure) => return builder.not_observed(&work.resource, failure),
    };
    let (body, description) = comparable(work, live, builder);
    let context = Context { ignore: work.ignored(), ..Context::default() };
    let changes = work.changes(&body, &description, live_tags, &context);
    if let Claim::Held(hold) = work.claim(live_tags) {
        return builder.hold(&work.resource, changes, hold);
    }
    let basis = Basis::of(live_tags, &work.digest, work.document, work.last());
    let mut sorted = work.sort(changes, &basis);
    builder.report(&work.resource, &sorted);
    let immutable = only(sorted.take(|change| IMMUTABLE.contains(&top(&change.path))));
    let mut complete = !sorted.keeps_pending() && !matches!(live.attributes, Observed::Unknown(_));
    if !immutable.is_empty() {
        complete = false;
        let fields = immutable.iter().map(|change| top(&change.path).to_owned()).collect();
        builder.hold(&work.resource, immutable, Hold::Immutable { kind: work.kind(), fields });
    }
    let steps = builder.steps.len();
    health_check(work, &arn, &body, &description, &mut sorted, &context, builder);
    attributes(work, &arn, &body, &mut sorted, builder);
    let settled = builder.steps.len() == steps;
    let settling = Settling { arn: &arn, live: live_tags, settled, complete, marks: Marks::default() };
    work.tag(builder, sorted, settling);
}

/// The two documents without what was not read: attributes are read in rotation, and a failed read of them holds only
/// them.
fn comparable(work: &Work<'_>, live: &LiveTargetGroup, builder: &mut PlanBuilder) -> (Value, Value) {
    let mut body = work.document.body.clone();
    let mut description = (*live.description).clone();
    match (&live.attributes, &mut description, &mut body) {
        (Observed::Present(attributes), Value::Object(members), _) => {
            let list = attributes.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            members.insert("Attributes".to_owned(), list);
        }
        (Observed::Unknown(failure), _, Value::Object(members)) => {
            if members.shift_remove("Attributes").is_some() {
                builder.not_observed(&work.resource, failure);
            }
        }
        (_, _, Value::Object(members)) => {
            members.shift_remove("Attributes");
        }
        (_, _, _) => {}
    }
    (body, description)
}

fn health_check(
    work: &Work<'_>,
    arn: &Arn,
    body: &Value,
    description: &Value,
    sorted: &mut Sorted,
    context: &Context,
    builder: &mut PlanBuilder,
) {
    let changes = sorted.take(|change| !matches!(top(&change.path), "Attributes" | "Tags"));
    if changes.is_empty() {
        return;
    }
    let live = work.kind().facts().described.as_request(description);
    let mut effective = body.clone();
    for pointer in sorted.kept().chain(&context.ignore) {
        keep_live(work.kind(), &mut effective, &live, pointer);
    }
    let mut input = Map::from_iter([("TargetGroupArn".to_owned(), json!(arn))]);
    for (_, change) in &changes {
        let name = top(&change.path);
        // An attribute that git no longer declares returns to its default, which has to be sent: left out means
        // unchanged.
        let value = match effective.get(name) {
            Some(value) => value.clone(),
            None if change.path.segments().len() == 1 && !change.desired.is_absent() => change.desired.to_json(),
            None => continue,
        };
        input.insert(name.to_owned(), value);
    }
    let call = Call::new(Operation::ModifyTargetGroup, Value::Object(input));
    builder.sorted_step(&work.resource, changes, call, Vec::new());
}

fn attributes(work: &Work<'_>, arn: &Arn, body: &Value, sorted: &mut Sorted, builder: &mut PlanBuilder) {
    let changes = sorted.take(|change| top(&change.path) == "Attributes");
    let mut list: Vec<Value> = Vec::new();
    for (_, change) in &changes {
        match get(work.kind(), body, &change.path) {
            Some(Value::Array(all)) => list.clone_from(all),
            Some(value) if value.is_object() => list.push(value.clone()),
            // The path continues to `Value`.
            Some(value) => list.push(json!({"Key": change.path.segments()[1], "Value": value})),
            None => {}
        }
    }
    if list.is_empty() {
        return;
    }
    let input = json!({"TargetGroupArn": arn, "Attributes": list});
    let call = Call::new(Operation::ModifyTargetGroupAttributes, input);
    builder.sorted_step(&work.resource, changes, call, Vec::new());
}
