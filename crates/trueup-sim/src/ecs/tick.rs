//! What comes due in ECS.

use super::key::ServiceKey;

/// Something due in ECS.
#[derive(Clone, Debug)]
pub enum Tick {
    /// The scheduler checks a service.
    Service(ServiceKey),
    /// A task's next step is due; the ARN.
    Task(String),
}
