//! What can happen in a seeded history.

use std::iter;

use crate::desired::Desired;

/// A whole history.
#[derive(Clone, Debug)]
pub struct History {
    /// What it was made from; also the seed of AWS's own chance.
    pub seed: u64,
    /// The first commit.
    pub first: Desired,
    /// What happens, in order.
    pub acts: Vec<Act>,
}

impl History {
    /// All desired states of it, the first commit's first.
    pub(super) fn states(&mut self) -> impl Iterator<Item = &mut Desired> {
        let commits = self
            .acts
            .iter_mut()
            .filter_map(|act| if let Change::Commit(desired) = &mut act.what { Some(desired) } else { None });
        iter::once(&mut self.first).chain(commits)
    }
}

/// Something happens, and then so many seconds pass.
#[derive(Clone, Debug)]
pub struct Act {
    /// What.
    pub what: Change,
    /// Seconds until the next act.
    pub wait: u64,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Change {
    /// Somebody pushes a commit with this desired state.
    Commit(Desired),
    /// Another writer does something by hand.
    Hand(Hand),
    /// A trouble begins, for so many seconds.
    Trouble(Trouble, u64),
    /// One more copy starts, when there are fewer than three.
    Start,
    /// A copy gets SIGTERM; another one is started in its place when it was the last.
    Stop(usize),
    /// A copy is killed; another one is started in its place when it was the last.
    Kill(usize),
    /// A copy is killed and comes back without its cache.
    LoseCache(usize),
    /// The git remote is out of reach for a copy, or for all, for so many seconds.
    GitOutage(Option<usize>, u64),
    /// Somebody runs `trueup retry` for an application.
    Retry(String),
    /// Somebody runs `trueup suspend` for an application.
    Suspend(String),
    /// Somebody runs `trueup resume` for an application.
    Resume(String),
}

/// What another writer does to an application's resources.
#[derive(Clone, Debug)]
pub enum Hand {
    /// A person sets `desiredCount` in the console.
    Count(String, u64),
    /// A person changes the deployment configuration.
    Percent(String, u64, u64),
    /// A person changes the target group's health check interval.
    Interval(String, u64),
    /// A person changes the deregistration delay.
    Delay(String, u64),
    /// A person stops a task.
    StopTask(String),
    /// Another pipeline registers a revision of its own and deploys it.
    Pipeline(String, String),
    /// A person forces a new deployment.
    Force(String),
    /// A person deletes the service.
    Delete(String),
    /// A person changes the rule's path.
    Path(String, String),
    /// A person stops the rollout that is going on.
    StopRollout(String),
    /// An autoscaler wants so many tasks, where it governs them.
    Scale(String, u64),
}

/// What is wrong with AWS for a time.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// All calls of a service (`ecs`, `elasticloadbalancing`) are throttled, by this percentage.
    Throttled(&'static str, u64),
    /// Calls answer 5xx before they have an effect, by this percentage.
    Failing(u64),
    /// Mutating calls have their effect and answer 5xx, by this percentage.
    FailingAfter(u64),
    /// Mutating calls have their effect and their answer is lost, by this percentage.
    Lost(u64),
    /// Mutating calls have their effect so many seconds after the client gave up, by this percentage.
    Late(u64, u64),
    /// Reads show the state of up to so many seconds ago.
    Stale(u64),
    /// Batch answers miss elements, by this percentage.
    Partial(u64),
    /// One service does not answer at all.
    Outage(&'static str),
    /// An action is denied.
    Denied(&'static str),
    /// The credentials have expired.
    Expired,
    /// An action is denied on the resources of one application.
    DeniedOn(&'static str, String),
    /// Pages of listings have one entry.
    ShortPages,
    /// AWS's clock is ahead by so many seconds.
    Skew(i64),
}
