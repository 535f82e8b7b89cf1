//! The reports of trueup: where events and measurements go beside stdout.
//!
//! A report that cannot be delivered never delays or stops reconciling: what takes events and numbers from the loop puts
//! them away and returns, and whatever waits for somebody outside does so in a task of its own, with bounds.

mod fan;
pub mod notify;
mod secret;

pub use self::fan::{Meters, Sinks};
pub use self::secret::{Secret, SecretError, SecretSource};
