//! Target groups and listener rules, with what the sweep knows of their attributes and tags.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trueup_core::broken::{self, Broken};
use trueup_core::live::{LiveRule, LiveTargetGroup, Observed, ReadFailure};
use trueup_core::names::Arn;
use trueup_ports::CallError;

use super::sweep::{Batch, Key, Part, Texts};
use super::{at_once, not_mentioned, take_array, texts, too_many_pages};
use crate::cloud::AwsCloud;
use crate::elb::Read;
use crate::failure;

/// Up to this many target groups are asked for by name; more are found by listing all of them, 400 a page.
const NAMES_MAX: usize = 20;

/// How many target groups or rules a page holds at most. Source: Elastic Load Balancing API reference.
const PAGE_SIZE: usize = 400;

/// How many pages are followed: several times AWS's quota of 3,000 target groups in a region.
const PAGES_MAX: usize = 50;

/// Target groups as they were listed.
#[derive(Debug, Default)]
pub(crate) struct TargetGroups {
    /// Those that were asked for, by name.
    pub(crate) wanted: BTreeMap<String, Observed<Value>>,
    /// All there are, when they were listed.
    pub(crate) all: Option<Result<Vec<Value>, ReadFailure>>,
}

/// Finds target groups by name.
///
/// `DescribeTargetGroups` with names answers `TargetGroupNotFound` for the whole call when one of them is missing:
/// then, and when there are many, all groups are listed. With `all` they are listed in any case.
pub(crate) async fn target_groups(cloud: &AwsCloud, names: &BTreeSet<String>, all: bool) -> TargetGroups {
    if names.is_empty() && !all {
        return TargetGroups::default();
    }
    if names.len() <= NAMES_MAX && !all {
        let outcome = pages(cloud, Read::DescribeTargetGroups, json!({"Names": names}), "TargetGroups").await;
        match outcome {
            Err(error) if error.code.as_deref() == Some("TargetGroupNotFound") => {}
            outcome => return TargetGroups { wanted: pick(names, &outcome.map_err(failure::read_failure)), all: None },
        }
    }
    let input = json!({"PageSize": PAGE_SIZE});
    let outcome = pages(cloud, Read::DescribeTargetGroups, input, "TargetGroups").await.map_err(failure::read_failure);
    TargetGroups { wanted: pick(names, &outcome), all: Some(outcome) }
}

fn pick(names: &BTreeSet<String>, listed: &Result<Vec<Value>, ReadFailure>) -> BTreeMap<String, Observed<Value>> {
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return names.iter().map(|name| (name.clone(), Observed::Unknown(error.clone()))).collect(),
    };
    let by_name: BTreeMap<&str, &Value> =
        listed.iter().filter_map(|group| Some((group.get("TargetGroupName")?.as_str()?, group))).collect();
    let found =
        |name: &String| by_name.get(name.as_str()).map_or(Observed::Absent, |&group| Observed::Present(group.clone()));
    names.iter().map(|name| (name.clone(), found(name))).collect()
}

