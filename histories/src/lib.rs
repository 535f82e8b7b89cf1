//! Histories: the whole product on a simulated AWS, in virtual time.
//!
//! What runs here is the product's own engine and AWS adapter, with the AWS SDK, its signatures, time-outs and retries.
//! Only three things are put in its place: the connection (requests are handed to [`trueup_sim::Simulator`] in the same
//! process), the clock (tokio's paused one, which jumps to whatever is due next) and the repository (commits in memory).
//! Everything happens on one thread and all chance comes from one seed, so a history can be replayed to the byte.
//!
//! | file | idea |
//! |---|---|
//! | `virtual_time.rs` | runs a history on paused time; the clocks that follow it |
//! | `mount.rs` | the simulator under the SDK, and cutting a process off at an exact call |
//! | `repository.rs` | commits in memory |
//! | `copy.rs` | one running trueup: start, SIGTERM, kill |
//! | `desired.rs` | desired states as values, from which commits are made |
//! | `surroundings.rs` | the AWS that histories begin in, and what its images do |
//! | `base.rs`, `play.rs`, `end.rs` | the base histories, playing one with one trouble, and comparing how they end |
//! | `seeded/` | histories from a seed |
//! | `account.rs` | the names that all histories share |
//! | `judging.rs`, `deeds.rs` | what was promised, judged by what AWS saw and what was done |
//! | `ask.rs` | AWS asked without the SDK |
//! | `parallel.rs` | many histories on all cores |
//! | `scenarios/` | short histories with one trouble each, which notice every bug of `trueup_core::broken` |
//! | `stage.rs` | AWS, a repository and copies of trueup together; waiting until all is quiet |

mod account;
mod ask;
mod base;
mod copy;
mod deeds;
mod desired;
mod end;
mod judging;
mod mount;
mod parallel;
mod play;
mod repository;
pub mod scenarios;
pub mod seeded;
mod stage;
mod surroundings;
mod virtual_time;

pub use self::account::{ACCOUNT, CLUSTER, LOAD_BALANCER, REGION};
pub use self::base::{BaseHistory, base_histories};
pub use self::copy::Copy;
pub use self::desired::{Application, Balanced, BlueGreen, Desired, Strategy, Style, image};
pub use self::end::{end_state, first_difference};
pub use self::judging::violations;
pub use self::mount::{Cut, Line, Moment};
pub use self::parallel::parallel;
pub use self::play::{Ending, play, prepare, tell_broken, well};
pub use self::repository::{Failing, Repository};
pub use self::stage::{Scene, Stage, Unsettled};
pub use self::surroundings::surroundings;
pub use self::virtual_time::run;
