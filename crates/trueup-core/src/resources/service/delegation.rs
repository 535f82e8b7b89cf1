//! The weights of listener rules by which ECS shifts traffic: they belong to ECS, during a deployment and after it.
//!
//! ECS rewrites the weights of the rules that a service names in `advancedConfiguration`, turns a plain
//! `TargetGroupArn` into two weighted groups, and leaves all that changed: declared weights are right only half of the
//! time. Source: ECS developer guide, "How blue/green deployments work".

use std::collections::BTreeSet;

use serde_json::Value;

use crate::broken::{self, Broken};
use crate::live::{Live, Observed, Traffic};
use crate::names::Arn;

/// The load-balancer settings that belong to ECS on behalf of a service, by its description.
pub fn traffic(service: &Value) -> Traffic {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(Arn::new);
    let mut traffic = Traffic::default();
    let deploys = is_deploying(service);
    for balancer in array(service, "loadBalancers") {
        let advanced = balancer.get("advancedConfiguration");
        let named = |name| advanced.and_then(|advanced| text(advanced, name));
        traffic.rules.extend(["productionListenerRule", "testListenerRule"].into_iter().filter_map(named));
        if deploys {
            traffic.deploying.extend(text(balancer, "targetGroupArn"));
            traffic.deploying.extend(named("alternateTargetGroupArn"));
        }
    }
    traffic
}

/// Whether ECS owns the weights of a rule: a service of the environment names the rule; or its traffic is divided
/// between groups and a service that is being deployed owns one of them, as when the service has just returned to
/// rolling updates and the group that git names has no targets yet. An unread service may name any rule.
pub fn is_delegated(live: &Live, rule: &Value) -> bool {
    let Some(arn) = rule.get("RuleArn").and_then(Value::as_str).map(Arn::new) else { return false };
    if broken::is(Broken::ShiftedWeightsCompared) {
        return false;
    }
    let groups = groups(rule);
    let is_shifted = |traffic: &Traffic| {
        let divided = groups.len() > 1 && groups.iter().any(|group| traffic.deploying.contains(group));
        traffic.unread || traffic.rules.contains(&arn) || divided
    };
    let observed = live.services.values().any(|service| match service {
        Observed::Absent => false,
        Observed::Unknown(_) => true,
        Observed::Present(service) => is_shifted(&traffic(&service.description)),
    });
    observed || live.traffic.iter().any(|(id, traffic)| !live.services.contains_key(id) && is_shifted(traffic))
}

/// The groups of a rule's forward actions in their long form.
fn groups(rule: &Value) -> BTreeSet<Arn> {
    let forwards = array(rule, "Actions").filter_map(|action| action.get("ForwardConfig"));
    let groups = forwards.flat_map(|forward| array(forward, "TargetGroups"));
    groups.filter_map(|group| group.get("TargetGroupArn")?.as_str()).map(Arn::new).collect()
}

fn is_deploying(service: &Value) -> bool {
    let unfinished = |deployment: &Value| {
        let state = deployment.get("rolloutState").and_then(Value::as_str);
        state.is_some_and(|state| state != "COMPLETED")
    };
    let mut deployments = array(service, "deployments");
    deployments.any(unfinished)
}

fn array<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}
