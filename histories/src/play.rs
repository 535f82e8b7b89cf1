//! Plays one base history with one trouble, and says how it ended.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use trueup_core::plan::{Health, Plan, Sync};

use crate::base::BaseHistory;
use crate::end::{end_state, first_difference};
use crate::mount::Cut;
use crate::stage::{Scene, Stage};
use crate::virtual_time::run;

/// How long a process runs before the commit comes.
const BEFORE_COMMIT: Duration = Duration::from_secs(20);

/// How long nothing may be written until a history counts as over.
const QUIET: Duration = Duration::from_mins(3);

/// How long it may take until all is as it should be: rollouts take minutes, lost answers a minute each.
const PATIENCE: Duration = Duration::from_hours(2);

/// How a history ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// What AWS has at the end, without what chance gave it (ids, numbers, times).
    pub state: Value,
    /// Calls of the first process.
    pub calls: u64,
    /// Mutating calls after the scene, by anybody.
    pub mutations: u64,
    /// What was not as promised, in words.
    pub violations: Vec<String>,
    /// All calls, as the recorder prints them; only where something was not as promised.
    pub calls_told: String,
}

/// The scene right before the commit of a base history.
///
/// # Panics
/// When the state before does not settle without any trouble.
pub fn prepare(history: &BaseHistory, simulator: trueup_sim::Simulator, seed: u64) -> Scene {
    let scene = Scene::new(simulator);
    if history.before.applications.is_empty() {
        return scene;
    }
    run(seed, async {
        let stage = Stage::new(&scene);
        stage.commit(&history.before);
        let copy = stage.start("trueup-0");
        if let Err(unsettled) = stage.settle(&copy, well, QUIET, PATIENCE).await {
            panic!("{}: {unsettled:#?}\n{:#?}", history.name, copy.lines());
        }
        copy.stop().await;
        stage.scene()
    })
}

/// Plays the commit of a base history from its scene. When the first process dies by the cut, another one is started.
pub fn play(history: &BaseHistory, scene: &Scene, seed: u64, cut: Option<Cut>, trouble: impl FnOnce(&Stage)) -> Ending {
    run(seed, async {
        let stage = Stage::new(scene);
        let mut copy = stage.start("trueup-1");
        let line = copy.line.clone();
        if let Some(cut) = cut {
            line.cut_at(cut);
        }
        trouble(&stage);
        let mut violations = Vec::new();
        let commits = async {
            sleep(BEFORE_COMMIT).await;
            stage.commit(&history.after);
        };
        let first = async {
            commits.await;
            stage.settle(&copy, well, QUIET, PATIENCE).await
        };
        let outcome = tokio::select! {
            biased;
            () = line.died() => None,
            outcome = first => Some(outcome),
        };
        let outcome = if let Some(outcome) = outcome {
            outcome
        } else {
            copy.kill().await;
            stage.facts().killed(stage.now());
            sleep(BEFORE_COMMIT).await;
            if stage.repository.commits().len() == scene.commits() {
                stage.commit(&history.after);
            }
            copy = stage.start("trueup-2");
            stage.settle(&copy, well, QUIET, PATIENCE).await
        };
        if let Err(unsettled) = outcome {
            violations.push(format!("it does not settle: {:?}", unsettled.applications));
        }
        copy.stop().await;
        violations.extend(crate::judging::violations(&stage));
        let end = end_state(&mut stage.aws());
        let mutations = stage.aws().recorder.next_mutation() - scene.mutations();
        let calls_told = if violations.is_empty() { String::new() } else { stage.aws().recorder.render() };
        Ending { state: end, calls: line.calls(), mutations, violations, calls_told }
    })
}

/// Synced and Healthy.
pub fn well(plan: &Plan) -> bool {
    plan.sync == Sync::Synced && plan.health == Health::Healthy
}

/// Prints what did not end as the undisturbed history, and all calls of it where `--tell` was asked for. How many.
pub fn tell_broken<'a, P: 'a>(
    undisturbed: &Ending,
    played: impl Iterator<Item = (&'a P, &'a Ending)>,
    name: impl Fn(&P) -> String,
) -> usize {
    let tell = std::env::args().any(|argument| argument == "--tell");
    let mut broken = 0;
    for (point, ending) in played {
        let mut wrong = ending.violations.clone();
        if ending.state != undisturbed.state {
            wrong.push(first_difference(&undisturbed.state, &ending.state));
        }
        if !wrong.is_empty() {
            broken += 1;
            if tell {
                println!("{}", ending.calls_told);
            }
            println!("  {}: {}", name(point), wrong.join("; "));
        }
    }
    broken
}
