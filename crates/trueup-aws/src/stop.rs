//! The word that nothing is to be written any more.

use std::sync::Arc;

use tokio::sync::watch;

/// Raised once, when the process stops; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    pub(crate) fn raise(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is raised.
    pub(crate) async fn raised(&self) {
        // Cannot fail while `self` holds the sender.
        let _ = self.0.subscribe().wait_for(|raised| *raised).await;
    }
}
