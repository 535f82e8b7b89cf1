//! Schemas that hold together, and that agree with what `check` says.

use std::sync::Arc;

use regex::Regex;
use serde_json::{Value, json};

use super::{json_schema, json_schema_of_app, json_schema_of_trueup};
use crate::document::{SourceFile, Validation, parse, validate_document};
use crate::kind::Kind;

fn all() -> Vec<(String, Value)> {
    let own = [("app", json_schema_of_app()), ("trueup", json_schema_of_trueup())];
    let kinds = Kind::ALL.map(|kind| (kind.as_str(), json_schema(kind)));
    kinds.into_iter().chain(own).map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// Goes over every schema in a schema.
fn each(schema: &Value, visit: &mut dyn FnMut(&Value)) {
    visit(schema);
    for map in ["properties", "definitions"] {
        schema[map].as_object().into_iter().flatten().for_each(|(_, inner)| each(inner, visit));
    }
    for list in ["anyOf", "allOf"] {
        schema[list].as_array().into_iter().flatten().for_each(|inner| each(inner, visit));
    }
    for single in ["items", "additionalProperties", "propertyNames"] {
        if schema[single].is_object() {
            each(&schema[single], visit);
        }
    }
}

#[test]
fn every_schema_holds_together() {
    for (name, root) in all() {
        let mut count = 0;
        each(&root, &mut |schema| {
            count += 1;
            if let Some(reference) = schema["$ref"].as_str() {
                assert!(root.pointer(&reference[1..]).is_some(), "{name}: {reference}");
                assert_eq!(schema.as_object().unwrap().len(), 1, "{name}: draft-07 ignores what is beside {reference}");
            }
            if let Some(values) = schema.get("enum") {
                assert!(!values.as_array().unwrap().is_empty(), "{name}");
            }
            if let Some(pattern) = schema.get("pattern") {
                Regex::new(pattern.as_str().unwrap()).unwrap();
            }
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(schema["properties"].get(required.as_str().unwrap()).is_some(), "{name}: {required}");
            }
            if schema.get("properties").is_some() {
                assert_eq!(schema["additionalProperties"], json!(false), "{name}");
            }
        });
        assert!(count > 20, "{name}");
    }
}

#[test]
fn aws_words_stand_in_the_schema() {
    let service = json_schema(Kind::Service);
    assert!(service["properties"].get("taskDefinition").is_none());
    let strategy = &service["definitions"]["DeploymentConfiguration"]["properties"]["strategy"]["anyOf"][0]["enum"];
    assert!(strategy.as_array().unwrap().contains(&json!("BLUE_GREEN")));
    let interval = &json_schema(Kind::TargetGroup)["properties"]["HealthCheckIntervalSeconds"];
    assert_eq!(interval["anyOf"][0], json!({ "type": "integer", "minimum": 5, "maximum": 300 }));
    assert!(interval["description"].as_str().unwrap().contains("seconds"));
}

/// A second reading of the schemas, of just the words that they use.
fn accepts(root: &Value, schema: &Value, value: &Value) -> bool {
    let all = |list: &Value, judge: &dyn Fn(&Value) -> bool| list.as_array().into_iter().flatten().all(judge);
    if let Some(reference) = schema["$ref"].as_str() {
        return accepts(root, root.pointer(&reference[1..]).unwrap(), value);
    }
    let is = |wanted: &Value| match wanted.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        other => panic!("{other}"),
    };
    let wanted = &schema["type"];
    let type_fits = wanted.is_null() || wanted.as_array().map_or_else(|| is(wanted), |types| types.iter().any(is));
    let name_fits = |name: &String| match schema.get("propertyNames") {
        Some(names) => accepts(root, names, &json!(name)),
        None => true,
    };
    let length = value.as_str().map(|text| text.chars().count()).or(value.as_array().map(Vec::len)).unwrap_or(0) as u64;
    let number = value.as_f64().unwrap_or(0.0);
    type_fits
        && schema.get("enum").is_none_or(|values| values.as_array().unwrap().contains(value))
        && schema.get("anyOf").is_none_or(|list| list.as_array().unwrap().iter().any(|one| accepts(root, one, value)))
        && all(&schema["allOf"], &|one| accepts(root, one, value))
        && ["minLength", "minItems"].iter().all(|key| schema[key].as_u64().is_none_or(|min| length >= min))
        && ["maxLength", "maxItems"].iter().all(|key| schema[key].as_u64().is_none_or(|max| length <= max))
        && schema["minimum"].as_f64().is_none_or(|min| number >= min)
        && schema["maximum"].as_f64().is_none_or(|max| number <= max)
        && schema["pattern"]
            .as_str()
            .is_none_or(|pattern| Regex::new(pattern).unwrap().is_match(value.as_str().unwrap()))
        && all(&schema["required"], &|name| value.get(name.as_str().unwrap()).is_some())
        && value.as_array().is_none_or(|items| items.iter().all(|item| accepts(root, &schema["items"], item)))
        && value.as_object().is_none_or(|members| {
            members.keys().all(name_fits)
                && members.iter().all(|(name, member)| {
                    if let Some(property) = schema["properties"].get(name) {
                        return accepts(root, property, member);
                    }
                    let others = &schema["additionalProperties"];
                    others.as_bool().unwrap_or_else(|| accepts(root, others, member))
                })
        })
}

