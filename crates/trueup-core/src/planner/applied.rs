//! Which commits AWS's tags say were applied.

use std::collections::BTreeSet;

use crate::desired::DesiredApplication;
use crate::kind::Kind;
use crate::live::{Live, Tags};
use crate::names::{EnvironmentName, InstanceName, Revision};
use crate::plan::tags;
use crate::resources;

/// The commits that this installation applied to what an application names, as far as AWS's tags show: those on its
/// service and on the task definition revisions that the service runs, on its family's newest revision, on its target
/// groups and on its rules.
pub fn applied_revisions(desired: &DesiredApplication, live: &Live, instance: &InstanceName) -> BTreeSet<Revision> {
    let carriers = Kind::ALL.into_iter().flat_map(|kind| resources::carriers(kind, desired, live));
    revisions(carriers.map(|carrier| carrier.tags), &desired.environment, instance)
}

/// The commits that this installation applied to anything that was observed of an environment, whichever application it
/// belongs to: a copy that lacks a commit of one application lacks it for all, also for one whose resources that commit
/// removed.
pub fn applied_revisions_of_environment(
    environment: &EnvironmentName,
    live: &Live,
    instance: &InstanceName,
) -> BTreeSet<Revision> {
    revisions(Kind::ALL.into_iter().flat_map(|kind| resources::all_tags(kind, live)), environment, instance)
}

/// Those in the tags that are this installation's, of this environment.
fn revisions<'a>(
    all: impl Iterator<Item = &'a Tags>,
    environment: &EnvironmentName,
    instance: &InstanceName,
) -> BTreeSet<Revision> {
    let ours =
        |tags: &&Tags| is(tags, tags::INSTANCE, instance.as_str()) && is(tags, tags::ENVIRONMENT, environment.as_str());
    all.filter(ours).filter_map(|tags| tags.get(tags::REVISION)).map(Revision::new).collect()
}

fn is(tags: &Tags, key: &str, value: &str) -> bool {
    tags.get(key).is_some_and(|tag| *tag == tags::legal(value))
}
