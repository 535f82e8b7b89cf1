//! What the daemon sends outwards: chats, webhooks and commit statuses for good and bad commits, and metrics.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use trueup_e2e::receiver::{Posted, Receiver};
use trueup_e2e::scenario::{Scenario, scenario};

/// The value of an environment variable of the example's backend.
const CANARY: &str = "canary-9b2c-of-an-environment-value";
const SECRET: &str = "not-a-real-secret-of-webhooks";
const TOKEN: &str = "not-a-real-token";
const SERVICE: &str = "desired-state/elearning/service.toml";
const TASK_DEFINITION: &str = "desired-state/elearning/task-definition.toml";

/// Writes a configuration that sends everything to the receiver; returns its path.
fn configuration(directory: &std::path::Path, receiver: &Receiver) -> Result<String> {
    let file = |name: &str, text: &str| -> Result<String> {
        let path = directory.join(name);
        fs::write(&path, format!("{text}\n"))?;
        Ok(path.display().to_string())
    };
    let (slack, hook) = (file("slack", &receiver.url("/slack/T/B/x"))?, file("hook", &receiver.url("/hook"))?);
    let (secret, token) = (file("secret", SECRET)?, file("token", TOKEN)?);
    let api = receiver.url("/api");
    let text = format!(
        r#"
[[notifications]]
kind = "slack"
url_file = "{slack}"

[[notifications]]
kind = "webhook"
url_file = "{hook}"
secret_file = "{secret}"
events = ["*"]

[[notifications]]
kind = "github"
repository = "acme/state"
api = "{api}"
token_file = "{token}"
"#
    );
    file("daemon.toml", &text)
}

/// Waits for a commit's status.
fn status(receiver: &Receiver, revision: &str, state: &str) -> Result<Posted> {
    let path = format!("/api/repos/acme/state/statuses/{revision}");
    receiver.wait_for(&format!("{state} of {revision}"), |post| post.path == path && post.json()["state"] == state)
}

/// Waits for a chat message.
fn message(receiver: &Receiver, text: &str) -> Result<Posted> {
    receiver.wait_for(text, |post| {
        post.path == "/slack/T/B/x" && post.json()["text"].as_str().is_some_and(|found| found.contains(text))
    })
}

/// Whether a webhook's signature is what the documentation says it is.
fn is_signed(post: &Posted) -> Result<bool> {
    let signature = post.header("trueup-signature").context("it is signed")?;
    let (time, tag) =
        signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).context(signature.to_owned())?;
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?.chain_update(format!("{time}."));
    let expected = mac.chain_update(&post.body).finalize().into_bytes();
    Ok(tag == expected.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
}

#[test]
fn a_good_and_a_bad_commit_are_told_to_everybody_and_no_secret_to_anybody() {
    scenario(|scenario| {
        let (world, repository, receiver) = (&scenario.world, &scenario.repository, Receiver::start()?);
        let directory = tempfile::tempdir()?;
        let config = configuration(directory.path(), &receiver)?;
        repository.copy(&trueup_e2e::example(), "desired-state")?;
        repository.edit(TASK_DEFINITION, "value = \"INFO\"", &format!("value = \"{CANARY}\""))?;
        let good = repository.push("The e-learning system")?;
        let mut daemon = scenario.daemon(&["--config", &config])?;
        daemon.wait_for_revision("revision.accepted", &good)?;
        world.wait_for("CreateService", 0, 1)?;
        world.wait_for_rest(0)?;
        let set = status(&receiver, &good, "success")?;
        ensure!(set.json()["context"] == "trueup/production/elearning", "{}", set.json());
        ensure!(set.header("authorization") == Some(&format!("Bearer {TOKEN}")), "{set:?}");

        repository.edit(SERVICE, "launchType = \"FARGATE\"", "launchType = \"FARGAT\"")?;
        let bad = repository.push("A typing mistake")?;
        let set = status(&receiver, &bad, "failure")?;
        let description = set.json()["description"].as_str().context("it is described")?.to_owned();
        ensure!(description.contains("FARGAT") && description.chars().count() <= 140, "{description}");
        let told = message(&receiver, "production/elearning: hold.started")?.json();
        ensure!(told["attachments"][0]["text"].as_str().is_some_and(|text| text.contains("FARGAT")), "{told}");

        repository.edit(SERVICE, "\"FARGAT\"", "\"FARGATE\"")?;
        repository.edit(TASK_DEFINITION, CANARY, &format!("{CANARY}-2"))?;
        let better = repository.push("Correct it")?;
        message(&receiver, "production/elearning: hold.ended")?;
        status(&receiver, &better, "success")?;
        let (code, _) = daemon.terminate()?;
        ensure!(code == Some(0), "{code:?}: {}", daemon.last_words());

        let posted = receiver.posted();
        let hooks: Vec<&Posted> = posted.iter().filter(|post| post.path == "/hook").collect();
        for post in &hooks {
            ensure!(is_signed(post)?, "{post:?}");
        }
        let names: Vec<_> = hooks.iter().filter_map(|post| post.json()["event"].as_str().map(str::to_owned)).collect();
        for name in ["plan.made", "step.applied", "hold.started", "hold.ended", "daemon.stopping"] {
            ensure!(names.iter().any(|found| found == name), "{name} is not in {names:?}");
        }
        for post in posted {
            let text = format!("{} {:?} {}", post.path, post.headers, String::from_utf8_lossy(&post.body));
            ensure!(!text.contains("canary"), "a secret is in\n{text}");
        }
        for secret in [SECRET, TOKEN, "/slack/T/B/x", "canary"] {
            ensure!(!daemon.last_words().contains(secret), "{}", daemon.last_words());
            ensure!(daemon.events.iter().all(|event| !event.to_string().contains(secret)));
        }
        Ok(())
    });
}

