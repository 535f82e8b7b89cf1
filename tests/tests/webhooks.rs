//! A push is deployed at once: announced by a webhook, or seen in the files of a repository on this machine. Git itself would be
//! asked once a day.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use trueup_e2e::daemon::Daemon;
use trueup_e2e::git_server::GitServer;
use trueup_e2e::scenario::{Scenario, scenario};
use trueup_e2e::webhook::{post, push, send, signature};
use trueup_e2e::world::{LIMIT, operations};

const SECRET: &str = "the-secret-of-the-webhook";
const FILE: &str = "desired-state/elearning/target-groups/backend.toml";
/// How many cycles are timed.
const CYCLES: u32 = 6;

/// A daemon that is notified of pushes by webhook, and the server that it reads.
struct Told {
    git: GitServer,
    repository: String,
    address: SocketAddr,
    daemon: Daemon,
    _directory: tempfile::TempDir,
}

impl Told {
    fn start(scenario: &Scenario) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let secret = directory.path().join("secret");
        std::fs::write(&secret, SECRET)?;
        let bare = scenario.repository.url();
        let git = GitServer::start(bare.parent().context("it lies in a directory")?)?;
        let repository = git.url(&name(bare)?);
        let first = scenario.push_example()?;
        // A port that is free; should another process take it in between, the daemon waits for it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let listen = address.to_string();
        let secret = secret.to_str().context("a path is text")?;
        let arguments = ["--webhook-listen", &listen, "--webhook-secret-file", secret];
        let mut daemon = scenario.daemon_on(&repository, &arguments)?;
        daemon.wait_for_revision("revision.accepted", &first)?;
        scenario.world.wait_for("CreateService", 0, 1)?;
        scenario.world.wait_for_rest(0)?;
        Ok(Self { git, repository, address, daemon, _directory: directory })
    }

    /// Sends what GitHub would. Gives the status.
    fn send(&self, secret: &str, branch: &str, after: &str) -> Result<u16> {
        send(self.address, secret, &push(&self.repository, branch, after))
    }
}

fn name(bare: &Path) -> Result<String> {
    Ok(bare.file_name().and_then(|name| name.to_str()).context("a repository has a name")?.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the daemon compares it with the system's own")]
fn seconds_since_1970() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

#[test]
fn a_push_that_a_webhook_tells_is_deployed_and_a_forged_one_asks_nobody() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        let mut told = Told::start(scenario)?;

        let mark = world.mark()?;
        repository.edit(FILE, "HealthCheckIntervalSeconds = 60", "HealthCheckIntervalSeconds = 45")?;
        let revision = repository.push("Look more often")?;
        let asked = told.git.served();
        ensure!(told.send("another-secret-of-somebody", "main", &revision)? == 401);
        ensure!(told.send(SECRET, "next", &revision)? == 200, "another branch is ignored politely");
        world.wait_for_rest(mark)?;
        ensure!(told.git.served() == asked, "nobody asked git");

        ensure!(told.send(SECRET, "main", &revision)? == 202);
        told.daemon.wait_for_revision("revision.accepted", &revision)?;
        world.wait_for("ModifyTargetGroup", mark, 1)?;
        world.wait_for_rest(mark)?;
        ensure!(operations(&world.mutations(mark)?) == ["elbv2:ModifyTargetGroup", "elbv2:AddTags"]);

        // The same message again, replayed by an observer.
        let asked = told.git.served();
        ensure!(told.send(SECRET, "main", &revision)? == 200, "a replay is answered politely");
        world.wait_for_rest(world.mark()?)?;
        ensure!(told.git.served() == asked, "nobody asked git");

        let (code, took) = told.daemon.terminate()?;
        ensure!(code == Some(0) && took < Duration::from_secs(5), "{code:?} after {took:?}");
        ensure!(TcpStream::connect(told.address).is_err(), "nobody listens any more");
        Ok(())
    });
}

/// A provider's headers for a secret and a body.
type Headers = fn(secret: &str, body: &str) -> Result<String>;

