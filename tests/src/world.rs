//! The AWS of one test: moto behind a recorder of requests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};

use crate::process::Process;
use crate::python;

/// How long moto may take to start, or to answer one command beyond what the command itself may wait.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// How long anything that trueup should do may take before the test gives up.
pub const LIMIT: Duration = Duration::from_secs(90);

/// What has to be seen, of an operation that every cycle of trueup makes, before it is called at rest.
const CYCLES_AT_REST: u32 = 3;

/// The cluster of the example.
pub const CLUSTER: &str = "elearning-system-cluster";

/// The service of the example.
pub const SERVICE: &str = "elearning-system-service";

/// moto, the recorder in front of it, and another client than trueup.
pub struct World {
    process: RefCell<Process>,
    /// Where trueup's requests go: each is recorded.
    pub recorded: String,
    /// Where everybody else's requests go.
    pub direct: String,
    /// All recorded requests as JSON Lines.
    pub log: PathBuf,
}

/// A request that trueup sent.
#[derive(Clone)]
pub struct Request {
    /// Service and operation, such as `ecs:UpdateService`.
    pub operation: String,
    /// The request in the API's own JSON spelling.
    pub input: Value,
    /// Whether it changes something: it is not one of Describe, List, Get and `BatchGet`.
    pub mutating: bool,
    /// The HTTP status of the answer; `None` while there is none.
    pub status: Option<u64>,
    /// The answer, when it was an error.
    pub answer: Option<String>,
}

/// The operation, and what AWS said when it refused.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        match (&self.status, &self.answer) {
            (None, _) => write!(f, " (not answered)"),
            (Some(status), Some(answer)) => write!(f, " ({status}: {answer})"),
            (Some(_), None) => Ok(()),
        }
    }
}

/// What happens to the next requests of an operation.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// So many are answered with this HTTP status, and do not reach AWS.
    Fail {
        /// How many.
        times: u32,
        /// 500, 503, …
        status: u16,
    },
    /// They wait in front of AWS until [`World::drop_stalled`].
    Stall,
}

impl World {
    /// Starts moto with nothing in it. Services claim to run one task.
    ///
    /// # Errors
    /// When Python or moto are not to be had.
    pub fn start(directory: &Path) -> Result<Self> {
        let log = directory.join("requests.jsonl");
        let mut command = Command::new(python::interpreter()?);
        command.arg(python::script("world.py")).arg(&log);
        // moto's services do not run unless it is configured with how many tasks they claim to.
        command.env("MOTO_ECS_SERVICE_RUNNING", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = Process::start(command, &directory.join("moto"))?;
        let ready = answer(&mut process, ANSWER_LIMIT).context("moto does not start")?;
        let url = |name: &str| ready[name].as_str().map(str::to_owned).with_context(|| format!("no address `{name}`"));
        let (recorded, direct) = (url("recorded")?, url("direct")?);
        Ok(Self { process: RefCell::new(process), recorded, direct, log })
    }

    /// Creates what is there before trueup comes: stack, secrets, images.
    ///
    /// # Errors
    /// When moto refuses.
    pub fn create_infrastructure(&self) -> Result<()> {
        self.command(&json!({"do": "infrastructure"})).map(drop)
    }

    /// Makes one call as another client than trueup does: boto3's name of the service and of its method.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn call(&self, service: &str, operation: &str, params: &Value) -> Result<Value> {
        self.command(&json!({"do": "call", "service": service, "operation": operation, "params": params}))
            .with_context(|| format!("{service} {operation}"))
    }

    /// Pushes an image. Another `content` gives another digest. Gives the digest of the image for `linux/amd64` and
    /// others under the tag (an OCI index).
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn push_image(&self, repository: &str, tag: &str, content: &str) -> Result<String> {
        let command = json!({"do": "push_image", "repository": repository, "tag": tag, "content": content});
        Ok(self.command(&command)?.as_str().context("a digest is text")?.to_owned())
    }

