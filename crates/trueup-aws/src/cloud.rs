//! AWS in one environment: the port's questions, and the check of the account before a write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use trueup_core::desired::{Environment, Lookup};
use trueup_core::diagnosis::Evidence;
use trueup_core::drift::without_echo;
use trueup_core::kind::Kind;
use trueup_core::live::{FailureKind, Live, Observed, ReadFailure};
use trueup_core::model::Api;
use trueup_core::plan::{Call, Resource};
use trueup_core::resources::service::RunningTasks;
use trueup_ports::{Answer, CallError, Cloud, Effect, EvidenceRequest, Meter, ObserveRequest, Priority};

use crate::api::operations::GET_CALLER_IDENTITY;
use crate::buckets::Buckets;
use crate::caller::Caller;
use crate::calls::Calls;
use crate::observe::Observer;
use crate::resolve::Lookups;
use crate::session::Session;
use crate::stop::Stop;
use crate::{failure, priority};

/// How long an account that answered is believed to be the one that answers.
const ACCOUNT_BELIEVED: Duration = Duration::from_mins(5);

/// AWS in one environment: one account, one region, one set of credentials.
#[derive(Debug)]
pub struct AwsCloud {
    session: Session,
    observer: Observer,
    lookups: Lookups,
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
        let caller = Caller::new(environment.name.to_string(), buckets, calls, meter, stop);
        Self {
            session: Session::new(environment, config, caller),
            observer: Observer::default(),
            lookups: Lookups::default(),
            account: Mutex::default(),
            locked_out: AtomicBool::new(false),
        }
    }

    /// The environment that this cloud serves.
    pub(crate) fn environment(&self) -> &Environment {
        &self.session.environment
    }

    /// Whether AWS refused the credentials when the account was verified last.
    pub(crate) fn is_locked_out(&self) -> bool {
        self.locked_out.load(Ordering::Relaxed)
    }

    async fn verified_account(&self) -> Result<String, CallError> {
        let mut known = self.account.lock().await;
        let credential_failures = self.session.caller.credential_failures();
        if let Some(verified) = &*known
            && verified.credential_failures == credential_failures
            && verified.at.elapsed() < ACCOUNT_BELIEVED
        {
            return Ok(verified.account.clone());
        }
        *known = None;
        let identity = self.session.api.read(&self.session.caller, &GET_CALLER_IDENTITY, &json!({})).await;
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
            Ok(account) if account == self.session.environment.account => Ok(()),
            Ok(account) => Err(refused(
                FailureKind::Credentials,
                format!("the credentials are of account {account}, not of {}", self.session.environment.account),
            )),
            Err(error) => Err(refused(error.kind, format!("the account could not be verified: {error}"))),
        }
    }

    async fn write(&self, call: &Call) -> Result<Answer, CallError> {
        let Session { caller, ecs, elb, .. } = &self.session;
        let name = call.operation.action();
        let verified = priority::with(Priority::Safety, self.may_write(&name));
        caller.unless_stopping(&name, verified).await?;
        let outcome = match call.operation.api() {
            Api::Ecs => ecs.write(caller, call.operation, &call.input).await,
            Api::Elbv2 => elb.write(caller, call.operation, &call.input).await,
        };
        // Whether it succeeded or not: what is remembered of these resources may be wrong now.
        for resource in resources(&call.input) {
            self.observer.forget(resource);
        }
        // AWS's messages may repeat parts of the input.
        outcome.map_err(|error| CallError { message: without_echo(&error.message, &call.input), ..error })
    }
}

#[async_trait]
impl Cloud for AwsCloud {
    async fn account(&self) -> Result<String, ReadFailure> {
        priority::with(Priority::Safety, self.verified_account()).await.map_err(failure::read_failure)
    }

    async fn observe(&self, request: &ObserveRequest) -> Live {
        priority::with(request.priority, self.observer.observe(&self.session, request)).await
    }

    async fn resolve(&self, lookups: &BTreeSet<Lookup>) -> BTreeMap<Lookup, Observed<String>> {
        priority::with(Priority::Deploy, crate::resolve::resolve(&self.session, &self.lookups, lookups)).await
    }

    async fn last_change(&self, resource: &Resource) -> Observed<String> {
        priority::with(Priority::Rest, crate::attribution::last_change(&self.session, resource)).await
    }

    async fn evidence(&self, request: &EvidenceRequest) -> Evidence {
        priority::with(Priority::Rest, crate::evidence::evidence(&self.session, request)).await
    }

    async fn running_tasks(&self, request: &EvidenceRequest) -> RunningTasks {
        priority::with(Priority::Rest, crate::evidence::running_tasks(&self.session, request)).await
    }

    async fn execute(&self, call: &Call) -> Result<Answer, CallError> {
        priority::with(Priority::of(call.operation), self.write(call)).await
    }
}

/// The resources that a request names: parts of them may be remembered.
fn resources(input: &Value) -> impl Iterator<Item = &str> {
    let arns = Kind::ALL.map(|kind| kind.facts().described.arn);
    let single = arns.into_iter().chain(["resourceArn"]).filter_map(|name| input.get(name));
    let several = input.get("ResourceArns").and_then(Value::as_array).into_iter().flatten();
    single.chain(several).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use trueup_core::model::Api;
    use trueup_core::plan::Operation;

    use crate::{ecs, elb};

    #[test]
    fn every_declared_operation_is_adapted_once_by_its_api() {
        let of = |api| Operation::ALL.iter().copied().filter(|one| one.api() == api).collect::<Vec<_>>();
        assert_eq!(ecs::WRITES, of(Api::Ecs));
        assert_eq!(elb::WRITES, of(Api::Elbv2));
    }
}
