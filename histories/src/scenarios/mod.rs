//! Scenarios: short histories with one trouble each, which together notice every bug of `trueup_core::broken`.
//!
//! Each says what it did not like in words that begin with a kind and a colon; what the judge found comes on top of it.
//! None of them panics or waits without an end, whatever is wrong with the product.
//!
//! | file | idea |
//! |---|---|
//! | `commits.rs` | what git wants: failures, dependencies, what left git |
//! | `others.rs` | other owners: autoscalers, ECS, other installations, people |
//! | `reads.rs` | answers that are old, late, short, or do not come |
//! | `process.rs` | SIGTERM, restarts, calls that AWS refuses |

mod commits;
mod others;
mod process;
mod reads;

use std::pin::Pin;
use std::time::Duration;

use serde_json::{Value, json};
use trueup_sim::Time;

use crate::ask::ask;
use crate::copy::Copy;
use crate::desired::{Application, CLUSTER, Desired};
use crate::judging::violations;
use crate::play::well;
use crate::seeded::differences;
use crate::stage::{Scene, Stage};
use crate::surroundings::surroundings;
use crate::virtual_time::run;

/// The seed of all scenarios.
const SEED: u64 = 3;

/// How long nothing may be written until a state counts as settled.
const QUIET: Duration = Duration::from_mins(2);

/// How long settling may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// What a scenario found, when it is over.
type Found<'a> = Pin<Box<dyn Future<Output = Vec<String>> + 'a>>;

/// A short history with one trouble.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    play: for<'a> fn(&'a Stage) -> Found<'a>,
}

impl Scenario {
    /// Plays it. Everything that was not as promised, in words.
    pub fn play(&self) -> Vec<String> {
        self.play_and(|found, stage| {
            found.extend(violations(stage));
            std::mem::take(found)
        })
    }

    /// Plays it, and looks at what it found and at its stage when it is over.
    pub fn play_and<T>(&self, look: impl FnOnce(&mut Vec<String>, &Stage) -> T) -> T {
        run(SEED, async {
            let stage = Stage::new(&Scene::new(surroundings(SEED)));
            let mut found = (self.play)(&stage).await;
            look(&mut found, &stage)
        })
    }
}

/// All scenarios.
pub fn scenarios() -> Vec<Scenario> {
    let scenario = |name, play| Scenario { name, play };
    vec![
        scenario("a bad image", |stage| Box::pin(commits::bad_image(stage))),
        scenario("a new image, and rest", |stage| Box::pin(commits::new_image(stage))),
        scenario("a dependency that fails", |stage| Box::pin(commits::failing_dependency(stage))),
        scenario("an application leaves git, prune off", |stage| Box::pin(commits::leaves_git(stage))),
        scenario("documents that are not valid, prune on", |stage| Box::pin(commits::not_valid(stage))),
        scenario("a service deleted by hand, prune on", |stage| Box::pin(others::deleted_by_hand(stage))),
        scenario("many applications leave git, prune on", |stage| Box::pin(commits::many_leave_git(stage))),
        scenario("a number of tasks that git leaves out", |stage| Box::pin(others::number_left_out(stage))),
        scenario("an autoscaler", |stage| Box::pin(others::autoscaler(stage))),
        scenario("blue/green", |stage| Box::pin(others::blue_green(stage))),
        scenario("another installation", |stage| Box::pin(others::other_installation(stage))),
        scenario("a suspended application", |stage| Box::pin(others::suspended(stage))),
        scenario("a change by hand", |stage| Box::pin(others::by_hand(stage))),
        scenario("short pages", |stage| Box::pin(reads::short_pages(stage))),
        scenario("answers that lack a service", |stage| Box::pin(reads::lacking_answers(stage))),
        scenario("services that cannot be read", |stage| Box::pin(reads::unreadable(stage))),
        scenario("old answers", |stage| Box::pin(reads::old_answers(stage))),
        scenario("a call that AWS refuses", |stage| Box::pin(process::refused_call(stage))),
        scenario("SIGTERM in the middle", |stage| Box::pin(process::sigterm(stage))),
        scenario("a restart without git", |stage| Box::pin(process::restart_without_git(stage))),
    ]
}

/// Pushes a desired state and has a copy bring it about.
async fn up(stage: &Stage, desired: &Desired, found: &mut Vec<String>) -> Copy {
    stage.commit(desired);
    let copy = stage.start("trueup-1");
    settle(stage, &copy, found).await;
    copy
}

/// Waits until everything is Synced and Healthy and nothing is written; not for long where something is wrong already.
async fn settle(stage: &Stage, copy: &Copy, found: &mut Vec<String>) {
    let patience = if found.is_empty() { PATIENCE } else { 2 * QUIET };
    if let Err(unsettled) = stage.settle(copy, well, QUIET, patience).await {
        found.push(format!("it does not settle: {:?}", unsettled.applications));
    }
}

/// One application, `web`.
fn web() -> Desired {
    Desired::of([("web", Application::default())])
}

/// A mutating call of a trueup.
#[derive(Debug, PartialEq, Eq)]
struct Write {
    at: Time,
    action: String,
    input: Value,
}

/// The mutating calls of all copies since a time.
fn writes(stage: &Stage, since: Time) -> Vec<Write> {
    let aws = stage.aws();
    let ours = aws.recorder.mutations().filter(|record| record.call.access_key.starts_with("trueup"));
    let late = ours.filter(|record| record.at >= since);
    late.map(|record| Write { at: record.at, action: record.call.action.clone(), input: record.call.input.clone() })
        .collect()
}

/// Notes writes where there must be none.
fn expect_no_writes(stage: &Stage, since: Time, why: &str, found: &mut Vec<String>) {
    let writes = writes(stage, since);
    if let Some(first) = writes.first() {
        found.push(format!("{why}: {} writes, the first is {} at {}", writes.len(), first.action, first.at.iso()));
    }
}

/// A service as AWS has it now.
fn service(stage: &Stage, name: &str) -> Value {
    let input = json!({"cluster": CLUSTER, "services": [name], "include": ["TAGS"]});
    ask(&mut stage.aws(), "ecs", "DescribeServices", &input)["services"][0].clone()
}

/// Notes what is not in AWS as git says.
fn expect_git(stage: &Stage, desired: &Desired, found: &mut Vec<String>) {
    let differences = differences(&mut stage.aws(), desired);
    found.extend(differences.into_iter().map(|difference| format!("not as git says: {difference}")));
}

/// Notes what is not as wanted.
fn expect(what: &str, is: &Value, wanted: &Value, found: &mut Vec<String>) {
    if is != wanted {
        found.push(format!("wrong {what}: it is {is}, not {wanted}"));
    }
}

/// How many deployments of an image trueup began.
fn deployments(stage: &Stage, image: &str) -> usize {
    let aws = stage.aws();
    let begun = aws.recorder.mutations().filter_map(|record| record.truth.as_ref());
    begun.flat_map(|truth| &truth.deployments).filter(|deployed| deployed.images.iter().any(|one| one == image)).count()
}
