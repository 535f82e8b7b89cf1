//! Service deployments: ECS's record of each requested deployment and its outcome.
//!
//! Unlike `deployments[]` of a service, which forgets a deployment once it is replaced, this record lasts 90 days, so
//! it still shows a rollback that begins and ends between two cycles. Source: ECS API reference,
//! `ServiceDeployment`, `ServiceDeploymentBrief` and `ServiceRevision`; ECS developer guide, "View service history
//! using Amazon ECS service deployments".

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// One service deployment, as `DescribeServiceDeployments` or, with fewer members, `ListServiceDeployments` returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDeployment {
    /// Its ARN.
    pub arn: String,
    /// Its status.
    pub status: Status,
    /// ECS's reason for the status; empty when there is none.
    pub reason: String,
    /// Where a blue/green, linear or canary deployment is, such as `BAKE_TIME`.
    pub stage: Option<String>,
    /// When it was requested.
    pub created: Option<Timestamp>,
    /// When it ended, with or without success.
    pub ended: Option<Timestamp>,
    /// The service revision to deploy; `None` when it could not be read.
    pub target: Option<ServiceRevision>,
    /// Whether the circuit breaker or an alarm ended it.
    pub detected: bool,
}

/// A service revision: the task definition and the other settings that a deployment rolls out.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRevision {
    /// Its ARN.
    pub arn: String,
    /// Its description by `DescribeServiceRevisions`.
    pub description: Value,
}

impl ServiceRevision {
    /// The task definition revision, as AWS names it.
    pub fn task_definition(&self) -> Option<&str> {
        text(&self.description, "taskDefinition")
    }
}

/// The status of a service deployment. Source: ECS API reference, `ServiceDeployment`, `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `PENDING`
    Pending,
    /// `IN_PROGRESS`
    InProgress,
    /// `STOP_REQUESTED`
    StopRequested,
    /// `STOPPED`: by an operator, by a failure without rollback, or because another deployment replaced it.
    Stopped,
    /// `ROLLBACK_REQUESTED`
    RollbackRequested,
    /// `ROLLBACK_IN_PROGRESS`
    RollbackInProgress,
    /// `ROLLBACK_SUCCESSFUL`
    RollbackSuccessful,
    /// `ROLLBACK_FAILED`: also where there was no earlier deployment.
    RollbackFailed,
    /// `SUCCESSFUL`
    Successful,
    /// A status that this version of trueup does not know: nothing is concluded from it.
    Other,
}

impl Status {
    fn parse(text: &str) -> Self {
        match text {
            "PENDING" => Self::Pending,
            "IN_PROGRESS" => Self::InProgress,
            "STOP_REQUESTED" => Self::StopRequested,
            "STOPPED" => Self::Stopped,
            "ROLLBACK_REQUESTED" => Self::RollbackRequested,
            "ROLLBACK_IN_PROGRESS" => Self::RollbackInProgress,
            "ROLLBACK_SUCCESSFUL" => Self::RollbackSuccessful,
            "ROLLBACK_FAILED" => Self::RollbackFailed,
            "SUCCESSFUL" => Self::Successful,
            _ => Self::Other,
        }
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::StopRequested => "STOP_REQUESTED",
            Self::Stopped => "STOPPED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
            Self::Successful => "SUCCESSFUL",
            Self::Other => "(another status)",
        }
    }

    /// Whether ECS is still rolling it out or back.
    pub fn is_going(self) -> bool {
        match self {
            Self::Pending
            | Self::InProgress
            | Self::StopRequested
            | Self::RollbackRequested
            | Self::RollbackInProgress => true,
            Self::Stopped | Self::RollbackSuccessful | Self::RollbackFailed | Self::Successful | Self::Other => false,
        }
    }

    /// Whether it can no longer change.
    pub fn is_final(self) -> bool {
        !self.is_going() && self != Self::Other
    }
}

