//! An AWS in memory, as far as the loop needs one: it stores resources as JSON and applies calls to them.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the cloud that the engine sees |
//! | `script.rs` | what a test sets and reads |
//! | `apply.rs` | the effect of a call |
//! | `resources.rs` | its resources, and how an observation shows them |

mod apply;
mod resources;
mod script;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use trueup_core::desired::{Environment, Lookup};
use trueup_core::diagnosis::{Deployment, Evidence, ServiceEvent, Task};
use trueup_core::live::{FailureKind, Live, Observed, ReadFailure};
use trueup_core::names::{EnvironmentName, ServiceId};
use trueup_core::plan::{Call, Operation, Resource};
use trueup_core::resources::service::RunningTasks;
use trueup_ports::{Answer, CallError, Cloud, Clouds, Effect, EvidenceRequest, ObserveRequest};

use self::resources::{Resources, name_of, text};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-central-1";

/// A fault of one call.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// AWS refuses it.
    Refuse(FailureKind),
    /// It has its effect, and the answer is lost.
    LoseAnswer,
    /// The request is lost: it has no effect, and the caller does not know that.
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
    observations: Vec<ObserveRequest>,
    faults: VecDeque<(Operation, String, Fault)>,
    /// Calls on resources of this name wait until released.
    slow: Option<String>,
    /// How long every mutating call takes.
    latency: Duration,
    /// How long every observation takes; it shows what was there when it began.
    read_latency: Duration,
    /// New rollouts stay in progress.
    rolling: bool,
    /// Whether the record of service deployments can be read.
    record_unreadable: bool,
    /// Every deployment that was requested, such as `web:2`.
    deployments: Vec<String>,
    /// The beginning of time, which is also the clock's of a world that begins with this cloud.
    begun: Option<Instant>,
    reads_fail: bool,
    /// The engine stopped writing.
    stopped: bool,
    /// Reads in this environment never end.
    hanging_reads: Option<EnvironmentName>,
    /// Services whose number of tasks an autoscaler governs; `None` when that cannot be read.
    autoscaled: Option<BTreeSet<String>>,
    /// Who made the last change, when that is known.
    changed_by: Option<String>,
    /// Tasks that are described, stopped ones only.
    tasks: Vec<Value>,
    /// The requests for evidence.
    evidence: Vec<EvidenceRequest>,
    /// How often running tasks were read.
    counts: usize,
    /// Reading evidence never ends.
    hanging_evidence: bool,
    /// Calls and the reading of evidence panic, with this message.
    panic: Option<String>,
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
            read_latency: Duration::ZERO,
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
            panic: None,
            lookups: Vec::new(),
            next: 0,
        }
    }
}

impl FakeCloud {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the lock")
    }

    /// Panics when a test demands it, without the lock.
    fn panic_if_told(&self) {
        let message = self.state().panic.clone();
        if let Some(message) = message {
            panic!("{message}");
        }
    }
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

    async fn observe(&self, request: &ObserveRequest) -> Live {
        if self.environment.is_some() && self.state().hanging_reads == self.environment {
            std::future::pending::<()>().await;
        }
        let (live, latency) = {
            let mut state = self.state();
            (state.observe(request), state.read_latency)
        };
        if !latency.is_zero() {
            sleep(latency).await;
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
        self.panic_if_told();
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
        self.panic_if_told();
        let name = name_of(&call.input);
        loop {
            // Registered before the state is read, so that a release in between is not missed.
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
    /// The answer to an observation now.
    fn observe(&mut self, request: &ObserveRequest) -> Live {
        self.observations.push(request.clone());
        if self.reads_fail {
            return Self::unreadable(request);
        }
        let mut live = match self.stale.take() {
            Some((before, times)) if times > 0 => {
                let mut live = before.observe(request);
                self.observe_scaling(request, &mut live);
                self.stale = Some((before, times - 1));
                live
            }
            _ => {
                let mut live = self.resources.observe(request);
                self.observe_scaling(request, &mut live);
                live
            }
        };
        if self.record_unreadable {
            let failure = ReadFailure {
                operation: "ecs:ListServiceDeployments".to_owned(),
                kind: FailureKind::Unavailable,
                message: "not implemented".to_owned(),
            };
            live.service_deployments.values_mut().for_each(|record| *record = Observed::Unknown(failure.clone()));
        }
        live
    }

    /// Seconds since 1970, by AWS's clock.
    fn now(&mut self) -> f64 {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        1_800_000_000.0 + begun.elapsed().as_secs_f64()
    }

    /// What an observation shows when no read succeeds.
    fn unreadable(request: &ObserveRequest) -> Live {
        let failure = || ReadFailure {
            operation: "ecs:DescribeServices".to_owned(),
            kind: FailureKind::Throttled,
            message: "Rate exceeded".to_owned(),
        };
        Live {
            services: request.services.iter().map(|id| (id.clone(), Observed::Unknown(failure()))).collect(),
            families: request.families.keys().map(|family| (family.clone(), Observed::Unknown(failure()))).collect(),
            target_groups: request.target_groups.iter().map(|n| (n.clone(), Observed::Unknown(failure()))).collect(),
            rules: request.listeners.iter().map(|arn| (arn.clone(), Observed::Unknown(failure()))).collect(),
            inventory: request.inventory.as_ref().map(|_| Observed::Unknown(failure())),
            ..Live::default()
        }
    }

    fn observe_scaling(&self, request: &ObserveRequest, live: &mut Live) {
        let answer = |id: &ServiceId| match &self.autoscaled {
            None => Observed::Unknown(ReadFailure {
                operation: "application-autoscaling:DescribeScalableTargets".to_owned(),
                kind: FailureKind::AccessDenied,
                message: "not authorized".to_owned(),
            }),
            Some(names) if names.contains(&id.name) => Observed::Present(()),
            Some(_) => Observed::Absent,
        };
        live.autoscaled = request.scaling.iter().map(|id| (id.clone(), answer(id))).collect();
    }
}