#[test]
fn a_push_is_deployed_whichever_provider_tells_it_and_none_without_the_secret_is_asked_for() {
    const PROVIDERS: [(&str, Headers); 4] = [
        ("GitLab", |secret, _| {
            Ok(format!(
                "X-Gitlab-Event: Push Hook\r\nX-Gitlab-Event-UUID: 7f83b1657ff1\r\nX-Gitlab-Token: {secret}\r\n"
            ))
        }),
        ("Gitea", |secret, body| {
            Ok(format!("X-Gitea-Event: push\r\nX-Gitea-Signature: {}\r\n", signature(secret, body)?))
        }),
        ("Forgejo", |secret, body| {
            Ok(format!("X-Forgejo-Event: push\r\nX-Forgejo-Signature: {}\r\n", signature(secret, body)?))
        }),
        ("a signed POST", |secret, body| {
            let time = seconds_since_1970()?;
            let signature = signature(secret, &format!("{time}.delivery-1.{body}"))?;
            Ok(format!(
                "X-Trueup-Timestamp: {time}\r\nX-Trueup-Delivery: delivery-1\r\nX-Trueup-Signature: sha256={signature}\r\n"
            ))
        }),
    ];
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        let mut told = Told::start(scenario)?;
        let mut seconds = 60;
        for (provider, headers) in PROVIDERS {
            let mark = world.mark()?;
            let line = |seconds: u32| format!("HealthCheckIntervalSeconds = {seconds}");
            repository.edit(FILE, &line(seconds), &line(seconds + 5))?;
            seconds += 5;
            let revision = repository.push("Look at another interval")?;
            let url = &told.repository;
            let body = match provider {
                "GitLab" => format!(
                    r#"{{"object_kind":"push","ref":"refs/heads/main","after":"{revision}","project":{{"git_http_url":"{url}"}}}}"#
                ),
                "a signed POST" => format!(r#"{{"repository":"{url}","ref":"refs/heads/main"}}"#),
                _ => {
                    format!(r#"{{"ref":"refs/heads/main","after":"{revision}","repository":{{"clone_url":"{url}"}}}}"#)
                }
            };
            let asked = told.git.served();
            let forged = headers("another-secret-of-somebody", &body)?;
            ensure!(post(told.address, &forged, &body)? == 401, "{provider}: forged");
            ensure!(post(told.address, "", &body)? == 401, "{provider}: not signed");
            world.wait_for_rest(mark)?;
            ensure!(told.git.served() == asked, "{provider}: nobody asked git");

            let signed = headers(SECRET, &body)?;
            ensure!(post(told.address, &signed, &body)? == 202, "{provider}: signed");
            told.daemon.wait_for_revision("revision.accepted", &revision)?;
            world.wait_for("ModifyTargetGroup", mark, 1)?;
            world.wait_for_rest(mark)?;
            ensure!(post(told.address, &signed, &body)? == 200, "{provider}: a replay is answered politely");
        }
        Ok(())
    });
}

#[test]
fn a_push_to_a_repository_on_this_machine_is_noticed_at_once() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        let first = scenario.push_example()?;
        let mut daemon = scenario.daemon_on(repository.url(), &[])?;
        daemon.wait_for_revision("revision.accepted", &first)?;
        world.wait_for("CreateService", 0, 1)?;
        world.wait_for_rest(0)?;
        for (from, to) in [("60", "45"), ("45", "50")] {
            let mark = world.mark()?;
            let line = |seconds: &str| format!("HealthCheckIntervalSeconds = {seconds}");
            repository.edit(FILE, &line(from), &line(to))?;
            let revision = repository.push("Look at another interval")?;
            daemon.wait_for_revision("revision.accepted", &revision)?;
            world.wait_for("ModifyTargetGroup", mark, 1)?;
            world.wait_for_rest(mark)?;
        }
        Ok(())
    });
}

#[test]
fn a_flood_and_slow_clients_leave_the_loop_alone() {
    scenario(|scenario| {
        let world = &scenario.world;
        let mut told = Told::start(scenario)?;
        let cycles = || -> Result<Duration> {
            let (begun, mark) = (Instant::now(), world.mark()?);
            world.wait_for("DescribeServices", mark, CYCLES)?;
            Ok(begun.elapsed())
        };
        let calm = cycles()?;

        // More slow clients than there are connections; each holds its own open and says little.
        let slow: Vec<TcpStream> = (0..100)
            .map(|_| {
                let mut client = TcpStream::connect(told.address)?;
                client.write_all(b"POST /webhook HTTP/1.1\r\nX-GitHub-Event: push\r\n")?;
                Ok(client)
            })
            .collect::<Result<_>>()?;
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let address = told.address;
        let flood = {
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            thread::spawn(move || {
                let body = "x".repeat(10_000);
                while !stop.load(Ordering::Relaxed) {
                    // Refused, or cut off: what comes of it does not matter.
                    let _ = send(address, "a-secret-that-was-guessed", &body);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let flooded = cycles()?;
        stop.store(true, Ordering::Relaxed);
        flood.join().ok().context("the flood broke")?;
        drop(slow);
        let count = sent.load(Ordering::Relaxed);
        ensure!(count > 100, "{count} messages are no flood");
        // Whole cycles are a second apart; what the flood may cost is a part of one, on a machine that sends it as well.
        let most = calm + calm / 2 + Duration::from_secs(1);
        ensure!(flooded < most, "{CYCLES} cycles took {flooded:?} in a flood of {count}, and {calm:?} without");

        // And afterwards a push is taken as before, as soon as the sender's share has come back.
        scenario.repository.edit(FILE, "HealthCheckIntervalSeconds = 60", "HealthCheckIntervalSeconds = 45")?;
        let revision = scenario.repository.push("Look more often")?;
        let deadline = Instant::now() + LIMIT;
        while told.send(SECRET, "main", &revision)? != 202 {
            ensure!(Instant::now() < deadline, "a push is not taken after the flood");
        }
        told.daemon.wait_for_revision("revision.accepted", &revision)?;
        Ok(())
    });
}
