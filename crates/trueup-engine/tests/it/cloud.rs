//! An AWS in memory, as far as the loop needs one: it keeps resources as JSON and applies calls to them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use trueup_core::desired::{Environment, Lookup};
use trueup_core::diagnosis::{Deployment, Evidence, ServiceEvent, Task};
use trueup_core::live::{
    FailureKind, Live, LiveRule, LiveService, LiveTargetGroup, LiveTaskDefinition, Observed, OwnedResource,
    ReadFailure, Tags,
};
use trueup_core::model::Kind;
use trueup_core::names::{Arn, EnvironmentName, ServiceId};
use trueup_core::plan::{Call, Operation, Resource, RunningTasks};
use trueup_core::service_deployment::ServiceDeployment;
use trueup_ports::{Answer, CallError, Cloud, Clouds, Effect, EvidenceRequest, Wanted};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-central-1";

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// AWS refuses it.
    Refuse(FailureKind),
    /// It has its effect, and the answer is lost.
    LoseAnswer,
    /// The request is lost: no effect, and nobody knows.
    LoseRequest,
}

/// One cloud; clones share it.
#[derive(Clone, Default)]
pub struct FakeCloud {
    state: Arc<Mutex<State>>,
    released: Arc<Notify>,
    /// The environment that this clone was connected for.
    environment: Option<EnvironmentName>,
}

#[expect(clippy::struct_excessive_bools, reason = "each switches one disturbance on, whatever the others are")]
struct State {
    /// The account that answers, when it is another one.
    account: Option<String>,
    resources: Resources,
    /// What reads show instead of `resources`, for so many observations.
    stale: Option<(Resources, u32)>,
    /// Every mutating call that arrived, such as `UpdateService web`.
    calls: Vec<String>,
    observations: Vec<Wanted>,
    faults: VecDeque<(Operation, String, Fault)>,
    /// Calls on resources of this name wait until released.
    slow: Option<String>,
    /// How long every mutating call takes.
    latency: Duration,
    /// New rollouts stay in progress.
    rolling: bool,
    /// Whether the record of service deployments can be read.
    record_unreadable: bool,
    /// Every deployment that ECS was asked for, such as `web:2`.
    deployments: Vec<String>,
    /// The beginning of time, which is also the clock's of a world that begins with this cloud.
    begun: Option<Instant>,
    reads_fail: bool,
    /// The engine said that nothing is to be written any more.
    stopped: bool,
    /// Reads in this environment never end.
    hanging_reads: Option<EnvironmentName>,
    /// Services whose number of tasks an autoscaler governs; `None` when that cannot be read.
    autoscaled: Option<BTreeSet<String>>,
    /// Who changed whatever was changed, when somebody knows.
    changed_by: Option<String>,
    /// Tasks that are described, stopped ones only.
    tasks: Vec<Value>,
    /// What evidence was asked for.
    evidence: Vec<EvidenceRequest>,
    /// How often running tasks were asked for.
    counts: usize,
    /// Reading evidence never ends.
    hanging_evidence: bool,
    /// Lookups that were resolved one by one.
    lookups: Vec<Lookup>,
    next: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            account: None,
            resources: Resources::default(),
            stale: None,
            calls: Vec::new(),
            observations: Vec::new(),
            faults: VecDeque::new(),
            slow: None,
            latency: Duration::ZERO,
            rolling: false,
            record_unreadable: false,
            deployments: Vec::new(),
            begun: None,
            reads_fail: false,
            stopped: false,
            hanging_reads: None,
            autoscaled: Some(BTreeSet::new()),
            changed_by: None,
            tasks: Vec::new(),
            evidence: Vec::new(),
            counts: 0,
            hanging_evidence: false,
            lookups: Vec::new(),
            next: 0,
        }
    }
}

