//! Plays what the guide proposes: a release, a change by hand, an image that does not start.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::{Health, Hold, Plan, Sync};
use trueup_git::amend_file;

use super::by_hand::Console;
use super::daemon::Sandbox;
use super::site::{APPLICATION, BROKEN, IMAGES};
use crate::cli::Drift;
use crate::wiring;

/// The region of the example.
pub const REGION: &str = "ap-northeast-1";

/// How long one part of the tour may take.
const PATIENCE: Duration = Duration::from_mins(4);

/// How often is looked.
const LOOK: Duration = Duration::from_millis(100);

/// Plays it.
///
/// # Errors
/// When a part does not come to its end in time.
pub async fn tour(sandbox: &Sandbox) -> Result<()> {
    let first = until(sandbox, "the first rollout", |plan| well(plan)).await?;
    say("The site is up, as git says. Now a commit: the backend's image 1.1.");
    let second = commit(sandbox, "1.1", "Release 1.1")?;
    until(sandbox, "the release", |plan| well(plan) && plan.revision == second && plan.revision != first.revision)
        .await?;
    say("Version 1.1 serves. Now somebody changes the backend's health check by hand.");
    let console = Console { address: sandbox.server.address().to_string() };
    let (told, change) = tokio::task::spawn_blocking(move || {
        let change = console.change(Drift::HealthCheck);
        (console.address, change)
    })
    .await?;
    say(&format!("{} (at {told})", change?));
    until(sandbox, "the drift to be noticed", |plan| plan.sync != Sync::Synced).await?;
    until(sandbox, "the drift to be healed", well).await?;
    say("Healed. Now a commit with an image that does not start.");
    let broken = commit(sandbox, BROKEN, "Release an image that does not start")?;
    let is_held = |plan: &Plan| plan.held.iter().any(|held| matches!(held.reason, Hold::RevisionFailed { .. }));
    until(sandbox, "the rollback", |plan| plan.revision == broken && is_held(plan)).await?;
    say("ECS went back to version 1.1, and trueup does not push the broken one again. That was the tour.");
    Ok(())
}

fn well(plan: &Plan) -> bool {
    plan.sync == Sync::Synced && plan.health == Health::Healthy
}

/// Commits another tag of the backend's image.
fn commit(sandbox: &Sandbox, tag: &str, message: &str) -> Result<Revision> {
    let text = include_str!("../../../../desired-state/elearning/app.toml");
    let text = text.replacen("tag = \"latest\"", &format!("tag = \"{tag}\""), 1);
    let bare: &Path = &sandbox.dir.join("site.git");
    amend_file(bare, "main", IMAGES, &text, message).map_err(wiring::hinted)
}

/// Waits until the application's plan is as wanted.
async fn until(sandbox: &Sandbox, what: &str, wanted: impl Fn(&Plan) -> bool) -> Result<Plan> {
    let key = (EnvironmentName::new("production"), ApplicationName::new(APPLICATION));
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if sandbox.engine.shutdown().is_requested() {
            bail!("stopped while waiting for {what}");
        }
        let status = sandbox.engine.status();
        if let Some(status) = status.applications.get(&key).filter(|status| wanted(&status.plan)) {
            return Ok(status.plan.clone());
        }
        sleep(LOOK).await;
    }
    bail!("waited too long for {what}");
}

fn say(text: &str) {
    println!("\n== {text}\n");
}
