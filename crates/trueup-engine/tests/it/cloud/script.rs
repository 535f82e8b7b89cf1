//! What a test sets in the cloud, and reads of it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use trueup_core::desired::Lookup;
use trueup_core::live::Tags;
use trueup_core::names::EnvironmentName;
use trueup_core::plan::Operation;
use trueup_ports::{EvidenceRequest, ObserveRequest};

use super::resources::service_id;
use super::{ACCOUNT, FakeCloud, Fault, REGION};

impl FakeCloud {
    pub fn new() -> Self {
        let new = Self::default();
        new.state().begun = Some(Instant::now());
        new
    }

    /// The mutating calls since the last time, and forgets them.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// What was observed since the last time.
    pub fn take_observations(&self) -> Vec<ObserveRequest> {
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

    /// The lookups since the last time.
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
    /// itself, but for one event when `event`.
    pub fn roll_back(&self, name: &str, event: bool) {
        let mut state = self.state();
        let (id, now) = (service_id(name), state.now());
        let mut before = state.resources.before.get(&id).expect("there was another deployment").clone();
        if event {
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

    /// Calls and the reading of evidence panic with this message from now on; `None` ends it.
    pub fn panic_with(&self, message: Option<&str>) {
        self.state().panic = message.map(str::to_owned);
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

    /// Every observation takes so long from now on, and shows what was there when it began.
    pub fn delay_reads(&self, latency: Duration) {
        self.state().read_latency = latency;
    }

    /// Lets the waiting calls go.
    pub fn release(&self) {
        self.state().slow = None;
        self.released.notify_waiters();
    }

    /// An autoscaler governs these services from now on; `None` when that cannot be read.
    pub fn autoscale(&self, services: Option<&[&str]>) {
        self.state().autoscaled = services.map(|names| names.iter().map(|&name| name.to_owned()).collect());
    }

    /// AWS's records name this principal from now on.
    pub fn blame(&self, by: &str) {
        self.state().changed_by = Some(by.to_owned());
    }

    /// Another writer deletes a service.
    pub fn delete_service(&self, name: &str) {
        self.state().resources.services.remove(&service_id(name));
    }

    /// Another writer changes the only rule.
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

    /// Another writer changes a service.
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