#[derive(Clone, Default)]
struct Resources {
    services: BTreeMap<ServiceId, (Value, Tags)>,
    /// In the order of registration.
    task_definitions: Vec<(Arn, Value, Tags)>,
    target_groups: BTreeMap<String, (Value, BTreeMap<String, String>, Tags)>,
    rules: BTreeMap<Arn, Vec<(Value, Tags)>>,
    /// The service deployments of a service, newest first, each with what its service revision says.
    record: BTreeMap<ServiceId, Vec<(Value, Value)>>,
    /// A service as it was before its newest deployment.
    before: BTreeMap<ServiceId, Value>,
}

impl FakeCloud {
    pub fn new() -> Self {
        let new = Self::default();
        new.state().begun = Some(Instant::now());
        new
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the lock")
    }

    /// The mutating calls since the last time, and forgets them.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// What was observed since the last time.
    pub fn take_observations(&self) -> Vec<Wanted> {
        std::mem::take(&mut self.state().observations)
    }

    /// From now on another account answers; `None` for the right one.
    pub fn answer_as(&self, account: Option<&str>) {
        self.state().account = account.map(str::to_owned);
    }

    /// The next such call on a resource of that name goes wrong.
    pub fn fault(&self, operation: Operation, name: &str, fault: Fault) {
        self.state().faults.push_back((operation, name.to_owned(), fault));
    }

    /// No fault from now on.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// The next observations show things as they are now, whatever is written meanwhile.
    pub fn show_stale(&self, observations: u32) {
        let mut state = self.state();
        state.stale = Some((state.resources.clone(), observations));
    }

    /// Whether reads fail from now on.
    pub fn fail_reads(&self, fail: bool) {
        self.state().reads_fail = fail;
    }

    /// Reads in that environment never end.
    pub fn hang_reads(&self, environment: &str) {
        self.state().hanging_reads = Some(EnvironmentName::new(environment));
    }

    /// What was looked up since the last time.
    pub fn take_lookups(&self) -> Vec<Lookup> {
        std::mem::take(&mut self.state().lookups)
    }

    /// Whether rollouts that begin from now on stay in progress.
    pub fn keep_rolling(&self, rolling: bool) {
        self.state().rolling = rolling;
    }

    /// Completes what is in progress.
    pub fn finish_rollouts(&self) {
        let mut state = self.state();
        state.rolling = false;
        for record in state.resources.record.values_mut() {
            if record[0].0["status"] == "IN_PROGRESS" {
                record[0].0["status"] = json!("SUCCESSFUL");
            }
        }
        for (service, _) in state.resources.services.values_mut() {
            service["deployments"][0]["rolloutState"] = json!("COMPLETED");
            service["deployments"][0]["runningCount"] = service["desiredCount"].clone();
            service["runningCount"] = service["desiredCount"].clone();
        }
    }

    /// ECS gives the newest deployment of a service up and is done with going back. Without a trace in the service
    /// itself, but for one event when `tells`.
    pub fn roll_back(&self, name: &str, tells: bool) {
        let mut state = self.state();
        let (id, now) = (service_id(name), state.now());
        let mut before = state.resources.before.get(&id).expect("there was another deployment").clone();
        if tells {
            let message = format!("(service {name}) rolling back to deployment ecs-svc/0.");
            before["events"] = json!([{"message": message, "createdAt": now}]);
        }
        let record = state.resources.record.get_mut(&id).expect("it was deployed");
        record[0].0["status"] = json!("ROLLBACK_SUCCESSFUL");
        record[0].0["finishedAt"] = json!(now);
        record[0].0["statusReason"] =
            json!("Service deployment rolled back because the circuit breaker threshold was exceeded.");
        let (service, _) = state.resources.services.get_mut(&id).expect("the service exists");
        *service = before;
    }

    /// Whether the record of service deployments can be read from now on.
    pub fn show_record(&self, readable: bool) {
        self.state().record_unreadable = !readable;
    }

    /// The deployments that ECS was asked for since the last time, such as `web:2`.
    pub fn take_deployments(&self) -> Vec<String> {
        std::mem::take(&mut self.state().deployments)
    }

    /// Another copy tags a service.
    pub fn tag_service(&self, name: &str, key: &str, value: &str) {
        let mut state = self.state();
        let (_, tags) = state.resources.services.get_mut(&service_id(name)).expect("the service exists");
        tags.insert(key.to_owned(), value.to_owned());
    }

