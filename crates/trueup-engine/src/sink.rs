//! Where events go.

use trueup_core::report::Event;

/// Takes events. The binary prints them; tests keep them.
pub trait Sink: Send + Sync {
    /// Takes one event. Must not wait for long: reconciling waits for it.
    fn emit(&self, event: &Event);
}