impl ServiceDeployment {
    /// Reads an element of `serviceDeployments`, of a description or of a list. `None` when it has no ARN.
    ///
    /// `revision` returns the description of a service revision by its ARN, as `DescribeServiceRevisions` returned it.
    pub fn read(value: &Value, revision: impl Fn(&str) -> Option<Value>) -> Option<Self> {
        let arn = text(value, "serviceDeploymentArn")?.to_owned();
        let at = |name: &str| value.get(name).and_then(time);
        let rollback = value.pointer("/rollback/reason").and_then(Value::as_str);
        let triggered =
            |part: &str| value.get(part).and_then(|part| text(part, "status")).is_some_and(|s| s == "TRIGGERED");
        Some(Self {
            arn,
            status: Status::parse(text(value, "status").unwrap_or_default()),
            reason: text(value, "statusReason").filter(|text| !text.is_empty()).or(rollback).unwrap_or_default().into(),
            stage: text(value, "lifecycleStage").map(str::to_owned),
            created: at("createdAt").or_else(|| at("startedAt")),
            ended: at("finishedAt").or_else(|| at("stoppedAt")),
            target: target_arn(value)
                .and_then(|arn| Some(ServiceRevision { arn: arn.to_owned(), description: revision(arn)? })),
            detected: triggered("deploymentCircuitBreaker") || triggered("alarms"),
        })
    }
}

/// The ARN of the service revision that a service deployment rolls out.
pub fn target_arn(value: &Value) -> Option<&str> {
    value
        .get("targetServiceRevision")
        .and_then(|target| text(target, "arn"))
        .or_else(|| text(value, "targetServiceRevisionArn"))
}

/// A time as the API writes it (seconds since 1970) or as the AWS CLI prints it.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(seconds) => {
            let since = SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?;
            Timestamp::UNIX_EPOCH.checked_add(since).ok()
        }
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ServiceDeployment, Status};

    #[test]
    fn a_description_and_an_entry_of_a_list_are_read_alike() {
        let revision = |arn: &str| (arn == "r/2").then(|| json!({"taskDefinition": "web:2"}));
        let brief = json!({
            "serviceDeploymentArn": "d/1", "status": "ROLLBACK_SUCCESSFUL", "createdAt": 1000.5, "finishedAt": 1300,
            "targetServiceRevisionArn": "r/2", "statusReason": "Service deployment rolled back because of this.",
        });
        let full = json!({
            "serviceDeploymentArn": "d/1", "status": "ROLLBACK_SUCCESSFUL", "createdAt": "1970-01-01T00:16:40.5Z",
            "finishedAt": 1300, "targetServiceRevision": {"arn": "r/2", "requestedTaskCount": 2},
            "rollback": {"reason": "Service deployment rolled back because of this."},
            "deploymentCircuitBreaker": {"status": "TRIGGERED", "failureCount": 3, "threshold": 3},
        });
        let read = |value: &Value| ServiceDeployment::read(value, revision).expect("it has an ARN");
        let (brief, mut full) = (read(&brief), read(&full));
        assert_eq!(brief.target.as_ref().and_then(|target| target.task_definition()), Some("web:2"));
        assert!(full.detected && !brief.detected);
        full.detected = false;
        assert_eq!(brief, full);
        assert!(ServiceDeployment::read(&json!({"status": "PENDING"}), revision).is_none());
    }

    #[test]
    fn every_status_is_known_and_another_one_concludes_nothing() {
        let table = [
            ("PENDING", Status::Pending, true, false),
            ("IN_PROGRESS", Status::InProgress, true, false),
            ("STOP_REQUESTED", Status::StopRequested, true, false),
            ("STOPPED", Status::Stopped, false, true),
            ("ROLLBACK_REQUESTED", Status::RollbackRequested, true, false),
            ("ROLLBACK_IN_PROGRESS", Status::RollbackInProgress, true, false),
            ("ROLLBACK_SUCCESSFUL", Status::RollbackSuccessful, false, true),
            ("ROLLBACK_FAILED", Status::RollbackFailed, false, true),
            ("SUCCESSFUL", Status::Successful, false, true),
            ("NEWER_THAN_US", Status::Other, false, false),
        ];
        for (text, status, going, is_final) in table {
            let read = ServiceDeployment::read(&json!({"serviceDeploymentArn": "d", "status": text}), |_| None);
            let status_read = read.expect("it has an ARN").status;
            assert_eq!(status_read.name() == text, status != Status::Other, "{text}");
            assert_eq!(
                (status_read, status_read.is_going(), status_read.is_final()),
                (status, going, is_final),
                "{text}"
            );
        }
    }
}
