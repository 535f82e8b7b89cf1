//! Every hold in words, by the family that it belongs to.
//!
//! A function of a family says all there is to say of one hold, so that name, message, remedy and implied sync cannot
//! disagree. The match below is the table of contents: a new hold gets its variant, an arm here and a function.

use super::super::Sync;
use super::{Hold, access, git, observed, ownership, policy, resource};

/// One hold in words.
pub(super) struct HoldText {
    /// The reason's name, stable, as reports and metrics carry it.
    pub(super) reason: &'static str,
    /// The problem, in one sentence.
    pub(super) message: String,
    /// The condition that ends it, in one sentence that an operator can act on.
    pub(super) remedy: &'static str,
    /// What it says about sync by itself; `None` when the held changes decide.
    pub(super) implies: Option<Sync>,
}

impl Hold {
    /// The hold in words.
    pub(super) fn described(&self) -> HoldText {
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

/// Names in backticks, with commas between.
pub(super) fn list(names: &[String]) -> String {
    list_of(names, |name| format!("`{name}`"))
}

/// Items as text, with commas between.
pub(super) fn list_of<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}
