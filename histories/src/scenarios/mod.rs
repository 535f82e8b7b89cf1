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
//! | `steps.rs` | what they have in common |

mod commits;
mod others;
mod process;
mod reads;
mod steps;

use std::pin::Pin;

use crate::judging::violations;
use crate::stage::{Scene, Stage};
use crate::surroundings::surroundings;
use crate::virtual_time::run;

/// The seed of all scenarios.
const SEED: u64 = 3;

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

    /// Plays it, and reads what it found and its stage when it is over.
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
