//! `trueup sandbox`: what a newcomer sees on one machine, without an AWS account.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use trueup_e2e::binary;
use trueup_e2e::process::{Process, Signal};
use trueup_e2e::repository::Repository;

/// How long anything may take. At this speed each part takes some seconds.
const LIMIT: Duration = Duration::from_mins(3);

/// Virtual seconds in a real one: the most that there is.
const SPEED: &str = "60";

/// The file in which a person writes another tag.
const IMAGES: &str = "desired-state/elearning/app.toml";

/// A directory that is empty at first, and everything that trueup prints about the sandbox in it.
struct Sandbox {
    directory: TempDir,
    process: Process,
    seen: Vec<String>,
}

impl Sandbox {
    fn start(arguments: &[&str]) -> Result<Self> {
        let directory = TempDir::new()?;
        let process = start(directory.path(), arguments)?;
        Ok(Self { directory, process, seen: Vec::new() })
    }

    /// Reads lines until one contains all of these, and gives it.
    fn wait_for(&mut self, parts: &[&str]) -> Result<String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let line = self.process.next_line(deadline).with_context(|| self.unseen(parts))?;
            let Some(line) = line else { bail!("{}\n{}", self.unseen(parts), self.process.last_words()) };
            self.seen.push(line.clone());
            if parts.iter().all(|part| line.contains(part)) {
                return Ok(line);
            }
        }
    }

    /// Where its AWS is, as the guide says.
    fn url(&mut self) -> Result<String> {
        let url = self.wait_for(&["AWS_ENDPOINT_URL="])?;
        let url = url.split_once("AWS_ENDPOINT_URL=").and_then(|(_, rest)| rest.split(' ').next());
        Ok(url.context("the guide says where AWS is")?.to_owned())
    }

    fn unseen(&self, parts: &[&str]) -> String {
        format!("no line with {parts:?} came after\n{}", self.seen.join("\n"))
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("trueup-sandbox")
    }

    /// Does something to it from another terminal.
    fn command(&self, arguments: &[&str], endpoint: Option<&str>) -> Result<Output> {
        let mut command = trueup(self.directory.path())?;
        command.args(arguments);
        if let Some(endpoint) = endpoint {
            command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "ap-northeast-1");
            command.env("AWS_ACCESS_KEY_ID", "me").env("AWS_SECRET_ACCESS_KEY", "none");
        }
        Ok(command.output()?)
    }
}

fn start(directory: &Path, arguments: &[&str]) -> Result<Process> {
    let mut command = trueup(directory)?;
    command.arg("sandbox").args(arguments).args(["--speed", SPEED]);
    Process::start(command, &directory.join("sandbox"))
}

