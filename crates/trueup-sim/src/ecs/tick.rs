//! Scheduled events in ECS.

use super::key::ServiceKey;

/// A scheduled event in ECS.
#[derive(Clone, Debug)]
pub enum Tick {
    /// The scheduler checks a service.
    Service(ServiceKey),
    /// A task, by its ARN, takes its next step.
    Task(String),
}
