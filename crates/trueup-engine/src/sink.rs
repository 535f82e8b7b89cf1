//! Where events go.

use trueup_core::report::Event;

/// Receives events. The binary prints them; tests keep them.
pub trait Sink: Send + Sync {
    /// Receives one event. Must not wait for long: reconciling waits for it.
    fn emit(&self, event: &Event);
}
