//! What the daemon sends outwards: notifications, and metrics for CloudWatch. Nothing of it can stop or delay the engine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;
use trueup_aws::AwsMetrics;
use trueup_engine::{Engine, Shutdown, Sink};
use trueup_ports::Meter;
use trueup_report::notify::{self, Notifications};
use trueup_report::{CloudWatch, Flushing, Meters, Sinks};

use crate::commands::run::RunArgs;
use crate::configuration::Configuration;
use crate::terminal::Hinted;
use crate::wiring::{self, SystemClock};

/// How long what is left may take at the end.
const FINISH_MAX: Duration = Duration::from_secs(2);

/// The time after a stop signal by which everything must have ended: the process promises to exit within 25 seconds.
const OVER: Duration = Duration::from_millis(24_700);

/// Notifications and metrics, ready to start with an engine.
pub struct Outward {
    notifications: Notifications,
    cloudwatch: Option<(CloudWatch, String)>,
}

/// What sends, until it is dropped.
pub struct RunningReports {
    notifications: notify::Running,
    cloudwatch: Option<Flushing>,
}

impl Outward {
    /// Makes ready what is asked for.
    ///
    /// # Errors
    /// When notifications cannot be sent from this machine at all.
    pub fn new(args: &RunArgs, configuration: &Configuration) -> Result<Self> {
        let notifications = Notifications::new(configuration.notifications.clone(), Arc::new(SystemClock))
            .map_err(|error| Hinted::new(error.to_string(), "this machine needs CA certificates for TLS"))?;
        let cloudwatch = args.cloudwatch.then(|| (CloudWatch::default(), args.cloudwatch_namespace.clone()));
        Ok(Self { notifications, cloudwatch })
    }

    /// Who takes events: `first`, and then whatever is sent.
    pub fn sink(&self, first: Arc<dyn Sink>) -> Arc<dyn Sink> {
        let cloudwatch = self.cloudwatch.iter().map(|(cloudwatch, _)| Arc::new(cloudwatch.clone()) as Arc<dyn Sink>);
        Arc::new(Sinks([first, self.notifications.sink()].into_iter().chain(cloudwatch).collect()))
    }

    /// Who takes measurements: `first`, and then whatever is sent.
    pub fn meter(&self, first: Arc<dyn Meter>) -> Arc<dyn Meter> {
        let cloudwatch = self.cloudwatch.iter().map(|(cloudwatch, _)| Arc::new(cloudwatch.clone()) as Arc<dyn Meter>);
        Arc::new(Meters(std::iter::once(first).chain(cloudwatch).collect()))
    }

    /// Begins to send.
    pub fn start(self, args: &RunArgs, engine: &Engine) -> RunningReports {
        let memory = wiring::cache_dir(&args.source).join("notifications");
        let status = |engine: &Engine| {
            let engine = engine.clone();
            move || engine.status()
        };
        let cloudwatch = self.cloudwatch.map(|(cloudwatch, namespace)| {
            let metrics = Arc::new(AwsMetrics::new(trueup_aws::Options::default()));
            cloudwatch.start(namespace, metrics, Arc::new(SystemClock), status(engine))
        });
        RunningReports { notifications: self.notifications.start(status(engine), Some(&memory)), cloudwatch }
    }
}

impl RunningReports {
    /// Sends what is left, for two seconds at most, and for less where stopping took long already.
    pub async fn finish(self, stopping: Option<Instant>) {
        let left = stopping.map_or(FINISH_MAX, |since| OVER.saturating_sub(since.elapsed()).min(FINISH_MAX));
        let metrics = async {
            if let Some(cloudwatch) = self.cloudwatch {
                cloudwatch.finish(left).await;
            }
        };
        tokio::join!(self.notifications.finish(left), metrics);
    }
}

/// Publishes the time of the stop signal once it arrives.
pub fn stopping(shutdown: Shutdown) -> tokio::sync::watch::Receiver<Option<Instant>> {
    let (sender, receiver) = tokio::sync::watch::channel(None);
    tokio::spawn(async move {
        shutdown.requested().await;
        sender.send_replace(Some(Instant::now()));
    });
    receiver
}
