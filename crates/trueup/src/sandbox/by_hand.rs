//! What somebody changes behind trueup's back: the calls that a console makes, sent to the sandbox that runs.
//!
//! Sent as AWS's wire protocols have it and nothing more, because the point is that anybody may do this: the AWS CLI does
//! the same.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};

use super::site::{CLUSTER, SERVICE};
use crate::cli::Drift;
use crate::terminal::Hinted;

/// The file in the sandbox's directory with the address that its AWS listens on.
pub const ENDPOINT_FILE: &str = "endpoint";

/// Who does it, as CloudTrail tells.
const PERSON: &str = "somebody";

/// How long the sandbox may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Changes something in the sandbox that runs from `dir`.
///
/// # Errors
/// When none runs, or it refuses.
pub fn drift(dir: &Path, what: Option<Drift>) -> Result<ExitCode> {
    let file = dir.join(ENDPOINT_FILE);
    let address = fs::read_to_string(&file).map_err(|_| not_running(dir))?;
    let aws = Console { address: address.trim().to_owned() };
    let done = aws.change(what.unwrap_or(Drift::HealthCheck)).with_context(|| format!("cannot ask {}", aws.address))?;
    println!("{done}");
    println!("Watch the sandbox: `drift.detected`, then the call that heals it, then `drift.resolved`.");
    Ok(ExitCode::SUCCESS)
}

fn not_running(dir: &Path) -> anyhow::Error {
    let message = format!("no sandbox runs in `{}`", dir.display());
    Hinted::new(message, "start one with `trueup sandbox`, or name its directory with `--dir`").into()
}

/// A console's connection.
pub struct Console {
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Console {
    /// Changes one thing; says what, for people.
    ///
    /// # Errors
    /// When nobody answers, or AWS refuses.
    pub fn change(&self, what: Drift) -> Result<String> {
        match what {
            Drift::DesiredCount => {
                self.ecs("UpdateService", &json!({"cluster": CLUSTER, "service": SERVICE, "desiredCount": 3}))?;
                Ok(format!("Somebody set desiredCount of {SERVICE} to 3."))
            }
            Drift::HealthCheck => {
                let name = "elearning-system-backend-tg";
                let found = self.elb("DescribeTargetGroups", &[("Names.member.1", name)])?;
                let arn = between(&found, "<TargetGroupArn>", "</TargetGroupArn>")
                    .ok_or_else(|| anyhow!("there is no target group `{name}` yet; wait for the first rollout"))?;
                self.elb("ModifyTargetGroup", &[("TargetGroupArn", arn), ("HealthCheckIntervalSeconds", "120")])?;
                Ok(format!("Somebody set the health check interval of {name} to 120 seconds."))
            }
            Drift::Deployment => {
                let configuration = json!({"minimumHealthyPercent": 0, "maximumPercent": 100});
                self.ecs(
                    "UpdateService",
                    &json!({"cluster": CLUSTER, "service": SERVICE, "deploymentConfiguration": configuration}),
                )?;
                Ok(format!("Somebody let {SERVICE} stop its only task before a new one runs (0 % / 100 %)."))
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
        ensure!(answer.starts_with("HTTP/1.1 200"), "the simulated AWS refuses: {answer}");
        Ok(answer)
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}
