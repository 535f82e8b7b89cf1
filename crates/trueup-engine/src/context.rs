//! The state that all parts of a running engine share.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::Plan;
use trueup_core::report::Event;
use trueup_ports::{Clock, Cloud, Clouds};

use crate::attribution::Attributions;
use crate::desired_state::DesiredState;
use crate::git::Git;
use crate::history::History;
use crate::options::Options;
use crate::reporting::Reporting;
use crate::shutdown::Shutdown;
use crate::sink::Sink;
use crate::status::StatusStore;

/// The most mutating calls at a time. AWS's published rates allow about this many before they queue in our token buckets
/// anyway.
const WRITES_MAX: usize = 16;

/// The state that all parts share.
pub(crate) struct Context {
    pub clouds: Arc<dyn Clouds>,
    pub clock: Arc<dyn Clock>,
    pub sink: Arc<dyn Sink>,
    pub options: Options,
    pub shutdown: Shutdown,
    pub status: StatusStore,
    /// The reported state of applications, and the events held until a cycle ends.
    pub reporting: Reporting,
    /// The writers that contest drift.
    pub attributions: Attributions,
    pub history: History,
    /// The polls of git.
    pub git: Git,
    /// The current desired state; `None` before the first accepted revision.
    pub current: watch::Sender<Option<Arc<DesiredState>>>,
    /// One permit per mutating call, granted in the order of the requests.
    pub writes: Semaphore,
}

impl Context {
    pub fn new(
        source: Arc<dyn trueup_ports::Source>,
        clouds: Arc<dyn Clouds>,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn Sink>,
        options: Options,
    ) -> Self {
        let reporting = Reporting::new(options.notebook.clone());
        Self {
            clouds,
            clock,
            sink,
            options,
            shutdown: Shutdown::new(),
            status: StatusStore::default(),
            reporting,
            attributions: Attributions::default(),
            history: History::new(source),
            git: Git::default(),
            current: watch::Sender::new(None),
            writes: Semaphore::new(WRITES_MAX),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Emits events, in order.
    pub fn emit(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.sink.emit(&event);
        }
    }

    /// Adds to a plan who contests drift, where that is known, and starts looking it up where it is not. Waits for nothing.
    pub fn attribute(&self, cloud: &Arc<dyn Cloud>, plan: &mut Plan) {
        self.attributions.fill(cloud, plan);
    }

    /// The current commit.
    pub fn revision(&self) -> Option<Revision> {
        self.current.borrow().as_ref().map(|current| current.revision.clone())
    }

    /// Whether this is still the current revision of the application.
    pub fn is_current(
        &self,
        environment: &EnvironmentName,
        application: &ApplicationName,
        revision: &Revision,
    ) -> bool {
        let current = self.current.borrow();
        let documents =
            current.as_ref().and_then(|now| now.applications.get(&(environment.clone(), application.clone())));
        documents.and_then(|documents| documents.valid.as_ref()).is_some_and(|valid| valid.revision == *revision)
    }
}
