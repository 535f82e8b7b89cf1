//! `/api/v1/applications`: the status of every application at its last cycle.

use jiff::Timestamp;
use serde_json::{Value, json};
use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::plan::{Health, Plan, Sync};
use trueup_core::report::{self, application_status};
use trueup_engine::{ApplicationStatus, Status};

use super::query::{BYTES_MAX, Query};
use crate::health::is_ready;
use crate::page::Page;

const PARAMETERS: [&str; 7] = ["environment", "application", "sync", "health", "reason", "limit", "after"];

const SYNCS: [Sync; 3] = [Sync::Synced, Sync::OutOfSync, Sync::Unknown];

const HEALTHS: [Health; 6] =
    [Health::Healthy, Health::Progressing, Health::Degraded, Health::Suspended, Health::Missing, Health::Unknown];

/// Which applications are asked for.
struct ApplicationFilter<'q> {
    environment: Option<&'q str>,
    application: Option<&'q str>,
    sync: Option<Sync>,
    health: Option<Health>,
    reason: Option<&'q str>,
}

impl ApplicationFilter<'_> {
    fn takes(&self, plan: &Plan) -> bool {
        self.environment.is_none_or(|name| plan.environment.as_str() == name)
            && self.application.is_none_or(|name| plan.application.as_str() == name)
            && self.sync.is_none_or(|sync| plan.sync == sync)
            && self.health.is_none_or(|health| plan.health == health)
            && self.reason.is_none_or(|reason| plan.held.iter().any(|held| held.reason.reason() == reason))
    }
}

/// All applications that the query asks for, in the order of environment and name.
///
/// # Errors
/// With the page that says what is wrong with the query.
pub(super) fn list(query: Option<&str>, status: &Status, now: Timestamp) -> Result<Page, Page> {
    let query = Query::parse(query, &PARAMETERS)?;
    let is_word = |text: &str| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let word = |text: &str| is_word(text).then_some(());
    query.read("reason", "the name of a reason, such as RevisionFailed", word)?;
    let filter = ApplicationFilter {
        environment: query.text("environment"),
        application: query.text("application"),
        sync: query.one_of("sync", &SYNCS)?,
        health: query.one_of("health", &HEALTHS)?,
        reason: query.text("reason"),
    };
    let limit = query.limit()?;
    let after = query.read("after", "what `next` of the page before says", |text| {
        text.split_once('/').map(|(environment, application)| key(environment, application))
    })?;

    let behind = status.applications.iter().filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
    let mut wanted = behind.filter(|(_, application)| filter.takes(&application.plan)).peekable();
    let (mut entries, mut bytes, mut last) = (Vec::new(), 0, None);
    while entries.len() < limit
        && bytes < BYTES_MAX
        && let Some((key, application)) = wanted.next()
    {
        let entry = report::json(&entry(application));
        bytes += entry.len();
        entries.push(entry);
        last = Some(key);
    }
    let next = last.filter(|_| wanted.peek().is_some()).map(|(environment, name)| format!("{environment}/{name}"));
    // Whatever is put together here was written as JSON before.
    let body = format!(
        r#"{{"source":{},"ready":{},"applications":[{}],"next":{}}}"#,
        report::json(&source(status, now)),
        is_ready(status),
        entries.join(","),
        report::json(&next),
    );
    Ok(Page::written(200, body))
}

/// One application.
pub(super) fn one(environment: &str, application: &str, status: &Status) -> Option<Page> {
    let application = status.applications.get(&key(environment, application))?;
    Some(Page::json(200, &entry(application)))
}

fn key(environment: &str, application: &str) -> (EnvironmentName, ApplicationName) {
    (EnvironmentName::new(environment), ApplicationName::new(application))
}

/// As `trueup status --format json` has it, and what only a daemon knows.
fn entry(application: &ApplicationStatus) -> Value {
    let mut entry = application_status(&application.plan);
    entry["since"] = json!(application.since);
    entry["observed"] = json!(application.observed);
    entry
}

fn source(status: &Status, now: Timestamp) -> Value {
    let source = &status.source;
    let age = source.last_success.map(|last| now.duration_since(last).as_secs().max(0));
    json!({
        "revision": source.revision,
        "last_success": source.last_success,
        "age_seconds": age,
        "failure": source.failure,
    })
}
