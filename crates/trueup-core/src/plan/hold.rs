//! Every reason why a step is known and not taken.

mod access;
mod described;
mod git;
mod observed;
mod ownership;
mod policy;
mod resource;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use super::{Ahead, Cause, Sync};
use crate::desired::Unresolved;
use crate::digest::Digest;
use crate::live::ReadFailure;
use crate::model::Kind;
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};

/// Why a step is known but not taken. This is what an operator reads when nothing moves.
///
/// As data its members stand beside those of the event or of [`super::Held`], so that none may have the name of one of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "reason")]
pub enum Hold {
    /// A read failed, so nothing may be concluded. Ends when the read succeeds.
    NotObserved {
        /// The read.
        failure: ReadFailure,
    },
    /// The same differences as before our own write of a moment ago: AWS still shows the time before it. Ends with
    /// the first newer read, or after a minute.
    NotSettled {
        /// Seconds since the write.
        seconds: i64,
    },
    /// The policy says that such differences are told and not acted on. Ends when the policy, git or live changes.
    ReportOnly {
        /// What kind of difference it is.
        cause: Cause,
    },
    /// AWS cannot change these fields of an existing resource. Ends when git or live changes.
    Immutable {
        /// The kind of document.
        kind: Kind,
        /// The fields.
        fields: Vec<String>,
    },
    /// Another installation of trueup owns the resource. Ends when its tags change.
    ForeignInstance {
        /// The other installation.
        instance: InstanceName,
    },
    /// This installation owns the resource for another environment. Ends when its tags or git change.
    ForeignEnvironment {
        /// The other environment.
        #[serde(rename = "owner")]
        environment: EnvironmentName,
    },
    /// A `CloudFormation` stack owns the resource, and the policy does not allow writing to such. Ends when
    /// `manage_stack_resources` is set or the stack gives it up.
    OwnedByStack {
        /// The stack's name.
        stack: String,
    },
    /// ECS itself manages the service (`resourceManagementType` is `ECS`). Ends when it is made anew.
    ManagedByEcs,
    /// The rule's priority belongs to a rule that is not ours to change. Ends when that one moves, or git changes.
    PriorityTaken {
        /// The listener.
        listener: Arn,
        /// The priority.
        priority: String,
        /// The rule that has it.
        rule: Arn,
    },
    /// A service of this name is being deleted, and ECS makes no other one meanwhile. Ends when it is gone.
    ServiceDraining,
    /// ECS failed this deployment or rolled it back; asking for it again would fail again. Ends with a commit of other
    /// content, or with `trueup retry`.
    RevisionFailed {
        /// ECS's own words.
        #[serde(rename = "detail")]
        message: String,
        /// Whether AWS's words tell of something that passes by itself, such as used up capacity.
        transient: bool,
        /// What the tag `trueup:failed` carries for it: [`super::tags::deployment_digest`].
        digest: Digest,
        /// The newest that is known of its failure, by AWS's clock.
        failed_at: Option<Timestamp>,
    },
    /// A person suspended following and healing (`trueup suspend`). Ends with `trueup resume`.
    Suspended {
        /// Who did it, when and why: the value of the tag `trueup:suspended`.
        note: String,
        /// Why it would be done; none for the application as a whole.
        cause: Option<Cause>,
    },
    /// Somebody makes this drift again after each repair, so that repairs slow down to one in five minutes. Ends when
    /// the drift stays away for ten minutes, or git changes the fields.
    Contested {
        /// The fields.
        fields: Vec<String>,
        /// Who changed the resource last, as CloudTrail tells, where it does.
        by: Option<String>,
    },
    /// References that name nothing, or could not be looked up. Ends when all of them resolve.
    Unresolved {
        /// The references.
        references: Vec<Unresolved>,
    },
    /// Applications of `depends_on` are not Synced and Healthy. Ends when they are.
    WaitsFor {
        /// Those applications.
        #[serde(rename = "waits_for")]
        applications: Vec<ApplicationName>,
    },
    /// More resources would be deleted for one commit than `prune_limit` allows. Ends when a person raises it.
    PruneLimit {
        /// How many would be deleted.
        count: usize,
        /// How many may be.
        limit: u32,
    },
    /// The resource carries a commit that is not this repository's, so it is not ours to delete. Ends when a person
    /// deletes it or takes its tags away.
    UnknownRevision {
        /// The commit in its tag; none when there is no tag.
        #[serde(rename = "commit")]
        revision: Option<Revision>,
    },
    /// Another copy of trueup applied a commit that this one has not got, or not valid. Ends when git was asked: with that
    /// commit or a newer one in force, or with the certainty that the repository does not have it.
    Behind(Ahead),
    /// The target group to delete is still in use. Ends when the last rule and service let go of it.
    TargetGroupInUse {
        /// The load balancers, rules or services that use it.
        by: Vec<String>,
    },
    /// A document of the application is wrong; its last valid revision stays in force. Ends with a commit that
    /// corrects it.
    InvalidDocument {
        /// The problems, each with its place.
        problems: Vec<String>,
    },
    /// A commit is not signed by somebody who may sign for this environment, so that it and what follows it is not applied here.
    /// Ends with a commit that is, or when the daemon's configuration allows the signer.
    Unverified {
        /// The commit.
        commit: Revision,
        /// Why it is not verified.
        detail: String,
    },
    /// IAM refuses the call. Tried again slowly; ends when the permission is there.
    AccessDenied {
        /// The call, such as `ecs:UpdateService`.
        operation: String,
        /// AWS's own words, which name the principal, the action and the resource.
        #[serde(rename = "detail")]
        message: String,
    },
    /// AWS refused the call, and would refuse it again. Tried again slowly; ends when git or live changes.
    CallRefused {
        /// The call, such as `ecs:UpdateService`.
        operation: String,
        /// AWS's error code.
        code: Option<String>,
        /// AWS's own words.
        #[serde(rename = "detail")]
        message: String,
    },
    /// The call failed in a way that passes by itself. Tried again with growing pauses.
    WriteFailed {
        /// The call, such as `ecs:UpdateService`.
        operation: String,
        /// AWS's own words, or the transport's.
        #[serde(rename = "detail")]
        message: String,
    },
    /// The credentials belong to another account than the environment's. Ends when they are right.
    AccountMismatch {
        /// The account in `trueup.toml`.
        expected: String,
        /// The account that answered.
        actual: String,
    },
    /// There are no valid credentials. Ends when there are.
    NoCredentials {
        /// What the credentials chain said.
        #[serde(rename = "detail")]
        message: String,
    },
    /// The checker found the plan unsound: a defect of trueup. Ends with a trueup that is corrected.
    Unsound {
        /// What is wrong with the plan, one sentence each.
        defects: Vec<String>,
    },
}

impl Hold {
    /// Contested fields; who contests them is found out later.
    pub(super) fn contested(mut fields: Vec<String>) -> Self {
        fields.sort();
        Self::Contested { fields, by: None }
    }

    /// The reason's name, stable, as reports and metrics carry it.
    pub fn reason(&self) -> &'static str {
        self.described().reason
    }

    /// What the hold says about [`Sync`] by itself. `None`: the held changes decide.
    pub fn implies(&self) -> Option<Sync> {
        self.described().implies
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> String {
        self.described().message
    }

    /// What ends it, in one sentence that an operator can act on. JSON has it as `cure`.
    pub fn remedy(&self) -> &'static str {
        self.described().remedy
    }
}
