//! Repositories behind real servers that ask who we are: lighttpd with TLS and passwords, OpenSSH with deploy keys.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use trueup_e2e::authority::Authority;
use trueup_e2e::daemon::Daemon;
use trueup_e2e::https_server::HttpsServer;
use trueup_e2e::scenario::{Scenario, scenario};
use trueup_e2e::ssh_server::{KeyPair, SshServer};

const FILE: &str = "desired-state/elearning/target-groups/backend.toml";

/// Waits until git cannot be read for a reason that has these words, and what to do has those.
fn wait_for_failure(daemon: &mut Daemon, reason: &str, cure: &str) -> Result<()> {
    let says =
        |event: &Value, member: &str, words: &str| event[member].as_str().is_some_and(|text| text.contains(words));
    daemon.wait_for(&format!("source.failed, {reason}"), |event| {
        event["event"] == "source.failed" && says(event, "message", reason) && says(event, "hint", cure)
    })?;
    Ok(())
}

/// Waits until git is read after it could not be, and the example is there.
fn wait_for_example(scenario: &Scenario, daemon: &mut Daemon, revision: &str) -> Result<()> {
    daemon.wait_for_revision("revision.accepted", revision)?;
    daemon.wait_for("source.recovered", |event| event["event"] == "source.recovered")?;
    scenario.world.wait_for("CreateService", 0, 1)?;
    scenario.world.wait_for_rest(0)
}

/// Has the target group checked every so many seconds instead, and waits until that is so.
fn follow(scenario: &Scenario, daemon: &mut Daemon, from: u32, to: u32) -> Result<()> {
    let mark = scenario.world.mark()?;
    let revision = push(scenario, from, to)?;
    daemon.wait_for_revision("revision.accepted", &revision)?;
    scenario.world.wait_for("ModifyTargetGroup", mark, 1)?;
    scenario.world.wait_for_rest(mark)
}

fn push(scenario: &Scenario, from: u32, to: u32) -> Result<String> {
    let line = |seconds: u32| format!("HealthCheckIntervalSeconds = {seconds}");
    scenario.repository.edit(FILE, &line(from), &line(to))?;
    scenario.repository.push("Look at another interval")
}

/// The directory of repositories, and the name of ours in it.
fn split(bare: &Path) -> Result<(&Path, &str)> {
    let name = bare.file_name().and_then(|name| name.to_str()).context("a repository has a name")?;
    Ok((bare.parent().context("it lies in a directory")?, name))
}

