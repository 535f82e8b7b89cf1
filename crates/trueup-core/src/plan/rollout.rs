//! What ECS does with a service: the rollout, and whether ECS threw out what it was asked to run.
//!
//! Sources: ECS API reference, `Deployment` (`status`, `rolloutState`, `rolloutStateReason`); ECS developer guide,
//! deployment circuit breaker and service event messages, for the words of a rollback.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Health, Rollout};
use crate::names::Arn;

/// How much older than the PRIMARY deployment an event may be and still tell of it: ECS writes both within seconds.
const EVENT_BEFORE_DEPLOYMENT_SECONDS_MAX: i64 = 60;

/// The name of a revision that is not registered yet: equal to none.
pub(super) const UNREGISTERED: &str = "(new)";

/// The deployment that ECS works towards. Absent for services that `CodeDeploy` or another controller deploys.
pub(super) fn primary(service: &Value) -> Option<&Value> {
    let deployments = service.get("deployments")?.as_array()?;
    deployments.iter().find(|deployment| text(deployment, "status") == Some("PRIMARY"))
}

/// Whether two names are one task definition revision: an ARN, or `family:revision`.
pub(super) fn same_revision(a: &str, b: &str) -> bool {
    let short = |name: &str| name.rsplit_once("task-definition/").map_or(name, |(_, short)| short).to_owned();
    if a.starts_with("arn:") && b.starts_with("arn:") { a == b } else { short(a) == short(b) }
}

/// What ECS does at the moment. `wanted` is the task definition revision that git asks for, where one is registered.
pub(super) fn rollout(service: &Value, wanted: Option<&str>) -> Option<Rollout> {
    let primary = primary(service)?;
    let runs = text(primary, "taskDefinition").or_else(|| text(service, "taskDefinition"))?;
    let reason = text(primary, "rolloutStateReason").unwrap_or_default();
    let task_definition = Arn::new(runs);
    // Going back to what git wants is going forward.
    let back = is_rollback(reason) && wanted.is_none_or(|wanted| !same_revision(wanted, runs));
    if back || text(primary, "rolloutState") == Some("FAILED") {
        let asked = Arn::new(wanted.filter(|wanted| *wanted != UNREGISTERED).unwrap_or(runs));
        return Some(Rollout::Failed { task_definition: asked, reason: reason.to_owned() });
    }
    let counts = |name: &str| primary.get(name).and_then(Value::as_i64).unwrap_or_default();
    // Behind a Classic Load Balancer there is no `rolloutState`.
    let completed = text(primary, "rolloutState").map_or_else(
        || {
            let only = service.get("deployments").and_then(Value::as_array).is_some_and(|all| all.len() == 1);
            only && counts("runningCount") == counts("desiredCount")
        },
        |state| state == "COMPLETED",
    );
    if !completed {
        let (desired, running) = (counts("desiredCount"), counts("runningCount"));
        return Some(Rollout::Running { task_definition, desired, running, pending: counts("pendingCount") });
    }
    // Completed, but an older one than git asks for: ECS does nothing at the moment.
    wanted.is_none_or(|wanted| same_revision(wanted, runs)).then_some(Rollout::Serving { task_definition })
}

