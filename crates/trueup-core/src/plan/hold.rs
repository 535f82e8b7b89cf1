//! Every reason why a step is known and not taken.

mod access;
mod git;
mod observed;
mod ownership;
mod policy;
mod resource;
#[cfg(test)]
mod tests;
mod text;

use jiff::Timestamp;
use serde::Serialize;

use super::{Ahead, Cause, Sync};
use crate::desired::Unresolved;
use crate::digest::Digest;
use crate::kind::Kind;
use crate::live::ReadFailure;
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};

/// Why a step is known but not taken. This is what an operator reads when nothing moves.
///
/// Serialized, its members are flattened into the event or [`super::Held`], so that none may share a name with theirs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "reason")]
pub enum Hold {
    /// A read failed, so nothing may be concluded. Ends when the read succeeds.
    NotObserved {
        /// The read.
        failure: ReadFailure,
    },
    /// The same differences as before trueup's own recent write: AWS still shows the earlier state. Ends with the first
    /// newer read, or after a minute.
    NotSettled {
        /// Seconds since the write.
        seconds: i64,
    },
    /// The policy reports these differences and does not act on them. Ends when the policy, git or live changes.
    ReportOnly {
        /// The cause of the differences.
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
    /// A `CloudFormation` stack owns the resource, and the policy does not allow writing to resources of a stack. Ends
    /// when `manage_stack_resources` is set or the stack gives the resource up.
    OwnedByStack {
        /// The stack's name.
        stack: String,
    },
    /// ECS itself manages the service (`resourceManagementType` is `ECS`). Ends when it is recreated.
    ManagedByEcs,
    /// The rule's priority belongs to a rule that trueup may not change. Ends when that rule moves, or git changes.
    PriorityTaken {
        /// The listener.
        listener: Arn,
        /// The priority.
        priority: String,
        /// The rule that has it.
        rule: Arn,
    },
    /// A service of this name is being deleted, and ECS cannot create another one until then. Ends when it is gone.
    ServiceDraining,
    /// ECS failed this deployment or rolled it back; requesting it again would fail again. Ends with a commit of other
    /// content, or with `trueup retry`.
    RevisionFailed {
        /// ECS's message.
        #[serde(rename = "detail")]
        message: String,
        /// Whether AWS's message names a temporary cause, such as a lack of capacity.
        transient: bool,
        /// The value of the tag `trueup:failed` for it: the digest of what was to be deployed.
        digest: Digest,
        /// The last known time of its failure, by AWS's clock.
        failed_at: Option<Timestamp>,
    },
    /// An operator suspended following and healing (`trueup suspend`). Ends with `trueup resume`.
    Suspended {
        /// Who suspended it, when and why: the value of the tag `trueup:suspended`.
        note: String,
        /// The cause of the held changes; `None` for the application as a whole.
        cause: Option<Cause>,
    },
    /// Another writer recreates this drift after each repair, so that repairs slow down to one in five minutes. Ends
    /// when the drift stays away for ten minutes, or git changes the fields.
    Contested {
        /// The fields.
        fields: Vec<String>,
        /// Who changed the resource last, where CloudTrail shows it.
        by: Option<String>,
    },
    /// References that name nothing, or whose lookup failed. Ends when all of them resolve.
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
    /// More resources would be deleted for one commit than `prune_limit` allows. Ends when the limit is raised.
    PruneLimit {
        /// How many would be deleted.
        count: usize,
        /// How many may be.
        limit: u32,
    },
    /// The resource's tag names a commit that is not in this repository, so that trueup may not delete it. Ends when an
    /// operator deletes it or removes its tags.
    UnknownRevision {
        /// The commit in its tag; `None` when there is no tag.
        #[serde(rename = "commit")]
        revision: Option<Revision>,
    },
    /// Another copy of trueup applied a commit that this copy does not have, or whose documents are not valid here.
    /// Ends with the answer from git: that commit or a newer one becomes current, or the repository does not have it.
    Behind(Ahead),
    /// The target group to delete is still in use. Ends when the last rule and service stop using it.
    TargetGroupInUse {
        /// The load balancers, rules or services that use it.
        by: Vec<String>,
    },
    /// A document of the application is invalid; its last valid revision stays current. Ends with a commit that fixes
    /// it.
    InvalidDocument {
        /// The problems, each with its place.
        problems: Vec<String>,
    },
    /// A commit is not signed by an allowed signer of this environment, so that it and later commits are not applied here.
    /// Ends with a commit that is, or when the daemon's configuration allows the signer.
    Unverified {
        /// The commit.
        commit: Revision,
        /// Why it is not verified.
        detail: String,
    },
    /// IAM refuses the call. Retried slowly; ends when the permission is granted.
    AccessDenied {
        /// The call, such as `ecs:UpdateService`.
        operation: String,
        /// AWS's message, which names the principal, the action and the resource.
        #[serde(rename = "detail")]
        message: String,
    },
    /// AWS refused the call, and would refuse it again. Retried slowly; ends when git or live changes.
    CallRefused {
        /// The call, such as `ecs:UpdateService`.
        operation: String,
        /// AWS's error code.
        code: Option<String>,
        /// AWS's message.
        #[serde(rename = "detail")]
        message: String,
    },
    /// The call failed for a temporary cause. Retried with growing pauses.
    WriteFailed {
        /// The call, such as `ecs:UpdateService`.
        operation: String,
        /// AWS's message, or the transport's.
        #[serde(rename = "detail")]
        message: String,
    },
    /// The credentials belong to another account than the environment's. Ends when the credentials are of the right account.
    AccountMismatch {
        /// The account in `trueup.toml`.
        expected: String,
        /// The account that answered.
        actual: String,
    },
    /// There are no valid credentials. Ends when valid ones are found.
    NoCredentials {
        /// The error of the credentials chain.
        #[serde(rename = "detail")]
        message: String,
    },
    /// The checker found the plan unsound: a bug in trueup. Ends with a fixed version of trueup.
    Unsound {
        /// The defects of the plan, one sentence each.
        defects: Vec<String>,
    },
}

impl Hold {
    /// Contested fields; the engine looks up the other writer later.
    pub(crate) fn contested(mut fields: Vec<String>) -> Self {
        fields.sort();
        Self::Contested { fields, by: None }
    }