    /// The tags of a service.
    pub fn service_tags(&self, name: &str) -> Tags {
        self.state().resources.services.get(&service_id(name)).map(|(_, tags)| tags.clone()).unwrap_or_default()
    }

    /// So many tasks of the service's newest deployment have failed by now, in a row, each for this reason.
    pub fn fail_tasks(&self, name: &str, count: usize, reason: &str) {
        let mut state = self.state();
        let (service, _) = state.resources.services.get_mut(&service_id(name)).expect("the service exists");
        let deployment = &mut service["deployments"][0];
        deployment["failedTasks"] = json!(count);
        let (id, revision) = (deployment["id"].clone(), deployment["taskDefinition"].clone());
        let task = |n| {
            json!({"taskArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/{n}"), "taskDefinitionArn": revision,
                   "startedBy": id, "lastStatus": "STOPPED", "stopCode": "TaskFailedToStart", "stoppedReason": reason,
                   "stoppedAt": 1_800_000_000 + n, "containers": []})
        };
        state.tasks = (0..count).map(task).collect();
    }

    /// A task of the newest deployment of a service begins to run.
    pub fn run_task(&self, name: &str) {
        let mut state = self.state();
        let now = state.now();
        let (service, _) = state.resources.services.get_mut(&service_id(name)).expect("the service exists");
        let deployment = &mut service["deployments"][0];
        deployment["runningCount"] = json!(1);
        let task = json!({"taskArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/0"), "lastStatus": "RUNNING",
                          "startedBy": deployment["id"], "startedAt": now, "containers": []});
        state.tasks = vec![task];
    }

    /// How often running tasks were asked for since the last time.
    pub fn take_counts(&self) -> usize {
        std::mem::take(&mut self.state().counts)
    }

    /// An hour has passed: no stopped task is described any more.
    pub fn forget_tasks(&self) {
        self.state().tasks.clear();
    }

    /// ECS gives the newest deployment of a service up.
    pub fn give_up(&self, name: &str) {
        self.change_service(name, |service| {
            service["deployments"][0]["rolloutState"] = json!("FAILED");
            service["deployments"][0]["rolloutStateReason"] =
                json!("ECS deployment circuit breaker: tasks failed to start.");
        });
    }

    /// Whether reading evidence never ends from now on.
    pub fn hang_evidence(&self, hang: bool) {
        self.state().hanging_evidence = hang;
    }

    /// What evidence was asked for since the last time.
    pub fn take_evidence(&self) -> Vec<EvidenceRequest> {
        std::mem::take(&mut self.state().evidence)
    }

    /// Calls on a resource of that name wait until [`FakeCloud::release`].
    pub fn hang(&self, name: &str) {
        self.state().slow = Some(name.to_owned());
    }

    /// Every mutating call takes so long from now on.
    pub fn delay(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Lets the waiting calls go.
    pub fn release(&self) {
        self.state().slow = None;
        self.released.notify_waiters();
    }

    /// An autoscaler governs these services from now on; `None` when nobody can tell.
    pub fn autoscale(&self, services: Option<&[&str]>) {
        self.state().autoscaled = services.map(|names| names.iter().map(|&name| name.to_owned()).collect());
    }

    /// AWS's records name somebody from now on.
    pub fn blame(&self, by: &str) {
        self.state().changed_by = Some(by.to_owned());
    }

    /// Somebody deletes a service by hand.
    pub fn delete_service(&self, name: &str) {
        self.state().resources.services.remove(&service_id(name));
    }

    /// Somebody changes a rule by hand, the only one there is.
    pub fn change_rule(&self, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        let (rule, _) = state.resources.rules.values_mut().flatten().next().expect("there is a rule");
        change(rule);
    }

    /// The only rule there is.
    pub fn rule(&self) -> Value {
        let state = self.state();
        let (rule, _) = state.resources.rules.values().flatten().next().expect("there is a rule");
        rule.clone()
    }

    /// Somebody changes a service by hand.
    pub fn change_service(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        let (service, _) = state.resources.services.get_mut(&service_id(name)).expect("the service exists");
        change(service);
    }

    /// A service's description.
    pub fn service(&self, name: &str) -> Option<Value> {
        self.state().resources.services.get(&service_id(name)).map(|(service, _)| service.clone())
    }

    /// Whether the engine said that nothing is to be written any more.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// How many task definition revisions there are.
    pub fn task_definitions(&self) -> usize {
        self.state().resources.task_definitions.len()
    }
}

