//! Manual changes: the calls that the AWS console makes, sent to the running sandbox.
//!
//! They are sent by AWS's wire protocols alone, as the AWS CLI does: trueup must see them as another writer's.

use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};

use super::Drift;
use super::site::{CLUSTER, SERVICE};
use crate::terminal::Hinted;

/// The file in the sandbox's directory with the address that its AWS listens on.
pub const ENDPOINT_FILE: &str = "endpoint";

/// The access key of the caller, which the simulated CloudTrail records.
const PERSON: &str = "somebody";

/// How long the sandbox may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Changes something in the sandbox that runs in `dir`.
///
/// # Errors
/// When no sandbox runs there, or the simulated AWS refuses the call.
pub fn drift(dir: &Path, what: Option<Drift>) -> Result<ExitCode> {
    let aws = Console { address: endpoint(dir)? };
    let done = aws
        .change(what.unwrap_or(Drift::HealthCheck))
        .with_context(|| format!("cannot call the simulated AWS at {}", aws.address))?;
    println!("{done}");
    println!("Watch the sandbox: `drift.detected`, then the call that corrects it, then `drift.resolved`.");
    Ok(ExitCode::SUCCESS)
}

/// The address of the simulated AWS of the sandbox that runs in `dir`.
fn endpoint(dir: &Path) -> Result<String> {
    let mut file = File::open(dir.join(ENDPOINT_FILE)).map_err(|_| not_running(dir))?;
    // A sandbox that was killed leaves its file, but not its lock.
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return Err(not_running(dir));
    }
    let mut address = String::new();
    file.read_to_string(&mut address).with_context(|| format!("cannot read `{ENDPOINT_FILE}`"))?;
    Ok(address)
}

fn not_running(dir: &Path) -> anyhow::Error {
    let message = format!("no sandbox is running in `{}`", dir.display());
    Hinted::new(message, "start one with `trueup sandbox`, or give its directory with `--dir`").into()
}

/// A client of the simulated AWS.
pub struct Console {
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Console {
    /// Applies one change, and returns a sentence that describes it.
    ///
    /// # Errors
    /// When the simulated AWS does not answer, or refuses the call.
    pub fn change(&self, what: Drift) -> Result<String> {
        match what {
            Drift::DesiredCount => {
                self.ecs("UpdateService", &json!({"cluster": CLUSTER, "service": SERVICE, "desiredCount": 3}))?;
                Ok(format!("Set desiredCount of service {SERVICE} to 3 manually."))
            }
            Drift::HealthCheck => {
                let name = "elearning-system-backend-tg";
                let found = self.elb("DescribeTargetGroups", &[("Names.member.1", name)])?;
                let arn = between(&found, "<TargetGroupArn>", "</TargetGroupArn>")
                    .ok_or_else(|| anyhow!("there is no target group `{name}` yet; wait for the first rollout"))?;
                self.elb("ModifyTargetGroup", &[("TargetGroupArn", arn), ("HealthCheckIntervalSeconds", "120")])?;
                Ok(format!("Set the health check interval of target group {name} to 120 seconds manually."))
            }
            Drift::Deployment => {
                let configuration = json!({"minimumHealthyPercent": 0, "maximumPercent": 200});
                self.ecs(
                    "UpdateService",
                    &json!({"cluster": CLUSTER, "service": SERVICE, "deploymentConfiguration": configuration}),
                )?;
                Ok(format!(
                    "Set minimumHealthyPercent of service {SERVICE} to 0 manually: a release may now stop all its tasks."
                ))
            }
        }
    }

    fn ecs(&self, action: &str, input: &Value) -> Result<String> {
        let target = format!("x-amz-target: AmazonEC2ContainerServiceV20141113.{action}\r\n");
        self.post("ecs", "application/x-amz-json-1.1", &target, &input.to_string())
    }

    fn elb(&self, action: &str, members: &[(&str, &str)]) -> Result<String> {
        let mut body = format!("Action={action}&Version=2015-12-01");
        for (name, value) in members {
            write!(body, "&{name}={}", value.replace(':', "%3A").replace('/', "%2F"))
                .expect("a string takes everything");
        }
        self.post("elasticloadbalancing", "application/x-www-form-urlencoded", "", &body)
    }

    fn post(&self, service: &str, kind: &str, more: &str, body: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let scope = format!("{PERSON}/20260101/ap-northeast-1/{service}/aws4_request");
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: {kind}\r\n{more}authorization: AWS4-HMAC-SHA256 \
             Credential={scope}, SignedHeaders=host, Signature=0\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "the simulated AWS refused the call: {body}");
        Ok(body.to_owned())
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}
