//! AWS, a repository and copies of trueup together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use trueup_aws::AwsMetrics;
use trueup_core::names::{ApplicationName, Revision};
use trueup_core::plan::{Health, Plan, Sync};
use trueup_engine::Options;
use trueup_ports::Clock;
use trueup_sim::{Simulator, Time};

use crate::copy::{Copy, Told, connection};
use crate::deeds::Deeds;
use crate::desired::Desired;
use crate::mount::{Line, Shared, lock};
use crate::repository::{Accepted, Repository};
use crate::virtual_time::Began;

/// All that takes part in a history.
#[derive(Debug)]
pub struct Stage {
    /// Commits.
    pub repository: Repository,
    simulator: Shared,
    began: Began,
    accepted: Accepted,
    facts: Mutex<Deeds>,
    told: Mutex<Vec<Told>>,
}

/// Waiting for rest took too long; how everything stood.
#[derive(Debug)]
pub struct Unsettled {
    /// Every application that is not as it was waited for: sync, health, holds.
    pub applications: Vec<String>,
}

/// A stage between two histories: what is in AWS and in the repository. It can be played on again and again.
#[derive(Clone, Debug)]
pub struct Scene {
    simulator: Simulator,
    repository: Repository,
    accepted: Option<Revision>,
    facts: Deeds,
}

impl Scene {
    /// Nothing but an AWS.
    pub fn new(simulator: Simulator) -> Self {
        Self { simulator, repository: Repository::default(), accepted: None, facts: Deeds::default() }
    }

    /// The number that the next mutating call gets.
    pub fn mutations(&self) -> u64 {
        self.simulator.recorder.next_mutation()
    }

    /// How many commits there are.
    pub fn commits(&self) -> usize {
        self.repository.commits().len()
    }
}

impl Stage {
    /// Goes on from a scene. To be called when the history's runtime runs.
    pub fn new(scene: &Scene) -> Self {
        let Scene { simulator, repository, accepted, facts } = scene.clone();
        Self {
            repository: repository.fork(),
            began: Began::at(simulator.now()),
            simulator: Arc::new(Mutex::new(simulator)),
            accepted: Arc::new(Mutex::new(accepted)),
            facts: Mutex::new(facts),
            told: Mutex::default(),
        }
    }

    /// The scene now. All copies should have ended.
    pub fn scene(&self) -> Scene {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Scene {
            simulator: self.aws().clone(),
            repository: self.repository.fork(),
            accepted,
            facts: self.facts().clone(),
        }
    }

    /// The virtual time now.
    pub fn now(&self) -> Time {
        self.began.time()
    }