fn service_id(name: &str) -> ServiceId {
    ServiceId { cluster: "main".to_owned(), name: name.to_owned() }
}

#[async_trait]
impl Clouds for FakeCloud {
    async fn cloud(&self, environment: &Environment) -> Arc<dyn Cloud> {
        Arc::new(Self { environment: Some(environment.name.clone()), ..self.clone() })
    }

    fn stop_writing(&self) {
        self.state().stopped = true;
    }
}

#[async_trait]
impl Cloud for FakeCloud {
    async fn account(&self) -> Result<String, ReadFailure> {
        Ok(self.state().account.clone().unwrap_or_else(|| ACCOUNT.to_owned()))
    }

    async fn observe(&self, wanted: &Wanted) -> Live {
        if self.environment.is_some() && self.state().hanging_reads == self.environment {
            std::future::pending::<()>().await;
        }
        let mut state = self.state();
        state.observations.push(wanted.clone());
        if state.reads_fail {
            return State::unreadable(wanted);
        }
        let mut live = match state.stale.take() {
            Some((before, times)) if times > 0 => {
                let mut live = before.observe(wanted);
                state.observe_scaling(wanted, &mut live);
                state.stale = Some((before, times - 1));
                live
            }
            _ => {
                let mut live = state.resources.observe(wanted);
                state.observe_scaling(wanted, &mut live);
                live
            }
        };
        if state.record_unreadable {
            let failure = ReadFailure {
                operation: "ecs:ListServiceDeployments".to_owned(),
                kind: FailureKind::Unavailable,
                message: "not implemented".to_owned(),
            };
            live.service_deployments.values_mut().for_each(|record| *record = Observed::Unknown(failure.clone()));
        }
        live
    }

    async fn last_change(&self, _: &Resource) -> Observed<String> {
        self.state().changed_by.clone().map_or(Observed::Absent, Observed::Present)
    }

    async fn resolve(&self, lookups: &BTreeSet<Lookup>) -> BTreeMap<Lookup, Observed<String>> {
        let mut state = self.state();
        state.lookups.extend(lookups.iter().cloned());
        let answer = |lookup: &Lookup| match lookup {
            Lookup::TargetGroup(name) => match state.resources.target_groups.get(name) {
                Some((description, _, _)) => Observed::Present(text(description, "TargetGroupArn")),
                None => Observed::Absent,
            },
            Lookup::Listener { load_balancer, port } => Observed::Present(format!(
                "arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/{load_balancer}/1/{port}"
            )),
            Lookup::Image { repository, tag, .. } => Observed::Present(format!("{repository}@sha256:{tag}")),
            Lookup::Secret(name) | Lookup::Parameter(name) => Observed::Present(format!("arn:{name}")),
            Lookup::StackResource { logical_id: id, .. } | Lookup::StackOutput { key: id, .. } => {
                Observed::Present(id.clone())
            }
        };
        lookups.iter().map(|lookup| (lookup.clone(), answer(lookup))).collect()
    }

