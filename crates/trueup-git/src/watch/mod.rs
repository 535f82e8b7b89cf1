//! Noticing a push to a repository on this machine when it happens, by watching its files.

use std::time::Duration;

use tokio::time::sleep;

use crate::location::Transport;
use crate::repository::Repository;

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
use self::files::Watched;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
use self::elsewhere::Watched;

/// How long after the last change it is reported: a push moves a lock, a ref and its log within a millisecond or two.
const QUIET: Duration = Duration::from_millis(20);

/// How often the watch is compared with the files that exist now, and retried where it failed. Until then, polling
/// notices a replaced repository.
const LOOK_AFTER: Duration = Duration::from_secs(30);

/// The result of one comparison with the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// Nothing of interest.
    Nothing,
    /// A branch may have moved.
    Moved,
    /// There are other directories than those that are watched.
    Otherwise,
}

/// Calls `changed` when something may have been pushed to a repository on this machine, while the future is polled.
/// Ends at once for a remote repository.
///
/// It is called once at the beginning, and whenever watching begins anew: nobody knows what happened before. Where files
/// cannot be watched (no such repository yet, the system's limit of watches, another system than Linux), that is told in
/// the log once, tried again every 30 seconds, and polling has to do meanwhile. A network file system does not tell what
/// other machines write; there polling has to do, too.
pub async fn watch(repository: &Repository, changed: impl Fn()) {
    let Transport::Path(path) = repository.transport() else { return };
    let mut was_told = false;
    loop {
        match Watched::begin(path).await {
            Ok(mut watched) => {
                was_told = false;
                changed();
                while watched.is_there(path).await {
                    let found = tokio::select! {
                        found = watched.next() => found,
                        () = sleep(LOOK_AFTER) => Found::Nothing,
                    };
                    match found {
                        Found::Nothing => {}
                        Found::Moved => {
                            sleep(QUIET).await;
                            changed();
                        }
                        Found::Otherwise => {
                            sleep(QUIET).await;
                            break;
                        }
                    }
                }
                // It is begun anew at once: what happens in between is told by that.
                if watched.is_there(path).await {
                    continue;
                }
                changed();
            }
            Err(error) if was_told => tracing::debug!(%error, "The repository still cannot be watched for pushes."),
            Err(error) => {
                was_told = true;
                tracing::warn!(%error, "The repository cannot be watched for pushes; it is polled instead.");
            }
        }
        // What replaces a repository takes a moment, and a second try in vain costs half a minute.
        if was_told { sleep(LOOK_AFTER).await } else { sleep(QUIET).await }
    }
}
