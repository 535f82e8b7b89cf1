//! Commits without an allowed signature are not applied: signatures by git and ssh-keygen, checked by the daemon's configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use trueup_e2e::scenario::{Scenario, scenario};
use trueup_e2e::world::operations;

const FILE: &str = "desired-state/elearning/target-groups/backend.toml";

/// A key of its own, as people make theirs.
fn key(scenario: &Scenario, name: &str) -> Result<PathBuf> {
    let path = scenario.directory().join(name);
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path);
    ensure!(keygen.status().context("ssh-keygen is needed (package openssh-client)")?.success(), "no key was made");
    Ok(path)
}

/// The daemon's configuration: the one key may sign for production.
fn configuration(scenario: &Scenario, commits: &str, key: &Path) -> Result<String> {
    let public = fs::read_to_string(key.with_extension("pub"))?;
    let signers = scenario.directory().join("allowed_signers");
    fs::write(&signers, format!("# who may deploy\nada@example.com namespaces=\"git\" {public}"))?;
    let text =
        format!("[verification.production]\ncommits = \"{commits}\"\nallowed_signers_file = '{}'\n", signers.display());
    let path = scenario.directory().join("trueup.toml");
    fs::write(&path, text)?;
    Ok(path.to_str().context("a path is text")?.to_owned())
}

fn interval(scenario: &Scenario, from: u32, to: u32) -> Result<()> {
    let line = |seconds: u32| format!("HealthCheckIntervalSeconds = {seconds}");
    scenario.repository.edit(FILE, &line(from), &line(to))
}

#[test]
fn an_unsigned_commit_is_told_and_not_applied_until_it_is_signed() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        let (ada, mallory) = (key(scenario, "ada")?, key(scenario, "mallory")?);
        let configuration = configuration(scenario, "every", &ada)?;
        repository.copy(&trueup_e2e::example(), "desired-state")?;
        repository.push_signed("The e-learning system", &ada)?;
        let mut daemon = scenario.daemon(&["--config", &configuration])?;
        world.wait_for("CreateService", 0, 1)?;
        world.wait_for_rest(0)?;

        let mark = world.mark()?;
        interval(scenario, 60, 45)?;
        let unsigned = repository.push("Look more often")?;
        let event = daemon.wait_for_revision("revision.unverified", &unsigned)?;
        ensure!(event["environment"] == "production" && event["message"] == "it is not signed", "{event}");
        ensure!(event["commit"] == json!(unsigned), "{event}");
        let held = daemon.wait_for("the hold", |event| event["event"] == "hold.started")?;
        ensure!(held["reason"] == "Unverified", "{held}");

        // Drift is repaired to what was verified.
        let group = world.target_group("elearning-system-backend-tg")?["TargetGroupArn"].clone();
        world.call(
            "elbv2",
            "modify_target_group",
            &json!({"TargetGroupArn": group, "HealthCheckIntervalSeconds": 90}),
        )?;
        let told = daemon.wait_for("the drift", |event| event["event"] == "drift.detected")?;
        ensure!(
            told["changes"] == json!([{"path": "/HealthCheckIntervalSeconds", "live": 90, "desired": 60}]),
            "{told}"
        );
        daemon.wait_for("the repair", |event| event["event"] == "drift.resolved")?;
        ensure!(operations(&world.mutations(mark)?) == ["elbv2:ModifyTargetGroup"]);

        // Signed by another key it is no better; signed commits on top of it bring it along, and do not help it.
        let signed_by_another = repository.sign_last(&mallory)?;
        let event = daemon.wait_for_revision("revision.unverified", &signed_by_another)?;
        let message = event["message"].as_str().unwrap_or_default();
        ensure!(
            message.starts_with("it is signed with a key that is not among the allowed signers (SHA256:"),
            "{event}"
        );
        interval(scenario, 45, 46)?;
        let on_top = repository.push_signed("Look a little less often", &ada)?;
        let event = daemon.wait_for_revision("revision.unverified", &on_top)?;
        ensure!(event["commit"] == json!(signed_by_another), "{event}");

        // Commands that know the rules go by them.
        let status = scenario.run("status", &["--config", &configuration, "--format", "json"])?;
        let told: Value = serde_json::from_str(&status.stdout)?;
        ensure!(status.code == Some(1), "{status:?}");
        ensure!(told["applications"][0]["held"][0]["reason"] == "Unverified", "{told:#}");

        let mark = world.mark()?;
        repository.drop_last(2)?;
        interval(scenario, 60, 45)?;
        let signed = repository.push_signed("Look more often", &ada)?;
        daemon.wait_for_revision("revision.accepted", &signed)?;
        daemon.wait_for("the end of the hold", |event| event["event"] == "hold.ended")?;
        world.wait_for("ModifyTargetGroup", mark, 1)?;
        Ok(())
    });
}

#[test]
fn a_process_that_begins_at_an_unsigned_head_begins_with_the_last_signed_commit() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        let ada = key(scenario, "ada")?;
        let configuration = configuration(scenario, "head", &ada)?;
        repository.copy(&trueup_e2e::example(), "desired-state")?;
        let signed = repository.push_signed("The e-learning system", &ada)?;
        interval(scenario, 60, 45)?;
        repository.push("Look more often")?;
        let mut daemon = scenario.daemon(&["--config", &configuration])?;
        let event = daemon.wait_for("the refusal", |event| event["event"] == "revision.unverified")?;
        ensure!(event["in_force"] == json!(signed), "{event}");
        world.wait_for("CreateService", 0, 1)?;
        world.wait_for_rest(0)?;
        let group = world.target_group("elearning-system-backend-tg")?;
        ensure!(group["HealthCheckIntervalSeconds"] == 60, "{group}");
        Ok(())
    });
}

#[test]
fn a_configuration_that_lets_nobody_sign_is_told_with_its_line() {
    scenario(|scenario| {
        scenario.push_example()?;
        let path = scenario.directory().join("trueup.toml");
        fs::write(&path, "[verification.production]\ncommits = \"every\"\nsince = \"main\"\n")?;
        let told = scenario.run("plan", &["--config", path.to_str().context("a path is text")?])?;
        ensure!(told.code == Some(2), "{told:?}");
        for expected in ["trueup.toml:3:9", "this is not a commit id", "all 40 digits"] {
            ensure!(told.stderr.contains(expected), "{expected} is not in\n{}", told.stderr);
        }
        fs::write(&path, "[verification.production]\n")?;
        let told = scenario.run("plan", &["--config", path.to_str().context("a path is text")?])?;
        ensure!(told.code == Some(2) && told.stderr.contains("the list of signers is empty"), "{told:?}");
        Ok(())
    });
}