    async fn evidence(&self, request: &EvidenceRequest) -> Evidence {
        let hangs = {
            let mut state = self.state();
            state.evidence.push(request.clone());
            state.hanging_evidence
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        let state = self.state();
        let service = state.resources.services.get(&request.service).map(|(service, _)| service);
        let service = service.map_or(Observed::Absent, Observed::Present);
        let is_own = |task: &Task| task.started_by.as_deref() == Some(request.deployment.as_str());
        Evidence {
            tasks: Observed::Present(state.tasks.iter().map(Task::read).filter(is_own).collect()),
            targets: BTreeMap::new(),
            events: service.clone().map(ServiceEvent::read_all),
            deployments: service.map(Deployment::read_all),
            service_deployments: Observed::Absent,
        }
    }

    async fn running_tasks(&self, request: &EvidenceRequest) -> RunningTasks {
        let hangs = {
            let mut state = self.state();
            state.counts += 1;
            state.hanging_evidence
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        let state = self.state();
        let is_own = |task: &Task| task.started_by.as_deref() == Some(request.deployment.as_str());
        let tasks = state.tasks.iter().map(Task::read).filter(is_own).collect();
        RunningTasks { tasks: Observed::Present(tasks), targets: BTreeMap::new() }
    }

    async fn execute(&self, call: &Call) -> Result<Answer, CallError> {
        let name = name_of(&call.input);
        loop {
            // Registered before the look at the state, so that a release in between is not missed.
            let released = self.released.notified();
            if self.state().slow.as_deref() != Some(name.as_str()) {
                break;
            }
            released.await;
        }
        let latency = self.state().latency;
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let mut state = self.state();
        state.calls.push(format!("{:?} {name}", call.operation));
        let fault = state.faults.iter().position(|(operation, on, _)| *operation == call.operation && *on == name);
        let fault = fault.and_then(|at| state.faults.remove(at)).map(|(_, _, fault)| fault);
        let error = |kind, effect| CallError {
            operation: format!("{:?}", call.operation),
            kind,
            code: None,
            message: "a fault of the test".to_owned(),
            request_id: None,
            effect,
        };
        match fault {
            None => {
                Ok(Answer { output: state.apply(call), request_id: Some(format!("request-{}", state.calls.len())) })
            }
            Some(Fault::Refuse(kind)) => Err(error(kind, Effect::None)),
            Some(Fault::LoseRequest) => Err(error(FailureKind::TimedOut, Effect::Unknown)),
            Some(Fault::LoseAnswer) => {
                state.apply(call);
                Err(error(FailureKind::TimedOut, Effect::Unknown))
            }
        }
    }
}

impl State {
    /// Seconds since 1970, by AWS's clock.
    fn now(&mut self) -> f64 {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        1_800_000_000.0 + begun.elapsed().as_secs_f64()
    }

    /// What an observation shows when no read succeeds.
    fn unreadable(wanted: &Wanted) -> Live {
        let failure = || ReadFailure {
            operation: "ecs:DescribeServices".to_owned(),
            kind: FailureKind::Throttled,
            message: "Rate exceeded".to_owned(),
        };
        Live {
            services: wanted.services.iter().map(|id| (id.clone(), Observed::Unknown(failure()))).collect(),
            families: wanted.families.keys().map(|family| (family.clone(), Observed::Unknown(failure()))).collect(),
            target_groups: wanted.target_groups.iter().map(|n| (n.clone(), Observed::Unknown(failure()))).collect(),
            rules: wanted.listeners.iter().map(|arn| (arn.clone(), Observed::Unknown(failure()))).collect(),
            inventory: wanted.inventory.as_ref().map(|_| Observed::Unknown(failure())),
            ..Live::default()
        }
    }

    fn observe_scaling(&self, wanted: &Wanted, live: &mut Live) {
        let answer = |id: &ServiceId| match &self.autoscaled {
            None => Observed::Unknown(ReadFailure {
                operation: "application-autoscaling:DescribeScalableTargets".to_owned(),
                kind: FailureKind::AccessDenied,
                message: "not authorized".to_owned(),
            }),
            Some(names) if names.contains(&id.name) => Observed::Present(()),
            Some(_) => Observed::Absent,
        };
        live.autoscaled = wanted.scaling.iter().map(|id| (id.clone(), answer(id))).collect();
    }

    /// Creates or updates a service, and begins its deployment number `n`.
    fn put_service(&mut self, input: &Value, n: u64) -> Value {
        let name = name_of(input);
        let id = service_id(&name);
        let before = self.resources.services.get(&id).map(|(service, _)| service.clone());
        let (mut service, tags) = match self.resources.services.remove(&id) {
            Some(before) => before,
            None => (
                json!({
                    "serviceArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:service/main/{name}"),
                    "clusterArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/main"),
                    "serviceName": name, "status": "ACTIVE", "runningCount": 0, "pendingCount": 0,
                }),
                tags_of(&input["tags"], "key", "value"),
            ),
        };
        for (member, value) in without(input, &["cluster", "service", "serviceName", "tags", "forceNewDeployment"])
            .as_object()
            .expect("a request is an object")
        {
            service[member] = value.clone();
        }
        service["taskDefinition"] = json!(self.resources.full_arn(&text(&service, "taskDefinition")));
        let deploys = ["serviceName", "taskDefinition", "networkConfiguration", "forceNewDeployment"];
        if deploys.iter().any(|member| input.get(*member).is_some()) {
            self.deployments.push(
                service["taskDefinition"].as_str().and_then(|t| t.rsplit('/').next()).expect("an ARN").to_owned(),
            );
            let entry = json!({
                "serviceDeploymentArn": format!("sd/{n}"), "targetServiceRevisionArn": format!("sr/{n}"),
                "createdAt": self.now(), "status": if self.rolling { "IN_PROGRESS" } else { "SUCCESSFUL" },
            });
            self.resources.record.entry(id.clone()).or_default().insert(0, (entry, service.clone()));
            if let Some(before) = before {
                self.resources.before.insert(id.clone(), before);
            }
        }
        let state = if self.rolling { "IN_PROGRESS" } else { "COMPLETED" };
        if !self.rolling {
            service["runningCount"] = service["desiredCount"].clone();
        }
        service["deployments"] = json!([{
            "id": format!("ecs-svc/{n}"), "status": "PRIMARY", "taskDefinition": service["taskDefinition"],
            "desiredCount": service["desiredCount"], "runningCount": service["runningCount"],
            "pendingCount": 0, "rolloutState": state, "rolloutStateReason": state, "createdAt": self.now(),
        }]);
        self.resources.services.insert(id, (service.clone(), tags.clone()));
        let mut answer = service;
        answer["tags"] = tags_to(&tags, "key", "value");
        json!({"service": answer})
    }

