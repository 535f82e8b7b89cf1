//! The engine: git on its own cadence, one loop for every environment, and the commands that go round once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use trueup_core::names::{EnvironmentName, Revision};
use trueup_core::report::{EVENT_SCHEMA_VERSION, Event, What};
use trueup_ports::{Clock, Clouds, GitOutcome, Measurement, Source};

use crate::context::Context;
use crate::desired_state::DesiredState;
use crate::environment::EnvironmentLoop;
use crate::follower::Follower;
use crate::options::Options;
use crate::pushed::Pushed;
use crate::schedule::Jitter;
use crate::shutdown::Shutdown;
use crate::sink::Sink;
use crate::status::{SourceStatus, Status};

/// How long calls under way may take to finish after the shutdown was requested. ECS kills a container 30 seconds
/// after it asked it to stop, and trueup promises to be gone within 25.
const DRAIN_MAX: Duration = Duration::from_secs(24);

/// Keeps AWS true to git.
#[derive(Clone)]
pub struct Engine {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) context: Arc<Context>,
    trigger: Trigger,
}

/// Makes the engine act now. A trigger only says *now*: one that is lost costs time and nothing else.
#[derive(Clone)]
pub struct Trigger {
    commit: Arc<Notify>,
    /// The one who wakes is somebody who knows of a push.
    pushed: Arc<AtomicBool>,
    observe: Arc<watch::Sender<u64>>,
}

impl Trigger {
    /// Somebody pushed: git is asked at once. While it is being asked, it is asked once more afterwards; and again after
    /// seconds when it could not be read or did not show the push yet. Never waits, from whichever thread or runtime.
    pub fn commit(&self) {
        self.pushed.store(true, Ordering::Release);
        self.commit.notify_one();
    }

