//! A world for the engine: AWS, a repository, a clock and a listener, all in memory and on paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use trueup_core::names::{ApplicationName, EnvironmentName, InstanceName, Revision};
use trueup_core::plan::{Health, Plan, Sync};
use trueup_core::report::{Event, What, json_line, text};
use trueup_engine::{Engine, Options, Sink};
use trueup_ports::Clock;

use crate::cloud::FakeCloud;
use crate::source::FakeSource;

/// A clock that goes with tokio's.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.0.elapsed()).expect("tests are short");
        Timestamp::from_second(1_800_000_000).expect("in range") + passed
    }
}

/// Keeps the events.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Sink for Events {
    fn emit(&self, event: &Event) {
        self.0.lock().expect("no test panics while it holds the lock").push(event.clone());
    }
}

/// The world.
pub struct World {
    pub cloud: FakeCloud,
    pub source: FakeSource,
    pub engine: Engine,
    emitted: Events,
    running: Option<JoinHandle<()>>,
}

impl World {
    /// A world that has not begun.
    pub fn new() -> Self {
        Self::with(FakeCloud::new(), FakeSource::new(), |_| {})
    }

    /// A world with other options, or one that goes on where a process before it ended.
    pub fn with(cloud: FakeCloud, source: FakeSource, adjust: impl FnOnce(&mut Options)) -> Self {
        let emitted = Events::default();
        let mut options = Options::new(InstanceName::new("test"));
        adjust(&mut options);
        let engine = Engine::new(
            Arc::new(source.clone()),
            Arc::new(cloud.clone()),
            Arc::new(TokioClock(Instant::now())),
            Arc::new(emitted.clone()),
            options,
        );
        Self { cloud, source, engine, emitted, running: None }
    }

    /// Starts the daemon.
    pub fn start(&mut self) {
        let engine = self.engine.clone();
        self.running = Some(tokio::spawn(async move { engine.run().await }));
    }

    /// Starts the daemon and lets it come to rest.
    pub async fn settle(&mut self) {
        self.start();
        self.pass(30).await;
    }

    /// Lets so many seconds pass.
    pub async fn pass(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    /// Requests the shutdown and waits for the end. Returns how long that took.
    pub async fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        self.engine.shutdown().request();
        self.running.take().expect("it runs").await.expect("the engine does not panic");
        begun.elapsed()
    }

    /// Pushes a commit and lets it be found.
    pub async fn push(&self, files: &[(&str, &str)]) -> Revision {
        let revision = self.source.commit(files);
        self.engine.trigger().commit();
        self.pass(30).await;
        revision
    }

    /// An application's plan as the status has it.
    pub fn plan(&self, application: &str) -> Plan {
        let key = (EnvironmentName::new("production"), ApplicationName::new(application));
        let status = self.engine.status();
        let found = status.applications.get(&key);
        found
            .unwrap_or_else(|| panic!("`{application}` is not in the status: {:?}", status.applications.keys()))
            .plan
            .clone()
    }

    /// Sync, health and the reasons of the holds of an application.
    pub fn standing(&self, application: &str) -> (Sync, Health, Vec<&'static str>) {
        let plan = self.plan(application);
        (plan.sync, plan.health, plan.held.iter().map(|held| held.reason.reason()).collect())
    }

    /// The events since the last time, as `NAME APPLICATION`, and forgets them.
    pub fn take_events(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.emitted.0.lock().expect("no test panics while it holds the lock"));
        let name = |event: &Event| match &event.application {
            Some(application) => format!("{} {application}", event.what.name()),
            None => event.what.name().to_owned(),
        };
        events.iter().map(name).collect()
    }

    /// The failed rollouts in all events: the class that was found, or `-`.
    pub fn failures(&self) -> Vec<&'static str> {
        let events = self.emitted.0.lock().expect("no test panics while it holds the lock");
        let class = |event: &Event| {
            let (What::RolloutFailed { finding, .. } | What::RolloutRolledBack { finding, .. }) = &event.what else {
                return None;
            };
            Some(finding.as_ref().map_or("-", |finding| finding.class.name()))
        };
        events.iter().filter_map(class).collect()
    }

    /// All events, in both formats.
    pub fn prints(&self) -> String {
        let events = self.emitted.0.lock().expect("no test panics while it holds the lock");
        let lines = events.iter().flat_map(|event| [text(event), json_line(event)]);
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The configuration of the tests.
pub const CONFIGURATION: &str = r#"
applications = ["*"]
[environments.production]
account = "123456789012"
region = "eu-central-1"
cluster = "main"
"#;

/// A service without a load balancer, with a task definition whose image has this tag.
pub fn application(name: &str, tag: &str) -> Vec<(String, String)> {
    let service = format!("serviceName = \"{name}\"\ndesiredCount = 1\n");
    let task = format!(
        r#"{{"family": "{name}", "containerDefinitions": [{{"name": "web", "image": "registry.example.com/web:{tag}",
            "memory": 128, "environment": [{{"name": "GREETING", "value": "hunter2"}}]}}]}}"#
    );
    vec![
        (format!("{name}/app.toml"), String::new()),
        (format!("{name}/service.toml"), service),
        (format!("{name}/task-definition.json"), task),
    ]
}

/// A tree of these files, with the configuration.
pub fn tree(parts: &[Vec<(String, String)>]) -> Vec<(String, String)> {
    let configuration = vec![("trueup.toml".to_owned(), CONFIGURATION.to_owned())];
    std::iter::once(configuration).chain(parts.iter().cloned()).flatten().collect()
}

/// Borrows a tree.
pub fn files(tree: &[(String, String)]) -> Vec<(&str, &str)> {
    tree.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}
