//! The reports of trueup: where events and measurements go in addition to stdout.
//!
//! A report that cannot be delivered never delays or stops reconciling: what takes events and numbers from the loop puts
//! them away and returns, and whatever waits for somebody outside does so in a task of its own, with bounds.
//!
//! What is told over HTTP ([`page()`]) is a function of a path and a query to a page, made of the engine's status, the
//! [`Journal`] of the last events, the [`Heartbeat`] of the loops and the [`Measures`]; which socket it goes to is the binary's.

mod api;
mod cloudwatch;
mod commit_to_deploy;
mod fan;
#[cfg(test)]
mod fixture;
mod health;
mod journal;
pub mod notify;
mod page;
mod prometheus;
mod secret;

pub use self::api::{PATHS, Sources, page};
pub use self::cloudwatch::{CloudWatch, Flushing, METRICS};
pub use self::commit_to_deploy::{CommitToDeploy, Deployed};
pub use self::fan::{Meters, Sinks};
pub use self::health::Heartbeat;
pub use self::journal::Journal;
pub use self::page::Page;
pub use self::prometheus::Measures;
pub use self::secret::{Secret, SecretError, SecretSource};
