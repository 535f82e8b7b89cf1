//! Systems Manager's parameter store: which parameters there are. Values are not kept: where the API must show one, it is
//! empty.

use serde_json::{Value, json};

use super::common::{page, page_size, unknown_operation};
use super::model::Parameter;
use crate::input::{list, text, texts};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

pub(super) fn answer(world: &mut World, action: &str, input: &Value) -> Outcome {
    match action {
        "DescribeParameters" => describe(world, input),
        "GetParameter" => get(world, input),
        "GetParameters" => Ok(get_several(world, input)),
        _ => Err(unknown_operation(action)),
    }
}

/// Puts a `SecureString`; its ARN.
pub fn put(world: &mut World, name: &str) -> String {
    let parameter = Parameter { kind: "SecureString".to_owned(), put_at: world.now };
    world.parameters.insert(name.to_owned(), parameter);
    arn(world, name)
}

/// A name that begins with `/` gives an ARN with one slash only.
fn arn(world: &World, name: &str) -> String {
    world.arn("ssm", &format!("parameter/{}", name.strip_prefix('/').unwrap_or(name)))
}

fn describe(world: &World, input: &Value) -> Outcome {
    let filters = list(input, "ParameterFilters").unwrap_or_default();
    for filter in filters {
        let key = text(filter, "Key").unwrap_or_default();
        if !["Name", "Type", "Path"].contains(&key) {
            return Err(ApiError::client("InvalidFilterKey", format!("The filter key {key} is not valid.")));
        }
        if texts(filter, "Values").len() > 50 {
            return Err(ApiError::client("InvalidFilterValue", "A filter can have at most 50 values."));
        }
    }
    let selected = world.parameters.iter().filter(|(name, parameter)| {
        filters.iter().all(|filter| {
            let values = texts(filter, "Values");
            match (text(filter, "Key"), text(filter, "Option").unwrap_or("Equals")) {
                (Some("Type"), _) => values.contains(&parameter.kind.as_str()),
                (Some("Path"), _) => {
                    values.iter().any(|path| name.starts_with(&format!("{}/", path.trim_end_matches('/'))))
                }
                (_, "BeginsWith") => values.iter().any(|value| name.starts_with(value)),
                (_, "Contains") => values.iter().any(|value| name.contains(value)),
                _ => values.contains(&name.as_str()),
            }
        })
    });
    let all = selected.map(|(name, found)| {
        let mut shown = json!({
            "Name": name, "ARN": arn(world, name), "Type": found.kind, "Version": 1, "Tier": "Standard",
            "DataType": "text", "LastModifiedDate": found.put_at.epoch_seconds(),
            "LastModifiedUser": format!("arn:aws:iam::{}:root", world.account),
        });
        if found.kind == "SecureString" {
            // The key that the service takes by default.
            shown["KeyId"] = json!("alias/aws/ssm");
        }
        (name.clone(), shown)
    });
    let (parameters, next) = page(all.collect(), text(input, "NextToken"), page_size(input, "MaxResults", 50)?);
    let mut answer = json!({"Parameters": parameters});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

fn get(world: &World, input: &Value) -> Outcome {
    let name = text(input, "Name").unwrap_or_default();
    let found = shown(world, name).ok_or_else(|| {
        // The service answers no more than the code.
        ApiError::client("ParameterNotFound", "")
    })?;
    Ok(json!({"Parameter": found}))
}

fn get_several(world: &World, input: &Value) -> Value {
    let mut found = Vec::new();
    let mut invalid = Vec::new();
    for name in texts(input, "Names") {
        match shown(world, name) {
            Some(parameter) => found.push(parameter),
            None => invalid.push(name),
        }
    }
    json!({"Parameters": found, "InvalidParameters": invalid})
}

/// By name or ARN.
fn shown(world: &World, wanted: &str) -> Option<Value> {
    let (name, found) = world.parameters.iter().find(|(name, _)| *name == wanted || arn(world, name) == wanted)?;
    Some(json!({
        "Name": name, "ARN": arn(world, name), "Type": found.kind, "Value": "", "Version": 1, "DataType": "text",
        "LastModifiedDate": found.put_at.epoch_seconds(),
    }))
}
