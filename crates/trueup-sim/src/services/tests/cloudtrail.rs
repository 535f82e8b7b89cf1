use std::time::Duration;

use serde_json::{Value, json};

use super::{CALLER, call, refusal, world};
use crate::services::cloudtrail::{Happened, append};
use crate::wire::Api::{self, CloudTrail};
use crate::world::World;

fn update(world: &mut World, service: &str) {
    let input = json!({"service": service, "overrides": {"environment": [{"name": "A", "value": "hidden"}]}});
    let happened = Happened {
        caller: CALLER,
        access_key: "AKIA1",
        service: Api::Ecs,
        action: "UpdateService",
        input: &input,
        error: None,
    };
    append(world, happened);
}

fn pass(world: &mut World, wait: Duration) {
    let later = world.now + wait;
    world.advance(later);
}

#[test]
fn events_appear_after_minutes_newest_first_and_without_environments() {
    let mut world = world();
    update(&mut world, "web");
    pass(&mut world, Duration::from_secs(59));
    assert_eq!(call(&mut world, CloudTrail, "LookupEvents", json!({})), json!({"Events": []}));
    update(&mut world, "api");
    pass(&mut world, Duration::from_mins(10));
    let found = call(&mut world, CloudTrail, "LookupEvents", json!({}))["Events"].clone();
    let named: Vec<&Value> =
        found.as_array().expect("it is a list").iter().map(|event| &event["Resources"][0]["ResourceName"]).collect();
    assert_eq!(named, ["api", "web"]);
    assert_eq!(found[0]["Username"], "copy-1");
    let document = found[0]["CloudTrailEvent"].as_str().unwrap_or_default();
    assert!(document.contains(CALLER) && !document.contains("\"hidden\""), "{document}");
}

#[test]
fn events_are_looked_up_by_one_attribute_time_and_page() {
    let mut world = world();
    for name in ["a", "b", "c"] {
        update(&mut world, name);
        pass(&mut world, Duration::from_hours(1));
    }
    let count = |world: &mut World, input: Value| {
        call(world, CloudTrail, "LookupEvents", input)["Events"].as_array().map_or(0, Vec::len)
    };
    let by = |key: &str, value: &str| json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]});
    let cases = [
        (by("ResourceName", "b"), 1),
        (by("EventName", "UpdateService"), 3),
        (by("EventName", "DeleteService"), 0),
        (by("Username", "copy-1"), 3),
        (by("AccessKeyId", "AKIA2"), 0),
        (json!({"StartTime": crate::time::Time::START.0 / 1000 + 3_600}), 2),
        (json!({"EndTime": crate::time::Time::START.0 / 1000 + 3_600}), 2),
    ];
    for (input, expected) in cases {
        assert_eq!(count(&mut world, input.clone()), expected, "{input}");
    }
    let first = call(&mut world, CloudTrail, "LookupEvents", json!({"MaxResults": 2}));
    let rest = call(&mut world, CloudTrail, "LookupEvents", json!({"NextToken": first["NextToken"]}));
    assert_eq!(rest["Events"][0]["Resources"][0]["ResourceName"], "a");
    let two = json!({"LookupAttributes": [{}, {}]});
    assert_eq!(refusal(&mut world, CloudTrail, "LookupEvents", two).code, "InvalidLookupAttributesException");
    pass(&mut world, Duration::from_hours(91 * 24));
    update(&mut world, "d");
    assert_eq!(world.trail.len(), 1, "events are kept for ninety days");
}