    /// Applies a call, and answers as AWS does.
    fn apply(&mut self, call: &Call) -> Value {
        self.next += 1;
        let n = self.next;
        let input = &call.input;
        match call.operation {
            Operation::RegisterTaskDefinition => {
                let family = text(input, "family");
                let number =
                    self.resources.task_definitions.iter().filter(|(_, d, _)| d["family"] == family).count() + 1;
                let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:{number}");
                let mut description = without(input, &["tags"]);
                description["taskDefinitionArn"] = json!(arn);
                description["revision"] = json!(number);
                description["status"] = json!("ACTIVE");
                let tags = tags_of(&input["tags"], "key", "value");
                self.resources.task_definitions.push((Arn::new(arn), description.clone(), tags));
                json!({"taskDefinition": description, "tags": input["tags"]})
            }
            Operation::CreateService | Operation::UpdateService => self.put_service(input, n),
            Operation::CreateTargetGroup => {
                let name = text(input, "Name");
                let mut description = without(input, &["Tags"]);
                description["TargetGroupName"] = json!(name);
                description["TargetGroupArn"] =
                    json!(format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/{n}"));
                let tags = tags_of(&input["Tags"], "Key", "Value");
                self.resources.target_groups.insert(name, (description.clone(), BTreeMap::new(), tags));
                json!({"TargetGroups": [description]})
            }
            Operation::ModifyTargetGroupAttributes => {
                let arn = text(input, "TargetGroupArn");
                let group =
                    self.resources.target_groups.values_mut().find(|(d, _, _)| text(d, "TargetGroupArn") == arn);
                let (_, attributes, _) = group.expect("what is modified exists");
                attributes.extend(tags_of(&input["Attributes"], "Key", "Value"));
                json!({"Attributes": tags_to(attributes, "Key", "Value")})
            }
            Operation::CreateRule => {
                let listener = text(input, "ListenerArn");
                let arn = format!("{}/{n}", listener.replacen(":listener/", ":listener-rule/", 1));
                let mut description = without(input, &["ListenerArn", "Tags"]);
                description["RuleArn"] = json!(arn);
                description["Priority"] = json!(input["Priority"].to_string());
                description["IsDefault"] = json!(false);
                let tags = tags_of(&input["Tags"], "Key", "Value");
                self.resources.rules.entry(Arn::new(listener)).or_default().push((description.clone(), tags));
                json!({"Rules": [description]})
            }
            Operation::TagResource | Operation::AddTags => {
                let (arns, key, value, list) = match call.operation {
                    Operation::TagResource => (vec![input["resourceArn"].clone()], "key", "value", &input["tags"]),
                    _ => {
                        (input["ResourceArns"].as_array().cloned().unwrap_or_default(), "Key", "Value", &input["Tags"])
                    }
                };
                for arn in arns {
                    self.resources.tags_mut(arn.as_str().expect("an ARN")).extend(tags_of(list, key, value));
                }
                json!({})
            }
            Operation::UntagResource => {
                let tags = self.resources.tags_mut(&text(input, "resourceArn"));
                let keys = input["tagKeys"].as_array().cloned().unwrap_or_default();
                tags.retain(|key, _| !keys.contains(&json!(key)));
                json!({})
            }
            Operation::ModifyRule => {
                let arn = text(input, "RuleArn");
                let rule = self.resources.rules.values_mut().flatten().find(|(d, _)| text(d, "RuleArn") == arn);
                let (rule, _) = rule.expect("what is modified exists");
                for (member, value) in input.as_object().expect("a request is an object") {
                    rule[member] = value.clone();
                }
                json!({"Rules": [rule]})
            }
            Operation::DeleteService => {
                self.resources.services.remove(&service_id(&name_of(input)));
                json!({})
            }
            Operation::DeleteTargetGroup => {
                let arn = text(input, "TargetGroupArn");
                self.resources.target_groups.retain(|_, (d, _, _)| text(d, "TargetGroupArn") != arn);
                json!({})
            }
            other => panic!("the fake does not know {other:?}"),
        }
    }
}

impl Resources {
    fn observe(&self, wanted: &Wanted) -> Live {
        let mut live = Live::default();
        for id in &wanted.services {
            let service = match self.services.get(id) {
                Some((description, tags)) => {
                    Observed::Present(LiveService { description: description.clone().into(), tags: tags.clone() })
                }
                None => Observed::Absent,
            };
            if let Some(service) = service.present() {
                let arn = Arn::new(text(&service.description, "taskDefinition"));
                let found = self.task_definitions.iter().find(|(known, _, _)| *known == arn);
                let found = found.map_or(Observed::Absent, |found| Observed::Present(task_definition(found)));
                live.task_definitions.insert(arn, found);
            }
            live.services.insert(id.clone(), service);
        }
        for id in &wanted.service_deployments {
            let read = |(entry, revision): &(Value, Value)| ServiceDeployment::read(entry, |_| Some(revision.clone()));
            let record: Vec<_> = self.record.get(id).into_iter().flatten().filter_map(read).collect();
            for name in record.iter().filter_map(|entry| entry.target.as_ref()?.task_definition()) {
                let found = self.task_definitions.iter().find(|(known, _, _)| known.as_str() == name);
                let found = found.map_or(Observed::Absent, |found| Observed::Present(task_definition(found)));
                live.task_definitions.insert(Arn::new(name), found);
            }
            live.service_deployments.insert(id.clone(), Observed::Present(record));
        }
        for family in wanted.families.keys() {
            let newest = self.task_definitions.iter().rev().filter(|(_, d, _)| d["family"] == **family);
            live.families.insert(family.clone(), Observed::Present(newest.map(task_definition).collect()));
        }
        for name in &wanted.target_groups {
            let group = match self.target_groups.get(name) {
                Some((description, attributes, tags)) => Observed::Present(LiveTargetGroup {
                    description: description.clone().into(),
                    attributes: Observed::Present(attributes.clone()),
                    tags: Observed::Present(tags.clone()),
                }),
                None => Observed::Absent,
            };
            live.target_groups.insert(name.clone(), group);
        }
        for listener in &wanted.listeners {
            let rules = self.rules.get(listener).into_iter().flatten().map(|(description, tags)| LiveRule {
                description: description.clone().into(),
                tags: Observed::Present(tags.clone()),
            });
            live.rules.insert(listener.clone(), Observed::Present(rules.collect()));
        }
        live.inventory = wanted.inventory.as_ref().map(|(instance, _)| {
            let services = self.services.values().map(|(d, tags)| (d, tags, Kind::Service, "serviceArn"));
            let groups = self.target_groups.values().map(|(d, _, tags)| (d, tags, Kind::TargetGroup, "TargetGroupArn"));
            let is_ours = |tags: &Tags| tags.get("trueup:instance").is_some_and(|owner| owner == instance.as_str());
            let owned = services.chain(groups).filter(|(_, tags, _, _)| is_ours(tags));
            let owned = owned.map(|(description, tags, kind, arn)| OwnedResource {
                arn: Arn::new(text(description, arn)),
                kind,
                tags: tags.clone(),
                description: description.clone(),
            });
            Observed::Present(owned.collect())
        });
        live
    }

