//! Clients that are stopped at a call.

use std::sync::Arc;

use crate::faults::Moment;
use crate::time::Time;

/// Where a client was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The call's index in the recorder.
    pub call: u64,
    /// Where in the call.
    pub moment: Moment,
    /// The access key that signed it: whom to stop.
    pub access_key: String,
    /// For [`Moment::AfterAnswer`], when the answer has arrived.
    pub answered_at: Option<Time>,
}

/// Hears of cuts.
type Hook = Arc<dyn Fn(&Reached) + Send + Sync>;

/// Cuts so far, and who is notified of them.
#[derive(Clone, Default)]
pub(super) struct Cuts {
    reached: Vec<Reached>,
    dead: Vec<String>,
    hook: Option<Hook>,
}

impl Cuts {
    pub(super) fn hook(&mut self, hook: Hook) {
        self.hook = Some(hook);
    }

    pub(super) fn reached(&self) -> &[Reached] {
        &self.reached
    }

    pub(super) fn is_dead(&self, access_key: &str) -> bool {
        self.dead.iter().any(|dead| dead == access_key)
    }

    pub(super) fn revive(&mut self, access_key: &str) {
        self.dead.retain(|dead| dead != access_key);
    }

    pub(super) fn reach(&mut self, reached: Reached) {
        self.dead.push(reached.access_key.clone());
        if let Some(hook) = &self.hook {
            hook(&reached);
        }
        self.reached.push(reached);
    }
}

impl std::fmt::Debug for Cuts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cuts").field("reached", &self.reached).field("dead", &self.dead).finish_non_exhaustive()
    }
}