    /// Enforces IAM from now on: calls need a key, a right signature and a policy that has the action. Gives the key of
    /// who is judged, and may do nothing until [`World::allow`]: its id and its secret.
    ///
    /// # Errors
    /// When moto has ended.
    pub fn enforce(&self) -> Result<[String; 2]> {
        let key = self.command(&json!({"do": "enforce"}))?;
        serde_json::from_value(key).context("a key is an id and a secret")
    }

    /// Lets who is judged do what a policy allows, one statement left out by its Sid. Only actions count.
    ///
    /// # Errors
    /// When moto refuses.
    pub fn allow(&self, policy: &Value, without: Option<&str>) -> Result<()> {
        self.command(&json!({"do": "allow", "policy": policy, "without": without})).map(drop)
    }

    /// Sends one recorded request of each operation once more, as who is judged, and gives whether IAM refuses it, by
    /// the action's name (`ecs:UpdateService`).
    ///
    /// # Errors
    /// When moto has ended.
    pub fn replay(&self) -> Result<BTreeMap<String, bool>> {
        serde_json::from_value(self.command(&json!({"do": "replay"}))?).context("actions, and whether they are refused")
    }

    /// Says how many tasks services claim to run from now on.
    ///
    /// # Errors
    /// When moto has ended.
    pub fn claim_running(&self, count: u32) -> Result<()> {
        self.command(&json!({"do": "running", "count": count})).map(drop)
    }

    /// How many requests were recorded until now: a mark for later questions.
    ///
    /// # Errors
    /// When moto has ended.
    pub fn mark(&self) -> Result<usize> {
        let count = self.command(&json!({"do": "count"}))?;
        count.as_u64().and_then(|count| count.try_into().ok()).context("a count is a number")
    }

    /// What was recorded since the mark.
    ///
    /// # Errors
    /// When moto has ended.
    pub fn requests(&self, since: usize) -> Result<Vec<Request>> {
        let recorded = self.command(&json!({"do": "requests", "since": since}))?;
        let recorded = recorded.as_array().context("requests are a list")?;
        let request = |value: &Value| Request {
            operation: [&value["service"], &value["operation"]].map(|part| part.as_str().unwrap_or("?")).join(":"),
            input: value["input"].clone(),
            mutating: value["mutating"] == true,
            status: value["status"].as_u64(),
            answer: value["answer"].as_str().map(str::to_owned),
        };
        Ok(recorded.iter().map(request).collect())
    }

    /// The requests since the mark that change something.
    ///
    /// # Errors
    /// When moto has ended.
    pub fn mutations(&self, since: usize) -> Result<Vec<Request>> {
        Ok(self.requests(since)?.into_iter().filter(|request| request.mutating).collect())
    }

