//! The reconcile loop of trueup: schedule, observe, plan, apply, watch, report.
//!
//! Git is followed on its own cadence (`follower`). Every environment has a loop of its own (`environment`), which
//! observes everything that is due in one go (`observation`) and plans it, application by application (`reconcile`); one
//! that has a step to take gets a pass of its own (`pass`), so that a slow or refused one delays no other. A cycle
//! always compares whole live and desired states; a trigger only says *now*.
//!
//! Waiting uses tokio's clock, events and records use the [`trueup_ports::Clock`], so that both can be simulated. No two
//! files need each other: those of the loop's steps are above the state that they share (`context`, `application`).

mod application;
mod attribution;
mod backoff;
mod behind;
mod context;
mod cycle;
mod desired_state;
mod diagnosis;
mod engine;
mod environment;
mod follower;
mod git;
mod healthy_tasks;
mod history;
mod observation;
mod once;
mod options;
mod pass;
mod planning;
mod prune;
mod pushed;
mod reconcile;
mod record;
mod reporting;
mod resolution;
mod rest;
mod retry;
mod schedule;
mod selection;
mod shutdown;
mod sink;
mod status;
mod suspension;
mod traffic;
mod verified;
mod write;

pub use self::engine::{Engine, Trigger};
pub use self::once::{OnceError, Outcome};
pub use self::options::Options;
pub use self::retry::{Retried, RetryOutcome};
pub use self::shutdown::Shutdown;
pub use self::sink::Sink;
pub use self::status::{ApplicationStatus, EnvironmentStatus, SourceStatus, Status};
pub use self::suspension::{Marked, SuspensionError};
