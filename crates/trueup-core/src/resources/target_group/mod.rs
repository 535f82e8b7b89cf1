//! Target groups: their health checks and attributes.

mod absorb;
mod plan;
mod prune;

pub(super) use self::absorb::{absorb, absorb_attributes, absorb_deletion, retag};
pub(super) use self::prune::PRUNING;
use super::Carrier;
use crate::desired::DesiredApplication;
use crate::kind::Kind;
use crate::live::{Live, LiveTargetGroup, Observed, ReadFailure, Tags};
use crate::plan::Input;
use crate::plan::builder::PlanBuilder;

/// Plans every target group document of the application.
pub(super) fn plan(input: &Input<'_>, builder: &mut PlanBuilder) {
    for document in input.desired.of(Kind::TargetGroup) {
        plan::plan(input, document, builder);
    }
}

pub(super) fn carriers<'a>(desired: &DesiredApplication, live: &'a Live) -> Vec<Carrier<'a>> {
    let carrier =
        |group: &'a LiveTargetGroup| Some(Carrier { description: &group.description, tags: group.tags.present()? });
    named(desired, live).filter_map(Observed::present).filter_map(carrier).collect()
}

pub(super) fn unread(desired: &DesiredApplication, live: &Live) -> Option<ReadFailure> {
    named(desired, live).find_map(Observed::failure).cloned()
}

pub(super) fn all_tags(live: &Live) -> Vec<&Tags> {
    live.target_groups.values().filter_map(|group| group.present()?.tags.present()).collect()
}

/// The target groups that the documents name, as far as they were requested.
fn named<'a>(desired: &DesiredApplication, live: &'a Live) -> impl Iterator<Item = &'a Observed<LiveTargetGroup>> {
    let names = desired.of(Kind::TargetGroup).filter_map(|document| document.body.get("Name")?.as_str());
    names.filter_map(|name| live.target_groups.get(name))
}
