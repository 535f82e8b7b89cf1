//! The behaviour of each kind of document: the upper one of a kind's two rooms.
//!
//! A kind's folder contains its behaviour; this file is the table of contents, one match for each behaviour, so that
//! the compiler reports what a new kind lacks. The layers below ([`crate::plan`], [`crate::drift`]) know no kind, and
//! [`crate::planner`] above combines kinds without knowing their behaviour.

mod answer;
pub(crate) mod listener_rule;
mod presence;
pub mod service;
mod target_group;
mod task_definition;

use serde_json::Value;

use crate::description::Description;
use crate::desired::{DesiredApplication, Document};
use crate::kind::{Kind, tagging};
use crate::live::{Live, OwnedResource, ReadFailure, Tags};
use crate::names::Arn;
use crate::operation::Operation;
use crate::plan::builder::PlanBuilder;
use crate::plan::{Call, Input};
use service::Outcome;

/// Plans all documents of a kind. Returns the outcome for a kind that runs something.
pub(crate) fn plan(kind: Kind, input: &Input<'_>, builder: &mut PlanBuilder) -> Option<Outcome> {
    match kind {
        Kind::TargetGroup => target_group::plan(input, builder),
        Kind::ListenerRule => listener_rule::plan(input, builder),
        Kind::TaskDefinition => task_definition::plan_alone(input, builder),
        Kind::Service => return service::plan(input, builder),
    }
    None
}

/// A resource that carries trueup's tags.
pub(crate) struct Carrier<'a> {
    pub(crate) description: &'a Description,
    pub(crate) tags: &'a Tags,
}

impl Carrier<'_> {
    /// Its ARN. Parses the description, which takes several times the memory of its text and stays parsed for as long as the
    /// live state is kept: most callers need the tags alone.
    pub(crate) fn arn(&self, kind: Kind) -> Option<Arn> {
        self.description.get(kind.facts().described.arn)?.as_str().map(Arn::new)
    }
}

/// The existing resources of a kind that an application names, as far as they were read.
pub(crate) fn carriers<'a>(kind: Kind, desired: &DesiredApplication, live: &'a Live) -> Vec<Carrier<'a>> {
    match kind {
        Kind::TargetGroup => target_group::carriers(desired, live),
        Kind::ListenerRule => listener_rule::carriers(desired, live),
        Kind::TaskDefinition => task_definition::carriers(desired, live),
        Kind::Service => service::carriers(desired, live),
    }
}

/// Why resources of a kind that an application names could not be read.
pub(crate) fn unread(kind: Kind, desired: &DesiredApplication, live: &Live) -> Option<ReadFailure> {
    match kind {
        Kind::TargetGroup => target_group::unread(desired, live),
        Kind::ListenerRule => listener_rule::unread(desired, live),
        Kind::TaskDefinition => None,
        Kind::Service => service::unread(desired, live),
    }
}

/// The tags of everything of a kind that was observed in the environment, whichever application it belongs to. Of task
/// definitions those of the newest revision of each family.
pub(crate) fn all_tags(kind: Kind, live: &Live) -> Vec<&Tags> {
    match kind {
        Kind::TargetGroup => target_group::all_tags(live),
        Kind::ListenerRule => listener_rule::all_tags(live),
        Kind::TaskDefinition => task_definition::all_tags(live),
        Kind::Service => service::all_tags(live),
    }
}

/// How resources of a kind that git no longer has are recognised and deleted.
pub(crate) struct Pruning {
    /// The name of a document's resource in AWS.
    pub(crate) name_in_git: fn(&DesiredApplication, &Document) -> String,
    /// The name of a resource in AWS; `None` if it is unknown, and then the resource stays.
    pub(crate) name_in_aws: fn(&OwnedResource) -> Option<String>,
    /// Whether the tag with its document keeps it, although its name in AWS differs.
    pub(crate) kept_by_document: bool,
    /// The call that deletes it.
    pub(crate) deletion: fn(&OwnedResource) -> (Operation, Value),
    /// Whether others that use it must be gone first.
    pub(crate) waits_for_users: bool,
}

/// How resources of a kind are pruned; `None` for kinds that are never deleted.
pub(crate) fn pruning(kind: Kind) -> Option<&'static Pruning> {
    match kind {
        Kind::TargetGroup => Some(&target_group::PRUNING),
        Kind::ListenerRule => Some(&listener_rule::PRUNING),
        // An earlier revision may be needed for a rollback.
        Kind::TaskDefinition => None,
        Kind::Service => Some(&service::PRUNING),
    }
}

impl Live {
    /// Merges AWS's response to `call` into live state, so that the next plan begins where the call ended: reads may
    /// lag behind, and the response to a write is the newest known state. An incomplete response changes nothing: the
    /// next observation will show the state.
    pub fn absorb(&mut self, call: &Call, answer: &Value) {
        let input = &call.input;
        match call.operation {
            Operation::CreateService | Operation::UpdateService => service::absorb(self, input, answer),
            Operation::DeleteService => service::absorb_deletion(self, input),
            Operation::RegisterTaskDefinition => task_definition::absorb(self, input, answer),
            Operation::CreateTargetGroup | Operation::ModifyTargetGroup => target_group::absorb(self, input, answer),
            Operation::ModifyTargetGroupAttributes => target_group::absorb_attributes(self, input, answer),
            Operation::DeleteTargetGroup => target_group::absorb_deletion(self, input),
            Operation::CreateRule => listener_rule::absorb_creation(self, input, answer),
            Operation::ModifyRule | Operation::SetRulePriorities => listener_rule::absorb(self, input, answer),
            Operation::DeleteRule => listener_rule::absorb_deletion(self, input),
            Operation::TagResource | Operation::AddTags => {
                let tagging = tagging::of(call.operation);
                let set = tagging.read(input);
                self.retag(&tagging.targets(input), &|tags| tags.extend(set.clone()));
            }
            Operation::UntagResource | Operation::RemoveTags => {
                let tagging = tagging::of(call.operation);
                let keys = tagging.removed(input);
                self.retag(&tagging.targets(input), &|tags| tags.retain(|key, _| !keys.contains(key)));
            }
        }
    }

    /// Changes the tags of the resources with these ARNs.
    fn retag(&mut self, arns: &[String], change: &dyn Fn(&mut Tags)) {
        for arn in arns {
            for kind in Kind::ALL {
                match kind {
                    Kind::TargetGroup => target_group::retag(self, arn, change),
                    Kind::ListenerRule => listener_rule::retag(self, arn, change),
                    Kind::TaskDefinition => task_definition::retag(self, arn, change),
                    Kind::Service => service::retag(self, arn, change),
                }
            }
        }
    }
}
