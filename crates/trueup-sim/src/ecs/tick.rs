//! What comes due in ECS.

use super::key::ServiceKey;

/// Something due in ECS.
#[derive(Clone, Debug)]
pub enum Tick {
    /// The scheduler looks at a service.
    Service(ServiceKey),
    /// A task goes on in its life; the ARN.
    Task(String),
}
