//! Reads the evidence of why a deployment makes no progress; each part is read, and may fail, independently.
//!
//! `ListTasks` accepts `startedBy` only without any other filter, and then lists running tasks only (ECS API reference,
//! `ListTasks`: the default of `desiredStatus` is `RUNNING`). So for evidence the service's tasks are listed, and those
//! of other deployments are dropped once described; where running tasks are enough, they are listed by `startedBy`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_core::diagnosis::{Deployment, Evidence, ServiceEvent, Target, Task};
use trueup_core::live::{FailureKind, Observed};
use trueup_core::names::Arn;
use trueup_core::resources::service::RunningTasks;
use trueup_core::service_deployment::ServiceDeployment;
use trueup_ports::{CallError, Effect, EvidenceRequest};

use crate::reading::at_once;
use crate::session::Session;
use crate::{ecs, elb, failure};

/// How many tasks one `DescribeTasks` takes, and one page of `ListTasks` holds. Source: ECS API reference.
const TASKS_MAX: usize = 100;

/// How many pages of stopped tasks are read: ECS keeps them for an hour, and 200 of a deployment are enough to see why.
const PAGES_MAX: usize = 2;

/// How many pages of running tasks are counted: the tasks of larger deployments are not worth their reads.
const RUNNING_PAGES_MAX: usize = 5;

/// How many service deployments are listed: the newest come first.
const SERVICE_DEPLOYMENTS_MAX: usize = 5;

/// Reads all parts concurrently.
pub(crate) async fn evidence(session: &Session, request: &EvidenceRequest) -> Evidence {
    let (tasks, service, service_deployments, targets) = futures::join!(
        tasks(session, request),
        service(session, request),
        service_deployments(session, request),
        targets(session, request)
    );
    let service = service.map_or_else(failure::unknown, |found| found.map_or(Observed::Absent, Observed::Present));
    Evidence {
        tasks: tasks.map_or_else(failure::unknown, Observed::Present),
        targets,
        events: service.clone().map(|service| ServiceEvent::read_all(&service)),
        deployments: service.map(|service| Deployment::read_all(&service)),
        service_deployments: service_deployments.map_or_else(failure::unknown, Observed::Present),
    }
}

/// Reads the tasks and target health from which the healthy tasks of a deployment are counted.
pub(crate) async fn running_tasks(session: &Session, request: &EvidenceRequest) -> RunningTasks {
    let (tasks, targets) = futures::join!(running(session, request), targets(session, request));
    RunningTasks { tasks: tasks.map_or_else(failure::unknown, Observed::Present), targets }
}

/// The deployment's tasks, stopped ones and running ones.
async fn tasks(session: &Session, request: &EvidenceRequest) -> Result<Vec<Task>, CallError> {
    let id = &request.service;
    let of_service = |status: &str| json!({"cluster": id.cluster, "serviceName": id.name, "desiredStatus": status});
    let (mut arns, _) = list_tasks(session, of_service("STOPPED"), PAGES_MAX).await?;
    arns.extend(list_tasks(session, of_service("RUNNING"), 1).await?.0);
    let mut tasks = describe_tasks(session, request, &arns).await?;
    tasks.retain(|task: &Task| task.started_by.as_ref().is_none_or(|by| *by == request.deployment));
    tasks.sort_by(|a, b| a.arn.cmp(&b.arn));
    Ok(tasks)
}

/// All running tasks of the deployment. An incomplete list is an error, because its count would be wrong.
async fn running(session: &Session, request: &EvidenceRequest) -> Result<Vec<Task>, CallError> {
    let input = json!({"cluster": request.service.cluster, "startedBy": request.deployment});
    let (arns, is_all) = list_tasks(session, input, RUNNING_PAGES_MAX).await?;
    if !is_all {
        let message = "there are more tasks than are counted";
        return Err(failure::failure("ecs:ListTasks", FailureKind::Rejected, Effect::None, message));
    }
    describe_tasks(session, request, &arns).await
}

async fn describe_tasks(session: &Session, request: &EvidenceRequest, arns: &[Value]) -> Result<Vec<Task>, CallError> {
    let batches = at_once(arns.chunks(TASKS_MAX).map(|arns| async move {
        let input = json!({"cluster": request.service.cluster, "tasks": arns});
        session.ecs.read(&session.caller, ecs::Read::DescribeTasks, &input).await
    }))
    .await;
    let mut tasks = Vec::new();
    for answer in batches {
        tasks.extend(array(&answer?, "tasks").map(Task::read));
    }
    Ok(tasks)
}

/// So many pages of tasks, and whether these are all.
async fn list_tasks(session: &Session, mut input: Value, pages: usize) -> Result<(Vec<Value>, bool), CallError> {
    input["maxResults"] = json!(TASKS_MAX);
    let mut arns = Vec::new();
    for _ in 0..pages {
        let answer = session.ecs.read(&session.caller, ecs::Read::ListTasks, &input).await?;
        arns.extend(array(&answer, "taskArns").cloned());
        match answer.get("nextToken").and_then(Value::as_str) {
            Some(token) => input["nextToken"] = Value::from(token),
            None => return Ok((arns, true)),
        }
    }
    Ok((arns, false))
}

async fn service(session: &Session, request: &EvidenceRequest) -> Result<Option<Value>, CallError> {
    let input = json!({"cluster": request.service.cluster, "services": [request.service.name]});
    let answer = session.ecs.read(&session.caller, ecs::Read::DescribeServices, &input).await?;
    Ok(array(&answer, "services").next().cloned())
}

async fn service_deployments(
    session: &Session,
    request: &EvidenceRequest,
) -> Result<Vec<ServiceDeployment>, CallError> {
    let id = &request.service;
    let input = json!({"cluster": id.cluster, "service": id.name, "maxResults": SERVICE_DEPLOYMENTS_MAX});
    let answer = session.ecs.read(&session.caller, ecs::Read::ListServiceDeployments, &input).await?;
    Ok(array(&answer, "serviceDeployments").filter_map(|one| ServiceDeployment::read(one, |_| None)).collect())
}

async fn targets(session: &Session, request: &EvidenceRequest) -> BTreeMap<Arn, Observed<Vec<Target>>> {
    let targets = at_once(request.target_groups.iter().map(|group| async move {
        let health = target_health(session, group).await;
        (group.clone(), health.map_or_else(failure::unknown, Observed::Present))
    }));
    targets.await.into_iter().collect()
}

async fn target_health(session: &Session, group: &Arn) -> Result<Vec<Target>, CallError> {
    let input = json!({"TargetGroupArn": group});
    let answer = session.elb.read(&session.caller, elb::Read::DescribeTargetHealth, &input).await?;
    Ok(array(&answer, "TargetHealthDescriptions").map(Target::read).collect())
}

fn array<'a>(answer: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    answer.get(member).and_then(Value::as_array).into_iter().flatten()
}