/// All rules of each listener but the default one. A listener that does not exist is absent.
pub(crate) async fn rules(cloud: &AwsCloud, listeners: &BTreeSet<Arn>) -> BTreeMap<Arn, Observed<Vec<Value>>> {
    let calls = listeners.iter().map(|listener| async move {
        let input = json!({"ListenerArn": listener, "PageSize": PAGE_SIZE});
        let rules = match pages(cloud, Read::DescribeRules, input, "Rules").await {
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
pub(crate) async fn listeners(cloud: &AwsCloud) -> Result<Vec<Arn>, ReadFailure> {
    let input = json!({"PageSize": PAGE_SIZE});
    let balancers = pages(cloud, Read::DescribeLoadBalancers, input, "LoadBalancers").await;
    let balancers = balancers.map_err(failure::read_failure)?;
    let with_rules = balancers.iter().filter(|balancer| balancer["Type"] == "application");
    let named = with_rules.filter_map(|balancer| arn(balancer, "LoadBalancerArn"));
    let listed = at_once(named.map(|balancer| async move {
        let input = json!({"LoadBalancerArn": balancer, "PageSize": PAGE_SIZE});
        pages(cloud, Read::DescribeListeners, input, "Listeners").await
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

/// Reads all pages of a list.
async fn pages(cloud: &AwsCloud, read: Read, mut input: Value, member: &str) -> Result<Vec<Value>, CallError> {
    let mut listed = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut answer = cloud.elb.read(&cloud.caller, read, &input).await?;
        listed.extend(take_array(&mut answer, member));
        match answer.get("NextMarker").and_then(Value::as_str).filter(|marker| !marker.is_empty()) {
            Some(marker) if !broken::is(Broken::FirstPageOnly) => input["Marker"] = Value::from(marker),
            Some(_) | None => return Ok(listed),
        }
    }
    let ReadFailure { operation, kind, message } = too_many_pages(&format!("elasticloadbalancing:{read:?}"), PAGES_MAX);
    Err(failure::failure(&operation, kind, trueup_ports::Effect::None, message))
}

/// Reads attributes and tags and puts them into the sweep.
pub(crate) async fn read_batches(cloud: &AwsCloud, batches: Vec<Batch>) {
    let read = batches.into_iter().map(|batch| async move {
        let found = read_batch(cloud, &batch).await;
        let mut sweep = cloud.sweep();
        for (key, value) in found {
            sweep.record(&key, value);
        }
    });
    at_once(read).await;
}

async fn read_batch(cloud: &AwsCloud, batch: &Batch) -> Vec<(Key, Observed<Texts>)> {
    let (read, input) = match (batch.part, batch.resources.as_slice()) {
        (Part::TargetGroupAttributes, [group]) => {
            (Read::DescribeTargetGroupAttributes, json!({"TargetGroupArn": group}))
        }
        (_, resources) => (Read::DescribeTags, json!({"ResourceArns": resources})),
    };
    let answer = cloud.elb.read(&cloud.caller, read, &input).await;
    let value_of = |resource: &str| match &answer {
        Err(error) => failure::unknown(error.clone()),
        Ok(answer) => match found(answer, batch.part, resource) {
            Some(texts) => Observed::Present(texts),
            None => not_mentioned(&format!("elasticloadbalancing:{read:?}"), resource),
        },
    };
    batch.resources.iter().map(|resource| ((batch.part, resource.clone()), value_of(resource))).collect()
}

fn found(answer: &Value, part: Part, resource: &str) -> Option<Texts> {
    let array = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned();
    let pairs = match part {
        Part::TargetGroupAttributes => array(answer, "Attributes")?,
        Part::TargetGroupTags | Part::RuleTags => {
            let descriptions = array(answer, "TagDescriptions")?;
            let of_resource = |d: &&Value| d.get("ResourceArn").and_then(Value::as_str) == Some(resource);
            array(descriptions.iter().find(of_resource)?, "Tags").unwrap_or_default()
        }
    };
    Some(texts(&pairs, "Key", "Value"))
}

/// The ARN of a listed target group or rule.
pub(crate) fn arn<'a>(description: &'a Value, member: &str) -> Option<&'a str> {
    description.get(member)?.as_str()
}

/// The parts of what was listed that the sweep looks after.
pub(crate) fn keys(groups: &TargetGroups, rules: &BTreeMap<Arn, Observed<Vec<Value>>>) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for group in groups.wanted.values().filter_map(Observed::present).filter_map(|group| arn(group, "TargetGroupArn")) {
        keys.insert((Part::TargetGroupAttributes, group.to_owned()));
        keys.insert((Part::TargetGroupTags, group.to_owned()));
    }
    for rule in rules.values().filter_map(Observed::present).flatten().filter_map(|rule| arn(rule, "RuleArn")) {
        keys.insert((Part::RuleTags, rule.to_owned()));
    }
    keys
}

/// Puts target groups together with what the sweep knows.
pub(crate) fn live_target_groups(
    cloud: &AwsCloud,
    groups: BTreeMap<String, Observed<Value>>,
) -> BTreeMap<String, Observed<LiveTargetGroup>> {
    let sweep = cloud.sweep();
    let live = |description: Value| {
        let arn = arn(&description, "TargetGroupArn").unwrap_or_default().to_owned();
        let attributes = sweep.get(&(Part::TargetGroupAttributes, arn.clone()));
        LiveTargetGroup { description: description.into(), attributes, tags: sweep.get(&(Part::TargetGroupTags, arn)) }
    };
    groups.into_iter().map(|(name, group)| (name, group.map(live))).collect()
}

/// Puts rules together with what the sweep knows.
pub(crate) fn live_rules(
    cloud: &AwsCloud,
    rules: BTreeMap<Arn, Observed<Vec<Value>>>,
) -> BTreeMap<Arn, Observed<Vec<LiveRule>>> {
    let sweep = cloud.sweep();
    let live = |description: Value| {
        let arn = arn(&description, "RuleArn").unwrap_or_default().to_owned();
        LiveRule { description: description.into(), tags: sweep.get(&(Part::RuleTags, arn)) }
    };
    rules.into_iter().map(|(listener, rules)| (listener, rules.map(|r| r.into_iter().map(live).collect()))).collect()
}
