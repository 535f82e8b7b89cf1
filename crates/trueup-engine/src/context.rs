//! What all parts of a running engine share.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::Plan;
use trueup_core::report::Event;
use trueup_ports::{Clock, Cloud, Clouds};

use crate::application::ApplicationState;
use crate::attribution::Attributions;
use crate::board::Board;
use crate::follower::InForce;
use crate::git::Git;
use crate::options::Options;
use crate::past::Past;
use crate::shutdown::Shutdown;
use crate::sink::Sink;
use crate::telling::Telling;

/// How many mutating calls are under way at a time. AWS's published rates allow about this many before they queue in our
/// token buckets anyway.
const WRITES_MAX: usize = 16;

/// What all parts share.
pub(crate) struct Context {
    pub clouds: Arc<dyn Clouds>,
    pub clock: Arc<dyn Clock>,
    pub sink: Arc<dyn Sink>,
    pub options: Options,
    pub shutdown: Shutdown,
    pub board: Board,
    /// What was told.
    pub telling: Telling,
    /// Who contests drift.
    pub attributions: Attributions,
    pub past: Past,
    /// How it stands with asking git.
    pub git: Git,
    /// What is in force, for all to see: `None` before the first good revision.
    pub in_force: watch::Sender<Option<Arc<InForce>>>,
    /// One permit for every mutating call under way, given in the order of asking.
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
        let telling = Telling::new(options.notebook.clone());
        Self {
            clouds,
            clock,
            sink,
            options,
            shutdown: Shutdown::new(),
            board: Board::default(),
            telling,
            attributions: Attributions::default(),
            past: Past::new(source),
            git: Git::default(),
            in_force: watch::Sender::new(None),
            writes: Semaphore::new(WRITES_MAX),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Tells events, in order.
    pub fn tell(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.sink.emit(&event);
        }
    }

    /// Tells what is new in an application's plan and puts it on the board.
    pub fn show(&self, state: &mut ApplicationState, plan: &Plan) {
        let now = self.now();
        let events = state.edges.observe(plan, now);
        self.telling.note(&plan.environment, &plan.application, &state.edges);
        self.tell(self.telling.pass(&plan.environment, state.diagnosis.explain(events)));
        self.board.set(plan.clone(), now);
    }

    /// Says who contests drift, where that is known, and asks where it is not. Waits for nothing.
    pub fn attribute(&self, cloud: &Arc<dyn Cloud>, plan: &mut Plan) {
        self.attributions.fill(cloud, plan);
    }

    /// The commit that is in force.
    pub fn revision(&self) -> Option<Revision> {
        self.in_force.borrow().as_ref().map(|in_force| in_force.revision.clone())
    }

    /// Whether this is still the revision of the application that is in force.
    pub fn is_current(
        &self,
        environment: &EnvironmentName,
        application: &ApplicationName,
        revision: &Revision,
    ) -> bool {
        let in_force = self.in_force.borrow();
        let standing =
            in_force.as_ref().and_then(|now| now.applications.get(&(environment.clone(), application.clone())));
        standing.and_then(|standing| standing.valid.as_ref()).is_some_and(|valid| valid.revision == *revision)
    }
}
