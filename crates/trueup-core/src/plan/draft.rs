//! A plan in the making: steps and holds in the order in which they are found.

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

/// A plan in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) steps: Vec<Step>,
    pub(super) held: Vec<Held>,
}

impl Draft {
    pub(super) fn step(&mut self, resource: &Resource, cause: Cause, changes: Vec<Change>, call: Call) {
        self.step_after(resource, cause, changes, call, Vec::new());
    }

    /// A step whose changes have causes of their own.
    pub(super) fn sorted_step(
        &mut self,
        resource: &Resource,
        changes: Vec<(Cause, Change)>,
        call: Call,
        awaits: Vec<Awaited>,
    ) {
        let cause = common_cause(&changes);
        let drift = changes.iter().filter(|(cause, _)| *cause == Cause::Drift);
        let drift = drift.map(|(_, change)| change.path.clone()).collect();
        self.steps.push(Step { resource: resource.clone(), cause, changes: only(changes), drift, awaits, call });
    }

    pub(super) fn step_after(
        &mut self,
        resource: &Resource,
        cause: Cause,
        changes: Vec<Change>,
        call: Call,
        awaits: Vec<Awaited>,
    ) {
        self.sorted_step(resource, changes.into_iter().map(|change| (cause, change)).collect(), call, awaits);
        if let Some(step) = self.steps.last_mut() {
            // One without changes has its cause all the same.
            step.cause = cause;
        }
    }

    pub(super) fn hold(&mut self, resource: &Resource, changes: Vec<Change>, reason: Hold) {
        self.held.push(Held { resource: Some(resource.clone()), changes, reason });
    }

    pub(super) fn not_observed(&mut self, resource: &Resource, failure: &ReadFailure) {
        self.hold(resource, Vec::new(), Hold::NotObserved { failure: failure.clone() });
    }

    /// Holds what the policy only reports, one hold per cause, and what is contested.
    pub(super) fn report(&mut self, resource: &Resource, sorted: &Sorted) {
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

/// A part of live state that should have been read and is not there at all.
pub(super) fn not_asked(operation: &str) -> ReadFailure {
    ReadFailure {
        operation: operation.to_owned(),
        kind: FailureKind::Unavailable,
        message: "it was not read in this cycle".to_owned(),
    }
}

/// Tags of ours beside the digest and the commit, to be set and to be taken off.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) set: Tags,
    pub(super) gone: Vec<&'static str>,
}

/// One document and the resource that it describes.
pub(super) struct Work<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) document: &'a Document,
    pub(super) resource: Resource,
    pub(super) owner: Owner,
    /// What the tag `trueup:digest` is to carry.
    pub(super) digest: Digest,
}

impl<'a> Work<'a> {
    pub(super) fn new(input: &'a Input<'a>, document: &'a Document, arn: Option<Arn>) -> Self {
        Self {
            input,
            document,
            resource: Resource { kind: document.kind, name: document.name.clone(), arn },
            owner: Owner::new(input, document.kind, &document.name),
            digest: tags::applied_digest(input.desired, document),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.document.kind
    }

    pub(super) fn tagging(&self) -> &'static Tagging {
        self.kind().facts().tagging
    }

    /// The target groups that must exist before its request can be written.
    pub(super) fn awaits(&self) -> Vec<Awaited> {
        self.document.awaits.iter().map(|(kind, name)| Awaited::Created(*kind, name.clone())).collect()
    }

    pub(super) fn ignored(&self) -> Vec<Pointer> {
        ignored(&self.input.desired.policy, self.kind(), &self.document.name)
    }