    /// In which ways recorded requests are not what AWS's own models allow, by botocore's judgement.
    ///
    /// # Errors
    /// When moto has ended.
    pub fn violations(&self) -> Result<Vec<String>> {
        let found = self.command(&json!({"do": "violations"}))?;
        let found = found.as_array().context("violations are a list")?;
        Ok(found.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Disturbs the next requests of an operation (`UpdateService`).
    ///
    /// # Errors
    /// When moto has ended.
    pub fn inject(&self, operation: &str, fault: Fault) -> Result<()> {
        let command = match fault {
            Fault::Fail { times, status } => {
                json!({"do": "inject", "operation": operation, "action": "fail", "times": times, "status": status})
            }
            Fault::Stall => json!({"do": "inject", "operation": operation, "action": "stall"}),
        };
        self.command(&command).map(drop)
    }

    /// Ends the waiting of stalled requests: they never reach AWS. Later ones go through again.
    ///
    /// # Errors
    /// When moto has ended.
    pub fn drop_stalled(&self, operation: &str) -> Result<()> {
        self.command(&json!({"do": "release", "operation": operation, "then": "drop"})).map(drop)
    }

    /// Waits until a request of `operation` is held in front of AWS.
    ///
    /// # Errors
    /// When none came in time.
    pub fn wait_until_stalled(&self, operation: &str) -> Result<()> {
        self.wait(&json!({"do": "wait_for", "operation": operation, "since": 0, "count": 1, "stalled": true}))
            .with_context(|| format!("no {operation} was stalled"))
    }

    /// Waits until `count` requests of `operation` were answered since the mark.
    ///
    /// # Errors
    /// When they were not in time.
    pub fn wait_for(&self, operation: &str, since: usize, count: u32) -> Result<()> {
        self.wait(&json!({"do": "wait_for", "operation": operation, "since": since, "count": count})).with_context(
            || format!("{operation} was not called {count} times; there were {:?}", self.mutations(since)),
        )
    }

    /// Waits until trueup observed AWS several times since the mark, and changed nothing between or afterwards.
    ///
    /// # Errors
    /// When it did not come to rest in time.
    pub fn wait_for_rest(&self, since: usize) -> Result<()> {
        let command = json!({
            "do": "wait_for_rest", "operation": "DescribeServices", "since": since, "count": CYCLES_AT_REST,
        });
        self.wait(&command)
            .with_context(|| format!("trueup did not come to rest; its writes were {:?}", self.mutations(since)))
    }

    /// The example's service as AWS describes it; `None` when there is none or it was deleted.
    ///
    /// # Errors
    /// When AWS cannot be asked.
    pub fn service(&self) -> Result<Option<Value>> {
        let params = json!({"cluster": CLUSTER, "services": [SERVICE], "include": ["TAGS"]});
        let answer = self.call("ecs", "describe_services", &params)?;
        Ok(answer["services"].as_array().into_iter().flatten().find(|service| service["status"] == "ACTIVE").cloned())
    }

    /// The task definition that the example's service was last asked to run.
    ///
    /// # Errors
    /// When there is no service.
    pub fn task_definition(&self) -> Result<Value> {
        let service = self.service()?.context("there is no service")?;
        let params = json!({"taskDefinition": service["taskDefinition"], "include": ["TAGS"]});
        Ok(self.call("ecs", "describe_task_definition", &params)?["taskDefinition"].clone())
    }

    /// A target group as AWS describes it, by its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn target_group(&self, name: &str) -> Result<Value> {
        let answer = self.call("elbv2", "describe_target_groups", &json!({"Names": [name]}))?;
        Ok(answer["TargetGroups"][0].clone())
    }

    /// The rules of the example's listener, the default one left out.
    ///
    /// # Errors
    /// When there is no listener.
    pub fn rules(&self) -> Result<Vec<Value>> {
        let balancers = self.call("elbv2", "describe_load_balancers", &json!({"Names": ["elearning-system-alb"]}))?;
        let balancer = &balancers["LoadBalancers"][0]["LoadBalancerArn"];
        let listeners = self.call("elbv2", "describe_listeners", &json!({"LoadBalancerArn": balancer}))?;
        let listener = &listeners["Listeners"][0]["ListenerArn"];
        let rules = self.call("elbv2", "describe_rules", &json!({"ListenerArn": listener}))?;
        Ok(rules["Rules"].as_array().into_iter().flatten().filter(|rule| rule["IsDefault"] == false).cloned().collect())
    }

    fn wait(&self, command: &Value) -> Result<()> {
        let mut command = command.clone();
        command["limit"] = json!(LIMIT.as_secs());
        if self.command(&command)? != true {
            bail!("not within {LIMIT:?}");
        }
        Ok(())
    }

    fn command(&self, command: &Value) -> Result<Value> {
        let mut process = self.process.borrow_mut();
        process.write_line(&command.to_string())?;
        answer(&mut process, LIMIT + ANSWER_LIMIT)
    }
}

/// Reads one answer.
fn answer(process: &mut Process, limit: Duration) -> Result<Value> {
    let line = process.next_line(Instant::now() + limit)?;
    let line = line.with_context(|| format!("moto ended\n{}", process.last_words()))?;
    let mut answer: Value = serde_json::from_str(&line).with_context(|| format!("not an answer: {line}"))?;
    match answer.get_mut("ok") {
        Some(value) => Ok(value.take()),
        None => Err(anyhow!("{}", answer["error"].as_str().unwrap_or(&line))),
    }
}

/// The operations of requests, to compare with what was expected.
pub fn operations(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.operation.as_str()).collect()
}
