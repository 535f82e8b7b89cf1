//! The deliveries that were taken: one that comes again triggers nothing.

use std::collections::{BTreeSet, VecDeque};

use sha2::{Digest as _, Sha256};

/// How many deliveries are remembered, 32 bytes each, twice. Beyond that the oldest is forgotten; to replay it asks git once
/// more, which is what the next poll does anyway.
const REMEMBERED_MAX: usize = 4096;

/// The accepted deliveries, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    known: BTreeSet<Delivery>,
    order: VecDeque<Delivery>,
}

/// A delivery's identity: a digest of what a thief cannot change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Delivery([u8; 32]);

impl Delivery {
    /// The identity of a delivery with this id, where the id is protected as the body is, and this body.
    pub(crate) fn of(id: &[u8], body: &[u8]) -> Self {
        let mut digest = Sha256::new();
        // The length goes first, so that no id and body look like another pair.
        digest.update((id.len() as u64).to_be_bytes());
        digest.update(id);
        digest.update(body);
        Self(digest.finalize().into())
    }
}

impl Replays {
    /// Records a delivery. Returns whether it is new.
    pub(crate) fn insert(&mut self, delivery: Delivery) -> bool {
        if !self.known.insert(delivery) {
            return false;
        }
        self.order.push_back(delivery);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_new_once_and_memory_is_bounded() {
        let delivery = |number: usize| Delivery::of(&number.to_be_bytes(), b"body");
        let mut replays = Replays::default();
        assert!(replays.insert(delivery(0)));
        assert!(!replays.insert(delivery(0)));
        for number in 1..=REMEMBERED_MAX {
            assert!(replays.insert(delivery(number)));
        }
        assert_eq!((replays.known.len(), replays.order.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert!(!replays.insert(delivery(REMEMBERED_MAX)), "the newest is known");
        assert!(replays.insert(delivery(0)), "the oldest was forgotten");
    }

    #[test]
    fn id_and_body_do_not_run_into_each_other() {
        assert_ne!(Delivery::of(b"ab", b"c"), Delivery::of(b"a", b"bc"));
        assert_ne!(Delivery::of(b"", b"a"), Delivery::of(b"a", b""));
    }
}
