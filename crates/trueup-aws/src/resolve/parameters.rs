//! ARNs of secrets and parameters, by name. Their values are never read.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_core::desired::Lookup;
use trueup_core::live::{FailureKind, Observed, ReadFailure};

use super::found::{Found, all, present_or_absent};
use crate::api::operations::{DESCRIBE_PARAMETERS, DESCRIBE_SECRET};
use crate::failure;
use crate::session::Session;

/// How many names one filter takes, and how many parameters one page holds.
///
/// Source: Systems Manager API reference, `ParameterStringFilter` and `DescribeParameters`.
const NAMES_MAX: usize = 50;
const PAGE_SIZE: usize = 50;

/// How many pages of one filter are followed. Pages may be short, even empty.
const PAGES_MAX: usize = 20;

/// Resolves a secret. One that is waiting for its deletion is absent: tasks could not read it.
pub(super) async fn secret(session: &Session, name: &str, lookups: Vec<&Lookup>) -> Found {
    let observed = match session.api.read(&session.caller, &DESCRIBE_SECRET, &json!({"SecretId": name})).await {
        Ok(secret) if secret.get("DeletedDate").is_some_and(|date| !date.is_null()) => Observed::Absent,
        Ok(secret) => present_or_absent(secret.get("ARN").and_then(Value::as_str)),
        Err(error) if error.code.as_deref() == Some("ResourceNotFoundException") => Observed::Absent,
        Err(error) => failure::unknown(error),
    };
    all(lookups, &observed)
}

/// Resolves parameters, fifty a call.
pub(super) async fn parameters(session: &Session, lookups: Vec<&Lookup>) -> Found {
    let mut found = Found::new();
    for chunk in lookups.chunks(NAMES_MAX) {
        let names: Vec<&str> = chunk.iter().map(|lookup| name(lookup)).collect();
        let arns = describe(session, &names).await;
        found.extend(chunk.iter().map(|&lookup| {
            let observed = match &arns {
                Ok(arns) => present_or_absent(arns.get(name(lookup)).map(String::as_str)),
                Err(failure) => Observed::Unknown(failure.clone()),
            };
            (lookup.clone(), observed)
        }));
    }
    found
}

fn name(lookup: &Lookup) -> &str {
    match lookup {
        Lookup::Parameter(name) => name,
        other @ (Lookup::Image { .. }
        | Lookup::TargetGroup(_)
        | Lookup::Listener { .. }
        | Lookup::Secret(_)
        | Lookup::StackResource { .. }
        | Lookup::StackOutput { .. }) => unreachable!("{other:?} is not a parameter"),
    }
}

async fn describe(session: &Session, names: &[&str]) -> Result<BTreeMap<String, String>, ReadFailure> {
    let filter = json!({"Key": "Name", "Option": "Equals", "Values": names});
    let mut input = json!({"ParameterFilters": [filter], "MaxResults": PAGE_SIZE});
    let mut arns = BTreeMap::new();
    for _ in 0..PAGES_MAX {
        let page =
            session.api.read(&session.caller, &DESCRIBE_PARAMETERS, &input).await.map_err(failure::read_failure)?;
        for parameter in page.get("Parameters").and_then(Value::as_array).into_iter().flatten() {
            let text = |member| parameter.get(member).and_then(Value::as_str);
            if let Some(name) = text("Name") {
                arns.insert(name.to_owned(), text("ARN").map_or_else(|| arn(session, name), str::to_owned));
            }
        }
        match page.get("NextToken").and_then(Value::as_str).filter(|token| !token.is_empty()) {
            Some(next) => input["NextToken"] = Value::from(next),
            None => return Ok(arns),
        }
    }
    let message = format!("the list has more than {PAGES_MAX} pages");
    Err(ReadFailure { operation: DESCRIBE_PARAMETERS.action.into(), kind: FailureKind::Rejected, message })
}

/// A parameter's ARN, for answers that leave it out. A leading `/` of the name is not doubled in it.
fn arn(session: &Session, name: &str) -> String {
    let environment = &session.environment;
    let partition = match environment.region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if environment.region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let name = name.strip_prefix('/').unwrap_or(name);
    format!("arn:{partition}:ssm:{}:{}:parameter/{name}", environment.region, environment.account)
}
