//! ARNs of secrets and parameters, by name. Their values are never read.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ParameterStringFilter;
use trueup_core::desired::Lookup;
use trueup_core::live::{FailureKind, Observed, ReadFailure};

use super::{Found, all, present_or_absent};
use crate::buckets::Bucket;
use crate::cloud::AwsCloud;
use crate::failure;

const DESCRIBE: &str = "ssm:DescribeParameters";

/// How many names one filter takes, and how many parameters one page holds.
///
/// Source: Systems Manager API reference, `ParameterStringFilter` and `DescribeParameters`.
const NAMES_MAX: usize = 50;
const PAGE_SIZE: i32 = 50;

/// How many pages of one filter are followed. Pages may be short, even empty.
const PAGES_MAX: usize = 20;

/// Resolves a secret. One that is waiting for its deletion is absent: tasks could not read it.
pub(super) async fn secret(cloud: &AwsCloud, name: &str, lookups: Vec<&Lookup>) -> Found {
    let client = &cloud.resolvers.secrets;
    let send = || client.describe_secret().secret_id(name).send();
    let observed = match cloud.caller.read(Bucket::Secrets, "secretsmanager:DescribeSecret", send).await {
        Ok(secret) if secret.deleted_date().is_some() => Observed::Absent,
        Ok(secret) => present_or_absent(secret.arn()),
        Err(error) if error.code.as_deref() == Some("ResourceNotFoundException") => Observed::Absent,
        Err(error) => failure::unknown(error),
    };
    all(lookups, &observed)
}

/// Resolves parameters, fifty a call.
pub(super) async fn parameters(cloud: &AwsCloud, lookups: Vec<&Lookup>) -> Found {
    let mut found = Found::new();
    for chunk in lookups.chunks(NAMES_MAX) {
        let names: Vec<&str> = chunk.iter().map(|lookup| name(lookup)).collect();
        let arns = describe(cloud, &names).await;
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
        other => unreachable!("{other:?} is not a parameter"),
    }
}

async fn describe(cloud: &AwsCloud, names: &[&str]) -> Result<BTreeMap<String, String>, ReadFailure> {
    let filter = ParameterStringFilter::builder()
        .key("Name")
        .option("Equals")
        .set_values(Some(names.iter().map(|&name| name.to_owned()).collect()))
        .build()
        .expect("its key is set");
    let mut arns = BTreeMap::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        let send = || {
            let request = cloud.resolvers.parameters.describe_parameters().parameter_filters(filter.clone());
            request.max_results(PAGE_SIZE).set_next_token(token.clone()).send()
        };
        let page = cloud.caller.read(Bucket::Parameters, DESCRIBE, send).await.map_err(failure::read_failure)?;
        for parameter in page.parameters() {
            if let Some(name) = parameter.name() {
                let arn = parameter.arn().map_or_else(|| arn(cloud, name), str::to_owned);
                arns.insert(name.to_owned(), arn);
            }
        }
        match page.next_token.filter(|token| !token.is_empty()) {
            Some(next) => token = Some(next),
            None => return Ok(arns),
        }
    }
    let message = format!("the list has more than {PAGES_MAX} pages");
    Err(ReadFailure { operation: DESCRIBE.into(), kind: FailureKind::Rejected, message })
}

/// A parameter's ARN, for answers that leave it out. A leading `/` of the name is not doubled in it.
fn arn(cloud: &AwsCloud, name: &str) -> String {
    let environment = &cloud.environment;
    let partition = match environment.region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if environment.region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let name = name.strip_prefix('/').unwrap_or(name);
    format!("arn:{partition}:ssm:{}:{}:parameter/{name}", environment.region, environment.account)
}
