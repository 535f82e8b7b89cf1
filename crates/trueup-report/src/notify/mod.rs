//! Notifications: who is told outside of trueup what happened, and how.

mod address;
mod filter;
mod settings;

pub use self::filter::{EVENTS, EVENTS_DEFAULT, Filter, is_passing};
pub use self::settings::{Means, SHOWN_KEYS, Statuses, Table, Target};
