//! How urgent the work is for which calls are made just now.
//!
//! One question to the port becomes many calls, several functions below it. Its urgency goes with the task that works
//! on it, so that none of those functions has to pass it on.

use trueup_ports::Priority;

tokio::task_local! {
    static CURRENT: Priority;
}

/// Has the calls of `work` made with this priority.
pub(crate) async fn with<F: Future>(priority: Priority, work: F) -> F::Output {
    CURRENT.scope(priority, work).await
}

/// The priority of what is being done; the lowest where nobody said.
pub(crate) fn current() -> Priority {
    CURRENT.try_with(|priority| *priority).unwrap_or_default()
}
