use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use trueup_ports::Clock;
use url::Url;

use super::*;
use crate::notify::deliver::{Deliver, Outlets};
use crate::notify::evaluation::tests::{plan, rolled_back, running, standing};
use crate::notify::targets::{GitHub, GitLab, Hosting};
use crate::notify::transport::{Reply, Request, Transport};
use crate::secret::SecretSource;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// Answers what it is told to, and keeps what it was asked.
#[derive(Default)]
struct Provided {
    asked: Mutex<Vec<Request>>,
    failing: Mutex<Option<Reply>>,
}

#[async_trait]
impl Transport for Provided {
    async fn post(&self, request: Request) -> Reply {
        let failing = self.failing.lock().unwrap().clone();
        self.asked.lock().unwrap().push(request);
        failing.unwrap_or(Reply::Answer { status: 201, retry_after: None, body: String::new() })
    }
}

impl Provided {
    /// `PATH STATE CONTEXT DESCRIPTION` of what was asked since this was called last.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        let line = |request: Request| {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            let context = text("context") + &text("name");
            format!("{} {} {} {}", request.url.path(), text("state"), context, text("description"))
        };
        asked.into_iter().map(line).collect()
    }
}

struct Stage {
    provided: Arc<Provided>,
    standing: Arc<Mutex<Status>>,
    rejected: Arc<Queue<Rejected>>,
    closing: watch::Sender<bool>,
    directory: TempDir,
}

impl Stage {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("token"), "hunter2\n").unwrap();
        Self {
            provided: Arc::default(),
            standing: Arc::default(),
            rejected: Arc::new(Queue::new(8)),
            closing: watch::Sender::new(false),
            directory,
        }
    }

    fn hosting(&self) -> Hosting {
        Hosting {
            api: Url::parse("https://git.example.com/api").unwrap(),
            repository: "acme/state".to_owned(),
            token: SecretSource::File(self.directory.path().join("token")),
            target_url: Some("https://example.com/{environment}/{application}/{revision}".to_owned()),
        }
    }

    fn start(&self, target: Box<dyn Deliver<CommitStatus>>) -> tokio::task::JoinHandle<()> {
        let standing = self.standing.clone();
        let outlets = Outlets { http: self.provided.clone(), clock: Arc::new(Fixed) };
        let reporter = Reporter {
            filter: Filter::default(),
            rejected: self.rejected.clone(),
            wake: Arc::default(),
            sender: Sender::new("x".to_owned(), target, outlets, self.closing.subscribe()),
            memory: Memory::open(Some(self.directory.path().join("told.json"))),
            closing: self.closing.subscribe(),
            status: Arc::new(move || standing.lock().unwrap().clone()),
        };
        tokio::spawn(reporter.run())
    }

    async fn look(&self, status: Status) -> Vec<String> {
        *self.standing.lock().unwrap() = status;
        sleep(Duration::from_secs(5)).await;
        self.provided.asked()
    }
}

#[test]
fn requests_have_the_shapes_of_the_providers() {
    let stage = Stage::new();
    let status = CommitStatus::new("production/web".to_owned(), Revision::new("abc"), State::Failure, "x", "it failed");
    let sent = GitHub(stage.hosting()).request(&status).unwrap();
    assert_eq!(sent.url.as_str(), "https://git.example.com/api/repos/acme/state/statuses/abc");
    assert!(sent.headers.contains(&("Authorization", "Bearer hunter2".to_owned())));
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let page = "https://example.com/production/web/abc";
    let expected =
        json!({"state": "failure", "context": "trueup/production/web", "description": "it failed", "target_url": page});
    assert_eq!(body, expected);

    let sent = GitLab(stage.hosting()).request(&status).unwrap();
    assert_eq!(sent.url.as_str(), "https://git.example.com/api/projects/acme%2Fstate/statuses/abc");
    assert_eq!(sent.headers, [("PRIVATE-TOKEN", "hunter2".to_owned())]);
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let expected =
        json!({"state": "failed", "name": "trueup/production/web", "description": "it failed", "target_url": page});
    assert_eq!(body, expected);
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_pending_then_good_or_bad_and_each_is_set_once() {
    let stage = Stage::new();
    let task = stage.start(Box::new(GitHub(stage.hosting())));
    let path = |revision| format!("/api/repos/acme/state/statuses/{revision}");
    assert_eq!(
        stage.look(standing("a", [plan("a")])).await,
        [format!("{} success trueup/production/web Synced and Healthy", path("a"))]
    );
    assert_eq!(
        stage.look(standing("b", [running("b")])).await,
        [format!("{} pending trueup/production/web rolling out 2 tasks", path("b"))]
    );
    assert_eq!(
        stage.look(standing("b", [rolled_back("b")])).await,
        [format!("{} failure trueup/production/web ECS deployment circuit breaker: tasks failed to start.", path("b"))]
    );
    stage.rejected.push(Rejected { revision: Revision::new("c"), message: "`trueup.toml` is wrong".to_owned() });
    let rejected = [format!("{} failure trueup `trueup.toml` is wrong", path("c"))];
    assert_eq!(stage.look(standing("b", [rolled_back("b")])).await, rejected);
    // The next process was told nothing of all that but by the file.
    stage.closing.send_replace(true);
    task.await.unwrap();
    stage.closing.send_replace(false);
    stage.start(Box::new(GitHub(stage.hosting())));
    assert_eq!(stage.look(standing("b", [rolled_back("b")])).await, [""; 0]);
    assert_eq!(stage.look(standing("d", [plan("d")])).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_gets_what_counts_when_it_is_back() {
    let stage = Stage::new();
    stage.start(Box::new(GitLab(stage.hosting())));
    *stage.provided.failing.lock().unwrap() = Some(Reply::Failed("nobody is there".to_owned()));
    stage.look(standing("b", [running("b")])).await;
    sleep(Duration::from_mins(1)).await;
    let tries = stage.provided.asked().len();
    assert!((2..=6).contains(&tries), "{tries}");
    *stage.provided.failing.lock().unwrap() = None;
    *stage.standing.lock().unwrap() = standing("b", [plan("b")]);
    sleep(REST).await;
    let path = "/api/projects/acme%2Fstate/statuses/b";
    assert_eq!(stage.provided.asked(), [format!("{path} success trueup/production/web Synced and Healthy")]);

    // What GitLab has already is as good as set; what it refuses is not asked for again.
    let refusals = [("c", "Cannot transition status via :enqueue from :pending"), ("d", "404 Commit Not Found")];
    for (revision, body) in refusals {
        *stage.provided.failing.lock().unwrap() =
            Some(Reply::Answer { status: 400, retry_after: None, body: body.to_owned() });
        assert_eq!(stage.look(standing(revision, [running(revision)])).await.len(), 1);
        sleep(REST).await;
        assert_eq!(stage.provided.asked().len(), 0);
    }
}
