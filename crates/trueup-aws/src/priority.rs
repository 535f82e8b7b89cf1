//! The priority of the calls that a task sends.
//!
//! One request to the port becomes many calls, several functions further down. The priority is task-local, so that none
//! of those functions has to pass it on.

use trueup_ports::Priority;

tokio::task_local! {
    static CURRENT: Priority;
}

/// Runs `work` with this priority for its calls.
pub(crate) async fn with<F: Future>(priority: Priority, work: F) -> F::Output {
    CURRENT.scope(priority, work).await
}

/// The priority of the current task; the lowest where none was set.
pub(crate) fn current() -> Priority {
    CURRENT.try_with(|priority| *priority).unwrap_or_default()
}
