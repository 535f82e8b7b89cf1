//! The record of service deployments: what ECS was asked to run in the last 90 days, and the outcome.
//!
//! Read only for services that do not serve the desired state. Service deployments that have ended and service
//! revisions are cached, because neither changes any more.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use trueup_core::live::{FailureKind, LiveTaskDefinition, Observed};
use trueup_core::names::{Arn, ServiceId};
use trueup_core::service_deployment::{ServiceDeployment, Status, target_arn};
use trueup_ports::{CallError, Effect};

use super::task_definition::{self, TaskDefinitions};
use crate::ecs::Read;
use crate::failure;
use crate::reading::at_once;
use crate::session::Session;

/// The most service deployments in one page of `ListServiceDeployments`. Source: ECS API reference.
const LISTED_MAX: usize = 100;

/// How many pages are followed: 2,000 deployments of one service in 90 days are one an hour, day and night.
const PAGES_MAX: usize = 20;

/// How many ARNs one `DescribeServiceDeployments` or `DescribeServiceRevisions` takes. Source: ECS API reference.
const DESCRIBED_MAX: usize = 20;

/// How many entries are described at most, newest first.
const LOOKED_INTO_MAX: usize = 60;

/// How many answers of a kind are cached.
const REMEMBERED_MAX: usize = 4_096;

/// A cache of descriptions that no longer change.
#[derive(Debug, Default)]
pub(crate) struct ServiceDeployments {
    /// Descriptions of service deployments that have ended, by ARN.
    ended: Answers,
    /// Descriptions of service revisions, by ARN.
    revisions: Answers,
}

#[derive(Debug, Default)]
struct Answers(Mutex<BTreeMap<String, Arc<Value>>>);

impl Answers {
    fn recall(&self, arn: &str) -> Option<Arc<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(arn).cloned()
    }

    fn remember(&self, arn: &str, answer: &Arc<Value>) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= REMEMBERED_MAX {
            // Rare, and all of it can be read again.
            answers.clear();
        }
        answers.insert(arn.to_owned(), Arc::clone(answer));
    }
}

/// The service deployments of the requested services, with their task definitions.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The service deployments of each service, newest first.
    pub(crate) services: BTreeMap<ServiceId, Observed<Vec<ServiceDeployment>>>,
    /// The task definition revisions that they were to roll out.
    pub(crate) task_definitions: BTreeMap<Arn, Observed<LiveTaskDefinition>>,
}

/// Reads the record of services. Every requested service is in the answer.
pub(crate) async fn read(
    session: &Session,
    known: &ServiceDeployments,
    revisions: &TaskDefinitions,
    ids: &BTreeSet<ServiceId>,
) -> Record {
    let read = at_once(ids.iter().map(|id| async move {
        let deployments = of_service(session, known, id).await;
        (id.clone(), deployments.map_or_else(failure::unknown, Observed::Present))
    }))
    .await;
    let services: BTreeMap<_, _> = read.into_iter().collect();
    let targets = services.values().filter_map(Observed::present).flatten().filter_map(|entry| entry.target.as_ref());
    let named: BTreeSet<String> = targets.filter_map(|target| target.task_definition()).map(str::to_owned).collect();
    let described = at_once(named.into_iter().map(|name| async move {
        let described = task_definition::describe(session, revisions, &name).await;
        (Arn::new(name), described)
    }))
    .await;
    Record { services, task_definitions: described.into_iter().collect() }
}

/// The record of one service, newest first.
async fn of_service(
    session: &Session,
    known: &ServiceDeployments,
    id: &ServiceId,
) -> Result<Vec<ServiceDeployment>, CallError> {
    let listed = list(session, id).await?;
    let worth = worth_looking_into(listed);
    let arns = worth.iter().filter_map(|entry| arn(entry, "serviceDeploymentArn"));
    let described = describe(session, &DEPLOYMENTS, &known.ended, arns.collect()).await?;
    // An entry without a description (it is in `failures`) keeps what the list says of it.
    let whole = |entry: Value| {
        let found = arn(&entry, "serviceDeploymentArn").and_then(|arn| described.get(arn));
        found.map_or(Arc::new(entry), Arc::clone)
    };
    let entries: Vec<Arc<Value>> = worth.into_iter().map(whole).collect();
    let targets = entries.iter().filter_map(|entry| target_arn(entry)).collect();
    let revisions = describe(session, &REVISIONS, &known.revisions, targets).await?;
    let revision = |arn: &str| revisions.get(arn).map(|revision| Value::clone(revision));
    let mut record: Vec<ServiceDeployment> =
        entries.iter().filter_map(|entry| ServiceDeployment::read(entry, revision)).collect();
    record.sort_by_key(|entry| Reverse(entry.created));
    Ok(record)
}

