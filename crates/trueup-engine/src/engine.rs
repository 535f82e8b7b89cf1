//! The engine: polling git, and one loop per environment.

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

/// How long running calls may take to finish after the shutdown was requested. ECS kills a container 30 seconds after it
/// asked it to stop, and trueup promises to exit within 25.
const DRAIN_MAX: Duration = Duration::from_secs(24);

/// The reconcile loop: keeps AWS true to git.
#[derive(Clone)]
pub struct Engine {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) context: Arc<Context>,
    trigger: Trigger,
}

/// Wakes the engine up before its interval ends. A lost trigger only costs time: the engine polls anyway.
#[derive(Clone)]
pub struct Trigger {
    commit: Arc<Notify>,
    /// The wake-up comes from a push, and not from the engine itself.
    pushed: Arc<AtomicBool>,
    observe: Arc<watch::Sender<u64>>,
}

impl Trigger {
    /// Polls git at once, because of a push. During a poll, git is polled once more afterwards; and again seconds later
    /// if it could not be read or did not show the push yet. Never blocks; may be called from any thread or runtime.
    pub fn commit(&self) {
        self.pushed.store(true, Ordering::Release);
        self.commit.notify_one();
    }

    /// Observes everything now, because something changed in AWS. During a cycle, another cycle follows it.
    pub fn observe(&self) {
        self.observe.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Engine {
    /// An engine that does nothing yet.
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

    /// The flag that stops it at any time.
    pub fn shutdown(&self) -> Shutdown {
        self.context.shutdown.clone()
    }

    /// A handle that makes it act now.
    pub fn trigger(&self) -> Trigger {
        self.trigger.clone()
    }

    /// The status of everything.
    pub fn status(&self) -> Status {
        self.context.status.read()
    }

    /// Runs until the shutdown is requested; then no call begins, and it ends when the running ones have finished, after
    /// 24 seconds at the latest.
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
            // A push from here on comes after the poll began, so git is polled once more.
            if self.trigger.pushed.swap(false, Ordering::AcqRel) {
                pushed.begin();
            }
            let (before, began) = (follower.head().cloned(), Instant::now());
            tokio::select! {
                biased;
                () = self.context.shutdown.requested() => break,
                () = self.refresh(&mut follower) => {}
            }
            let outcome = outcome_of_poll(&follower, before.as_ref());
            self.context.options.meter.measure(&Measurement::Git { outcome, took: began.elapsed() });
            pushed.asked(outcome, Instant::now());
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

    /// Polls git, emits what is new, and makes it current.
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
        // Not before what it answered is current.
        match follower.head() {
            Some(head) => self.context.git.answered(asked, Some(head.clone())),
            None => self.context.git.failed(self.context.now()),
        }
        if let Some(news) = news.filter(|_| is_news) {
            self.warn_of_unknown_environments(&news);
        }
    }

    /// A daemon whose configuration selects an environment that git does not have waits for it, as a commit may add it; but
    /// more often the name is misspelt, and nothing else would show that.
    fn warn_of_unknown_environments(&self, current: &DesiredState) {
        for environment in &self.context.options.environments {
            if !current.environments.contains_key(environment) {
                let revision = &current.revision;
                tracing::warn!(%environment, %revision, "The revision has no such environment; nothing is applied for it.");
            }
        }
    }

    /// The selected environments.
    pub(crate) fn environments(&self, current: &DesiredState) -> impl Iterator<Item = EnvironmentName> {
        current.environments.keys().filter(|name| self.context.options.selects_environment(name)).cloned()
    }

    fn emit(&self, what: What) {
        let time = self.context.now();
        self.context.emit([Event { time, environment: None, application: None, revision: None, what }]);
    }
}

/// The outcome of a poll, where the branch had this head before.
fn outcome_of_poll(follower: &Follower, before: Option<&Revision>) -> GitOutcome {
    match follower.head() {
        // A head that cannot be loaded is polled for again, too.
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
    /// Starts a loop for every environment that has none. The loop of an environment that git no longer has continues, with
    /// nothing to do.
    fn begin(&mut self, engine: &Engine, current: &DesiredState) {
        engine.context.status.set_environments(engine.environments(current));
        for name in engine.environments(current) {
            // One that panicked is restarted: nothing that it remembered is needed.
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
            tracing::warn!("A running call did not finish in time; its effect will be read after the next start.");
        }
    }
}
