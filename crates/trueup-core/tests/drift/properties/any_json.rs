//! Any JSON, with names that the schemas know here and there.

use proptest::prelude::*;
use serde_json::{Value, json};

/// A strategy for it.
pub(super) fn json_value() -> impl Strategy<Value = Value> {
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
