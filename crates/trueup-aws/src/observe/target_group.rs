//! Target groups, with what the sweep knows of their attributes and tags.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trueup_core::live::{LiveTargetGroup, Observed, ReadFailure};

use super::pages::{PAGE_SIZE, arn, pages};
use super::parts::Parts;
use super::sweep::{Key, Part};
use crate::elb::Read;
use crate::failure;
use crate::session::Session;

/// Up to this many target groups are asked for by name; more are found by listing all of them, 400 a page.
const NAMES_MAX: usize = 20;

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
pub(crate) async fn find(session: &Session, names: &BTreeSet<String>, all: bool) -> TargetGroups {
    if names.is_empty() && !all {
        return TargetGroups::default();
    }
    if names.len() <= NAMES_MAX && !all {
        let outcome = pages(session, Read::DescribeTargetGroups, json!({"Names": names}), "TargetGroups").await;
        match outcome {
            Err(error) if error.code.as_deref() == Some("TargetGroupNotFound") => {}
            outcome => return TargetGroups { wanted: pick(names, &outcome.map_err(failure::read_failure)), all: None },
        }
    }
    let input = json!({"PageSize": PAGE_SIZE});
    let outcome =
        pages(session, Read::DescribeTargetGroups, input, "TargetGroups").await.map_err(failure::read_failure);
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

/// The parts of the requested target groups that the sweep reads in turns.
pub(crate) fn keys(groups: &TargetGroups) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for group in groups.wanted.values().filter_map(Observed::present).filter_map(|group| arn(group, "TargetGroupArn")) {
        keys.insert((Part::TargetGroupAttributes, group.to_owned()));
        keys.insert((Part::TargetGroupTags, group.to_owned()));
    }
    keys
}

/// The tags of all target groups that were listed, also of those that were not asked for by name.
pub(crate) fn keys_of_all(groups: &TargetGroups) -> BTreeSet<Key> {
    let all = groups.all.iter().flatten().flatten();
    all.filter_map(|group| arn(group, "TargetGroupArn")).map(|arn| (Part::TargetGroupTags, arn.to_owned())).collect()
}

/// Puts target groups together with what the sweep knows.
pub(crate) fn live(
    parts: &Parts,
    groups: BTreeMap<String, Observed<Value>>,
) -> BTreeMap<String, Observed<LiveTargetGroup>> {
    let sweep = parts.sweep();
    let live = |description: Value| {
        let arn = arn(&description, "TargetGroupArn").unwrap_or_default().to_owned();
        let attributes = sweep.get(&(Part::TargetGroupAttributes, arn.clone()));
        LiveTargetGroup { description: description.into(), attributes, tags: sweep.get(&(Part::TargetGroupTags, arn)) }
    };
    groups.into_iter().map(|(name, group)| (name, group.map(live))).collect()
}
