//! How long a rollout may take before it is reported as taking too long.
//!
//! Without a circuit breaker a deployment that cannot become stable stays `IN_PROGRESS` for ever (ECS developer guide,
//! deployment circuit breaker). The bound is the policy's `rollout_timeout`, plus all waits in the service's own
//! configuration.

use jiff::SignedDuration;
use serde_json::Value;

/// How long a paused deployment waits for an operator, if its hook sets no timeout. Source: ECS developer guide, pause
/// hooks: 1440 minutes.
const PAUSE_MINUTES: f64 = 1440.0;

/// The bound: the policy's, the grace period, the bake times of the strategy, and the time that hooks may take.
pub(in crate::resources::service) fn limit(timeout: SignedDuration, service: &Value) -> SignedDuration {
    let number = |path: &str| service.pointer(path).and_then(Value::as_f64);
    let configured = |name: &str, or: f64| number(&format!("/deploymentConfiguration/{name}")).unwrap_or(or);
    let strategy = service.pointer("/deploymentConfiguration/strategy").and_then(Value::as_str).unwrap_or("ROLLING");
    let mut minutes = configured("bakeTimeInMinutes", 0.0);
    // How often traffic is shifted: hooks of these stages run each time.
    let mut shifts = 1.0;
    match strategy {
        "LINEAR" => {
            shifts = (100.0 / configured("linearConfiguration/stepPercent", 10.0).max(1.0)).ceil();
            minutes += shifts * configured("linearConfiguration/stepBakeTimeInMinutes", 6.0);
        }
        "CANARY" => {
            shifts = 2.0;
            minutes += configured("canaryConfiguration/canaryBakeTimeInMinutes", 10.0);
        }
        _ => {}
    }
    let hooks = service.pointer("/deploymentConfiguration/lifecycleHooks").and_then(Value::as_array);
    let pauses = hooks.into_iter().flatten().filter(|hook| hook.get("targetType").is_some_and(|t| t == "PAUSE"));
    let pauses = pauses.map(|hook| {
        let stages = hook.get("lifecycleStages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let times = stages.iter().map(|stage| if stage == "PRE_PRODUCTION_TRAFFIC_SHIFT" { shifts } else { 1.0 });
        let each = hook.pointer("/timeoutConfiguration/timeoutInMinutes").and_then(Value::as_f64);
        times.sum::<f64>().max(1.0) * each.unwrap_or(PAUSE_MINUTES)
    });
    minutes += pauses.sum::<f64>();
    let grace = number("/healthCheckGracePeriodSeconds").unwrap_or_default();
    let waits = SignedDuration::try_from_secs_f64(minutes.mul_add(60.0, grace)).unwrap_or(SignedDuration::MAX);
    timeout.saturating_add(waits)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::limit;

    #[test]
    fn the_bound_grows_with_what_a_good_rollout_has_to_wait_for() {
        let configuration = |value| json!({ "deploymentConfiguration": value });
        let table = [
            (json!({}), 30),
            (json!({"healthCheckGracePeriodSeconds": 120}), 32),
            (configuration(json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 60})), 90),
            (configuration(json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 25.0}})), 54),
            (configuration(json!({"strategy": "CANARY", "bakeTimeInMinutes": 5})), 45),
            (configuration(json!({"lifecycleHooks": [{"targetType": "PAUSE"}, {"targetType": "AWS_LAMBDA"}]})), 1470),
            (
                configuration(json!({"lifecycleHooks": [{"targetType": "PAUSE",
                "timeoutConfiguration": {"timeoutInMinutes": 10}}]})),
                40,
            ),
            // A hook waits in each of its stages, and before each shift of traffic.
            (
                configuration(json!({"strategy": "LINEAR",
                "linearConfiguration": {"stepPercent": 25.0, "stepBakeTimeInMinutes": 0},
                "lifecycleHooks": [{"targetType": "PAUSE", "timeoutConfiguration": {"timeoutInMinutes": 10},
                    "lifecycleStages": ["POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT"]}]})),
                80,
            ),
        ];
        for (service, minutes) in table {
            assert_eq!(limit(SignedDuration::from_mins(30), &service), SignedDuration::from_mins(minutes), "{service}");
        }
    }
}
