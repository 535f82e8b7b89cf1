//! A plan under construction: steps and holds in the order in which they are found.

use serde_json::Value;

use super::tags::{self, Claim, Owner};
use super::three_way::{Basis, Sorted, common_cause, ignored, is_ignored, last, only, top};
use super::{Awaited, Call, Cause, Held, Hold, Input, Resource, Step};
use crate::desired::{Document, Mode};
use crate::digest::Digest;
use crate::drift::{Change, Context, Shown};
use crate::kind::{self, Kind, Tagging};
use crate::live::{FailureKind, ReadFailure, Tags};
use crate::names::Arn;
use crate::pointer::Pointer;

/// A plan under construction.
#[derive(Debug, Default)]
pub(crate) struct PlanBuilder {
    pub(crate) steps: Vec<Step>,
    pub(crate) held: Vec<Held>,
}

impl PlanBuilder {
    pub(crate) fn step(&mut self, resource: &Resource, cause: Cause, changes: Vec<Change>, call: Call) {
        self.step_after(resource, cause, changes, call, Vec::new());
    }

    /// A step whose changes each have a cause.
    pub(crate) fn sorted_step(
        &mut self,
        resource: &Resource,
        changes: Vec<(Cause, Change)>,
        call: Call,
        awaits: Vec<Awaited>,
    ) {
        let cause = common_cause(&changes);
        let drift = changes.iter().filter(|(cause, _)| *cause == Cause::Drift);
        let drift = drift.map(|(_, change)| change.path.clone()).collect();
        self.steps.push(Step { subject: resource.clone().into(), cause, changes: only(changes), drift, awaits, call });
    }

    pub(crate) fn step_after(
        &mut self,
        resource: &Resource,
        cause: Cause,
        changes: Vec<Change>,
        call: Call,
        awaits: Vec<Awaited>,
    ) {
        self.sorted_step(resource, changes.into_iter().map(|change| (cause, change)).collect(), call, awaits);
        if let Some(step) = self.steps.last_mut() {
            // A step without changes has a cause, too.
            step.cause = cause;
        }
    }

    pub(crate) fn hold(&mut self, resource: &Resource, changes: Vec<Change>, reason: Hold) {
        self.held.push(Held { subject: resource.clone().into(), changes, reason });
    }

    /// Appends another plan under construction.
    pub(crate) fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.held.extend(other.held);
    }

    pub(crate) fn not_observed(&mut self, resource: &Resource, failure: &ReadFailure) {
        self.hold(resource, Vec::new(), Hold::NotObserved { failure: failure.clone() });
    }

    /// Holds what the policy only reports, one hold per cause, and what is contested.
    pub(crate) fn report(&mut self, resource: &Resource, sorted: &Sorted) {
        if !sorted.contested.is_empty() {
            let changes: Vec<Change> = sorted.contested.iter().map(|(_, change)| change.clone()).collect();
            let fields = changes.iter().map(|change| change.path.to_string()).collect();
            self.hold(resource, changes, Hold::contested(fields));
        }
        for cause in [Cause::Pending, Cause::Drift] {
            let changes: Vec<Change> =
                sorted.reported.iter().filter(|(c, _)| *c == cause).map(|(_, change)| change.clone()).collect();
            if !changes.is_empty() {
                self.hold(resource, changes, Hold::ReportOnly { cause });
            }
        }
    }
}

/// The failure of a part of live state that should have been read in this cycle and was not.
pub(crate) fn not_asked(operation: &str) -> ReadFailure {
    ReadFailure {
        operation: operation.to_owned(),
        kind: FailureKind::Unavailable,
        message: "it was not read in this cycle".to_owned(),
    }
}

/// Our tags other than the digest and the commit, to be set and to be removed.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    pub(crate) set: Tags,
    pub(crate) gone: Vec<&'static str>,
}

/// The state of a resource when its tags are planned.
pub(crate) struct Settling<'a> {
    pub(crate) arn: &'a Arn,
    /// Its tags now.
    pub(crate) live: &'a Tags,
    /// Nothing but tags is left to be written.
    pub(crate) settled: bool,
    /// Whether no pending change remains.
    pub(crate) complete: bool,
    /// Marks to be written or removed in any case.
    pub(crate) marks: Marks,
}

/// One document and the resource that it describes.
pub(crate) struct Work<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) document: &'a Document,
    pub(crate) resource: Resource,
    pub(crate) owner: Owner,
    /// What the tag `trueup:digest` is to carry.
    pub(crate) digest: Digest,
}

impl<'a> Work<'a> {
    pub(crate) fn new(input: &'a Input<'a>, document: &'a Document, arn: Option<Arn>) -> Self {
        Self {
            input,
            document,
            resource: Resource { kind: document.kind, name: document.name.clone(), arn },
            owner: Owner::new(input, document.kind, &document.name),
            digest: tags::applied_digest(input.desired, document),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.document.kind
    }

    pub(crate) fn tagging(&self) -> &'static Tagging {
        self.kind().facts().tagging
    }

    /// The target groups that must exist before its request can be written.
    pub(crate) fn awaits(&self) -> Vec<Awaited> {
        self.document.awaits.iter().map(|(kind, name)| Awaited::Created(*kind, name.clone())).collect()
    }

    pub(crate) fn ignored(&self) -> Vec<Pointer> {
        ignored(&self.input.desired.policy, self.kind(), &self.document.name)
    }

