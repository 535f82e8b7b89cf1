//! ARNs of target groups and listeners.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trueup_core::desired::Lookup;
use trueup_core::live::Observed;

use super::found::{Found, all, present_or_absent};
use crate::elb::Read;
use crate::session::Session;
use crate::{failure, observe};

/// Resolves target groups by name.
pub(super) async fn target_groups(session: &Session, lookups: Vec<&Lookup>) -> Found {
    let names: BTreeSet<String> = lookups.iter().map(|lookup| target_group(lookup).to_owned()).collect();
    let mut groups = observe::target_group::find(session, &names, false).await.wanted;
    lookups
        .into_iter()
        .map(|lookup| {
            let group = groups.remove(target_group(lookup)).unwrap_or(Observed::Absent);
            let arn = match &group {
                Observed::Present(group) => present_or_absent(text(group, "TargetGroupArn")),
                Observed::Absent => Observed::Absent,
                Observed::Unknown(failure) => Observed::Unknown(failure.clone()),
            };
            (lookup.clone(), arn)
        })
        .collect()
}

/// Resolves the listeners of one load balancer by port. A load balancer has 50 at most, fewer than a page.
pub(super) async fn listeners(session: &Session, load_balancer: &str, lookups: Vec<&Lookup>) -> Found {
    let listeners = match describe(session, load_balancer).await {
        Observed::Present(listeners) => listeners,
        Observed::Absent => return all(lookups, &Observed::Absent),
        Observed::Unknown(failure) => return all(lookups, &Observed::Unknown(failure)),
    };
    lookups
        .into_iter()
        .map(|lookup| {
            let Lookup::Listener { port, .. } = lookup else { unreachable!("{lookup:?} is not a listener") };
            let port = port.to_string();
            let listener = listeners.iter().find(|listener| text(listener, "Port") == Some(&port));
            (lookup.clone(), present_or_absent(listener.and_then(|listener| text(listener, "ListenerArn"))))
        })
        .collect()
}

async fn describe(session: &Session, load_balancer: &str) -> Observed<Vec<Value>> {
    let input = json!({"Names": [load_balancer]});
    let answer = match session.elb.read(&session.caller, Read::DescribeLoadBalancers, &input).await {
        Ok(answer) => answer,
        Err(error) if error.code.as_deref() == Some("LoadBalancerNotFound") => return Observed::Absent,
        Err(error) => return failure::unknown(error),
    };
    let found = answer.pointer("/LoadBalancers/0").and_then(|found| text(found, "LoadBalancerArn"));
    let Some(arn) = found else { return Observed::Absent };
    let input = json!({"LoadBalancerArn": arn});
    match session.elb.read(&session.caller, Read::DescribeListeners, &input).await {
        Ok(mut answer) => Observed::Present(
            answer.get_mut("Listeners").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default(),
        ),
        Err(error) if error.code.as_deref() == Some("LoadBalancerNotFound") => Observed::Absent,
        Err(error) => failure::unknown(error),
    }
}

fn target_group(lookup: &Lookup) -> &str {
    match lookup {
        Lookup::TargetGroup(name) => name,
        other @ (Lookup::Image { .. }
        | Lookup::Listener { .. }
        | Lookup::Secret(_)
        | Lookup::Parameter(_)
        | Lookup::StackResource { .. }
        | Lookup::StackOutput { .. }) => unreachable!("{other:?} is not a target group"),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
