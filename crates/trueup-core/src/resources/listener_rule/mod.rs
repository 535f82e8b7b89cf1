//! Listener rules: their conditions, actions and priorities.

mod absorb;
mod find;
mod plan;
mod prune;

use std::collections::BTreeSet;

pub(super) use self::absorb::{absorb, absorb_creation, absorb_deletion, retag};
pub(super) use self::plan::plan;
pub(super) use self::prune::PRUNING;
use super::Carrier;
use crate::desired::DesiredApplication;
use crate::kind::Kind;
use crate::live::{Live, LiveRule, Observed, ReadFailure, Tags};
use crate::names::Arn;
use crate::plan::tags;

/// A rule has no name: only trueup's tags show that it belongs to this application.
pub(super) fn carriers<'a>(desired: &DesiredApplication, live: &'a Live) -> Vec<Carrier<'a>> {
    let application = tags::legal(desired.name.as_str());
    let ours = |tags: &&Tags| tags.get(tags::APPLICATION) == Some(&application) && tags.contains_key(tags::INSTANCE);
    let carrier =
        |rule: &'a LiveRule| Some(Carrier { description: &rule.description, tags: rule.tags.present().filter(ours)? });
    of_listeners(desired, live).filter_map(Observed::present).flatten().filter_map(carrier).collect()
}

pub(super) fn unread(desired: &DesiredApplication, live: &Live) -> Option<ReadFailure> {
    of_listeners(desired, live).find_map(Observed::failure).cloned()
}

pub(super) fn all_tags(live: &Live) -> Vec<&Tags> {
    let rules = live.rules.values().filter_map(Observed::present).flatten();
    rules.filter_map(|rule| rule.tags.present()).collect()
}

/// The rules of the listeners that the documents name, as far as they were requested.
fn of_listeners<'a>(desired: &DesiredApplication, live: &'a Live) -> impl Iterator<Item = &'a Observed<Vec<LiveRule>>> {
    let listeners = desired.of(Kind::ListenerRule).filter_map(|rule| rule.body.get("ListenerArn")?.as_str());
    let listeners: BTreeSet<&str> = listeners.collect();
    listeners.into_iter().map(Arn::new).filter_map(|arn| live.rules.get(&arn)).collect::<Vec<_>>().into_iter()
}
