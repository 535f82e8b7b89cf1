//! AWS in one environment: the port's four questions, and who may write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use trueup_core::desired::{Environment, Lookup};
use trueup_core::diagnosis::Evidence;
use trueup_core::drift::without_echo;
use trueup_core::live::{FailureKind, Live, Observed, ReadFailure};
use trueup_core::plan::{Call, Operation, Resource};
use trueup_core::resources::service::RunningTasks;
use trueup_ports::{Answer, CallError, Cloud, Effect, EvidenceRequest, Meter, ObserveRequest, Priority};

use crate::api::Api;
use crate::api::operations::GET_CALLER_IDENTITY;
use crate::buckets::Buckets;
use crate::caller::Caller;
use crate::calls::Calls;
use crate::ecs::{self, Ecs};
use crate::elb::{self, Elb};
use crate::observe::scaling::Scalable;
use crate::observe::service_deployments::ServiceDeployments;
use crate::observe::services::Services;
use crate::observe::sweep::Sweep;
use crate::observe::task_definitions::TaskDefinitions;
use crate::resolve::Lookups;
use crate::stop::Stop;
use crate::{failure, priority};

/// How long an account that answered is believed to be the one that answers.
const ACCOUNT_BELIEVED: Duration = Duration::from_mins(5);

/// AWS in one environment: one account, one region, one set of credentials.
#[derive(Debug)]
pub struct AwsCloud {
    pub(crate) environment: Environment,
    pub(crate) caller: Caller,
    pub(crate) ecs: Ecs,
    pub(crate) elb: Elb,
    pub(crate) api: Api,
    pub(crate) services: Services,
    pub(crate) task_definitions: TaskDefinitions,
    pub(crate) service_deployments: ServiceDeployments,
    pub(crate) sweep: std::sync::Mutex<Sweep>,
    pub(crate) lookups: Lookups,
    pub(crate) scalable: Scalable,
    /// How many reads had been made when the last observation ended.
    pub(crate) reads_before: AtomicU64,
    account: Mutex<Option<Verified>>,
    locked_out: AtomicBool,
}

/// An account that answered.
#[derive(Debug)]
struct Verified {
    account: String,
    at: Instant,
    /// How many calls had failed for their credentials by then; one more, and it must be asked again.
    credential_failures: u64,
}

impl AwsCloud {
    pub(crate) fn new(
        environment: Environment,
        config: &SdkConfig,
        buckets: Arc<Buckets>,
        calls: Arc<Calls>,
        meter: Arc<dyn Meter>,
        stop: Stop,
    ) -> Self {
        Self {
            caller: Caller::new(environment.name.to_string(), buckets, calls, meter, stop),
            ecs: Ecs { client: aws_sdk_ecs::Client::new(config) },
            elb: Elb { client: aws_sdk_elasticloadbalancingv2::Client::new(config) },
            api: Api::new(config),
            services: Services::default(),
            task_definitions: TaskDefinitions::default(),
            service_deployments: ServiceDeployments::default(),
            sweep: std::sync::Mutex::default(),
            lookups: Lookups::default(),
            scalable: Scalable::default(),
            reads_before: AtomicU64::new(0),
            account: Mutex::default(),
            locked_out: AtomicBool::new(false),
            environment,
        }
    }

    /// Whether AWS did not take the credentials when it was asked last whose they are.
    pub(crate) fn is_locked_out(&self) -> bool {
        self.locked_out.load(Ordering::Relaxed)
    }

    async fn verified_account(&self) -> Result<String, CallError> {
        let mut known = self.account.lock().await;
        let credential_failures = self.caller.credential_failures();
        if let Some(verified) = &*known
            && verified.credential_failures == credential_failures
            && verified.at.elapsed() < ACCOUNT_BELIEVED
        {
            return Ok(verified.account.clone());
        }
        *known = None;
        let identity = self.api.read(&self.caller, &GET_CALLER_IDENTITY, &json!({})).await;
        let is_locked_out = identity.as_ref().is_err_and(|error| error.kind == FailureKind::Credentials);
        self.locked_out.store(is_locked_out, Ordering::Relaxed);
        let identity = identity?;
        let Some(account) = identity.get("Account").and_then(Value::as_str) else {
            let message = "the answer names no account";
            return Err(failure::failure(GET_CALLER_IDENTITY.action, FailureKind::Unavailable, Effect::None, message));
        };
        *known = Some(Verified { account: account.to_owned(), at: Instant::now(), credential_failures });
        Ok(account.to_owned())
    }