#[test]
fn metrics_are_put_where_they_are_asked_for_and_nowhere_else() {
    scenario(|scenario| {
        let receiver = Receiver::start()?;
        scenario.push_example()?;
        let run = |arguments: &[&str]| -> Result<()> {
            let mut command = scenario.command("run");
            command.args(["--log-format", "json", "--interval", "1s"]).args(arguments);
            command.env("AWS_ENDPOINT_URL_CLOUDWATCH", receiver.url("")).env("AWS_REGION", "eu-west-1");
            let mark = scenario.world.mark()?;
            let mut daemon = scenario.daemon_of(command)?;
            scenario.world.wait_for("DescribeServices", mark, 3)?;
            let (code, _) = daemon.terminate()?;
            ensure!(code == Some(0), "{code:?}: {}", daemon.last_words());
            Ok(())
        };
        run(&[])?;
        ensure!(receiver.posted().is_empty(), "{:?}", receiver.posted());
        // What the last minute came to is put at the end.
        run(&["--cloudwatch", "--cloudwatch-namespace", "Team/Trueup"])?;
        let posted = receiver.posted();
        let [put] = posted.as_slice() else { anyhow::bail!("{posted:?}") };
        ensure!(put.path.ends_with("/operation/PutMetricData"), "{put:?}");
        ensure!(put.header("authorization").is_some_and(|text| text.contains("/eu-west-1/monitoring/")), "{put:?}");
        let body = String::from_utf8_lossy(&put.body).into_owned();
        for text in ["Team/Trueup", "CycleSeconds", "ApiCalls", "OutOfSync", "Environment", "production", "elearning"] {
            ensure!(body.contains(text), "{text} is not in\n{body}");
        }
        Ok(())
    });
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_its_place() {
    fn run(scenario: &Scenario, config: Option<&str>, text: Option<&str>) -> Result<(Option<i32>, String)> {
        let mut command = scenario.command("run");
        command.args(config.iter().flat_map(|config| ["--config", config]));
        command.envs(text.map(|text| ("TRUEUP_CONFIG_TEXT", text)));
        let mut daemon = scenario.daemon_of(command)?;
        Ok((daemon.wait()?, daemon.last_words()))
    }
    scenario(|scenario| {
        let wrong = "[[notifications]]\nkind = \"slack\"\nurl = \"https://hooks.example.com/hunter2\"\n";
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("daemon.toml").display().to_string();
        fs::write(&path, wrong)?;
        let files = [(Some(path.as_str()), None, "daemon.toml:3:1"), (None, Some(wrong), "TRUEUP_CONFIG_TEXT:3:1")];
        for (config, text, place) in files {
            let (code, said) = run(scenario, config, text)?;
            ensure!(code == Some(2) && said.contains(place) && said.contains("unknown field `url`"), "{code:?} {said}");
            ensure!(!said.contains("hunter2"), "{said}");
        }
        let (code, said) = run(scenario, Some(&path), Some("# nothing"))?;
        ensure!(code == Some(2) && said.contains("give one of them"), "{code:?} {said}");
        ensure!(scenario.world.requests(0)?.is_empty(), "AWS was asked for nothing: {}", json!(said));
        Ok(())
    });
}