#[test]
fn schemas_and_check_agree() {
    let task = |container: Value| json!({ "family": "web", "containerDefinitions": [container] });
    let cases = [
        (
            true,
            Kind::TaskDefinition,
            task(json!({ "name": "web", "cpu": "${var.cpu}", "dockerLabels": { "a/b": "c" } })),
        ),
        (false, Kind::TaskDefinition, task(json!({ "name": "web", "cpu": "1" }))),
        (false, Kind::TaskDefinition, task(json!({ "name": "web", "cpus": 1 }))),
        (false, Kind::TaskDefinition, task(json!("web"))),
        (false, Kind::TaskDefinition, json!({ "family": "web" })),
        (true, Kind::Service, json!({ "serviceName": "web", "launchType": "${var.launch}", "desiredCount": 1 })),
        (false, Kind::Service, json!({ "serviceName": "web", "launchType": "FARGAT" })),
        (false, Kind::Service, json!({ "serviceName": "web", "taskDefinition": "web:1" })),
        (
            true,
            Kind::Service,
            json!({ "serviceName": "web", "deploymentConfiguration": { "lifecycleHooks": [{ "hookDetails": { "a": 1 } }] } }),
        ),
        (true, Kind::TargetGroup, json!({ "Name": "web", "Port": 80, "Attributes": [{ "Key": "a.b", "Value": "1" }] })),
        (false, Kind::TargetGroup, json!({ "Name": "web", "Port": 0 })),
        (false, Kind::TargetGroup, json!({ "Name": "web", "HealthCheckPath": "" })),
        (false, Kind::TargetGroup, json!({ "Name": "web", "Attributes": [{ "Key": "a.b", "Value": 1 }] })),
        (true, Kind::ListenerRule, json!({ "ListenerArn": "a", "Priority": 1, "Conditions": [], "Actions": [] })),
        (false, Kind::ListenerRule, json!({ "ListenerArn": "a", "Priority": 1, "Conditions": [], "Actions": {} })),
        (
            false,
            Kind::ListenerRule,
            json!({ "ListenerArn": "a", "Priority": 1, "Conditions": [], "Actions": [{ "Type": "forward", "FixedResponseConfig": { "StatusCode": "abc" } }] }),
        ),
    ];
    for (legal, kind, document) in cases {
        let file: Arc<SourceFile> = SourceFile::new("a.json", document.to_string());
        let problems = validate_document(&parse(&file).ok().unwrap(), kind, &Validation::default());
        assert_eq!(problems.is_empty(), legal, "check: {document}");
        let schema = json_schema(kind);
        assert_eq!(accepts(&schema, &schema, &document), legal, "schema: {document}");
    }
}

#[test]
fn our_own_files_have_schemas() {
    let environment = "[environments.production]\naccount = \"123456789012\"\nregion = \"ap-northeast-1\"\n";
    let trueup = |rest: &str| (json_schema_of_trueup(), format!("{environment}{rest}"));
    let app = |text: &str| (json_schema_of_app(), text.to_owned());
    let cases = [
        (true, trueup("")),
        (
            true,
            trueup(
                "cluster = 'c'\nrole = 'arn:aws:iam::123456789012:role/trueup'\nvariables = { domain = 'a', size = 1 }\n",
            ),
        ),
        (true, trueup("policy.heal = 'report'\n[policy]\nfollow = 'on'\nprune = 'off'\nprune_limit = 3\n")),
        (false, trueup("accounts = 1\n")),
        (false, trueup("[policy]\nfollow = 'maybe'\n")),
        (false, trueup("[environments.\"two words\"]\naccount = \"123456789012\"\nregion = \"eu-west-1\"\n")),
        (false, trueup("[environments.staging]\naccount = \"1\"\nregion = \"eu-west-1\"\n")),
        (true, app("")),
        (
            true,
            app(
                "depends_on = ['shared']\n[policy]\nignore = ['service:/tags/CostCentre', 'target-group/backend:/Attributes/*']\n",
            ),
        ),
        (
            true,
            app(
                "allow_unknown = ['service:/new']\n[images.backend]\nrepository = 'a'\ntag = 'latest'\nplatform = 'linux/amd64'\n",
            ),
        ),
        (false, app("[images.backend]\nrepository = 'a'\n")),
        (false, app("allow_unknown = ['/new']\n")),
        (false, app("policy.heel = 'on'\n")),
    ];
    for (legal, (schema, text)) in cases {
        let document = parse(&SourceFile::new("a.toml", text.as_str())).ok().unwrap().to_json();
        assert_eq!(accepts(&schema, &schema, &document), legal, "{text}");
    }
}