    /// Refuses a write into any account but the environment's.
    async fn may_write(&self, operation: &str) -> Result<(), CallError> {
        let refused = |kind, message| failure::failure(operation, kind, Effect::None, message);
        match self.verified_account().await {
            Ok(account) if account == self.environment.account => Ok(()),
            Ok(account) => Err(refused(
                FailureKind::Credentials,
                format!("the credentials are of account {account}, not of {}", self.environment.account),
            )),
            Err(error) => Err(refused(error.kind, format!("the account could not be verified: {error}"))),
        }
    }

    async fn write(&self, call: &Call) -> Result<Answer, CallError> {
        let target = Target::of(call.operation);
        let name = target.name();
        let verified = priority::with(Priority::Safety, self.may_write(&name));
        self.caller.unless_stopping(&name, verified).await?;
        let outcome = match target {
            Target::Ecs(operation) => self.ecs.write(&self.caller, operation, &call.input).await,
            Target::Elb(operation) => self.elb.write(&self.caller, operation, &call.input).await,
        };
        // Whether it succeeded or not: what is remembered of these resources may be wrong now.
        for resource in resources(&call.input) {
            self.task_definitions.forget(resource);
            self.sweep.lock().unwrap_or_else(PoisonError::into_inner).forget(resource);
        }
        // AWS may repeat what it does not like.
        outcome.map_err(|error| CallError { message: without_echo(&error.message, &call.input), ..error })
    }
}

#[async_trait]
impl Cloud for AwsCloud {
    async fn account(&self) -> Result<String, ReadFailure> {
        priority::with(Priority::Safety, self.verified_account()).await.map_err(failure::read_failure)
    }

    async fn observe(&self, wanted: &ObserveRequest) -> Live {
        priority::with(wanted.priority, crate::observe::observe(self, wanted)).await
    }

    async fn resolve(&self, lookups: &BTreeSet<Lookup>) -> BTreeMap<Lookup, Observed<String>> {
        priority::with(Priority::Deploy, crate::resolve::resolve(self, lookups)).await
    }

    async fn last_change(&self, resource: &Resource) -> Observed<String> {
        priority::with(Priority::Rest, crate::attribution::last_change(self, resource)).await
    }

    async fn evidence(&self, request: &EvidenceRequest) -> Evidence {
        priority::with(Priority::Rest, crate::evidence::evidence(self, request)).await
    }

    async fn running_tasks(&self, request: &EvidenceRequest) -> RunningTasks {
        priority::with(Priority::Rest, crate::evidence::running_tasks(self, request)).await
    }

    async fn execute(&self, call: &Call) -> Result<Answer, CallError> {
        priority::with(Priority::of(call.operation), self.write(call)).await
    }
}

/// Where a mutating operation goes.
enum Target {
    Ecs(ecs::Write),
    Elb(elb::Write),
}

impl Target {
    fn of(operation: Operation) -> Self {
        match operation {
            Operation::RegisterTaskDefinition => Self::Ecs(ecs::Write::RegisterTaskDefinition),
            Operation::CreateService => Self::Ecs(ecs::Write::CreateService),
            Operation::UpdateService => Self::Ecs(ecs::Write::UpdateService),
            Operation::DeleteService => Self::Ecs(ecs::Write::DeleteService),
            Operation::TagResource => Self::Ecs(ecs::Write::TagResource),
            Operation::UntagResource => Self::Ecs(ecs::Write::UntagResource),
            Operation::CreateTargetGroup => Self::Elb(elb::Write::CreateTargetGroup),
            Operation::ModifyTargetGroup => Self::Elb(elb::Write::ModifyTargetGroup),
            Operation::ModifyTargetGroupAttributes => Self::Elb(elb::Write::ModifyTargetGroupAttributes),
            Operation::DeleteTargetGroup => Self::Elb(elb::Write::DeleteTargetGroup),
            Operation::CreateRule => Self::Elb(elb::Write::CreateRule),
            Operation::ModifyRule => Self::Elb(elb::Write::ModifyRule),
            Operation::SetRulePriorities => Self::Elb(elb::Write::SetRulePriorities),
            Operation::DeleteRule => Self::Elb(elb::Write::DeleteRule),
            Operation::AddTags => Self::Elb(elb::Write::AddTags),
            Operation::RemoveTags => Self::Elb(elb::Write::RemoveTags),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Ecs(operation) => format!("ecs:{operation:?}"),
            Self::Elb(operation) => format!("elasticloadbalancing:{operation:?}"),
        }
    }
}

/// The resources that a request names and of which something may be remembered.
fn resources(input: &Value) -> impl Iterator<Item = &str> {
    let single = ["resourceArn", "TargetGroupArn", "RuleArn"].into_iter().filter_map(|name| input.get(name));
    let several = input.get("ResourceArns").and_then(Value::as_array).into_iter().flatten();
    single.chain(several).filter_map(Value::as_str)
}
