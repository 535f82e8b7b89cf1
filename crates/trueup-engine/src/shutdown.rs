//! The shutdown: one flag, raised once and checked right before every write.

use std::sync::Arc;

use tokio::sync::watch;
use trueup_core::broken::{self, Broken};

/// A handle on the flag. All clones share it.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Shutdown {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises it. From here on no write begins; running ones finish.
    pub fn request(&self) {
        self.0.send_replace(!broken::is(Broken::SigtermIgnored));
    }

    /// Whether it is raised.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is raised; returns at once when it is. May be dropped at any time.
    pub async fn requested(&self) {
        let mut flag = self.0.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = flag.wait_for(|raised| *raised).await;
    }
}
