//! No secret comes out: each has a canary, and everything that trueup prints, logs, serves, sends and keeps is searched for
//! them, whatever goes wrong.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use trueup_e2e::canary::{Canary, silent};
use trueup_e2e::process::Signal;
use trueup_e2e::receiver::Receiver;
use trueup_e2e::scenario::{Scenario, scenario};
use trueup_e2e::world::{CLUSTER, Fault, LIMIT, SERVICE, World};

const IN_GIT: Canary = Canary { of: "an environment value in git", text: "q7Zk3VbX9pLmGitValue" };
const LIVE: Canary = Canary { of: "an environment value in AWS alone", text: "w2Hd8NcR4tYsLiveValue" };
const MISSPELT: Canary = Canary { of: "a value under a misspelt name", text: "e5Jf1MgQ7uPkMisspelt" };
const UNTERMINATED: Canary = Canary { of: "a value without an end", text: "r9Lw3BvT6xZaNoEnd" };
const TWICE: Canary = Canary { of: "a value that is there twice", text: "t4Ks8DhY2cNmTwice" };
const PLAINTEXT: Canary = Canary { of: "a secret in clear text", text: "y6Gp1FjU5vQbCleartext" };
const AWS_SECRET: Canary = Canary { of: "AWS_SECRET_ACCESS_KEY", text: "u3Xn7RkE9wSdAwsSecret" };
const AWS_TOKEN: Canary = Canary { of: "AWS_SESSION_TOKEN", text: "i8Ct2ZmW4qHfAwsToken" };
const GIT_TOKEN: Canary = Canary { of: "TRUEUP_GIT_TOKEN", text: "o1Vb6YsA3nJgGitToken" };
const SSH_KEY: Canary = Canary { of: "TRUEUP_SSH_KEY", text: "p5Dq9LxK7rThSshKey" };
const PASSPHRASE: Canary = Canary { of: "TRUEUP_SSH_PASSPHRASE", text: "a2Fw4McP8eVjPassphrase" };
const URL_PASSWORD: Canary = Canary { of: "a password in a URL", text: "s7Hy1NbZ6gXkUrlPassword" };
const WEBHOOK: Canary = Canary { of: "TRUEUP_WEBHOOK_SECRET", text: "d3Ju8QtC5kRlWebhookSecret" };
const FORGED: Canary = Canary { of: "what a stranger sent", text: "f9Ke2TsD7mUwForged" };
const CHAT_URL: Canary = Canary { of: "a chat's URL", text: "g4Mi6WnB1oYzChatUrl" };
const HOOK_URL: Canary = Canary { of: "a webhook's URL", text: "h8Op3XvF9cIqHookUrl" };
const HOOK_SECRET: Canary = Canary { of: "a webhook's secret", text: "j1Ra7ZdG4bEtHookSecret" };
const STATUS_TOKEN: Canary = Canary { of: "a token for commit statuses", text: "k6Sc2YfH8nAuStatusToken" };

/// All of them.
const CANARIES: [Canary; 18] = [
    IN_GIT,
    LIVE,
    MISSPELT,
    UNTERMINATED,
    TWICE,
    PLAINTEXT,
    AWS_SECRET,
    AWS_TOKEN,
    GIT_TOKEN,
    SSH_KEY,
    PASSPHRASE,
    URL_PASSWORD,
    WEBHOOK,
    FORGED,
    CHAT_URL,
    HOOK_URL,
    HOOK_SECRET,
    STATUS_TOKEN,
];

const TASK_DEFINITION: &str = "desired-state/elearning/task-definition.toml";

/// The line of the example that every commit of these tests changes.
const VARIABLE: &str = "{ name = \"LOG_LEVEL\", value = \"INFO\" }";

/// Gives a process every secret that there is for it.
fn arm(command: &mut Command) {
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").env("AWS_REGION", "eu-west-1");
    // What is sent should be readable here.
    command.env("AWS_DISABLE_REQUEST_COMPRESSION", "true");
    command.env("AWS_SECRET_ACCESS_KEY", AWS_SECRET.text).env("AWS_SESSION_TOKEN", AWS_TOKEN.text);
    command.env("TRUEUP_GIT_TOKEN", GIT_TOKEN.text).env("TRUEUP_SSH_PASSPHRASE", PASSPHRASE.text);
    let key = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", SSH_KEY.text);
    command.env("TRUEUP_SSH_KEY", key).env("TRUEUP_WEBHOOK_SECRET", WEBHOOK.text);
}

