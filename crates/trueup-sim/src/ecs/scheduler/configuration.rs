//! The settings of a service that the scheduler uses.

use std::time::Duration;

use serde_json::{Map, Value};

use super::breaker::Threshold;

/// `deploymentConfiguration` and related settings, with AWS's defaults (ECS API reference, `DeploymentConfiguration`).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Configuration {
    pub minimum_healthy_percent: u64,
    pub maximum_percent: u64,
    /// `None` when it is off.
    pub breaker: Option<Breaker>,
    /// `None` when they are off.
    pub alarms: Option<Alarms>,
    pub bake: Option<Duration>,
    pub early_success: Option<EarlySuccess>,
    pub strategy: Strategy,
    pub grace: Duration,
}

/// `strategy`. Shares are in tenths of a percent of the production traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    Rolling,
    BlueGreen,
    /// Shifts traffic by `share` per step, and waits for `bake` after each step.
    Linear {
        share: u64,
        bake: Duration,
    },
    /// Shifts `share` first, waits for `bake`, and then shifts the rest.
    Canary {
        share: u64,
        bake: Duration,
    },
}

/// `deploymentCircuitBreaker`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Breaker {
    pub rollback: bool,
    pub reset_on_healthy_task: bool,
    pub threshold: Threshold,
}

/// `alarms`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alarms {
    pub names: Vec<String>,
    pub rollback: bool,
}

/// `earlySuccessCriteria`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EarlySuccess {
    pub healthy_percent: u64,
    /// The deployment is complete before the old tasks are gone.
    pub deferred: bool,
}

/// Where a service's tasks are registered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ServiceLoadBalancer {
    pub target_group: String,
    pub port: u16,
    /// None without `advancedConfiguration`.
    pub shift: Option<AdvancedConfiguration>,
}

/// `advancedConfiguration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AdvancedConfiguration {
    pub alternate: String,
    pub production: String,
    pub test: Option<String>,
}

/// ECS bakes by the alarms' own periods when no time is said; operators see about five minutes.
const ALARMS_BAKE: Duration = Duration::from_mins(5);

impl Configuration {
    pub fn of(settings: &Map<String, Value>) -> Self {
        let nothing = Value::Null;
        let all = settings.get("deploymentConfiguration").unwrap_or(&nothing);
        let daemon = settings.get("schedulingStrategy").and_then(Value::as_str) == Some("DAEMON");
        let (minimum, maximum) = if daemon { (0, 100) } else { (100, 200) };
        let alarms = on(&all["alarms"]).map(|alarms| Alarms {
            names: texts(&alarms["alarmNames"]),
            rollback: alarms["rollback"].as_bool().unwrap_or(false),
        });
        let bake = all["bakeTimeInMinutes"].as_u64().map(|minutes| Duration::from_secs(minutes * 60));
        Self {
            minimum_healthy_percent: all["minimumHealthyPercent"].as_u64().unwrap_or(minimum),
            maximum_percent: all["maximumPercent"].as_u64().unwrap_or(maximum),
            breaker: on(&all["deploymentCircuitBreaker"]).map(Breaker::of),
            bake: bake.or(alarms.as_ref().map(|_| ALARMS_BAKE)),
            alarms,
            early_success: on(&all["earlySuccessCriteria"]).map(|early| EarlySuccess {
                healthy_percent: early["healthyPercent"].as_u64().unwrap_or(100),
                deferred: early["sourceServiceRevisionCleanup"].as_str() == Some("DEFERRED"),
            }),
            strategy: Strategy::of(all),
            grace: Duration::from_secs(
                settings.get("healthCheckGracePeriodSeconds").and_then(Value::as_u64).unwrap_or_default(),
            ),
        }
    }
}

impl Strategy {
    fn of(configuration: &Value) -> Self {
        let tenths = |percent: &Value, default: u64| {
            // The API accepts tenths of a percent from 0.1 to 100.
            let text = percent.as_number().map(ToString::to_string).unwrap_or_default();
            let (whole, tenth) = text.split_once('.').unwrap_or((&text, "0"));
            let tenth = tenth.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
            whole.parse().map_or(default, |whole: u64| whole * 10 + u64::from(tenth)).clamp(1, 1_000)
        };
        let minutes = |minutes: &Value, default| Duration::from_secs(60 * minutes.as_u64().unwrap_or(default));
        let (linear, canary) = (&configuration["linearConfiguration"], &configuration["canaryConfiguration"]);
        match configuration["strategy"].as_str() {
            Some("BLUE_GREEN") => Self::BlueGreen,
            Some("LINEAR") => Self::Linear {
                share: tenths(&linear["stepPercent"], 100),
                bake: minutes(&linear["stepBakeTimeInMinutes"], 6),
            },
            Some("CANARY") => Self::Canary {
                share: tenths(&canary["canaryPercent"], 50),
                bake: minutes(&canary["canaryBakeTimeInMinutes"], 10),
            },
            _ => Self::Rolling,
        }
    }
}

impl Breaker {
    fn of(document: &Value) -> Self {
        let threshold = &document["thresholdConfiguration"];
        let value = threshold["value"].as_u64();
        Self {
            rollback: document["rollback"].as_bool().unwrap_or(false),
            reset_on_healthy_task: document["resetOnHealthyTask"].as_bool().unwrap_or(true),
            threshold: match threshold["type"].as_str() {
                Some("COUNT") => Threshold::Count(value.unwrap_or(3)),
                Some("UNBOUNDED_PERCENT") => Threshold::UnboundedPercent(value.unwrap_or(50)),
                _ => Threshold::BoundedPercent(value.unwrap_or(50)),
            },
        }
    }
}

/// `loadBalancers` of a service or a revision.
pub(super) fn load_balancers(settings: &Map<String, Value>) -> Vec<ServiceLoadBalancer> {
    let list = settings.get("loadBalancers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |document: &Value| {
        Some(ServiceLoadBalancer {
            target_group: document["targetGroupArn"].as_str()?.to_owned(),
            port: u16::try_from(document["containerPort"].as_u64()?).ok()?,
            shift: advanced(&document["advancedConfiguration"]),
        })
    };
    list.iter().filter_map(read).collect()
}

fn advanced(document: &Value) -> Option<AdvancedConfiguration> {
    Some(AdvancedConfiguration {
        alternate: document["alternateTargetGroupArn"].as_str()?.to_owned(),
        production: document["productionListenerRule"].as_str()?.to_owned(),
        test: document["testListenerRule"].as_str().map(str::to_owned),
    })
}

fn on(document: &Value) -> Option<&Value> {
    (document["enable"].as_bool() == Some(true)).then_some(document)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
