//! Every event against the schema, as it is published and more strictly.

use std::collections::BTreeSet;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use super::{EVENT_SCHEMA_VERSION, event_schema};
use crate::report::json_line;
use crate::report::samples;

/// Why a value does not fit a schema.
fn complaint(schema: &Value, value: &Value) -> Option<String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("urn:trueup:event:1", schema.clone()).unwrap();
    let index = compiler.compile("urn:trueup:event:1", &mut schemas).unwrap();
    schemas.validate(value, index).err().map(|error| format!("{error:#}"))
}

fn lines() -> Vec<Value> {
    samples::events().iter().map(|event| serde_json::from_str(&json_line(event)).unwrap()).collect()
}

/// The schema for us: members that it does not name are mistakes. Readers are to take them.
fn strict() -> Value {
    let mut schema = event_schema();
    schema["unevaluatedProperties"] = json!(false);
    for (_, definition) in schema["$defs"].as_object_mut().unwrap() {
        // What is put into others is looked at there.
        let is_whole = definition.get("type").is_some() && definition["description"] != "A mutating call.";
        if is_whole {
            definition["additionalProperties"] = json!(false);
        }
    }
    schema
}

#[test]
fn every_event_fits_the_schema_and_the_schema_names_every_member() {
    let strict = strict();
    for line in lines() {
        assert_eq!(complaint(&strict, &line), None, "{line}");
    }
}

#[test]
fn no_member_is_in_a_line_twice() {
    for event in samples::events() {
        let line = json_line(&event);
        let mut names = BTreeSet::new();
        // Only the outermost object's names follow at depth 1.
        let (mut depth, mut in_string, mut start, mut escaped) = (0, false, 0, false);
        for (at, c) in line.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => {
                    in_string = !in_string;
                    if in_string {
                        start = at + 1;
                    } else if depth == 1 && line[at + 1..].starts_with(':') {
                        assert!(names.insert(&line[start..at]), "`{}` twice in {line}", &line[start..at]);
                    }
                }
                '{' | '[' if !in_string => depth += 1,
                '}' | ']' if !in_string => depth -= 1,
                _ => {}
            }
        }
        assert!(names.contains("event"), "{line}");
    }
}

#[test]
fn the_schema_has_every_event_and_every_reason_and_no_others() {
    let titles = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect()
    };
    let schema = event_schema();
    let events = lines().iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(titles(&schema["oneOf"]), events);
    assert_eq!(crate::report::What::NAMES.map(str::to_owned).into_iter().collect::<BTreeSet<_>>(), events);
    let reasons = samples::holds().iter().map(|hold| hold.reason().to_owned()).collect();
    assert_eq!(titles(&schema["$defs"]["hold"]["oneOf"]), reasons);
    assert_eq!(schema["$id"], json!(format!("urn:trueup:event:{EVENT_SCHEMA_VERSION}")));
}

#[test]
fn what_is_no_event_does_not_fit() {
    let schema = event_schema();
    let line = lines().remove(0);
    assert_eq!(complaint(&schema, &line), None);
    for (member, value) in
        [("time", json!("yesterday")), ("event", json!("daemon.vanished")), ("revision", json!("main"))]
    {
        let mut wrong = line.clone();
        wrong[member] = value;
        assert!(complaint(&schema, &wrong).is_some(), "{wrong}");
    }
    for member in ["time", "environment", "version"] {
        let mut wrong = line.clone();
        wrong.as_object_mut().unwrap().shift_remove(member);
        assert!(complaint(&schema, &wrong).is_some(), "{wrong}");
    }
    let mut newer = line;
    newer["a_member_of_a_later_version"] = json!(1);
    assert_eq!(complaint(&schema, &newer), None);
}
