//! Lifecycle hooks of a deployment that shifts traffic (ECS developer guide, "Lifecycle hooks for Amazon ECS service
//! deployments").
//!
//! A Lambda function succeeds unless it is scripted to fail. A pause waits for `ContinueServiceDeployment`.

use std::time::Duration;

use serde_json::Value;

use super::find::known;
use super::memory::Pause;
use super::rollback::Cause;
use super::service_deployment;
use super::wake::wake_soon;
use crate::ecs::model::{Service, ServiceKey, ServiceStatus};
use crate::time::Time;
use crate::wire::ApiError;
use crate::world::World;

/// A pause waits so long unless its `timeoutConfiguration` says otherwise.
const PAUSE_MINUTES: u64 = 1_440;

impl Pause {
    /// Whether the stage may continue.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.answer == Some(true) || (self.answer.is_none() && self.continues && self.expires_at <= now)
    }

    /// Why the deployment has to go back, if it has to.
    pub(super) fn broken(&self, now: Time, stage: &str) -> Option<Cause> {
        match self.answer {
            Some(false) => Some(Cause::Shift(format!("{stage} pause hook was rolled back."))),
            None if self.expires_at <= now && !self.continues => {
                Some(Cause::Shift(format!("{stage} pause hook timed out.")))
            }
            Some(true) | None => None,
        }
    }
}

fn of_stage<'a>(service: &'a Service, stage: &'a str, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let hooks = service.settings.get("deploymentConfiguration").and_then(|known| known["lifecycleHooks"].as_array());
    hooks.into_iter().flatten().filter(move |hook| {
        let of_kind = hook["targetType"].as_str().unwrap_or("AWS_LAMBDA") == kind;
        let stages = hook["lifecycleStages"].as_array().into_iter().flatten();
        of_kind && stages.filter_map(Value::as_str).any(|known| known == stage)
    })
}

/// The pause that a stage begins with.
pub(super) fn pause(world: &mut World, service: &ServiceKey, stage: &str) -> Option<Pause> {
    let id = world.chance.of("hook ids").hex(32);
    let hook = of_stage(known(world, service)?, stage, "PAUSE").next()?;
    let timeout = &hook["timeoutConfiguration"];
    let minutes = timeout["timeoutInMinutes"].as_u64().unwrap_or(PAUSE_MINUTES);
    Some(Pause {
        hook_id: format!("ecs-pause-{id}"),
        stage: stage.to_owned(),
        expires_at: world.now + Duration::from_secs(minutes * 60),
        continues: timeout["action"].as_str() == Some("CONTINUE"),
        answer: None,
    })
}

/// Why a Lambda function of this stage fails the deployment, in ECS's words, if one does.
pub(super) fn failed(world: &World, service: &ServiceKey, stage: &str) -> Option<String> {
    let arn = |hook: &Value| hook["hookTargetArn"].as_str().map(str::to_owned);
    let mut hooks = of_stage(known(world, service)?, stage, "AWS_LAMBDA").filter_map(arn);
    let arn = hooks.find(|arn| world.ecs.scheduler.failing_hooks.contains(arn))?;
    Some(format!("{stage} lifecycle hook(s) failed. Lifecycle hook target {arn} returned FAILED status."))
}

/// The pause that the service's deployment waits for.
pub(super) fn waiting(service: &Service) -> Option<&Pause> {
    service.memory.shift.as_ref()?.pause.as_ref().filter(|pause| pause.answer.is_none())
}

/// `ContinueServiceDeployment`.
pub(super) fn answer(world: &mut World, arn: &str, hook_id: &str, goes_on: bool) -> Result<(), ApiError> {
    let invalid = |text: &str| Err(ApiError::client("InvalidParameterException", text));
    let holds = |(_, found): &(&ServiceKey, &Service)| {
        found.status == ServiceStatus::Active && found.service_deployments.iter().any(|known| known.arn == arn)
    };
    let Some((key, found)) = world.ecs.services.iter().find(holds) else {
        return Err(ApiError::client(
            "ServiceDeploymentNotFoundException",
            "The specified service deployment is not found.",
        ));
    };
    let key = key.clone();
    let record = found.service_deployments.iter().find(|known| known.arn == arn);
    if record.is_some_and(|record| service_deployment::is_over(&record.status)) {
        return invalid("Continuing a service deployment is not allowed for service deployment in terminal states.");
    }
    if !hook_id.starts_with("ecs-") {
        return invalid("Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}");
    }
    let of_primary = found.deployments.first().is_some_and(|primary| primary.service_deployment == arn);
    if !of_primary || waiting(found).is_none_or(|pause| pause.hook_id != hook_id) {
        return invalid(
            "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN",
        );
    }
    if let Some(found) = world.ecs.services.get_mut(&key)
        && let Some(pause) = found.memory.shift.as_mut().and_then(|shift| shift.pause.as_mut())
    {
        pause.answer = Some(goes_on);
    }
    wake_soon(world, &key);
    Ok(())
}
