//! The daemon's reports in addition to stdout. None of them can stop or delay the engine.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use trueup_engine::{Engine, Sink, Status};
use trueup_http::{Limits, Pages, Server};
use trueup_ports::{Clock as _, Meter};
use trueup_report::{Heartbeat, Journal, Measures, Meters, Sinks, Sources};

use crate::commands::run::RunArgs;
use crate::listen::Listen;
use crate::wiring::SystemClock;

/// The path whose page is there whatever the rates are: a container's health check must not fail because others ask for much.
const HEALTH: &str = "/healthz";

/// The maximum age of a served status: the loop waits while thousands of applications are copied, and requests may
/// come in any number.
const STATUS_AGE_MAX: Duration = Duration::from_millis(100);

/// The reports that are asked for, ready but for the engine.
pub struct Reports {
    pages: Option<Told>,
}

/// What reports run, until it is dropped.
pub struct ServedPages {
    _pages: Option<Server>,
}

/// The pages that are served over HTTP, and their address.
struct Told {
    address: SocketAddr,
    journal: Arc<Journal>,
    heartbeat: Arc<Heartbeat>,
    measures: Arc<Measures>,
}

impl Reports {
    /// Makes ready what is asked for.
    pub fn new(args: &RunArgs) -> Self {
        let told = |address| Told {
            address,
            journal: Arc::new(Journal::new(SystemClock.now())),
            heartbeat: Arc::new(Heartbeat::new(args.git_interval, args.interval)),
            measures: Arc::default(),
        };
        let pages = match args.listen {
            Listen::At(address) => Some(told(address)),
            Listen::Off => None,
        };
        Self { pages }
    }

    /// Who takes events: `first`, and then every report.
    pub fn sink(&self, first: Arc<dyn Sink>) -> Arc<dyn Sink> {
        let mut sinks = vec![first];
        if let Some(Told { journal, measures, .. }) = &self.pages {
            sinks.extend([Arc::clone(journal) as Arc<dyn Sink>, Arc::clone(measures) as Arc<dyn Sink>]);
        }
        Arc::new(Sinks(sinks))
    }

    /// Who takes measurements.
    pub fn meter(&self) -> Arc<dyn Meter> {
        let mut meters = Vec::new();
        if let Some(Told { heartbeat, measures, .. }) = &self.pages {
            meters.extend([Arc::clone(heartbeat) as Arc<dyn Meter>, Arc::clone(measures) as Arc<dyn Meter>]);
        }
        Arc::new(Meters(meters))
    }

    /// Starts to serve the engine's status.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self, engine: &Engine) -> Result<ServedPages> {
        let start = |Told { address, journal, heartbeat, measures }: Told| {
            let engine = engine.clone();
            let glance = Glance::new(move || engine.status());
            let pages = Pages::new(HEALTH, move |path, query| {
                let (status, now) = (glance.status(Instant::now()), SystemClock.now());
                let (journal, heartbeat, measures) = (&*journal, &*heartbeat, &*measures);
                let sources = Sources { status: &status, journal, heartbeat, measures, now };
                let trueup_report::Page { status, content_type, body } = trueup_report::page(path, query, &sources);
                trueup_http::Page { status, content_type, body: body.into() }
            });
            Server::start(address, pages, Limits::pages()).context("cannot start a thread for reports")
        };
        Ok(ServedPages { _pages: self.pages.map(start).transpose()? })
    }
}

/// The status, read no more often than [`STATUS_AGE_MAX`] says.
struct Glance<R> {
    read: R,
    last: Mutex<Option<(Instant, Arc<Status>)>>,
}

impl<R: Fn() -> Status> Glance<R> {
    fn new(read: R) -> Self {
        Self { read, last: Mutex::new(None) }
    }

    fn status(&self, now: Instant) -> Arc<Status> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, status)) = &*last
            && now.saturating_duration_since(*read) < STATUS_AGE_MAX
        {
            return Arc::clone(status);
        }
        let status = Arc::new((self.read)());
        *last = Some((now, Arc::clone(&status)));
        status
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_flood_of_questions_is_answered_with_one_look() {
        let looks = Cell::new(0);
        let glance = Glance::new(|| {
            looks.set(looks.get() + 1);
            Status::default()
        });
        let begun = Instant::now();
        for milliseconds in 0..250 {
            glance.status(begun + Duration::from_millis(milliseconds));
        }
        assert_eq!(looks.get(), 3);
    }
}