    pub(crate) fn last(&self) -> Option<&'a Document> {
        last(self.input, self.kind(), &self.document.name)
    }

    pub(crate) fn claim(&self, live: &Tags) -> Claim {
        self.owner.claim(live, self.input.desired.policy.manage_stack_resources)
    }

    /// The policy's mode for creating the resource: if git had it before, another writer deleted it.
    pub(crate) fn creation(&self) -> Mode {
        let policy = &self.input.desired.policy;
        if self.last().is_some() { policy.heal } else { policy.follow }
    }

    /// The one change of a resource that does not exist yet.
    pub(crate) fn whole(&self) -> Vec<Change> {
        let root = Pointer::root();
        let desired = Shown::at(&root, &self.document.body);
        vec![Change { path: root, live: Shown::absent(), desired }]
    }

    /// The author's tags and ours, as a request that creates the resource carries them.
    pub(crate) fn creation_tags(&self, stamped: bool) -> Value {
        let mut all = tags::declared(self.document);
        all.extend(self.owner.tags().clone());
        if stamped {
            all.extend(self.stamp());
        }
        self.tagging().list(&all)
    }

    fn stamp(&self) -> Tags {
        [
            (tags::DIGEST.to_owned(), tags::legal(self.digest.as_str())),
            (tags::REVISION.to_owned(), tags::legal(self.input.desired.revision.as_str())),
        ]
        .into()
    }

    /// The differences between live and the document, tags included. `live` is the description in AWS's form.
    pub(crate) fn changes(&self, body: &Value, live: &Value, live_tags: &Tags, context: &Context) -> Vec<Change> {
        let declared = tags::declared(self.document);
        let member = self.tagging().member;
        // Tags that git does not declare belong to other owners: they are not even compared.
        let known: Tags = live_tags.iter().filter(|(k, _)| declared.contains_key(*k)).map(own).collect();
        let mut live = live.clone();
        if let Value::Object(members) = &mut live {
            members.insert(member.to_owned(), self.tagging().list(&known));
        }
        let mut changes = kind::drift(self.kind(), body, &live, context);
        // Except tags that git once declared: they are removed.
        for key in self.last().map(tags::declared).unwrap_or_default().into_keys() {
            let path = Pointer::from_iter([member, key.as_str()]);
            let Some(value) = live_tags.get(&key) else { continue };
            if !declared.contains_key(&key) && !is_ignored(&context.ignore, &path) {
                let live = Shown::at(&path, &Value::from(value.as_str()));
                changes.push(Change { path, live, desired: Shown::absent() });
            }
        }
        changes
    }

    /// Sorts changes by cause and policy. `basis` has what was applied to the resource.
    pub(crate) fn sort(&self, changes: Vec<Change>, basis: &Basis) -> Sorted {
        let member = self.tagging().member;
        let declared = tags::declared(self.document);
        let mut sorted = Sorted::new(changes, &self.input.desired.policy, |change| {
            let segments = change.path.segments();
            let undeclared = segments.len() == 2 && segments[0] == member && !declared.contains_key(&segments[1]);
            // A tag that git removed waits to be removed, even when another writer changed it meanwhile.
            if undeclared { Cause::Pending } else { basis.cause(&change.path) }
        });
        sorted.contest(|change| self.is_contested(change));
        sorted
    }

    /// Whether another writer undoes the repair of this field repeatedly, so that the next repair has to wait.
    pub(crate) fn is_contested(&self, change: &Change) -> bool {
        self.input.memory.flapping().is_waiting(self.kind(), &self.document.name, change, self.input.now)
    }

    /// Plans the tags: the author's that changed, ours that are missing, and, once nothing else is left to be done,
    /// the digest and the commit that were applied.
    pub(crate) fn tag(&self, builder: &mut PlanBuilder, sorted: Sorted, settling: Settling<'_>) {
        let Settling { arn, live, settled, complete, marks } = settling;
        let member = self.tagging().member;
        let declared = tags::declared(self.document);
        let (mut set, mut gone, mut removed, mut edited) = (Tags::new(), Vec::new(), Vec::new(), Vec::new());
        for (cause, change) in sorted.acted {
            let segments = change.path.segments();
            if top(&change.path) != member {
                continue;
            }
            match segments.get(1).map(|key| (key, declared.get(key))) {
                Some((key, Some(value))) => {
                    set.insert(key.clone(), value.clone());
                    edited.push((cause, change));
                }
                Some((key, None)) => {
                    removed.push(key.clone());
                    gone.push((cause, change));
                }
                // The whole list differs.
                None => {
                    set.extend(declared.clone());
                    edited.push((cause, change));
                }
            }
        }
        if self.input.desired.policy.follow == Mode::On {
            set.extend(self.owner.missing(live));
            let stamp = self.stamp();
            let stale = live.get(tags::DIGEST) != stamp.get(tags::DIGEST) || !live.contains_key(tags::REVISION);
            if settled && complete && stale {
                set.extend(stamp);
            }
        }
        let policy = &self.input.desired.policy;
        if policy.follow == Mode::On || policy.heal == Mode::On {
            set.extend(marks.set);
            removed.extend(marks.gone.into_iter().map(str::to_owned));
        }
        if !set.is_empty() {
            let call = Call::of(self.tagging().set(arn, &set));
            if edited.is_empty() {
                builder.step(&self.resource, Cause::Adopt, Vec::new(), call);
            } else {
                builder.sorted_step(&self.resource, edited, call, Vec::new());
            }
        }
        if !removed.is_empty() {
            let call = Call::of(self.tagging().remove(arn, &removed));
            if gone.is_empty() {
                builder.step(&self.resource, Cause::Adopt, Vec::new(), call);
            } else {
                builder.sorted_step(&self.resource, gone, call, Vec::new());
            }
        }
    }
}

fn own((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}
