//! Drift: where live state differs from a desired document, field by field.
//!
//! [`Change`] is the one change list that feeds detection, plan, apply and reports.

pub mod keys;
mod redact;

use serde::Serialize;

pub use self::redact::Shown;
use crate::pointer::Pointer;

/// One field that differs.
///
/// The path is a JSON pointer into the desired document (request spelling); keyed sets are addressed by key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Where.
    pub path: Pointer,
    /// What AWS has.
    pub live: Shown,
    /// What git wants.
    pub desired: Shown,
}

/// What the comparison has to know beside the two documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Fields that are never compared; a segment `*` stands for any one segment.
    pub ignore: Vec<Pointer>,
    /// Application Auto Scaling governs the service's `desiredCount`.
    pub autoscaled: bool,
    /// ECS shifts traffic by this rule's weights (`advancedConfiguration` of a service names it).
    pub delegated_weights: bool,
}