    pub(super) fn last(&self) -> Option<&'a Document> {
        last(self.input, self.kind(), &self.document.name)
    }

    pub(super) fn claim(&self, live: &Tags) -> Claim {
        self.owner.claim(live, self.input.desired.policy.manage_stack_resources)
    }

    /// What git says about the fields of this application's policy, and whether the cause of a missing resource is
    /// that somebody deleted it.
    pub(super) fn creation(&self) -> Mode {
        let policy = &self.input.desired.policy;
        if self.last().is_some() || self.was_deleted() { policy.heal } else { policy.follow }
    }

    /// Whether the service, which does not exist, was there before.
    pub(super) fn was_deleted(&self) -> bool {
        let of_service = matches!(self.kind(), Kind::Service | Kind::TaskDefinition);
        let input = self.input;
        let knew = || input.memory.knew_service(input.desired, input.live, input.instance, input.now);
        of_service && (self.last().is_some() || knew())
    }

    /// The one change of a resource that does not exist yet.
    pub(super) fn whole(&self) -> Vec<Change> {
        let root = Pointer::root();
        let desired = Shown::at(&root, &self.document.body);
        vec![Change { path: root, live: Shown::absent(), desired }]
    }

    /// The author's tags and ours, as a request that creates the resource carries them.
    pub(super) fn creation_tags(&self, stamped: bool) -> Value {
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

    /// Where live differs from the document, tags included. `live` is the description, in AWS's spelling.
    pub(super) fn changes(&self, body: &Value, live: &Value, live_tags: &Tags, context: &Context) -> Vec<Change> {
        let declared = tags::declared(self.document);
        let member = self.tagging().member;
        // Tags that git does not declare are other people's: they are not even compared.
        let known: Tags = live_tags.iter().filter(|(k, _)| declared.contains_key(*k)).map(own).collect();
        let mut live = live.clone();
        if let Value::Object(members) = &mut live {
            members.insert(member.to_owned(), self.tagging().list(&known));
        }
        let mut changes = kind::drift(self.kind(), body, &live, context);
        // Except that git takes away again what it once declared.
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
    pub(super) fn sort(&self, changes: Vec<Change>, basis: &Basis) -> Sorted {
        let member = self.tagging().member;
        let declared = tags::declared(self.document);
        let mut sorted = Sorted::new(changes, &self.input.desired.policy, |change| {
            let segments = change.path.segments();
            let undeclared = segments.len() == 2 && segments[0] == member && !declared.contains_key(&segments[1]);
            // A tag that git took away waits to be taken away, whoever else changed it meanwhile.
            if undeclared { Cause::Pending } else { basis.cause(&change.path) }
        });
        sorted.contest(|change| self.is_contested(change));
        sorted
    }

    /// Whether somebody undoes the repair of this field again and again, and the next one has to wait.
    pub(super) fn is_contested(&self, change: &Change) -> bool {
        self.input.memory.fuse().is_waiting(self.kind(), &self.document.name, change, self.input.now)
    }

    /// Plans the tags: the author's that changed, ours that are missing, and, once nothing else is left to be done,
    /// the digest and the commit that were applied.
    ///
    /// `settled` says that nothing but tags is left to be written; `complete` that no pending change stays behind.
    pub(super) fn tag(&self, draft: &mut Draft, arn: &Arn, live: &Tags, sorted: Sorted, settled: bool, complete: bool) {
        self.tag_and_mark(draft, arn, live, sorted, settled, complete, Marks::default());
    }

    /// As [`Work::tag`], with marks.
    #[expect(clippy::too_many_arguments, reason = "one more than `tag`; a struct would only name them again")]
    pub(super) fn tag_and_mark(
        &self,
        draft: &mut Draft,
        arn: &Arn,
        live: &Tags,
        sorted: Sorted,
        settled: bool,
        complete: bool,
        marks: Marks,
    ) {
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
                draft.step(&self.resource, Cause::Adopt, Vec::new(), call);
            } else {
                draft.sorted_step(&self.resource, edited, call, Vec::new());
            }
        }
        if !removed.is_empty() {
            let call = Call::of(self.tagging().remove(arn, &removed));
            if gone.is_empty() {
                draft.step(&self.resource, Cause::Adopt, Vec::new(), call);
            } else {
                draft.sorted_step(&self.resource, gone, call, Vec::new());
            }
        }
    }
}

fn own((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}
