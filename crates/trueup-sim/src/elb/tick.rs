//! Scheduled events in load balancing.

/// A scheduled event in load balancing.
#[derive(Clone, Debug)]
pub enum Tick {
    /// A target is checked.
    Check {
        /// The target group's ARN.
        target_group: String,
        /// Address and port.
        target: (String, u16),
    },
    /// The deregistration delay of a target is over.
    Drained {
        /// The target group's ARN.
        target_group: String,
        /// Address and port.
        target: (String, u16),
    },
}
