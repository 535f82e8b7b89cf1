//! One mutating call, with everything that must be recorded and emitted about it.

use serde_json::Value;
use tokio::time::Instant;
use trueup_core::names::Arn;
use trueup_core::plan::{Plan, Step};
use trueup_core::report::{CallFailure, Event, PlannedStep, What};
use trueup_ports::{Answer, CallError, Cloud, Effect};

use crate::application::ApplicationState;
use crate::context::Context;

/// Makes the call of a step. `None` when it failed: the state has its backoff, and the resource is read again before
/// anything else is done.
///
/// Once begun it must be awaited to its end: a call that is dropped half-way may have had its effect.
pub(crate) async fn write(
    context: &Context,
    cloud: &dyn Cloud,
    state: &mut ApplicationState,
    plan: &Plan,
    step: &Step,
) -> Option<Answer> {
    let result = cloud.execute(&step.call).await;
    let now = context.now();
    // What is remembered of the resource is out of date, also when AWS refused: then it is not in the expected state.
    state.refresh.extend(touched(step));
    let (what, answer) = match result {
        Ok(answer) => {
            state.memory.wrote(step, now);
            state.memory.answered(step, &answer.output, now);
            state.succeeded(step);
            let request_id = answer.request_id.clone();
            (What::StepApplied { step: PlannedStep::from(step), request_id }, Some(answer))
        }
        Err(error) => {
            if error.effect == Effect::Unknown {
                state.memory.lost(step, now);
            }
            state.failed(step, &plan.revision, &error, Instant::now());
            (What::StepFailed { step: PlannedStep::from(step), failure: failure(error) }, None)
        }
    };
    context.emit([Event {
        time: now,
        environment: Some(plan.environment.clone()),
        application: Some(plan.application.clone()),
        revision: Some(plan.revision.clone()),
        what,
    }]);
    answer
}

/// The part of a failed call's error that events have.
pub(crate) fn failure(error: CallError) -> CallFailure {
    let CallError { operation: _, kind, code, message, request_id, effect } = error;
    CallFailure { kind, code, message, request_id, effect_unknown: effect == Effect::Unknown }
}

/// The ARNs of the resource of a step, and of those that its request names.
fn touched(step: &Step) -> impl Iterator<Item = String> + '_ {
    let members = step.call.input.as_object().into_iter().flat_map(|input| input.values());
    let named = members.flat_map(|member| member.as_array().map_or(std::slice::from_ref(member), Vec::as_slice));
    let named = named.filter_map(Value::as_str).filter(|text| text.starts_with("arn:"));
    named.chain(step.subject.arn().map(Arn::as_str)).map(str::to_owned)
}