/// Writes a configuration that sends everything to the receiver; returns its path.
fn notifications(directory: &Path, receiver: &Receiver) -> Result<String> {
    let file = |name: &str, text: &str| -> Result<String> {
        let path = directory.join(name);
        fs::write(&path, format!("{text}\n"))?;
        Ok(path.display().to_string())
    };
    let chat = file("chat", &receiver.url(&format!("/chat/{}", CHAT_URL.text)))?;
    let hook = file("hook", &receiver.url(&format!("/hook/{}", HOOK_URL.text)))?;
    let (secret, token) = (file("secret", HOOK_SECRET.text)?, file("token", STATUS_TOKEN.text)?);
    // One that no server accepts: why it cannot be delivered is logged.
    let nowhere = file("nowhere", &format!("http://127.0.0.1:1/{}", HOOK_URL.text))?;
    let api = receiver.url("/api");
    let text = format!(
        r#"
[[notifications]]
kind = "slack"
url_file = "{chat}"
events = ["*"]

[[notifications]]
kind = "webhook"
url_file = "{hook}"
secret_file = "{secret}"
events = ["*"]

[[notifications]]
kind = "webhook"
url_file = "{nowhere}"
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

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Sends a request and gives all of the answer.
fn ask(address: SocketAddr, request: &str) -> Result<String> {
    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(LIMIT))?;
    client.write_all(request.as_bytes())?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}

fn get(address: SocketAddr, path: &str) -> Result<String> {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

/// The answer to a question that was not asked too soon after others.
fn page(address: SocketAddr, path: &str) -> Result<String> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let page = get(address, path)?;
        if !page.starts_with("HTTP/1.1 429") {
            return Ok(page);
        }
        ensure!(Instant::now() < deadline, "{path}: {page}");
        thread::yield_now();
    }
}

/// Waits until the daemon has emitted an event that has all of these in it.
fn wait_for_event(address: SocketAddr, parts: &[&str]) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let page = get(address, "/api/v1/events?limit=500").unwrap_or_default();
        let has = |line: &str| parts.iter().all(|part| line.contains(part));
        if page.split("{\"time\"").any(has) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "no event with {parts:?} came; there were\n{page}");
        thread::yield_now();
    }
}

/// Somebody deploys another value by hand.
fn change_by_hand(world: &World) -> Result<()> {
    let now = world.task_definition()?;
    let mut container = now["containerDefinitions"][0].clone();
    container["environment"] = json!([{"name": "LOG_LEVEL", "value": LIVE.text}]);
    let params = json!({
        "family": now["family"], "containerDefinitions": [container], "networkMode": now["networkMode"],
        "requiresCompatibilities": now["requiresCompatibilities"], "cpu": now["cpu"], "memory": now["memory"],
        "executionRoleArn": now["executionRoleArn"], "taskRoleArn": now["taskRoleArn"],
    });
    let registered = world.call("ecs", "register_task_definition", &params)?;
    let arn = &registered["taskDefinition"]["taskDefinitionArn"];
    world.call("ecs", "update_service", &json!({"cluster": CLUSTER, "service": SERVICE, "taskDefinition": arn}))?;
    Ok(())
}

