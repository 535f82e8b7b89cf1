//! Troubles as faults of the simulated AWS.

use trueup_sim::Simulator;

use super::act::Trouble;

/// Begins a trouble that ends by itself.
pub fn begin(aws: &mut Simulator, trouble: &Trouble, seconds: u64) {
    let _ = (aws, trouble, seconds);
}