    /// AWS, with everything in it as of now. Not to be held while time passes.
    pub fn aws(&self) -> MutexGuard<'_, Simulator> {
        let mut simulator = lock(&self.simulator);
        simulator.advance(self.began.time());
        simulator
    }

    /// Pushes a commit with this desired state.
    pub fn commit(&self, desired: &Desired) -> Revision {
        let revision = self.repository.commit(self.began.now(), &desired.files());
        self.facts().pushed(revision.as_str(), self.now(), desired);
        revision
    }

    /// Pushes a commit with this desired state, in which one application's service is no legal document.
    pub fn commit_broken(&self, desired: &Desired, application: &str) -> Revision {
        let mut files = desired.files();
        files.insert(format!("{application}/service.toml"), "serviceName = 7\n".to_owned());
        let revision = self.repository.commit(self.began.now(), &files);
        self.facts().pushed(revision.as_str(), self.now(), desired);
        revision
    }

    /// Pushes a commit of these files, of which the judge knows nothing.
    pub fn commit_files(&self, files: &BTreeMap<String, String>) -> Revision {
        self.repository.commit(self.began.now(), files)
    }

    /// What is known to the player of the history.
    pub fn facts(&self) -> MutexGuard<'_, Deeds> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a copy. `name` is its access key.
    pub fn start(&self, name: &str) -> Copy {
        self.start_with(name, |_| {})
    }

    /// Starts a copy with other options.
    pub fn start_with(&self, name: &str, adjust: impl FnOnce(&mut Options)) -> Copy {
        self.facts().started(name);
        let source = self.repository.clone_for(self.accepted.clone());
        self.heard(Copy::start(name, &self.simulator, self.began, source, adjust))
    }

    /// Starts a copy whose cache is lost.
    pub fn start_without_cache(&self, name: &str) -> Copy {
        self.facts().started(name);
        let source = self.repository.clone_for(Accepted::default());
        self.heard(Copy::start(name, &self.simulator, self.began, source, |_| {}))
    }

    /// What a command of trueup works with, for one application.
    pub fn command(&self, application: &str) -> Copy {
        const NAME: &str = "trueup-command";
        self.facts().started(NAME);
        let source = self.repository.clone_for(self.accepted.clone());
        let adjust = |options: &mut Options| {
            options.applications.insert(ApplicationName::new(application));
        };
        self.heard(Copy::command(NAME, &self.simulator, self.began, source, adjust))
    }

    /// CloudWatch as a daemon reaches it.
    pub fn metrics(&self) -> AwsMetrics {
        AwsMetrics::new(connection("trueup-metrics", &Line::default(), &self.simulator, self.began))
    }

    fn heard(&self, copy: Copy) -> Copy {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(copy.sink());
        copy
    }

    /// All that any copy emitted on this stage, as it prints it.
    pub fn told(&self) -> Vec<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().flat_map(Told::lines).collect()
    }

    /// Lets time pass until `copy` shows what `wanted` asks of every application, and has done so without a mutating
    /// call for `quiet`.
    ///
    /// # Errors
    /// When that did not happen within `patience`.
    pub async fn settle(
        &self,
        copy: &Copy,
        wanted: impl Fn(&Plan) -> bool,
        quiet: Duration,
        patience: Duration,
    ) -> Result<(), Unsettled> {
        const LOOK: Duration = Duration::from_secs(5);
        let end = self.began.time() + patience;
        let mut since = self.began.time();
        let mut writes = self.writes();
        loop {
            sleep(LOOK).await;
            let now = self.began.time();
            let unsettled = self.unsettled(copy, &wanted);
            let made = self.writes();
            if made != writes || !unsettled.is_empty() {
                (since, writes) = (now, made);
            }
            if now.since(since) >= quiet {
                return Ok(());
            }
            if now >= end {
                return Err(Unsettled { applications: unsettled });
            }
        }
    }

    /// How many mutating calls were sent to AWS by anybody.
    pub fn writes(&self) -> usize {
        lock(&self.simulator).recorder.mutations().count()
    }

    fn unsettled(&self, copy: &Copy, wanted: impl Fn(&Plan) -> bool) -> Vec<String> {
        let status = copy.engine.status();
        let newest = self.repository.commits().pop();
        if status.source.revision != newest {
            return vec![format!("{:?} is in force, not {newest:?}", status.source.revision)];
        }
        let bad = status.applications.iter().filter(|(_, status)| !wanted(&status.plan));
        bad.map(|((_, name), status)| {
            let Plan { sync, health, held, steps, .. } = &status.plan;
            format!("{name}: {sync:?} {health:?}, {} steps, held {held:?}", steps.len())
        })
        .collect()
    }

    /// [`Self::settle`] for Synced and Healthy, with the patience of an hour, and five minutes of quiet.
    ///
    /// # Errors
    /// When that did not happen.
    pub async fn settle_well(&self, copy: &Copy) -> Result<(), Unsettled> {
        let well = |plan: &Plan| plan.sync == Sync::Synced && plan.health == Health::Healthy;
        self.settle(copy, well, Duration::from_mins(5), Duration::from_hours(1)).await
    }
}