    /// `FAMILY:REVISION`, or an ARN, as an ARN.
    fn full_arn(&self, task_definition: &str) -> String {
        let ends =
            |arn: &Arn| arn.as_str() == task_definition || arn.as_str().ends_with(&format!("/{task_definition}"));
        let found = self.task_definitions.iter().find(|(arn, _, _)| ends(arn));
        found.map(|(arn, _, _)| arn.as_str().to_owned()).expect("a service runs what was registered")
    }

    fn tags_mut(&mut self, arn: &str) -> &mut Tags {
        let services = self.services.values_mut().map(|(d, tags)| (text(d, "serviceArn"), tags));
        let groups = self.target_groups.values_mut().map(|(d, _, tags)| (text(d, "TargetGroupArn"), tags));
        let definitions = self.task_definitions.iter_mut().map(|(arn, _, tags)| (arn.as_str().to_owned(), tags));
        let rules = self.rules.values_mut().flatten().map(|(d, tags)| (text(d, "RuleArn"), tags));
        let mut all = services.chain(groups).chain(definitions).chain(rules);
        all.find(|(known, _)| known == arn).map(|(_, tags)| tags).expect("what is tagged exists")
    }
}

fn task_definition((_, description, tags): &(Arn, Value, Tags)) -> LiveTaskDefinition {
    LiveTaskDefinition { description: description.clone().into(), tags: tags.clone() }
}

/// What a call acts on, by name.
fn name_of(input: &Value) -> String {
    let name = ["serviceName", "service", "family", "Name", "resourceArn", "TargetGroupArn", "ListenerArn"]
        .iter()
        .find_map(|m| input[m].as_str());
    let name = name.or_else(|| input["ResourceArns"][0].as_str()).unwrap_or_default();
    match name.split_once(':') {
        Some(_) if name.contains(":targetgroup/") => name.split('/').nth(1).unwrap_or(name).to_owned(),
        Some(_) => name.split('/').nth(2).unwrap_or(name).to_owned(),
        None => name.to_owned(),
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

fn without(input: &Value, members: &[&str]) -> Value {
    let kept =
        input.as_object().expect("a request is an object").iter().filter(|(m, _)| !members.contains(&m.as_str()));
    Value::Object(kept.map(|(m, v)| (m.clone(), v.clone())).collect::<Map<_, _>>())
}

fn tags_of(list: &Value, key: &str, value: &str) -> Tags {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|tag| (text(tag, key), text(tag, value))).collect()
}

fn tags_to(tags: &Tags, key: &str, value: &str) -> Value {
    tags.iter().map(|(k, v)| json!({key: k, value: v})).collect()
}