/// ECS's own words, when it gave up what it was asked to run last: a failed or rolled back deployment.
///
/// While a rollback runs, the deployments tell; afterwards only the events do (a completed rollback looks like any
/// other completed deployment).
pub(super) fn failure(service: &Value, wanted: Option<&str>) -> Option<String> {
    let deployments = service.get("deployments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let primary = primary(service)?;
    let reason = text(primary, "rolloutStateReason").unwrap_or_default();
    if is_rollback(reason) || text(primary, "rolloutState") == Some("FAILED") {
        return Some(reason.to_owned());
    }
    let failed = deployments.iter().find(|deployment| {
        let asked = wanted.zip(text(deployment, "taskDefinition")).is_some_and(|(w, d)| same_revision(w, d));
        asked && text(deployment, "rolloutState") == Some("FAILED")
    });
    if let Some(failed) = failed {
        return Some(text(failed, "rolloutStateReason").unwrap_or_default().to_owned());
    }
    let made = primary.get("createdAt").and_then(time)?;
    let events = service.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    events
        .iter()
        .filter(|event| {
            let at = event.get("createdAt").and_then(time);
            at.is_some_and(|at| at.duration_since(made).as_secs() >= -EVENT_BEFORE_DEPLOYMENT_SECONDS_MAX)
        })
        .filter_map(|event| text(event, "message"))
        .find(|message| is_rollback(message))
        .map(str::to_owned)
}

/// How what runs is doing, by what ECS does and how many tasks run.
pub(super) fn health(service: &Value, rollout: Option<&Rollout>) -> Health {
    match rollout {
        Some(Rollout::Failed { .. }) => return Health::Degraded,
        Some(Rollout::Running { .. }) => return Health::Progressing,
        Some(Rollout::Serving { .. }) | None => {}
    }
    let count = |name: &str| service.get(name).and_then(Value::as_i64).unwrap_or_default();
    if count("runningCount") < count("desiredCount") { Health::Degraded } else { Health::Healthy }
}

fn is_rollback(words: &str) -> bool {
    words.contains("rolling back to deployment")
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// A time as the API writes it (seconds since 1970) or as the AWS CLI prints it.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(seconds) => {
            let since = SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?;
            Timestamp::UNIX_EPOCH.checked_add(since).ok()
        }
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{failure, health, rollout, same_revision};
    use crate::plan::{Health, Rollout};

    const NEW: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:2";
    const OLD: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1";

    fn service(deployments: &Value, events: &Value, running: i64) -> Value {
        json!({"taskDefinition": deployments[0]["taskDefinition"], "desiredCount": 2, "runningCount": running,
               "deployments": deployments, "events": events})
    }

    fn primary(revision: &str, state: &str, reason: &str) -> Value {
        json!({"status": "PRIMARY", "taskDefinition": revision, "rolloutState": state, "rolloutStateReason": reason,
               "desiredCount": 2, "runningCount": 1, "pendingCount": 1, "createdAt": 1000.0})
    }

    #[test]
    fn a_rollout_is_judged_by_the_revision_and_by_the_words_of_ecs() {
        let back = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
        let event = |at: f64| {
            json!([{"message": "(service web) has reached a steady state.", "createdAt": at + 9.0},
                   {"message": "(service web) rolling back to deployment ecs-svc/1.", "createdAt": at}])
        };
        let none = json!([]);
        let failed_old = json!([primary(OLD, "COMPLETED", ""), {"status": "ACTIVE", "taskDefinition": NEW,
            "rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start."}]);
        // what it is, deployments, events, running tasks, rollout, failed, health
        let cases = [
            (
                "starting",
                json!([primary(NEW, "IN_PROGRESS", "")]),
                none.clone(),
                1,
                "running",
                false,
                Health::Progressing,
            ),
            ("done", json!([primary(NEW, "COMPLETED", "")]), none.clone(), 2, "serving", false, Health::Healthy),
            (
                "a task died",
                json!([primary(NEW, "COMPLETED", "")]),
                none.clone(),
                1,
                "serving",
                false,
                Health::Degraded,
            ),
            ("older serves", json!([primary(OLD, "COMPLETED", "")]), none.clone(), 2, "-", false, Health::Healthy),
            (
                "gave up",
                json!([primary(NEW, "FAILED", "tasks failed to start.")]),
                none.clone(),
                2,
                "failed",
                true,
                Health::Degraded,
            ),
            (
                "going back",
                json!([primary(OLD, "IN_PROGRESS", back)]),
                none.clone(),
                2,
                "failed",
                true,
                Health::Degraded,
            ),
            ("failed beside", failed_old, none.clone(), 2, "-", true, Health::Healthy),
            ("went back", json!([primary(OLD, "COMPLETED", "")]), event(1500.0), 2, "-", true, Health::Healthy),
            ("just before", json!([primary(OLD, "COMPLETED", "")]), event(970.0), 2, "-", true, Health::Healthy),
            ("long before", json!([primary(OLD, "COMPLETED", "")]), event(100.0), 2, "-", false, Health::Healthy),
        ];
        for (what, deployments, events, running, state, fails, how) in cases {
            let service = service(&deployments, &events, running);
            let rollout = rollout(&service, Some(NEW));
            let got = match &rollout {
                None => "-",
                Some(Rollout::Running { .. }) => "running",
                Some(Rollout::Serving { .. }) => "serving",
                Some(Rollout::Failed { .. }) => "failed",
            };
            let got = (got, failure(&service, Some(NEW)).is_some(), health(&service, rollout.as_ref()));
            assert_eq!(got, (state, fails, how), "{what}");
        }
    }

    #[test]
    fn a_short_name_and_an_arn_are_one_revision_and_two_accounts_are_not() {
        let other = "arn:aws:ecs:eu-west-1:999999999999:task-definition/web:2";
        for (a, b, same) in [(NEW, "web:2", true), (NEW, NEW, true), (NEW, "web:1", false), (NEW, other, false)] {
            assert_eq!(same_revision(a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn times_are_read_in_both_spellings() {
        let mut service = service(&json!([primary(OLD, "COMPLETED", "")]), &json!([]), 2);
        service["deployments"][0]["createdAt"] = json!("2026-01-01T10:00:00+09:00");
        service["events"] = json!([{"message": "(service web) rolling back to deployment ecs-svc/1.",
                                    "createdAt": "2026-01-01T01:00:05Z"}]);
        assert!(failure(&service, Some(NEW)).is_some());
    }
}