fn trueup(directory: &Path) -> Result<Command> {
    let mut command = Command::new(binary::trueup()?);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.current_dir(directory).env_clear().env("PATH", path).env("HOME", directory);
    Ok(command)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_tour_shows_a_rollout_a_release_a_healed_drift_and_a_held_rollback() -> Result<()> {
    let mut sandbox = Sandbox::start(&["--tour"])?;
    for parts in [
        ["rollout.completed", "elearning-system:1"],
        ["revision.accepted", "Release 1.1"],
        ["rollout.completed", "elearning-system:2"],
        ["drift.detected", "target-group backend"],
        ["step.applied", "ModifyTargetGroup"],
        ["drift.resolved", "target-group backend"],
        ["rollout.started", "elearning-system:3"],
        ["revision.accepted", "Release 1.2"],
        ["rollout.completed", "elearning-system:4"],
    ] {
        sandbox.wait_for(&parts)?;
    }
    // Which of the two comes first is the daemon's affair.
    let status = sandbox.process.wait(LIMIT)?;
    sandbox.wait_for(&["daemon.stopping"])?;
    let seen = sandbox.seen.join("\n");
    assert_eq!(status.code(), Some(0), "{seen}");
    assert!(seen.contains("rollout.rolled_back: elearning-system:3 -> elearning-system:2"), "{seen}");
    assert!(seen.contains("hold.started: service"), "{seen}");
    assert_eq!(seen.matches("rollout.started: elearning-system:3").count(), 1, "it is not tried again: {seen}");

    // A second tour would continue where the first ended.
    let again = sandbox.command(&["sandbox", "--tour"], None)?;
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert!(text(&again).contains("--dir"), "{again:?}");

    // A visitor who continues without the tour, as its last line says, begins with a site that is up, and can push.
    sandbox.process = start(sandbox.directory.path(), &[])?;
    sandbox.wait_for(&["earlier sandbox"])?;
    sandbox.wait_for(&["rollout.completed", "elearning-system:1"])?;
    let repository = Repository::existing(sandbox.path().join("site.git"), sandbox.path().join("work"));
    repository.edit(IMAGES, "tag = \"1.2\"", "tag = \"1.1\"")?;
    repository.push("Release 1.1 again")?;
    sandbox.wait_for(&["rollout.completed", "elearning-system:2"])?;
    Ok(())
}

#[test]
fn a_person_pushes_changes_things_by_hand_and_asks() -> Result<()> {
    let mut sandbox = Sandbox::start(&[])?;
    let by_hand = sandbox.wait_for(&["sandbox drift --dir"])?;
    let url = sandbox.url()?;
    sandbox.wait_for(&["rollout.completed", "elearning-system:1"])?;
    // As it is printed, also where the program is not on the PATH.
    let drift = Command::new("sh").args(["-c", &by_hand]).output()?;
    assert_eq!(drift.status.code(), Some(0), "{by_hand}: {drift:?}");
    sandbox.wait_for(&["drift.resolved", "target-group"])?;

    let (site, work) = (sandbox.path().join("site.git"), sandbox.path().join("work"));
    let repository = Repository::existing(site.clone(), work);
    let site = site.to_str().context("a path is text")?;
    repository.edit(IMAGES, "backend\"\ntag = \"latest\"", "backend\"\ntag = \"1.1\"")?;
    let release = repository.push("Release 1.1")?;
    sandbox.wait_for(&["rollout.completed", "elearning-system:2"])?;

    for (what, resource) in [("desired-count", "service"), ("deployment", "service")] {
        let drift = sandbox.command(&["sandbox", "drift", what], None)?;
        assert_eq!(drift.status.code(), Some(0), "{drift:?}");
        sandbox.wait_for(&["drift.detected", resource])?;
        sandbox.wait_for(&["drift.resolved", resource])?;
    }

    repository.edit(IMAGES, "tag = \"1.1\"", "tag = \"broken\"")?;
    repository.push("Release a broken one")?;
    sandbox.wait_for(&["rollout.rolled_back", "elearning-system:3"])?;
    let status = sandbox.command(&["status", "--repository", site], Some(&url))?;
    assert_eq!(status.status.code(), Some(1), "{status:?}");
    assert!(text(&status).contains("RevisionFailed"), "{status:?}");
    let why = sandbox.command(&["why", "elearning", "--repository", site], Some(&url))?;
    assert!(text(&why).contains("exit code 1"), "{why:?}");

    let second = sandbox.command(&["sandbox"], None)?;
    assert_eq!(second.status.code(), Some(2), "one directory, one sandbox: {second:?}");
    let port = url.rsplit(':').next().context("a port")?;
    let taken = sandbox.command(&["sandbox", "--dir", "other", "--port", port], None)?;
    assert_eq!(taken.status.code(), Some(2), "{taken:?}");
    assert!(text(&taken).contains("cannot listen on"), "{taken:?}");

    sandbox.process.signal(Signal::TERM)?;
    let status = sandbox.process.wait(LIMIT)?;
    assert_eq!(status.code(), Some(0), "{}", sandbox.process.last_words());
    let nobody = sandbox.command(&["sandbox", "drift"], None)?;
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");

    // An older sandbox continues with what was pushed to it, and has a clone to work in even if that was removed.
    std::fs::remove_dir_all(sandbox.path().join("work"))?;
    sandbox.process = start(sandbox.directory.path(), &[])?;
    sandbox.wait_for(&["revision.accepted", "Release a broken one"])?;
    repository.edit(IMAGES, "tag = \"broken\"", "tag = \"1.2\"")?;
    repository.push("Release one that works")?;
    sandbox.wait_for(&["revision.accepted", "Release one that works"])?;

    // One that was killed does not block the next.
    sandbox.process.signal(Signal::KILL)?;
    sandbox.process.wait(LIMIT)?;
    let nobody = sandbox.command(&["sandbox", "drift"], None)?;
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");
    sandbox.process = start(sandbox.directory.path(), &[])?;
    sandbox.wait_for(&["rollout.completed", "elearning-system:1"])?;
    let log = Command::new("git").args(["log", "--format=%H"]).current_dir(site).output()?;
    ensure!(text(&log).contains(&release), "nothing that was pushed is lost: {log:?}");
    Ok(())
}

#[test]
fn a_retry_has_a_held_revision_deployed_exactly_once_more() -> Result<()> {
    let mut sandbox = Sandbox::start(&[])?;
    let url = sandbox.url()?;
    sandbox.wait_for(&["rollout.completed", "elearning-system:1"])?;
    let (site, work) = (sandbox.path().join("site.git"), sandbox.path().join("work"));
    let repository = Repository::existing(site.clone(), work);
    let site = site.to_str().context("a path is text")?;
    let retry = |sandbox: &Sandbox| {
        sandbox.command(&["retry", "elearning", "--repository", site, "--format", "json"], Some(&url))
    };
    let none = retry(&sandbox)?;
    assert_eq!(none.status.code(), Some(0), "{none:?}");
    assert!(text(&none).contains("\"outcome\":\"nothing_held\""), "{none:?}");

    repository.edit(IMAGES, "backend\"\ntag = \"latest\"", "backend\"\ntag = \"broken\"")?;
    repository.push("Release a broken one")?;
    sandbox.wait_for(&["rollout.rolled_back", "elearning-system:2"])?;
    let status = sandbox.command(&["status", "--repository", site], Some(&url))?;
    assert!(text(&status).contains("RevisionFailed"), "{status:?}");
    let begun = |sandbox: &Sandbox| {
        let is_first = |line: &String| line.contains("elearning-system:1");
        sandbox.seen.iter().filter(|line| line.contains("rollout.started: ") && !is_first(line)).count()
    };
    assert_eq!(begun(&sandbox), 1, "it is held: {}", sandbox.seen.join("\n"));

    let ended = retry(&sandbox)?;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(text(&ended).contains("\"outcome\":\"ended\""), "{ended:?}");
    sandbox.wait_for(&["rollout.started", "elearning-system:"])?;
    sandbox.wait_for(&["rollout.rolled_back", "elearning-system:"])?;

    // A drift that is healed afterwards proves that the daemon has looked again, and left the failed one alone.
    sandbox.command(&["sandbox", "drift", "health-check"], None)?;
    sandbox.wait_for(&["drift.resolved", "target-group"])?;
    let status = sandbox.command(&["status", "--repository", site], Some(&url))?;
    assert!(text(&status).contains("RevisionFailed"), "{status:?}");
    assert_eq!(begun(&sandbox), 2, "once more and no more: {}", sandbox.seen.join("\n"));
    Ok(())
}

#[test]
fn what_is_in_the_directory_is_left_alone() -> Result<()> {
    let directory = TempDir::new()?;
    let theirs = directory.path().join("work");
    std::fs::create_dir(&theirs)?;
    std::fs::write(theirs.join("mine.txt"), "mine")?;
    let output = trueup(directory.path())?.args(["sandbox", "--dir", "."]).output()?;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output).contains("already exists"), "{output:?}");
    assert_eq!(std::fs::read_to_string(theirs.join("mine.txt"))?, "mine");
    assert!(!directory.path().join("site.git").exists(), "nothing is half made");
    Ok(())
}
