//! One commit on its way: what each part of it took.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use trueup_e2e::webhook;

use crate::world::{BRANCH, SECRET, Told, World};

/// What one commit took. All parts are of one clock, that of this process, and are seen from outside of trueup.
#[derive(Clone, Copy, Debug, Default)]
pub struct Round {
    /// From the webhook to its answer, while other parts continue.
    pub answer: Duration,
    /// From the webhook, or from before the commit is written, to the first thing that is seen of it: git's server is asked, or
    /// else AWS.
    pub asked: Duration,
    /// While git's server was at work.
    pub git: Duration,
    /// Between its answers, and from the last one to the first call: negotiating, unpacking, reading, validating.
    pub load: Duration,
    /// While AWS was at work on any call.
    pub aws: Duration,
    /// Between its answers, and from the last one to the call that changes something: signing, parsing, planning.
    pub plan: Duration,
    /// All calls up to and with the one that changes something.
    pub calls: usize,
    /// From the webhook, or the commit, until the call that changes something is there.
    pub total: Duration,
    /// What git itself takes to fetch the same commit from the same place.
    pub fetch: Duration,
    /// What the same reads take one after the other, made by next to nothing.
    pub bare: Duration,
}

impl Round {
    /// Makes a commit with another interval, and follows it until trueup is at rest again.
    ///
    /// # Errors
    /// When it is not deployed.
    pub fn play(world: &World, seconds: usize) -> Result<Self> {
        let (mut begun, mut answer) = (Instant::now(), Duration::ZERO);
        let commit = world.commit(seconds)?;
        if world.told == Told::ByWebhook {
            let body = webhook::push(&world.repository(), BRANCH, &commit);
            begun = Instant::now();
            let status = webhook::send(world.webhooks, SECRET, &body)?;
            answer = begun.elapsed();
            ensure!(status == 202, "the webhook was answered {status}");
        }
        let calls = world.first_write(begun)?;
        let (first, write) = (calls[0].came, calls[calls.len() - 1].came);
        ensure!(calls[calls.len() - 1].action == "ModifyTargetGroup", "{calls:?}");

        let git = world.git.answered(begun).into_iter().filter(|answered| answered.came < first);
        let git: Vec<(Instant, Instant)> = git.map(|answered| (answered.came, answered.went)).collect();
        let asked = git.iter().map(|(came, _)| *came).min().unwrap_or(first);
        let aws: Vec<(Instant, Instant)> =
            calls.iter().map(|call| (call.came, call.went.map_or(write, |went| went.min(write)))).collect();
        let (git, aws) = (at_work(&git), at_work(&aws));
        let mut round = Self {
            answer,
            asked: asked - begun,
            git,
            load: (first - asked).saturating_sub(git),
            aws,
            plan: (write - first).saturating_sub(aws),
            calls: calls.len(),
            total: write - begun,
            ..Self::default()
        };
        world.rest(begun)?;
        round.fetch = world.fetch()?;
        // Without the one that writes: the total ends when that comes, and has nothing of its answer.
        round.bare = world.aws.again(&calls[..calls.len() - 1])?;
        Ok(round)
    }

    /// What is neither git's server's time nor AWS's.
    pub fn own(&self) -> Duration {
        self.asked + self.load + self.plan
    }

    /// What it takes in parts of the plain fetch with the bare reads, up to the same moment.
    pub fn ratio(&self) -> f64 {
        self.total.as_secs_f64() / (self.fetch + self.bare).as_secs_f64()
    }
}

/// How long any of these was going on.
fn at_work(spans: &[(Instant, Instant)]) -> Duration {
    let mut spans = spans.to_vec();
    spans.sort();
    let (mut sum, mut until) = (Duration::ZERO, None);
    for (came, went) in spans {
        let from = until.map_or(came, |until: Instant| came.max(until));
        sum += went.saturating_duration_since(from);
        until = Some(until.map_or(went, |until: Instant| went.max(until)));
    }
    sum
}
