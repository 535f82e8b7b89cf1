//! Carries out what the guide proposes: a release, a manual change, an image that does not start.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};
use trueup_core::names::Revision;
use trueup_core::plan::Hold;
use trueup_core::report::{Event, What};
use trueup_git::amend_file;

use super::Drift;
use super::by_hand::Console;
use super::daemon::{BRANCH, Sandbox};
use super::site::{BROKEN, IMAGES, RELEASES, files, with_tag};
use crate::wiring;

/// How long one part of the tour may take: at the default speed each takes about ten seconds.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs the tour. `events` are all that the daemon emits.
///
/// # Errors
/// When a part is not over in time.
pub async fn tour(sandbox: &Sandbox, events: UnboundedReceiver<Event>) -> Result<()> {
    let mut watch = Watch { events };
    watch.until("the first rollout", |event| matches!(event.what, What::RolloutCompleted { .. })).await?;

    let release = RELEASES[0];
    say(&format!("The site is up, as git has it. Next: a commit that sets the backend's image to {release}."));
    let second = commit(sandbox, release, &format!("Release {release}"))?;
    let serves = |event: &Event| matches!(event.what, What::RolloutCompleted { .. });
    watch.until("the release", |event| serves(event) && event.revision.as_ref() == Some(&second)).await?;

    say(&format!("Version {release} serves. Next: a manual change of the backend's health check."));
    let console = Console { address: sandbox.server.address().to_string() };
    let done = tokio::task::spawn_blocking(move || console.change(Drift::HealthCheck)).await;
    // The panic was printed where it happened; the error would repeat its message.
    let done = done.map_err(|_| anyhow!("changing the health check panicked"))??;
    say(&done);
    watch.until("the drift to be detected", |event| matches!(event.what, What::DriftDetected { .. })).await?;
    watch.until("the drift to be corrected", |event| matches!(event.what, What::DriftResolved { .. })).await?;

    say("The drift is corrected. Next: a commit with an image that does not start.");
    let third = commit(sandbox, BROKEN, "Release an image that does not start")?;
    // The rollback is reported once its cause is known: before the hold or after it.
    let (mut gone_back, mut held) = (false, false);
    let both = |event: &Event| {
        if event.revision.as_ref() == Some(&third) {
            gone_back |= matches!(event.what, What::RolloutRolledBack { .. });
            held |= matches!(event.what, What::HoldStarted { hold: Hold::RevisionFailed { .. }, .. });
        }
        gone_back && held
    };
    watch.until("the rollback", both).await?;
    say(&format!(
        "ECS rolled back to version {release}, and trueup holds the broken version instead of deploying it again and again."
    ));

    // A sandbox that is started here without the tour then begins with a site that is up.
    let next = RELEASES[1];
    say(&format!("Last: a commit with an image that works, {next}."));
    let fourth = commit(sandbox, next, &format!("Release {next}"))?;
    watch.until("the corrected release", |event| serves(event) && event.revision.as_ref() == Some(&fourth)).await?;
    say(&format!("Version {next} serves."));
    println!("The tour is over. Run `trueup sandbox` to try this yourself.");
    Ok(())
}

/// The daemon's events, as they come.
struct Watch {
    events: UnboundedReceiver<Event>,
}

impl Watch {
    /// Waits for an event, and skips all before it.
    async fn until(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> bool) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let event = timeout_at(end, self.events.recv()).await;
            let event = event.with_context(|| format!("waited too long for {what}"))?;
            match event {
                Some(Event { what: What::DaemonStopping {}, .. }) | None => bail!("stopped while waiting for {what}"),
                Some(event) if wanted(&event) => return Ok(()),
                Some(_) => {}
            }
        }
    }
}

/// Commits another tag of the backend's image.
fn commit(sandbox: &Sandbox, tag: &str, message: &str) -> Result<Revision> {
    let text = with_tag(files()[IMAGES], tag).context("the example has no image of the backend")?;
    amend_file(&sandbox.dir.join("site.git"), BRANCH, IMAGES, &text, message).map_err(wiring::hinted)
}

fn say(text: &str) {
    println!("\n== {text}\n");
}
