//! The deployment configuration.

use serde_json::{Value, json};
use trueup_core::kind::Kind;

use super::service;
use crate::{Row, check, over};

/// A deployment configuration with these members.
fn deployment(members: &Value) -> Value {
    service(&json!({"deploymentConfiguration": members}))
}

#[test]
fn deployment_configurations() {
    let bare = || json!({});
    let breaker = |members: Value| json!({"deploymentCircuitBreaker": members});
    let hooks = |more: Value| json!({"lifecycleHooks": [over(json!({"hookTargetArn": "f", "roleArn": "r", "lifecycleStages": ["A", "B"]}), &more)]});
    let canary = |more: Value| over(json!({"strategy": "CANARY"}), &more);
    let rows: &[Row] = &[
        ("percentages of replicas", bare(), json!({"maximumPercent": 200, "minimumHealthyPercent": 100}), &[]),
        ("null is the default", json!({"maximumPercent": null}), json!({"maximumPercent": 200}), &[]),
        ("another maximum", json!({"maximumPercent": 200}), json!({"maximumPercent": 150}), &["/maximumPercent"]),
        ("another maximum when left out", bare(), json!({"maximumPercent": 150}), &["/maximumPercent"]),
        (
            "0 is a minimum",
            json!({"minimumHealthyPercent": 0}),
            json!({"minimumHealthyPercent": 100}),
            &["/minimumHealthyPercent"],
        ),
        (
            "0 in live",
            json!({"minimumHealthyPercent": 50}),
            json!({"minimumHealthyPercent": 0}),
            &["/minimumHealthyPercent"],
        ),
        ("no circuit breaker", bare(), breaker(json!({"enable": false, "rollback": false})), &[]),
        (
            "the long form of none",
            bare(),
            breaker(
                json!({"enable": false, "rollback": false, "resetOnHealthyTask": true, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}),
            ),
            &[],
        ),
        (
            "the short form against the long one",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(
                json!({"enable": true, "rollback": true, "resetOnHealthyTask": true, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}),
            ),
            &[],
        ),
        (
            "the long form against the short one",
            breaker(
                json!({"enable": true, "rollback": true, "resetOnHealthyTask": true, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}),
            ),
            breaker(json!({"enable": true, "rollback": true})),
            &[],
        ),
        (
            "a breaker switched off",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(json!({"enable": false, "rollback": false})),
            &["/deploymentCircuitBreaker/enable", "/deploymentCircuitBreaker/rollback"],
        ),
        (
            "rollback switched off",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(json!({"enable": true, "rollback": false})),
            &["/deploymentCircuitBreaker/rollback"],
        ),
        (
            "a breaker switched on",
            bare(),
            breaker(json!({"enable": true, "rollback": false})),
            &["/deploymentCircuitBreaker/enable"],
        ),
        (
            "another threshold",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(
                json!({"enable": true, "rollback": true, "thresholdConfiguration": {"type": "COUNT", "value": 50}}),
            ),
            &["/deploymentCircuitBreaker/thresholdConfiguration/type"],
        ),
        ("no alarms", bare(), json!({"alarms": {"alarmNames": [], "enable": false, "rollback": false}}), &[]),
        (
            "no alarms the other way",
            json!({"alarms": {"alarmNames": [], "enable": false, "rollback": false}}),
            bare(),
            &[],
        ),
        (
            "alarms are a set",
            json!({"alarms": {"alarmNames": ["a", "b"], "enable": true, "rollback": true}}),
            json!({"alarms": {"alarmNames": ["b", "a"], "enable": true, "rollback": true}}),
            &[],
        ),
        (
            "another alarm",
            json!({"alarms": {"alarmNames": ["a"], "enable": true, "rollback": true}}),
            json!({"alarms": {"alarmNames": ["b"], "enable": true, "rollback": true}}),
            &["/alarms/alarmNames"],
        ),
        (
            "alarms switched off",
            json!({"alarms": {"alarmNames": ["a"], "enable": true, "rollback": true}}),
            json!({"alarms": {"alarmNames": ["a"], "enable": false, "rollback": true}}),
            &["/alarms/enable"],
        ),
        ("rolling is the default", bare(), json!({"strategy": "ROLLING", "bakeTimeInMinutes": 0}), &[]),
        ("another strategy", json!({"strategy": "BLUE_GREEN"}), json!({"strategy": "ROLLING"}), &["/strategy"]),
        (
            "a bake time left out with blue/green",
            json!({"strategy": "BLUE_GREEN"}),
            json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 15}),
            &[],
        ),
        (
            "a bake time declared",
            json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}),
            json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 15}),
            &["/bakeTimeInMinutes"],
        ),
        ("a bake time with rolling", bare(), json!({"bakeTimeInMinutes": 5}), &["/bakeTimeInMinutes"]),
        ("no hooks", bare(), json!({"lifecycleHooks": []}), &[]),
        (
            "a hook completed",
            hooks(json!({"hookDetails": {"a": 1}})),
            hooks(
                json!({"hookDetails": {"a": 1.0}, "targetType": "AWS_LAMBDA", "lifecycleStages": ["B", "A"], "timeoutConfiguration": {"action": "ROLLBACK", "timeoutInMinutes": 1440}}),
            ),
            &[],
        ),
        (
            "a hook's timeout left out",
            hooks(bare()),
            hooks(json!({"timeoutConfiguration": {"action": "CONTINUE", "timeoutInMinutes": 5}})),
            &[],
        ),
        (
            "a hook's timeout declared",
            hooks(json!({"timeoutConfiguration": {"timeoutInMinutes": 5}})),
            hooks(json!({"timeoutConfiguration": {"action": "ROLLBACK", "timeoutInMinutes": 6}})),
            &["/lifecycleHooks/f/timeoutConfiguration/timeoutInMinutes"],
        ),
        (
            "a hook's details are JSON",
            hooks(json!({"hookDetails": "{\"a\": 1, \"b\": 2}"})),
            hooks(json!({"hookDetails": {"b": 2, "a": 1}})),
            &[],
        ),
        (
            "a hook's details changed",
            hooks(json!({"hookDetails": {"a": 1}})),
            hooks(json!({"hookDetails": {"a": 2}})),
            &["/lifecycleHooks/f/hookDetails"],
        ),
        (
            "a hook's stages",
            hooks(bare()),
            hooks(json!({"lifecycleStages": ["A"]})),
            &["/lifecycleHooks/f/lifecycleStages"],
        ),
        ("a hook added", bare(), hooks(bare()), &["/lifecycleHooks/f"]),
        (
            "two hooks of one function",
            json!({"lifecycleHooks": [{"hookTargetArn": "f", "lifecycleStages": ["A"]}, {"hookTargetArn": "f", "lifecycleStages": ["B"]}]}),
            json!({"lifecycleHooks": [{"hookTargetArn": "f", "lifecycleStages": ["B"]}]}),
            &["/lifecycleHooks/f:A"],
        ),
        (
            "linear completed",
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10}}),
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}}),
            &[],
        ),
        (
            "linear left out",
            json!({"strategy": "LINEAR"}),
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}}),
            &[],
        ),
        (
            "another step",
            json!({"strategy": "LINEAR"}),
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 20.0, "stepBakeTimeInMinutes": 6}}),
            &["/linearConfiguration/stepPercent"],
        ),
        (
            "canary completed",
            canary(json!({})),
            canary(json!({"canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}})),
            &[],
        ),
        (
            "another canary",
            canary(json!({"canaryConfiguration": {"canaryPercent": 5}})),
            canary(json!({"canaryConfiguration": {"canaryPercent": 5.5}})),
            &["/canaryConfiguration/canaryPercent"],
        ),
        (
            "a canary's bake time",
            canary(json!({"canaryConfiguration": {"canaryBakeTimeInMinutes": 0}})),
            canary(json!({"canaryConfiguration": {"canaryBakeTimeInMinutes": 10}})),
            &["/canaryConfiguration/canaryBakeTimeInMinutes"],
        ),
        (
            "a canary without its strategy is dropped",
            json!({"strategy": "BLUE_GREEN", "canaryConfiguration": {"canaryPercent": 7}}),
            json!({"strategy": "BLUE_GREEN"}),
            &[],
        ),
        (
            "no early success",
            bare(),
            json!({"earlySuccessCriteria": {"enable": false, "healthyPercent": 100, "sourceServiceRevisionCleanup": "BLOCKING"}}),
            &[],
        ),
        (
            "early success completed",
            json!({"earlySuccessCriteria": {"enable": true}}),
            json!({"earlySuccessCriteria": {"enable": true, "healthyPercent": 100, "sourceServiceRevisionCleanup": "BLOCKING"}}),
            &[],
        ),
        (
            "early success switched on",
            bare(),
            json!({"earlySuccessCriteria": {"enable": true, "healthyPercent": 50}}),
            &["/earlySuccessCriteria/enable"],
        ),
        (
            "early success at another share",
            json!({"earlySuccessCriteria": {"enable": true}}),
            json!({"earlySuccessCriteria": {"enable": true, "healthyPercent": 50}}),
            &["/earlySuccessCriteria/healthyPercent"],
        ),
    ];
    check(Kind::Service, "/deploymentConfiguration", deployment, rows);
    let daemons: &[Row] = &[
        ("percentages of daemons", json!({}), json!({"maximumPercent": 100, "minimumHealthyPercent": 0}), &[]),
        (
            "percentages of replicas",
            json!({}),
            json!({"maximumPercent": 200, "minimumHealthyPercent": 100}),
            &["/maximumPercent", "/minimumHealthyPercent"],
        ),
    ];
    let daemon = |members: &Value| over(deployment(members), &json!({"schedulingStrategy": "DAEMON"}));
    check(Kind::Service, "/deploymentConfiguration", daemon, daemons);
}
