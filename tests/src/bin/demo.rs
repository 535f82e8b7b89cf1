//! The main job on one machine, to watch and to play with: an AWS that others wrote, a git repository, and the daemon.
//!
//! ```text
//! cargo run --bin demo            # until Ctrl-C
//! cargo run --bin demo -- --once  # plays the story by itself and ends
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use serde_json::json;
use trueup_e2e::process::{Output, Process, Signal};
use trueup_e2e::python;
use trueup_e2e::scenario::Scenario;
use trueup_e2e::world::{CLUSTER, SERVICE};

/// How long the daemon may take to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// How soon Ctrl-C is noticed.
const GLANCE: Duration = Duration::from_millis(200);

/// Brings the e-learning example up on a simulated AWS (moto), from a git repository that you can push to.
#[derive(Parser)]
struct Arguments {
    /// Play the whole story without anybody: bring up, push a change, change something by hand, see it healed, end.
    #[arg(long)]
    once: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tell("An AWS on this machine: moto, with the network, the load balancer and the registries of the example.");
    let scenario = Scenario::start()?;
    scenario.world.create_infrastructure()?;
    let revision = scenario.push_example()?;
    tell(&format!("desired-state/ is pushed as commit {}. The daemon begins:", &revision[..12]));

    let mut command = scenario.command("run");
    command.args(["--log-format", "text", "--git-interval", "2s", "--interval", "3s"]);
    let mut daemon = Process::start(command, Output::Shown)?;
    scenario.world.wait_for("CreateService", 0, 1)?;
    scenario.world.wait_for_rest(0)?;
    if arguments.once {
        play(&scenario)?;
    } else {
        explain(&scenario)?;
        wait_for_ctrl_c(&mut daemon)?;
    }
    daemon.signal(Signal::TERM)?;
    let status = daemon.wait(END_LIMIT)?;
    ensure!(status.success(), "the daemon ended with {status}");
    scenario.judge_requests()?;
    tell("The daemon has ended; every request it sent was one that AWS's own models allow.");
    Ok(())
}

/// Plays what a person would do, and waits for each effect.
fn play(scenario: &Scenario) -> Result<()> {
    let world = &scenario.world;
    tell("Everything is there. Now a commit: the backend's health check every 45 seconds instead of every 60.");
    let mark = world.mark()?;
    scenario.repository.edit(
        "desired-state/elearning/target-groups/backend.toml",
        "HealthCheckIntervalSeconds = 60",
        "HealthCheckIntervalSeconds = 45",
    )?;
    scenario.repository.push("Check the backend more often")?;
    world.wait_for("ModifyTargetGroup", mark, 1)?;
    world.wait_for_rest(mark)?;
    let interval = &world.target_group("elearning-system-backend-tg")?["HealthCheckIntervalSeconds"];
    ensure!(*interval == 45, "AWS has an interval of {interval}");

    tell("And somebody, by hand: three tasks instead of one.");
    let mark = world.mark()?;
    world.call("ecs", "update_service", &json!({"cluster": CLUSTER, "service": SERVICE, "desiredCount": 3}))?;
    world.wait_for("UpdateService", mark, 1)?;
    world.wait_for_rest(mark)?;
    let service = world.service()?.context("the service is gone")?;
    ensure!(service["desiredCount"] == 1, "AWS has a desired count of {}", service["desiredCount"]);

    tell("It is as git has it again. `trueup status`:");
    let status = scenario.run("status", &[])?;
    print!("{}", status.stdout);
    ensure!(status.code == Some(0), "status ended with {:?}: {}", status.code, status.stderr);
    Ok(())
}

/// Says what there is to play with.
fn explain(scenario: &Scenario) -> Result<()> {
    let clone = scenario.repository.clone_directory().display();
    let endpoint = &scenario.world.direct;
    let python = python::interpreter()?;
    let client = python::script("client.py");
    let by_hand = json!({"cluster": CLUSTER, "service": SERVICE, "desiredCount": 3});
    tell(&format!(
        "Everything is there, and the daemon watches. In another terminal:

  push a change
    cd {clone}
    $EDITOR desired-state/elearning/target-groups/backend.toml
    git commit -am 'Another interval' && git push origin main

  change something behind its back
    AWS_ENDPOINT_URL={endpoint} {} {} \\
      ecs update_service '{by_hand}'

  look with the AWS CLI
    AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test aws --region ap-northeast-1 \\
      --endpoint-url {endpoint} ecs describe-services --cluster {CLUSTER} --services {SERVICE}

Ctrl-C ends it and takes everything away again.",
        python.display(),
        client.display(),
    ));
    Ok(())
}

/// Waits for Ctrl-C, or for the daemon to end by itself.
fn wait_for_ctrl_c(daemon: &mut Process) -> Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&interrupted);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            told.store(true, Ordering::Relaxed);
        }
    });
    while !interrupted.load(Ordering::Relaxed) {
        if let Ok(status) = daemon.wait(GLANCE) {
            anyhow::bail!("the daemon ended by itself with {status}");
        }
    }
    Ok(())
}

fn tell(text: &str) {
    println!("\n== {text}\n");
}