    /// Something changed in AWS: everything is observed at once. While that goes on, it is done once more afterwards.
    pub fn observe(&self) {
        self.observe.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Engine {
    /// An engine that has not begun.
    pub fn new(
        source: Arc<dyn Source>,
        clouds: Arc<dyn Clouds>,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn Sink>,
        options: Options,
    ) -> Self {
        let context = Arc::new(Context::new(source.clone(), clouds, clock, sink, options));
        let trigger = Trigger {
            commit: context.git.wake.clone(),
            pushed: Arc::default(),
            observe: Arc::new(watch::Sender::new(0)),
        };
        Self { source, context, trigger }
    }

    /// The flag that stops it, whatever it is doing.
    pub fn shutdown(&self) -> Shutdown {
        self.context.shutdown.clone()
    }

    /// Makes it act now.
    pub fn trigger(&self) -> Trigger {
        self.trigger.clone()
    }

    /// How everything stands.
    pub fn status(&self) -> Status {
        self.context.status.read()
    }

    /// Runs until the shutdown is requested; then no call begins, and it ends when those under way have finished, at
    /// the latest after 24 seconds.
    pub async fn run(&self) {
        let instance = self.context.options.instance.clone();
        self.emit(What::DaemonStarted {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: instance.clone(),
            event_schema: EVENT_SCHEMA_VERSION,
        });
        self.context.reporting.resume().await;
        let mut follower = self.follower();
        let mut jitter = Jitter::of(instance.as_str());
        let mut environments = Environments::default();
        let mut pushed = Pushed::default();
        loop {
            // A push that comes from here on is told after git was asked, and git is asked once more.
            if self.trigger.pushed.swap(false, Ordering::AcqRel) {
                pushed.begin();
            }
            let (before, began) = (follower.head().cloned(), Instant::now());
            tokio::select! {
                biased;
                () = self.context.shutdown.requested() => break,
                () = self.refresh(&mut follower) => {}
            }
            let came = came_of_asking(&follower, before.as_ref());
            self.context.options.meter.measure(&Measurement::Git { outcome: came, took: began.elapsed() });
            pushed.asked(came, Instant::now());
            if let Some(current) = follower.current() {
                environments.begin(self, current);
            }
            let next = Instant::now() + jitter.spread(self.context.options.git_interval);
            tokio::select! {
                biased;
                () = self.context.shutdown.requested() => break,
                () = self.trigger.commit.notified() => {}
                () = sleep_until(pushed.next(next)) => {}
            }
        }
        self.context.clouds.stop_writing();
        self.emit(What::DaemonStopping {});
        environments.end().await;
    }

    /// Asks git, tells what is new, and puts it in force.
    pub(crate) async fn refresh(&self, follower: &mut Follower) {
        let asked = self.context.git.ask();
        let events = follower.refresh(self.context.now()).await;
        self.context.emit(events);
        self.context.status.set_source(SourceStatus {
            revision: follower.current().map(|current| current.revision.clone()),
            last_success: follower.last_success(),
            failure: follower.failure().map(ToString::to_string),
        });
        let current = follower.current().cloned();
        let news = current.clone();
        let is_news = self.context.current.send_if_modified(|now| {
            let same = match (&now, &current) {
                (Some(now), Some(new)) => Arc::ptr_eq(now, new),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            *now = current;
            !same
        });
        // Not before what it answered is in force.
        match follower.head() {
            Some(head) => self.context.git.answered(asked, Some(head.clone())),
            None => self.context.git.failed(self.context.now()),
        }
        if let Some(news) = news.filter(|_| is_news) {
            self.warn_of_unknown_environments(&news);
        }
    }

    /// A daemon that is told to mind an environment that git does not have waits for it, as a commit may bring it; but
    /// it is more often a slip of the pen, and nothing else would tell.
    fn warn_of_unknown_environments(&self, current: &DesiredState) {
        for environment in &self.context.options.environments {
            if !current.environments.contains_key(environment) {
                let revision = &current.revision;
                tracing::warn!(%environment, %revision, "The revision has no such environment; nothing is done for it.");
            }
        }
    }

    /// The environments that are minded.
    pub(crate) fn environments(&self, current: &DesiredState) -> impl Iterator<Item = EnvironmentName> {
        current.environments.keys().filter(|name| self.context.options.selects_environment(name)).cloned()
    }

    fn emit(&self, what: What) {
        let time = self.context.now();
        self.context.emit([Event { time, environment: None, application: None, revision: None, what }]);
    }
}

/// What came of asking git, where the branch had this head before.
fn came_of_asking(follower: &Follower, before: Option<&Revision>) -> GitOutcome {
    match follower.head() {
        // Also what cannot be loaded is asked for again.
        _ if follower.failure().is_some() => GitOutcome::Failed,
        None => GitOutcome::Failed,
        head if head == before => GitOutcome::Still,
        Some(_) => GitOutcome::Moved,
    }
}

/// The loops of the environments.
#[derive(Default)]
struct Environments {
    running: BTreeMap<EnvironmentName, AbortHandle>,
    loops: JoinSet<()>,
}

impl Environments {
    /// Begins a loop for every environment that has none. One whose environment git no longer has goes on without
    /// anything to do.
    fn begin(&mut self, engine: &Engine, current: &DesiredState) {
        engine.context.status.set_environments(engine.environments(current));
        for name in engine.environments(current) {
            // One that broke begins anew: nothing that it remembered is needed.
            if self.running.get(&name).is_none_or(AbortHandle::is_finished) {
                let environment = EnvironmentLoop::new(engine.context.clone(), name.clone());
                let running = self.loops.spawn(environment.run(engine.trigger.observe.subscribe()));
                self.running.insert(name, running);
            }
        }
    }

    /// Waits for the loops to end, for as long as they may take.
    async fn end(mut self) {
        let all = async { while self.loops.join_next().await.is_some() {} };
        if timeout(DRAIN_MAX, all).await.is_err() {
            tracing::warn!("A call under way did not finish in time; its effect will be read after the next start.");
        }
    }
}
