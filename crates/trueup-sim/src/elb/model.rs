//! What load balancing keeps.

/// All of load balancing in one account and region.
#[derive(Clone, Debug, Default)]
pub struct Elb {}
