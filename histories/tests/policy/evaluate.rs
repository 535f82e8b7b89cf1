//! What IAM decides by a policy document.
//!
//! Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".

use serde_json::Value;

use crate::asks::Ask;

/// Whether a policy allows something: some statement does, and none denies it.
pub fn allows(policy: &Value, ask: &Ask) -> bool {
    let fits = |effect: &str| {
        let statements = policy["Statement"].as_array().expect("a policy has statements");
        statements.iter().any(|statement| statement["Effect"] == effect && concerns(statement, ask))
    };
    fits("Allow") && !fits("Deny")
}

/// Whether a statement is about what is asked for.
fn concerns(statement: &Value, ask: &Ask) -> bool {
    let action = ask.action.to_ascii_lowercase();
    texts(&statement["Action"]).any(|pattern| is_like(&pattern.to_ascii_lowercase(), &action))
        && texts(&statement["Resource"]).any(|pattern| is_like(pattern, &ask.resource))
        && statement.get("Condition").is_none_or(|condition| holds(condition, ask))
}

/// Whether all operators hold, of each all keys, of each one value.
fn holds(condition: &Value, ask: &Ask) -> bool {
    let operators = condition.as_object().expect("conditions are by operator");
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().expect("an operator has keys");
        keys.iter().all(|(key, values)| {
            let found = ask.context.get(key);
            match operator.as_str() {
                "Null" => texts(values).any(|value| (value == "true") == found.is_none()),
                "StringEquals" => found.is_some_and(|found| texts(values).any(|value| value == found)),
                "StringLike" | "ArnEquals" | "ArnLike" => {
                    found.is_some_and(|found| texts(values).any(|value| is_like(value, found)))
                }
                other => panic!("the operator {other} is not known here"),
            }
        })
    })
}

/// One text, or a list of them.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.as_str().into_iter();
    one.chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// `*` matches anything, `?` one character.
fn is_like(pattern: &str, text: &str) -> bool {
    fn fits(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=text.len()).any(|skipped| fits(rest, &text[skipped..])),
            (Some((b'?', rest)), Some((_, text))) => fits(rest, text),
            (Some((wanted, rest)), Some((found, text))) => wanted == found && fits(rest, text),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
    fits(pattern.as_bytes(), text.as_bytes())
}
