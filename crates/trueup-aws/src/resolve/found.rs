//! The results of lookups, and the ones that several kinds of lookups share.

use trueup_core::desired::Lookup;
use trueup_core::live::{FailureKind, Observed, ReadFailure};

/// What lookups found.
pub(super) type Found = Vec<(Lookup, Observed<String>)>;

/// The same for all lookups of a group.
pub(super) fn all(lookups: Vec<&Lookup>, observed: &Observed<String>) -> Found {
    lookups.into_iter().map(|lookup| (lookup.clone(), observed.clone())).collect()
}

pub(super) fn unknown<T>(operation: &str, kind: FailureKind, message: String) -> Observed<T> {
    Observed::Unknown(ReadFailure { operation: operation.to_owned(), kind, message })
}

/// Present, or absent when AWS's answer does not have it.
pub(super) fn present_or_absent(value: Option<&str>) -> Observed<String> {
    value.map_or(Observed::Absent, |value| Observed::Present(value.to_owned()))
}
