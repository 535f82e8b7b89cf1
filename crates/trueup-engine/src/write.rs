//! One mutating call, with all that must be remembered and told of it.

use serde_json::Value;
use tokio::time::Instant;
use trueup_core::names::Arn;
use trueup_core::plan::{Plan, Step};
use trueup_core::report::{CallFailure, Event, PlannedStep, What};
use trueup_ports::{Answer, Cloud, Effect};

use crate::application::ApplicationState;
use crate::context::Context;

/// Makes the call of a step. `None` when it failed: the state has its backoff, and what happened is read back before
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
    // Whatever was remembered of the resource is old now, also when AWS refused: something of it was not as thought.
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
            let failure = CallFailure {
                kind: error.kind,
                code: error.code,
                message: error.message,
                request_id: error.request_id,
                effect_unknown: error.effect == Effect::Unknown,
            };
            (What::StepFailed { step: PlannedStep::from(step), failure }, None)
        }
    };
    context.tell([Event {
        time: now,
        environment: Some(plan.environment.clone()),
        application: Some(plan.application.clone()),
        revision: Some(plan.revision.clone()),
        what,
    }]);
    answer
}

/// The ARNs of what a step touches: the resource's, and those that its request names.
fn touched(step: &Step) -> impl Iterator<Item = String> + '_ {
    let members = step.call.input.as_object().into_iter().flat_map(|input| input.values());
    let named = members.flat_map(|member| match member {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    });
    let named = named.filter_map(Value::as_str).filter(|text| text.starts_with("arn:"));
    named.chain(step.resource.arn.as_ref().map(Arn::as_str)).map(str::to_owned)
}
