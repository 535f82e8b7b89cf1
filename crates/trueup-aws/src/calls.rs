//! Counts the calls to each operation.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The counts of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls sent; a retry counts as another call.
    pub calls: u64,
    /// Of those, how many AWS throttled.
    pub throttled: u64,
}

/// Calls by operation (`ecs:DescribeServices`), of all environments since the process started.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<String, Count>>);

impl Calls {
    /// Counts a call. A new operation must also be added to the table of permissions.
    pub(crate) fn made(&self, operation: &str) {
        debug_assert!(trueup_core::permissions::is_known(operation), "{operation} is not in the table of permissions");
        self.count(operation, |count| count.calls += 1);
    }

    pub(crate) fn throttled(&self, operation: &str) {
        self.count(operation, |count| count.throttled += 1);
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<String, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, operation: &str, change: impl FnOnce(&mut Count)) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.contains_key(operation) {
            counts.insert(operation.to_owned(), Count::default());
        }
        change(counts.get_mut(operation).expect("it was put there just before"));
    }
}
