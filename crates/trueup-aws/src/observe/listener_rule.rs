//! Listener rules, with what the sweep knows of their tags.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trueup_core::live::{LiveRule, Observed, ReadFailure};
use trueup_core::names::Arn;

use super::pages::{PAGE_SIZE, arn, pages};
use super::parts::Parts;
use super::sweep::{Key, Part};
use crate::elb::Read;
use crate::failure;
use crate::reading::at_once;
use crate::session::Session;

/// All rules of each listener but the default one. A listener that does not exist is absent.
pub(crate) async fn rules(session: &Session, listeners: &BTreeSet<Arn>) -> BTreeMap<Arn, Observed<Vec<Value>>> {
    let calls = listeners.iter().map(|listener| async move {
        let input = json!({"ListenerArn": listener, "PageSize": PAGE_SIZE});
        let rules = match pages(session, Read::DescribeRules, input, "Rules").await {
            Ok(rules) => {
                let is_default = |rule: &Value| rule.get("IsDefault") == Some(&Value::Bool(true));
                Observed::Present(rules.into_iter().filter(|rule| !is_default(rule)).collect())
            }
            Err(error) if error.code.as_deref() == Some("ListenerNotFound") => Observed::Absent,
            Err(error) => failure::unknown(error),
        };
        (listener.clone(), rules)
    });
    at_once(calls).await.into_iter().collect()
}

/// All listeners of all Application Load Balancers: only those have rules.
pub(crate) async fn listeners(session: &Session) -> Result<Vec<Arn>, ReadFailure> {
    let input = json!({"PageSize": PAGE_SIZE});
    let balancers = pages(session, Read::DescribeLoadBalancers, input, "LoadBalancers").await;
    let balancers = balancers.map_err(failure::read_failure)?;
    let with_rules = balancers.iter().filter(|balancer| balancer["Type"] == "application");
    let named = with_rules.filter_map(|balancer| arn(balancer, "LoadBalancerArn"));
    let listed = at_once(named.map(|balancer| async move {
        let input = json!({"LoadBalancerArn": balancer, "PageSize": PAGE_SIZE});
        pages(session, Read::DescribeListeners, input, "Listeners").await
    }));
    let mut listeners = Vec::new();
    for listed in listed.await {
        match listed {
            Ok(listed) => listeners.extend(listed.iter().filter_map(|one| arn(one, "ListenerArn")).map(Arn::new)),
            // Deleted since the load balancers were listed.
            Err(error) if error.code.as_deref() == Some("LoadBalancerNotFound") => {}
            Err(error) => return Err(failure::read_failure(error)),
        }
    }
    Ok(listeners)
}

/// The parts of the rules that the sweep reads in turns.
pub(crate) fn keys(rules: &BTreeMap<Arn, Observed<Vec<Value>>>) -> BTreeSet<Key> {
    let listed = rules.values().filter_map(Observed::present).flatten();
    listed.filter_map(|rule| arn(rule, "RuleArn")).map(|rule| (Part::RuleTags, rule.to_owned())).collect()
}

/// Puts rules together with what the sweep knows.
pub(crate) fn live(
    parts: &Parts,
    rules: BTreeMap<Arn, Observed<Vec<Value>>>,
) -> BTreeMap<Arn, Observed<Vec<LiveRule>>> {
    let sweep = parts.sweep();
    let live = |description: Value| {
        let arn = arn(&description, "RuleArn").unwrap_or_default().to_owned();
        LiveRule { description: description.into(), tags: sweep.get(&(Part::RuleTags, arn)) }
    };
    rules.into_iter().map(|(listener, rules)| (listener, rules.map(|r| r.into_iter().map(live).collect()))).collect()
}