/// Commits that are refused: what they write in place of what, with the canary in it.
fn mistakes() -> [(&'static str, String); 5] {
    let image = "image = \"${image.backend}\"";
    [
        (VARIABLE, format!("{{ name = \"LOG_LEVEL\", valeu = \"{}\" }}", MISSPELT.text)),
        (VARIABLE, format!("{{ name = \"LOG_LEVEL\", value = \"{} }}", UNTERMINATED.text)),
        (VARIABLE, format!("{{ name = \"LOG_LEVEL\", value = \"INFO\", value = \"{}\" }}", TWICE.text)),
        (VARIABLE, format!("{{ name = \"API_TOKEN\", value = \"ghp_{}\" }}", PLAINTEXT.text)),
        (image, format!("{image}\ncommand = [\"serve\", \"--db-password={}\"]", PLAINTEXT.text)),
    ]
}

/// Puts the example with another text in its place into the clone.
fn write_example(scenario: &Scenario, old: &str, new: &str) -> Result<()> {
    scenario.repository.copy(&trueup_e2e::example(), "desired-state")?;
    scenario.repository.edit(TASK_DEFINITION, old, new)
}

/// The example with this value of the variable.
fn write_value(scenario: &Scenario, value: &str) -> Result<()> {
    write_example(scenario, VARIABLE, &VARIABLE.replace("INFO", value))
}

/// Fails where a canary is in a file of the cache, other than git's own store.
fn search_files(directory: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && path.extension().is_none_or(|ending| ending != "git") {
            count += search_files(&path)?;
        } else if path.is_file() {
            silent(&CANARIES, &path.display().to_string(), &fs::read(&path)?)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Fails where a canary came out of any process, or is in the cache, or in a request to AWS that is not for it.
fn search(scenario: &Scenario) -> Result<()> {
    for (what, text) in scenario.printed() {
        silent(&CANARIES, &what, text.as_bytes())?;
    }
    ensure!(search_files(&scenario.cache())? > 0, "nothing is in the cache");
    let mut registered = false;
    for request in scenario.world.requests(0)? {
        let input = request.input.to_string();
        let is_registration = request.operation == "ecs:RegisterTaskDefinition";
        registered |= is_registration && input.contains(IN_GIT.text);
        let others = &CANARIES[usize::from(is_registration)..];
        silent(others, &request.operation, input.as_bytes())?;
    }
    ensure!(registered, "the value went where it belongs");
    Ok(())
}

/// A daemon that is sent everything, asked for everything, and for which much fails.
fn run_daemon(scenario: &Scenario, format: &str) -> Result<()> {
    let (world, repository, receiver) = (&scenario.world, &scenario.repository, Receiver::start()?);
    let directory = tempfile::tempdir()?;
    let (pages, webhooks) = (free_address()?, free_address()?);
    write_value(scenario, IN_GIT.text)?;
    repository.push("The e-learning system")?;
    let mut command = scenario.command("run");
    command.args(["--log-format", format, "--git-interval", "1s", "--interval", "1s", "--cloudwatch"]);
    command.args(["--listen", &pages.to_string(), "--webhook-listen", &webhooks.to_string()]);
    command.args(["--config", &notifications(directory.path(), &receiver)?]);
    command.env("AWS_ENDPOINT_URL_CLOUDWATCH", receiver.url(""));
    arm(&mut command);
    let mut daemon = scenario.start_process(command)?;
    world.wait_for("CreateService", 0, 1)?;
    world.wait_for_rest(0)?;

    let hook = |token: &str, body: &str| {
        let head = format!("POST /{} HTTP/1.1\r\nHost: x\r\nX-Gitlab-Event: Push Hook\r\n", FORGED.text);
        ask(webhooks, &format!("{head}X-Gitlab-Token: {token}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    };
    let body = json!({"ref": "refs/heads/main", "repository": {"git_http_url": FORGED.text}}).to_string();
    for (token, status) in [(WEBHOOK.text, "200"), (FORGED.text, "401")] {
        let answer = hook(token, &body)?;
        ensure!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        silent(&CANARIES, "a webhook's answer", answer.as_bytes())?;
    }
    silent(&CANARIES, "the answer to a body that is none", hook(WEBHOOK.text, FORGED.text)?.as_bytes())?;

    let mark = world.mark()?;
    change_by_hand(world)?;
    wait_for_event(pages, &["drift.detected", "LOG_LEVEL"])?;
    world.wait_for("UpdateService", mark, 1)?;
    world.wait_for_rest(mark)?;

    for (number, (old, new)) in mistakes().iter().enumerate() {
        write_example(scenario, old, new)?;
        let commit = repository.push(&format!("Wrong in way {number}"))?;
        wait_for_event(pages, &["hold.started", &commit])?;
    }
    write_value(scenario, IN_GIT.text)?;
    let commit = repository.push("Right again")?;
    wait_for_event(pages, &["revision.accepted", &commit])?;
    world.wait_for_rest(world.mark()?)?;

    // AWS refuses, and repeats what it was sent; then git is gone.
    world.inject("RegisterTaskDefinition", Fault::Fail { times: 100, status: 400 })?;
    write_value(scenario, &format!("{}-2", IN_GIT.text))?;
    repository.push("Another value")?;
    wait_for_event(pages, &["step.failed", "some constraint is not satisfied by"])?;
    fs::rename(repository.url(), directory.path().join("moved.git"))?;
    wait_for_event(pages, &["source.failed"])?;

    for path in [
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/v1/applications",
        "/api/v1/applications/production/elearning",
        "/api/v1/events?limit=500",
        "/api/v1/nothing",
        "/api/v1/events?limit=none",
    ] {
        silent(&CANARIES, path, page(pages, path)?.as_bytes())?;
    }
    daemon.signal(Signal::TERM)?;
    let status = daemon.wait(Duration::from_secs(30))?;
    ensure!(status.code() == Some(0), "{status}: {}", daemon.last_words());
    search_posted(&receiver)?;
    search(scenario)?;
    let logged = scenario.printed().into_iter().find(|(what, _)| what.starts_with("stderr")).context("a log")?.1;
    ensure!(logged.contains("DEBUG") || logged.contains("INFO"), "the log has everything there is: {logged}");
    Ok(())
}

/// Fails where a canary was sent outwards, but for where it is what lets us in.
fn search_posted(receiver: &Receiver) -> Result<()> {
    let posted = receiver.posted();
    for begin in ["/chat/", "/hook/", "/api/repos/", "/service/"] {
        let some = posted.iter().any(|post| post.path.starts_with(begin));
        ensure!(some, "nothing was sent to {begin}: {:?}", posted.iter().map(|post| &post.path).collect::<Vec<_>>());
    }
    for post in posted {
        silent(&CANARIES, &format!("the body sent to {}", post.path), &post.body)?;
        for (name, value) in &post.headers {
            let lets_in = matches!(name.as_str(), "authorization" | "x-amz-security-token");
            if !lets_in {
                silent(&CANARIES, &format!("the header {name} sent to {}", post.path), value.as_bytes())?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_daemon_that_logs_json_says_no_secret() {
    scenario(|scenario| run_daemon(scenario, "json"));
}

#[test]
fn a_daemon_that_logs_text_says_no_secret() {
    scenario(|scenario| run_daemon(scenario, "text"));
}

/// A git server that refuses every client, and what was said to it.
struct Closed {
    address: SocketAddr,
    heard: Arc<Mutex<String>>,
}

impl Closed {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let closed = Self { address: listener.local_addr()?, heard: Arc::default() };
        let heard = Arc::clone(&closed.heard);
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut request = [0; 4096];
                let read = client.read(&mut request).unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..read]).into_owned();
                heard.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\
                              Connection: close\r\n\r\n";
                // Whoever went away needs no answer.
                let _ = client.write_all(answer.as_bytes());
            }
        });
        Ok(closed)
    }
}

#[test]
fn commands_say_no_secret_in_any_format() {
    scenario(|scenario| {
        let world = &scenario.world;
        write_value(scenario, IN_GIT.text)?;
        scenario.repository.push("The e-learning system")?;
        let run = |subcommand: &str, arguments: &[&str]| -> Result<Option<i32>> {
            let mut command = scenario.command(subcommand);
            command.args(arguments);
            arm(&mut command);
            Ok(scenario.finish(command)?.code)
        };
        let formats = ["text", "json"];
        ensure!(run("apply", &["--timeout", "1m"])? == Some(0), "{:?}", scenario.printed());
        write_value(scenario, &format!("{}-2", IN_GIT.text))?;
        scenario.repository.push("Another value")?;
        change_by_hand(world)?;
        for format in ["text", "json", "markdown"] {
            ensure!(run("plan", &["--format", format])? == Some(1), "{:?}", scenario.printed());
        }
        for format in formats {
            run("status", &["--format", format])?;
            run("why", &["elearning", "--format", format])?;
        }
        ensure!(scenario.printed().iter().any(|(_, text)| text.contains("LOG_LEVEL")), "the plan names what differs");
        world.inject("RegisterTaskDefinition", Fault::Fail { times: 2, status: 400 })?;
        for format in formats {
            run("apply", &["--timeout", "10s", "--format", format])?;
        }
        search(scenario)
    });
}

#[test]
fn commands_on_files_say_no_secret_in_any_format() {
    scenario(|scenario| {
        let run = |arguments: &[&str]| -> Result<Option<i32>> {
            let mut command = scenario.bare_command();
            command.args(arguments);
            arm(&mut command);
            Ok(scenario.finish(command)?.code)
        };
        let tree = scenario.repository.clone_directory().join("desired-state");
        let tree = tree.to_str().context("a path is text")?;
        for (old, new) in mistakes() {
            write_example(scenario, old, &new)?;
            for format in ["text", "json"] {
                ensure!(run(&["check", tree, "--format", format])? == Some(1), "{:?}", scenario.printed());
            }
            ensure!(run(&["iam-policy", tree])? == Some(1), "{:?}", scenario.printed());
        }
        write_value(scenario, IN_GIT.text)?;
        ensure!(run(&["iam-policy", tree])? == Some(0), "{:?}", scenario.printed());

        let directory = tempfile::tempdir()?;
        let file = |name: &str, value: &Value| -> Result<String> {
            let path = directory.path().join(name);
            fs::write(&path, value.to_string())?;
            Ok(path.display().to_string())
        };
        let document = |text: &str| {
            let variables = json!([{"name": "LOG_LEVEL", "value": text}]);
            json!({"family": "web", "containerDefinitions": [
                {"name": "web", "image": "web:1", "memory": 128, "environment": variables}]})
        };
        let mut misspelt = document(IN_GIT.text);
        misspelt["containerDefinitions"][0]["environment"][0] = json!({"name": "LOG_LEVEL", "valeu": MISSPELT.text});
        let (git, aws, wrong) =
            (file("git.json", &document(IN_GIT.text))?, file("aws.json", &document(LIVE.text))?, file("w", &misspelt)?);
        let cases = [(document(IN_GIT.text), document(LIVE.text)), (misspelt, document(LIVE.text))];
        let cases = cases.map(|(desired, live)| json!({"kind": "task-definition", "desired": desired, "live": live}));
        let cases = file("cases.json", &json!(cases))?;
        let broken = directory.path().join("broken.json");
        let text = document(UNTERMINATED.text).to_string();
        let (begin, _) = text.split_once(UNTERMINATED.text).context("it is there")?;
        fs::write(&broken, format!("{begin}{}", UNTERMINATED.text))?;
        let broken = broken.display().to_string();
        for format in ["text", "json"] {
            // the files | the exit code
            for (desired, live, code) in [(&git, &aws, 1), (&wrong, &aws, 2), (&broken, &aws, 2), (&git, &broken, 2)] {
                let found = run(&["diff", "--kind", "task-definition", desired, live, "--format", format])?;
                ensure!(found == Some(code), "{desired} {live}: {found:?} {:?}", scenario.printed());
            }
        }
        run(&["diff", "--cases", &cases])?;
        for (what, text) in scenario.printed() {
            silent(&CANARIES, &what, text.as_bytes())?;
        }
        Ok(())
    });
}

#[test]
fn what_cannot_be_reached_is_told_without_a_secret() {
    scenario(|scenario| {
        let closed = Closed::start()?;
        let with_password = format!("https://somebody:{}@127.0.0.1:1/state.git", URL_PASSWORD.text);
        let repositories = [
            format!("http://{}/state.git", closed.address),
            "https://127.0.0.1:1/state.git".to_owned(),
            "ssh://git@127.0.0.1:1/state.git".to_owned(),
            with_password,
        ];
        for repository in &repositories {
            for arguments in [&["plan"] as &[&str], &["run", "--once", "--log-format", "json"]] {
                let [subcommand, rest @ ..] = arguments else { bail!("a command has a name") };
                let mut command = scenario.command_on(subcommand, repository);
                command.args(rest);
                arm(&mut command);
                let finished = scenario.finish(command)?;
                ensure!(finished.code != Some(0), "{repository}: {finished:?}");
            }
        }
        let heard = closed.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ensure!(silent(&[GIT_TOKEN], "the server", heard.as_bytes()).is_err(), "the token was tried: {heard}");

        // An AWS that cannot be reached, and one that refuses every client.
        scenario.push_example()?;
        let nowhere = "http://127.0.0.1:1".to_owned();
        for endpoint in [nowhere, format!("http://{}", closed.address)] {
            for format in ["text", "json"] {
                let mut command = scenario.command("plan");
                command.args(["--format", format]);
                arm(&mut command);
                command.env("AWS_ENDPOINT_URL", &endpoint);
                let finished = scenario.finish(command)?;
                ensure!(finished.code != Some(0), "{endpoint}: {finished:?}");
            }
        }
        // Secrets that are none.
        for (variable, text) in [("TRUEUP_GIT_TOKEN", GIT_TOKEN.text), ("TRUEUP_WEBHOOK_SECRET", WEBHOOK.text)] {
            let mut command = scenario.command("run");
            command.args(["--once", "--webhook-listen", "127.0.0.1:0"]);
            arm(&mut command);
            command.env(variable, format!("{text}\n\n\u{1}x\n{text}"));
            scenario.finish(command)?;
        }
        for (what, text) in scenario.printed() {
            silent(&CANARIES, &what, text.as_bytes())?;
        }
        search_files(&scenario.cache()).map(drop)
    });
}