#[test]
fn a_repository_behind_tls_and_a_password_is_followed_with_a_token_that_may_be_exchanged() {
    const FIRST: &str = "tok3n-of-the-first-hour";
    const SECOND: &str = "tok3n-of-the-second-hour";
    const WRONG: &str = "tok3n-of-somebody-else";
    scenario(|scenario| {
        let directory = tempfile::tempdir()?;
        let authority = Authority::create(directory.path())?;
        let (repositories, name) = split(scenario.repository.url())?;
        let server = HttpsServer::start(directory.path(), repositories, &authority)?;
        server.let_in("deployer", FIRST)?;
        let url = server.url(name);
        let first = scenario.push_example()?;
        let token = directory.path().join("token");
        std::fs::write(&token, WRONG)?;

        let command = |subcommand: &str, bundle: Option<&Path>| {
            let mut command = scenario.command_on(subcommand, &url);
            command.arg("--git-token-file").arg(&token).args(["--git-user", "deployer"]);
            command.envs(bundle.map(|bundle| ("SSL_CERT_FILE", bundle)));
            command
        };
        let untrusted = scenario.finish(command("plan", None))?;
        ensure!(untrusted.code == Some(2), "{untrusted:?}");
        ensure!(
            untrusted.stderr.contains("certificate") && untrusted.stderr.contains("SSL_CERT_FILE"),
            "{untrusted:?}"
        );

        let mut run = command("run", Some(authority.bundle()));
        run.args(["--log-format", "json", "--git-interval", "1s", "--interval", "1s"]);
        let mut daemon = scenario.daemon_of(run)?;
        wait_for_failure(&mut daemon, "refused the token", "has expired, was revoked")?;
        std::fs::write(&token, format!("{FIRST}\n"))?;
        wait_for_example(scenario, &mut daemon, &first)?;
        follow(scenario, &mut daemon, 60, 45)?;

        // The hour is over: the server takes another token, and a push has to wait until we have it.
        server.let_in("deployer", SECOND)?;
        wait_for_failure(&mut daemon, "refused the token", "has expired, was revoked")?;
        let mark = scenario.world.mark()?;
        let waiting = push(scenario, 45, 50)?;
        std::fs::write(&token, SECOND)?;
        daemon.wait_for_revision("revision.accepted", &waiting)?;
        daemon.wait_for("source.recovered", |event| event["event"] == "source.recovered")?;
        scenario.world.wait_for("ModifyTargetGroup", mark, 1)?;
        scenario.world.wait_for_rest(mark)?;

        ensure!(daemon.terminate()?.0 == Some(0));
        let said = scenario.everything_said();
        for secret in [FIRST, SECOND, WRONG, "tok3n"] {
            ensure!(!said.contains(secret), "`{secret}` was told:\n{said}");
        }
        ensure!(said.contains("source.failed"), "what is looked through is what was said:\n{said}");
        Ok(())
    });
}

#[test]
fn a_repository_behind_ssh_is_followed_once_the_host_is_known_and_the_key_is_let_in() {
    scenario(|scenario| {
        let directory = tempfile::tempdir()?;
        let pair = |name| KeyPair::generate(directory.path(), name);
        let (host, another, deploy_key) = (pair("host")?, pair("another")?, pair("deploy")?);
        let server = SshServer::start(directory.path(), &host)?;
        let url = server.url(scenario.repository.url())?;
        let first = scenario.push_example()?;
        let known_hosts = directory.path().join("known_hosts");
        std::fs::write(&known_hosts, "")?;

        let mut command = scenario.command_on("run", &url);
        command.args(["--log-format", "json", "--git-interval", "1s", "--interval", "1s"]);
        command.arg("--ssh-key-file").arg(&deploy_key.private).arg("--known-hosts-file").arg(&known_hosts);
        let mut daemon = scenario.daemon_of(command)?;
        wait_for_failure(&mut daemon, "is not among the known hosts", "add this line")?;
        std::fs::write(&known_hosts, server.known_as(&another))?;
        wait_for_failure(&mut daemon, "the known hosts have another one", "another server answers in its name")?;
        ensure!(scenario.world.mutations(0)?.is_empty(), "nothing was written");

        std::fs::write(&known_hosts, server.known_as(&host))?;
        wait_for_failure(&mut daemon, "refused user", "deploy keys")?;
        server.let_in(&deploy_key)?;
        wait_for_example(scenario, &mut daemon, &first)?;
        follow(scenario, &mut daemon, 60, 45)?;

        // Somebody else answers in its name from now on.
        std::fs::write(&known_hosts, server.known_as(&another))?;
        wait_for_failure(&mut daemon, "the known hosts have another one", "another server answers in its name")?;
        let mark = scenario.world.mark()?;
        let waiting = push(scenario, 45, 50)?;
        std::fs::write(&known_hosts, server.known_as(&host))?;
        daemon.wait_for_revision("revision.accepted", &waiting)?;
        scenario.world.wait_for("ModifyTargetGroup", mark, 1)?;
        scenario.world.wait_for_rest(mark)?;

        ensure!(daemon.terminate()?.0 == Some(0));
        let private = std::fs::read_to_string(&deploy_key.private)?;
        let secret = private.lines().nth(1).context("a key has a second line")?;
        ensure!(!scenario.everything_said().contains(secret), "the key was told");
        Ok(())
    });
}
