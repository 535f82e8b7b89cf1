//! Every reason why a step is known and not taken.

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
        match self {
            Self::NotObserved { .. } => "NotObserved",
            Self::NotSettled { .. } => "NotSettled",
            Self::ReportOnly { .. } => "ReportOnly",
            Self::Immutable { .. } => "Immutable",
            Self::ForeignInstance { .. } => "ForeignInstance",
            Self::ForeignEnvironment { .. } => "ForeignEnvironment",
            Self::OwnedByStack { .. } => "OwnedByStack",
            Self::ManagedByEcs => "ManagedByEcs",
            Self::PriorityTaken { .. } => "PriorityTaken",
            Self::ServiceDraining => "ServiceDraining",
            Self::RevisionFailed { .. } => "RevisionFailed",
            Self::Suspended { .. } => "Suspended",
            Self::Contested { .. } => "Contested",
            Self::Unresolved { .. } => "Unresolved",
            Self::WaitsFor { .. } => "WaitsFor",
            Self::PruneLimit { .. } => "PruneLimit",
            Self::UnknownRevision { .. } => "UnknownRevision",
            Self::Behind(_) => "Behind",
            Self::TargetGroupInUse { .. } => "TargetGroupInUse",
            Self::InvalidDocument { .. } => "InvalidDocument",
            Self::Unverified { .. } => "Unverified",
            Self::AccessDenied { .. } => "AccessDenied",
            Self::CallRefused { .. } => "CallRefused",
            Self::WriteFailed { .. } => "WriteFailed",
            Self::AccountMismatch { .. } => "AccountMismatch",
            Self::NoCredentials { .. } => "NoCredentials",
            Self::Unsound { .. } => "Unsound",
        }
    }

    /// What the hold says about [`Sync`] by itself. `None`: the held changes decide.
    pub fn implies(&self) -> Option<Sync> {
        match self {
            Self::NotObserved { .. }
            | Self::NotSettled { .. }
            | Self::Behind(_)
            | Self::AccountMismatch { .. }
            | Self::NoCredentials { .. } => Some(Sync::Unknown),
            Self::Unresolved { references } if references.iter().all(|reference| reference.transient) => {
                Some(Sync::Unknown)
            }
            Self::Unresolved { .. }
            | Self::Immutable { .. }
            | Self::PriorityTaken { .. }
            | Self::ServiceDraining
            | Self::RevisionFailed { .. }
            | Self::InvalidDocument { .. }
            | Self::AccessDenied { .. }
            | Self::CallRefused { .. }
            | Self::WriteFailed { .. }
            | Self::Unsound { .. } => Some(Sync::OutOfSync),
            Self::ReportOnly { .. }
            | Self::Suspended { .. }
            | Self::Contested { .. }
            | Self::ForeignInstance { .. }
            | Self::ForeignEnvironment { .. }
            | Self::OwnedByStack { .. }
            | Self::ManagedByEcs
            | Self::WaitsFor { .. }
            | Self::PruneLimit { .. }
            | Self::UnknownRevision { .. }
            | Self::TargetGroupInUse { .. }
            // What is in force may well be as it should; what is not applied is another commit.
            | Self::Unverified { .. } => None,
        }
    }

    /// What is the matter, in one sentence.
    pub fn message(&self) -> String {
        match self {
            Self::NotObserved { failure } => format!("it could not be read: {failure}"),
            Self::NotSettled { seconds } => {
                format!("AWS still shows the state before the write of {seconds} seconds ago")
            }
            Self::ReportOnly { cause } => format!("the policy only reports {}", cause.noun()),
            Self::Immutable { kind, fields } => {
                format!("AWS cannot change {} of an existing {}", list(fields), kind.as_str().replace('-', " "))
            }
            Self::ForeignInstance { instance } => format!("it belongs to the trueup installation `{instance}`"),
            Self::ForeignEnvironment { environment } => format!("it belongs to the environment `{environment}`"),
            Self::OwnedByStack { stack } => format!("it belongs to the CloudFormation stack `{stack}`"),
            Self::ManagedByEcs => "ECS itself manages this service".to_owned(),
            Self::PriorityTaken { listener, priority, rule } => {
                format!("priority {priority} of the listener `{listener}` belongs to the rule `{rule}`")
            }
            Self::ServiceDraining => "a service of this name is still being deleted".to_owned(),
            Self::RevisionFailed { message, .. } => {
                format!("ECS could not bring this revision into service: {message}")
            }
            Self::Suspended { note, .. } => format!("a person suspended it: {note}"),
            Self::Contested { fields, by } => {
                let by = by.as_ref().map(|by| format!("; the last change was made by {by}")).unwrap_or_default();
                format!("{} changes again after each repair{by}", list(fields))
            }
            Self::Unresolved { references } => list_of(references, |reference| {
                format!("`{}` at {} does not resolve: {}", reference.reference, reference.location, reference.reason)
            }),
            Self::WaitsFor { applications } => {
                format!("waits until {} is Synced and Healthy", list_of(applications, |name| format!("`{name}`")))
            }
            Self::PruneLimit { count, limit } => {
                format!("{count} resources would be deleted for one commit, and `prune_limit` is {limit}")
            }
            Self::UnknownRevision { revision: Some(revision) } => {
                format!("it was made from the commit `{revision}`, which is not one of this repository")
            }
            Self::UnknownRevision { revision: None } => "nothing says which commit it was made from".to_owned(),
            Self::Behind(Ahead { revision, answered: true, .. }) => {
                format!("the newer commit `{revision}` was applied, and this copy has no valid documents of it")
            }
            Self::Behind(Ahead { revision, unreachable_since: Some(since), .. }) => format!(
                "the commit `{revision}` was applied, which this copy does not have, and the repository cannot be reached \
                 since {}",
                since.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
            Self::Behind(Ahead { revision, .. }) => {
                format!("the commit `{revision}` was applied, which this copy does not have")
            }
            Self::TargetGroupInUse { by } => format!("the target group is still used by {}", list(by)),
            Self::InvalidDocument { problems } => list_of(problems, Clone::clone),
            Self::Unverified { commit, detail } => format!("the commit `{commit}` is not verified: {detail}"),
            Self::AccessDenied { operation, message } => format!("IAM refuses `{operation}`: {message}"),
            Self::CallRefused { operation, code: Some(code), message } => {
                format!("AWS refused `{operation}` with {code}: {message}")
            }
            Self::CallRefused { operation, code: None, message } => format!("AWS refused `{operation}`: {message}"),
            Self::WriteFailed { operation, message } => format!("`{operation}` did not succeed: {message}"),
            Self::AccountMismatch { expected, actual } => {
                format!("the credentials belong to the account {actual}, the environment to {expected}")
            }
            Self::NoCredentials { message } => format!("there are no valid AWS credentials: {message}"),
            Self::Unsound { defects } => format!("the plan is unsound: {}", list_of(defects, Clone::clone)),
        }
    }

    /// What ends it, in one sentence that an operator can act on.
    pub fn cure(&self) -> String {
        match self {
            Self::NotObserved { failure } if failure.kind.is_transient() => "it is read again soon",
            Self::NotObserved { .. } => "allow the read in the IAM policy of trueup's role",
            Self::NotSettled { .. } => "it is read again soon",
            Self::ReportOnly { cause: Cause::Drift } => {
                "set `heal = \"on\"` to have it repaired, or write what AWS has into git"
            }
            Self::ReportOnly { cause: Cause::Prune } => "set `prune = \"on\"` to have it deleted",
            Self::ReportOnly { cause: Cause::Create | Cause::Pending | Cause::Adopt } => {
                "set `follow = \"on\"` to have it applied"
            }
            Self::Immutable { kind: Kind::TargetGroup, .. } => {
                "put the old value back, or write a new target group with another name, move rules and service to it \
                 and remove the old one"
            }
            Self::Immutable { kind: Kind::ListenerRule, .. } => {
                "put the old value back, or write a new rule and remove the old one"
            }
            Self::Immutable { kind: Kind::Service | Kind::TaskDefinition, .. } => {
                "put the old value back, or write a new service with another name and remove the old one"
            }
            Self::ForeignInstance { .. } => {
                "remove it from one of the two repositories, or take the tag `trueup:instance` off to hand it over"
            }
            Self::ForeignEnvironment { .. } => {
                "name another resource in one of the two environments, or take the tag `trueup:environment` off"
            }
            Self::OwnedByStack { .. } => {
                "take it out of the stack, or set `manage_stack_resources = true` and keep the stack's template equal"
            }
            Self::ManagedByEcs => "leave it to ECS and take it out of git, or make an ordinary service",
            Self::PriorityTaken { .. } => "choose another priority in git, or move or delete the other rule",
            Self::ServiceDraining => "it is created as soon as the old one is gone",
            Self::Suspended { .. } => "`trueup resume` ends it",
            Self::Contested { .. } => {
                "stop whoever changes it, write what they want into git, or put the fields into the policy's `ignore`"
            }
            Self::Unresolved { .. } => "create what is named, correct the reference, or allow the lookup",
            Self::WaitsFor { .. } => "see to those applications first",
            Self::PruneLimit { .. } => "check the list, then raise `prune_limit` or delete in smaller commits",
            Self::UnknownRevision { .. } => "delete it by hand, or take its `trueup:` tags off to keep it",
            Self::Behind(Ahead { answered: true, .. }) => {
                "push a commit that corrects what is wrong at the branch's head"
            }
            Self::Behind(Ahead { unreachable_since: Some(_), .. }) => "make the repository reachable for this copy",
            Self::Behind(_) => "git is asked at once",
            Self::TargetGroupInUse { .. } => "it is deleted as soon as nothing uses it",
            Self::RevisionFailed { transient: false, .. } => {
                "push a commit that corrects it, or run `trueup retry` when what was wrong was elsewhere"
            }
            Self::RevisionFailed { transient: true, .. } => {
                "the cause looks like a passing one: run `trueup retry`, or push another commit"
            }
            Self::InvalidDocument { .. } => "push a commit that corrects it",
            Self::Unverified { .. } => {
                "have it signed by somebody whom the daemon's configuration allows, or allow its signer there"
            }
            Self::AccessDenied { .. } => "allow the action in the IAM policy of trueup's role",
            Self::CallRefused { .. } => "correct the document, or what the message names",
            Self::WriteFailed { .. } => "it is tried again soon",
            Self::AccountMismatch { .. } => "give trueup credentials of the right account, or correct `account`",
            Self::NoCredentials { .. } => "give trueup valid credentials or a role it may assume",
            Self::Unsound { .. } => "this is a defect of trueup: please report it with the output of `trueup plan`",
        }
        .to_owned()
    }
}

impl Cause {
    /// What a difference of this cause is called.
    fn noun(self) -> &'static str {
        match self {
            Self::Create => "what is missing",
            Self::Pending => "pending changes",
            Self::Drift => "drift",
            Self::Adopt => "what it would adopt",
            Self::Prune => "what git no longer has",
        }
    }
}

fn list(names: &[String]) -> String {
    list_of(names, |name| format!("`{name}`"))
}

fn list_of<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}