    /// The reason's name, stable, as reports and metrics carry it.
    pub fn reason(&self) -> &'static str {
        self.described().reason
    }

    /// The [`Sync`] that the hold alone implies. `None`: the held changes decide.
    pub fn implies(&self) -> Option<Sync> {
        self.described().implies
    }

    /// The problem, in one sentence.
    pub fn message(&self) -> String {
        self.described().message
    }

    /// The condition that ends it, in one sentence that an operator can act on. JSON has it as `cure`.
    pub fn remedy(&self) -> &'static str {
        self.described().remedy
    }

    /// The hold in words. A function of its family says everything about one hold, so that name, message, remedy and implied
    /// sync cannot disagree; this match is the table of contents.
    fn described(&self) -> text::HoldText {
        match self {
            Self::NotObserved { failure } => observed::not_observed(failure),
            Self::NotSettled { seconds } => observed::not_settled(*seconds),
            Self::Behind(ahead) => observed::behind(ahead),
            Self::ReportOnly { cause } => policy::report_only(*cause),
            Self::Suspended { note, .. } => policy::suspended(note),
            Self::Contested { fields, by } => policy::contested(fields, by.as_deref()),
            Self::WaitsFor { applications } => policy::waits_for(applications),
            Self::PruneLimit { count, limit } => policy::prune_limit(*count, *limit),
            Self::ForeignInstance { instance } => ownership::foreign_instance(instance),
            Self::ForeignEnvironment { environment } => ownership::foreign_environment(environment),
            Self::OwnedByStack { stack } => ownership::owned_by_stack(stack),
            Self::ManagedByEcs => ownership::managed_by_ecs(),
            Self::UnknownRevision { revision } => ownership::unknown_revision(revision.as_ref()),
            Self::Immutable { kind, fields } => resource::immutable(*kind, fields),
            Self::PriorityTaken { listener, priority, rule } => resource::priority_taken(listener, priority, rule),
            Self::ServiceDraining => resource::service_draining(),
            Self::RevisionFailed { message, transient, .. } => resource::revision_failed(message, *transient),
            Self::TargetGroupInUse { by } => resource::target_group_in_use(by),
            Self::Unresolved { references } => git::unresolved(references),
            Self::InvalidDocument { problems } => git::invalid_document(problems),
            Self::Unverified { commit, detail } => git::unverified(commit, detail),
            Self::Unsound { defects } => git::unsound(defects),
            Self::AccessDenied { operation, message } => access::access_denied(operation, message),
            Self::CallRefused { operation, code, message } => access::call_refused(operation, code.as_deref(), message),
            Self::WriteFailed { operation, message } => access::write_failed(operation, message),
            Self::AccountMismatch { expected, actual } => access::account_mismatch(expected, actual),
            Self::NoCredentials { message } => access::no_credentials(message),
        }
    }
}
