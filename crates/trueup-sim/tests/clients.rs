//! Real clients on the loopback port: boto3 with its waiters and paginators, the AWS CLI, and moto as another opinion.
//!
//! The scripts in `clients/` say what is asked. Every answer that boto3 gets is judged by AWS's own service models, as
//! botocore ships them (`clients/judge.py`).

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::runtime::Runtime;
use trueup_sim::serve::{Pace, Server};
use trueup_sim::services::ecr::{self, Build};
use trueup_sim::services::{cloudwatch, parameters, secrets};
use trueup_sim::workload::{Behaviour, Exit, Health};
use trueup_sim::{Simulator, Time, World, setup};

/// The account that moto has too.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";

/// Virtual seconds of a real one: a rollout of minutes takes a second or two.
const SPEED: u32 = 120;

#[test]
fn the_judge_of_answers_finds_what_is_wrong_with_them() {
    run("judge_test.py", 1);
}

#[test]
fn boto3_lives_through_the_lives_of_services() {
    // Two worlds: what is uncertain goes one way in one of them and the other way in the other, often enough.
    for seed in [1, 2] {
        run("ecs.py", seed);
    }
}

#[test]
fn boto3_lives_through_the_lives_of_load_balancers() {
    run("elb.py", 1);
}

#[test]
fn boto3_reads_the_other_services_in_each_protocol_they_speak() {
    run("others.py", 1);
}

#[test]
fn the_aws_cli_deploys_waits_and_fails_with_its_exit_codes() {
    run("cli.py", 1);
}

#[test]
fn answers_have_the_shape_of_motos_but_for_the_listed_differences() {
    run("compare.py", 1);
}

/// Runs a script against a simulator of its own.
fn run(script: &str, seed: u64) {
    let runtime = Runtime::new().expect("a runtime needs threads and nothing else");
    let simulator = Simulator::around(world(seed));
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let server = runtime.block_on(Server::start(address, simulator, Pace { speed: SPEED })).expect("a free port");
    let output = Command::new(interpreter())
        .arg(scripts().join(script))
        // Nothing of the machine's own configuration may reach a client.
        .env_clear()
        .envs(["PATH", "HOME", "LANG"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("AWS_ENDPOINT_URL", server.url())
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "the simulator does not verify signatures")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the interpreter is there");
    runtime.block_on(server.stop());
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} with seed {seed}: {}\n{said}", output.status);
}

/// What stands there before the clients come. `compare.py` makes the same in moto.
fn world(seed: u64) -> World {
    let mut world = World::new(ACCOUNT, REGION, seed, Time::START);
    let exit = Exit { after: Duration::from_secs(1), code: 1, out_of_memory: false };
    world.workloads.script("web:broken", Behaviour { exits: Some(exit), ..Behaviour::default() });
    // Long enough to be seen running by a client that looks ten times a second.
    let done = Exit { after: Duration::from_mins(10), code: 0, out_of_memory: false };
    world.workloads.script("web:silent", Behaviour { health: Health::Silent, ..Behaviour::default() });
    world.workloads.script("job:1", Behaviour { exits: Some(done), ..Behaviour::default() });
    for repository in ["backend", "frontend", "worker"] {
        ecr::push(&mut world, repository, "single", &Build::of("single"));
        ecr::push(&mut world, repository, "multi", &Build::of("multi").on(&["linux/amd64", "linux/arm64"]));
    }
    for name in ["app/database", "app/redis", "app/queue"] {
        secrets::create(&mut world, name);
    }
    for name in ["/app/one", "/app/two", "/app/three"] {
        parameters::put(&mut world, name);
    }
    for name in ["errors", "latency", "traffic"] {
        cloudwatch::set_alarm(&mut world, name, "OK");
    }
    let vpc = [("Network", "AWS::EC2::VPC", setup::VPC)];
    setup::stack(&mut world, "infrastructure", &[("VpcId", setup::VPC)], &vpc);
    world
}

/// The Python with boto3, moto and the AWS CLI in it, which `tests/venv` of the repository makes when it is not there.
fn interpreter() -> PathBuf {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/venv");
    // Beside the directory for tests lies what else cargo builds: the end-to-end tests have the same environment there.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
    let needs = "these tests need Python 3.10 or newer with `venv` (Debian: python3-venv)";
    let output = Command::new("python3").arg(venv).arg(target).output().expect(needs);
    assert!(output.status.success(), "{needs}:\n{}", String::from_utf8_lossy(&output.stderr));
    let directory = String::from_utf8(output.stdout).expect("a directory's name is text");
    Path::new(directory.trim_end()).join("bin/python")
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}