/// All entries of the list, in AWS's order.
async fn list(session: &Session, id: &ServiceId) -> Result<Vec<Value>, CallError> {
    let mut input = json!({"cluster": id.cluster, "service": id.name, "maxResults": LISTED_MAX});
    let mut listed = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut answer = session.ecs.read(&session.caller, Read::ListServiceDeployments, &input).await?;
        match answer.get_mut("serviceDeployments").map(Value::take) {
            Some(Value::Array(page)) => listed.extend(page),
            _ => return Err(unusable("ecs:ListServiceDeployments", "the answer has no `serviceDeployments`")),
        }
        match answer.get("nextToken").and_then(Value::as_str) {
            Some(token) => input["nextToken"] = Value::from(token),
            None => return Ok(listed),
        }
    }
    Err(unusable("ecs:ListServiceDeployments", "there are more pages than are followed"))
}

/// The entries that matter for a plan: the newest, those that did not succeed, and the successes newer than the oldest
/// of those.
fn worth_looking_into(listed: Vec<Value>) -> Vec<Value> {
    let mut read: Vec<(ServiceDeployment, Value)> =
        listed.into_iter().filter_map(|entry| Some((ServiceDeployment::read(&entry, |_| None)?, entry))).collect();
    read.sort_by_key(|(entry, _)| Reverse(entry.created));
    let last = read.iter().rposition(|(entry, _)| entry.status != Status::Successful).unwrap_or_default();
    read.into_iter().take((last + 1).min(LOOKED_INTO_MAX)).map(|(_, entry)| entry).collect()
}

/// Something that is described by ARN, up to twenty a call.
struct DescribeOperation {
    read: Read,
    /// The member of the request that has the ARNs.
    asks: &'static str,
    /// The member of the answer that has the descriptions.
    answers: &'static str,
    /// The member of a description that has its ARN.
    arn: &'static str,
    /// Whether a description can be remembered.
    is_final: fn(&Value) -> bool,
}

const DEPLOYMENTS: DescribeOperation = DescribeOperation {
    read: Read::DescribeServiceDeployments,
    asks: "serviceDeploymentArns",
    answers: "serviceDeployments",
    arn: "serviceDeploymentArn",
    is_final: |value| ServiceDeployment::read(value, |_| None).is_some_and(|entry| entry.status.is_final()),
};

const REVISIONS: DescribeOperation = DescribeOperation {
    read: Read::DescribeServiceRevisions,
    asks: "serviceRevisionArns",
    answers: "serviceRevisions",
    arn: "serviceRevisionArn",
    is_final: |_| true,
};

/// Describes things by ARN; those that AWS does not describe (`failures`) are missing in the answer.
async fn describe(
    session: &Session,
    what: &DescribeOperation,
    known: &Answers,
    arns: BTreeSet<&str>,
) -> Result<BTreeMap<String, Arc<Value>>, CallError> {
    let mut found: BTreeMap<String, Arc<Value>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for arn in arns {
        match known.recall(arn) {
            Some(answer) => drop(found.insert(arn.to_owned(), answer)),
            None => unknown.push(arn),
        }
    }
    for arns in unknown.chunks(DESCRIBED_MAX) {
        let mut answer = session.ecs.read(&session.caller, what.read, &json!({ what.asks: arns })).await?;
        let Some(Value::Array(described)) = answer.get_mut(what.answers).map(Value::take) else { continue };
        for value in described {
            let Some(name) = arn(&value, what.arn).map(str::to_owned) else { continue };
            let (is_final, value) = ((what.is_final)(&value), Arc::new(value));
            if is_final {
                known.remember(&name, &value);
            }
            found.insert(name, value);
        }
    }
    Ok(found)
}

fn arn<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn unusable(operation: &str, message: &str) -> CallError {
    failure::failure(operation, FailureKind::Unavailable, Effect::None, message)
}
