//! What must hold of any document: documents made from the API's shapes, an AWS that completes and reorders them, and
//! single changes that must be found.
//!
//! The AWS here is a second opinion: its defaults and keys are written down again, and nothing of the comparison is
//! used to make an answer.

mod any_json;
mod aws;
mod documents;
mod places;
mod rules;

use proptest::prelude::*;
use serde_json::{Value, json};
use trueup_core::drift::{Change, Context};
use trueup_core::kind::Kind;
use trueup_core::kind::{digest, drift};

use self::any_json::json_value;
use self::aws::aws_answers;
use self::documents::{Chance, chance, document};
use self::places::{Place, at, is_near, other, permuted, put, scalars};
use crate::paths;

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::TaskDefinition), Just(Kind::Service), Just(Kind::TargetGroup), Just(Kind::ListenerRule)]
}

/// The scalars of a document whose change means something to AWS.
fn meaningful(document: &Value) -> Vec<Place> {
    let mut places = Vec::new();
    scalars(document, "", &Place::default(), &mut places);
    let is_alone = |raw: &str| {
        let groups = raw
            .rsplit_once("/TargetGroups/")
            .and_then(|(before, _)| document.pointer(&format!("{before}/TargetGroups")));
        groups.and_then(Value::as_array).is_some_and(|groups| groups.len() == 1)
    };
    places.retain(|place| match place.raw.rsplit('/').next() {
        // Position says it; never returned; no part of the document, but it tells where the rest of it is.
        Some("Order" | "ClientSecret" | "status") => false,
        // All of the traffic goes to one group.
        Some("Weight") => !is_alone(&place.raw),
        _ => true,
    });
    places
}

/// Live after all changes were made: each field as the request has it, or as the change says where it leaves it out.
fn applied(kind: Kind, desired: &Value, mut live: Value, changes: &[Change], aws: &mut Chance) -> Value {
    if kind == Kind::ListenerRule {
        // `ModifyRule` replaces a list as a whole.
        let answer = aws_answers(kind, desired, aws);
        for change in changes {
            match change.path.segments()[0].as_str() {
                "ListenerArn" => live["RuleArn"] = answer["RuleArn"].clone(),
                member => live[member] = answer[member].clone(),
            }
        }
        return live;
    }
    for change in changes {
        let path = change.path.segments();
        // What is switched on or off goes as a whole.
        let structure = path.split_last().filter(|(last, _)| matches!(last.as_str(), "enable" | "enabled"));
        let (path, found) = match structure.and_then(|(_, path)| Some((path, at(desired, "", path)?))) {
            Some((path, structure)) => (path, Some(structure.clone())),
            None => (path, at(desired, "", path).cloned()),
        };
        let default = serde_json::to_value(change).expect("a change is JSON")["desired"].take();
        let value = found.or(Some(default).filter(|default| !default.is_null()));
        match (kind, path[0].as_str()) {
            (Kind::Service, "serviceConnectConfiguration" | "volumeConfigurations" | "vpcLatticeConfigurations") => {
                put(&mut live["deployments"][1], "", path, value.as_ref());
            }
            (Kind::TargetGroup, "Name") => live["TargetGroupName"] = desired["Name"].clone(),
            _ => put(&mut live, "", path, value.as_ref()),
        }
    }
    live
}

/// A list with the two elements of its innermost lists in the other order.
fn turned(value: &Value) -> Value {
    match value {
        Value::Array(elements) if elements.len() == 2 => elements.iter().rev().cloned().collect(),
        Value::Array(elements) => elements.iter().map(turned).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), turned(value))).collect(),
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => value.clone(),
    }
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
        let places = meaningful(&desired);
        let place = &places[which % places.len()];
        let mut changed = desired.clone();
        let value = changed.pointer_mut(&place.raw).expect("the place was found in this document");
        *value = other(value);
        let told = paths(kind, &changed, &live, &Context::default());
        prop_assert!(!told.is_empty(), "{place:?} is not told\ndesired {desired}\nlive {live}");
        prop_assert!(told.iter().any(|path| is_near(path, &place.keyed)), "{place:?} is told as {told:?}");
    }

    #[test]
    fn live_with_all_changes_applied_is_as_desired(kind in kinds(), mut chance in chance(), mut aws in chance(), which in proptest::collection::vec(any::<usize>(), 1..5)) {
        let desired = document(kind, &mut chance);
        let mut live = aws_answers(kind, &desired, &mut aws);
        for (index, which) in which.into_iter().enumerate() {
            let places = meaningful(&live);
            let value = live.pointer_mut(&places[which % places.len()].raw).expect("the place was found in this document");
            *value = match other(value) {
                Value::String(text) => json!(format!("{text}-{index}")),
                other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other,
            };
        }
        let changes = drift(kind, &desired, &live, &Context::default());
        let live = applied(kind, &desired, live, &changes, &mut aws);
        let told = paths(kind, &desired, &live, &Context::default());
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
    fn the_order_of_a_services_and_a_rules_ordered_lists_is_found(mut chance in chance(), first in "[a-m]{1,4}", second in "[n-z]{1,4}") {
        let rewrite = |regex: &str| json!({"Regex": regex, "Replace": ""});
        let authentication = |domain: &str| json!({"Type": "authenticate-cognito", "AuthenticateCognitoConfig": {"UserPoolDomain": domain}});
        let rows = [
            (Kind::Service, "placementStrategy", json!([{"type": "spread", "field": first}, {"type": "spread", "field": second}]), "/placementStrategy"),
            (Kind::ListenerRule, "Actions", json!([authentication(&first), authentication(&second)]), "/Actions/0/AuthenticateCognitoConfig/UserPoolDomain"),
            (Kind::ListenerRule, "Conditions", json!([{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [first, second]}}]), "/Conditions/path-pattern/PathPatternConfig/RegexValues"),
            (Kind::ListenerRule, "Transforms", json!([{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [rewrite(&first), rewrite(&second)]}}]), "/Transforms/url-rewrite/UrlRewriteConfig/Rewrites"),
        ];
        for (kind, member, list, expected) in rows {
            let mut desired = document(kind, &mut chance);
            let mut live = desired.clone();
            live[member] = turned(&list);
            desired[member] = list;
            if let Some(arn) = live.get("ListenerArn").and_then(Value::as_str) {
                live["RuleArn"] = json!(format!("{}/3", arn.replace(":listener/", ":listener-rule/")));
            }
            let told = paths(kind, &desired, &live, &Context::default());
            prop_assert!(told.iter().any(|path| path == expected), "{told:?}");
            prop_assert!(told.iter().all(|path| path.starts_with(&format!("/{member}"))), "{told:?}");
            prop_assert_ne!(digest(kind, &desired), digest(kind, &live));
        }
    }

    #[test]
    fn a_document_does_not_drift_from_itself_nor_its_digest_from_its_canonical_form(kind in kinds(), mut chance in chance()) {
        let mut desired = document(kind, &mut chance);
        // A plain rule has no ARN to tell its listener by, and a request's is not one.
        if let Some(members) = desired.as_object_mut() {
            members.shift_remove("ListenerArn");
        }
        let told = paths(kind, &desired, &desired, &Context::default());
        prop_assert!(told.is_empty(), "{told:?}");
        let canonical = trueup_core::kind::canonical(kind, &desired);
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
