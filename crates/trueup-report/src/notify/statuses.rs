//! Sets the statuses of commits on GitHub or GitLab, one after the other.
//!
//! Sources: GitHub REST API, "Create a commit status"; GitLab "Commits API", "Set commit pipeline status".

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use trueup_core::names::Revision;
use trueup_core::plan::Plan;
use trueup_engine::Status;
use url::Url;

use super::address;
use super::courier::{Courier, Outcome};
use super::digest::short;
use super::filter::Filter;
use super::memory::Memory;
use super::queue::Queue;
use super::settings::{Provider, Statuses};
use super::transport::Request;
use super::verdict::{CommitStatus, Judge, State};

/// How often it is looked at how things stand when nothing wakes.
const LOOK: Duration = Duration::from_secs(2);

/// A provider that fails is left alone for as long, and for so many times; then the status is given up.
const REST: Duration = Duration::from_mins(5);
const ROUNDS_MAX: u32 = 24;

/// A commit that was rejected as a whole.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    pub revision: Revision,
    pub message: String,
}

/// Sets statuses at one provider.
pub(super) struct Reporter {
    pub statuses: Statuses,
    pub filter: Filter,
    pub rejected: Arc<Queue<Rejected>>,
    /// Something happened: it is worth a look.
    pub wake: Arc<Notify>,
    pub courier: Courier,
    pub memory: Memory,
    pub closing: watch::Receiver<bool>,
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
}

impl Reporter {
    /// Sets whatever is to be set, until the process stops; then what is left, once.
    pub async fn run(mut self) {
        let (mut judge, mut rounds, mut rest) = (Judge::default(), 0, None::<Instant>);
        let mut rejected = None;
        loop {
            let closing = *self.closing.borrow();
            if closing || rest.is_none_or(|until| Instant::now() >= until) {
                let wanted = self.wanted(&mut judge, rejected.as_ref());
                if self.set_all(wanted, rounds >= ROUNDS_MAX).await.is_ok() {
                    (rounds, rest, rejected) = (0, None, None);
                } else {
                    (rounds, rest) = (rounds + 1, Some(Instant::now() + REST));
                }
            }
            if closing {
                return;
            }
            tokio::select! {
                // It is kept until it is set; one that comes before that takes its place.
                Some(news) = self.rejected.next() => rejected = Some(news),
                () = self.wake.notified() => {}
                () = sleep(LOOK) => {}
                _ = self.closing.wait_for(|closing| *closing) => {}
            }
        }
    }

    fn wanted(&self, judge: &mut Judge, rejected: Option<&Rejected>) -> Vec<CommitStatus> {
        let told = |place: &str| self.memory.value(place);
        let takes = |plan: &Plan| self.filter.takes_names(plan.environment.as_str(), plan.application.as_str());
        let mut wanted = judge.judge(&(self.status)(), takes, told);
        if let Some(Rejected { revision, message }) = rejected {
            let status = CommitStatus::new(String::new(), revision.clone(), State::Failure, "Rejected", message);
            if told("") != Some(&status.value()) {
                wanted.push(status);
            }
        }
        wanted
    }

    /// Sets them in order. One that is refused is not asked for again; where the provider fails, the rest waits, except at
    /// the last try.
    async fn set_all(&mut self, wanted: Vec<CommitStatus>, last: bool) -> Result<(), GaveUp> {
        for status in wanted {
            let id = short(&[&status.place, &status.value()]);
            let statuses = &self.statuses;
            let outcome = self.courier.deliver(&id, || request(statuses, &status), is_as_good).await;
            if outcome == Outcome::GivenUp && !last {
                return Err(GaveUp);
            }
            self.memory.tell(&status.place, &status.value());
        }
        Ok(())
    }
}

/// The provider could not be reached.
struct GaveUp;

/// GitLab does not set a state that is set already, and says so.
fn is_as_good(status: u16, body: &str) -> bool {
    status == 400 && body.contains("Cannot transition status via")
}

/// The request that sets a status.
fn request(statuses: &Statuses, status: &CommitStatus) -> Result<Request, String> {
    let token = statuses.token.read().map_err(|error| error.to_string())?;
    let api = statuses.api.as_str().trim_end_matches('/');
    let (repository, revision) = (&statuses.repository, &status.revision);
    let context = if status.place.is_empty() { "trueup".to_owned() } else { format!("trueup/{}", status.place) };
    let (url, headers, mut body) = match statuses.provider {
        Provider::GitHub => (
            format!("{api}/repos/{repository}/statuses/{revision}"),
            vec![
                ("Authorization", format!("Bearer {}", token.expose())),
                ("Accept", "application/vnd.github+json".to_owned()),
                ("X-GitHub-Api-Version", "2022-11-28".to_owned()),
            ],
            json!({"state": status.state.as_str(), "context": context, "description": status.description}),
        ),
        Provider::GitLab => {
            let state = if status.state == State::Failure { "failed" } else { status.state.as_str() };
            (
                format!("{api}/projects/{}/statuses/{revision}", repository.replace('/', "%2F")),
                vec![("PRIVATE-TOKEN", token.expose().to_owned())],
                json!({"state": state, "name": context, "description": status.description}),
            )
        }
    };
    if let Some(page) = &statuses.target_url {
        body["target_url"] = Value::String(filled(page, status));
    }
    let url: Url = address::parse(&url).map_err(|flaw| flaw.to_string())?;
    Ok(Request { url, headers, body: body.to_string() })
}

/// The page that a status leads to.
fn filled(page: &str, status: &CommitStatus) -> String {
    let (environment, application) = status.place.split_once('/').unwrap_or_default();
    page.replace("{environment}", environment)
        .replace("{application}", application)
        .replace("{revision}", status.revision.as_str())
}

#[cfg(test)]
mod tests;
