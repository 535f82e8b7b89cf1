//! One running trueup: the product's engine and AWS adapter as a process that can be stopped or killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SharedTimeSource;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use trueup_aws::{AwsClouds, Pace};
use trueup_core::names::InstanceName;
use trueup_core::report::{Event, json_line};
use trueup_engine::{Engine, Options, Sink};

use crate::account::REGION;
use crate::mount::{Line, Shared};
use crate::repository::Checkout;
use crate::virtual_time::Began;

/// A process.
pub struct Copy {
    /// Its name, which is also its access key: the simulator knows it by that.
    pub name: String,
    /// Its engine.
    pub engine: Engine,
    /// Its connection to AWS.
    pub line: Line,
    git_cut_off: Arc<AtomicBool>,
    told: Told,
    process: JoinHandle<()>,
}

impl Copy {
    pub(crate) fn start(
        name: &str,
        simulator: &Shared,
        began: Began,
        source: Checkout,
        adjust: impl FnOnce(&mut Options),
    ) -> Self {
        let mut copy = Self::command(name, simulator, began, source, adjust);
        copy.process = tokio::spawn({
            let (engine, line) = (copy.engine.clone(), copy.line.clone());
            async move {
                tokio::select! {
                    biased;
                    // Dropping the engine's future takes all that it spawned with it.
                    () = line.died() => {}
                    () = engine.run() => {}
                }
            }
        });
        copy
    }

    /// One that does nothing on its own, as for a command.
    pub(crate) fn command(
        name: &str,
        simulator: &Shared,
        began: Began,
        source: Checkout,
        adjust: impl FnOnce(&mut Options),
    ) -> Self {
        let line = Line::default();
        let git_cut_off = source.cut_off.clone();
        let clouds = AwsClouds::new(connection(name, &line, simulator, began));
        let mut options = Options::new(InstanceName::new("trueup"));
        adjust(&mut options);
        let told = Told::default();
        let engine = Engine::new(Arc::new(source), Arc::new(clouds), Arc::new(began), Arc::new(told.clone()), options);
        let process = tokio::spawn(async {});
        Self { name: name.to_owned(), engine, line, git_cut_off, told, process }
    }

    /// SIGKILL: nothing leaves it any more.
    pub async fn kill(self) {
        self.line.kill();
        self.ended().await;
    }

    /// SIGTERM, and waits until it is gone.
    pub async fn stop(self) {
        self.engine.shutdown().request();
        self.ended().await;
    }

    /// Waits for it to end on its own, or by a cut.
    pub async fn ended(self) {
        self.process.await.expect("the engine does not panic");
    }

    /// Cuts it off from the git remote, for so long.
    pub fn cut_off_git(&self, time: Duration) {
        let cut_off = self.git_cut_off.clone();
        cut_off.store(true, Ordering::Relaxed);
        tokio::spawn(async move {
            sleep(time).await;
            cut_off.store(false, Ordering::Relaxed);
        });
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.process.is_finished()
    }

    /// What it emitted.
    pub fn told(&self) -> Vec<Event> {
        self.told.events().clone()
    }

    /// What it emitted, as it prints it.
    pub fn lines(&self) -> Vec<String> {
        self.told.lines()
    }

    /// What it emits, which outlives it.
    pub(crate) fn sink(&self) -> Told {
        self.told.clone()
    }
}

/// How a process reaches the simulator. `name` is its access key.
pub(crate) fn connection(name: &str, line: &Line, simulator: &Shared, began: Began) -> trueup_aws::Options {
    let credentials = Credentials::new(name, "not-a-secret", None, None, "history");
    trueup_aws::Options {
        http_client: Some(line.client(simulator, began)),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        region: Some(REGION.to_owned()),
        time_source: Some(SharedTimeSource::new(began)),
        pace: Pace::Published,
        ..trueup_aws::Options::default()
    }
}

/// Keeps what is emitted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    /// As it is printed.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.events().iter().map(json_line).collect()
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Told {
    fn emit(&self, event: &Event) {
        self.events().push(event.clone());
    }
}
