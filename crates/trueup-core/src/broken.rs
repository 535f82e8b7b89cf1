//! Bugs that can be put in on purpose, to see whether the tests find them.
//!
//! A test suite that finds nothing may be a good product or a blind suite. So at each place where a bug of a kind that
//! controllers have had would be, the product asks [`is`]; `histories/tests/broken.rs` plays its scenarios with each of
//! them, and fails when one goes unnoticed. `docs/simulation.md` tells which scenario notices which.
//!
//! Only with the feature `broken`, which nothing but that test turns on. Without it [`is`] is a constant `false`, and the
//! compiler leaves nothing of any bug in the product.

/// Declares the bugs with what they are in words, which are their documentation as well.
macro_rules! bugs {
    ($(#[doc = $words:literal] $name:ident,)*) => {
        /// A bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Broken {
            $(#[doc = $words] $name,)*
        }

        #[cfg(feature = "broken")]
        impl Broken {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What it is, in words.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words.trim_ascii(),)*
                }
            }
        }
    };
}

bugs! {
    /// What ECS failed or rolled back is asked for again.
    FailureForgotten,
    /// A stable service is taken for a success, whatever revision serves.
    StableIsSuccess,
    /// `desiredCount` is sent with every update, a default where git has none.
    CountAlwaysSent,
    /// A service that an autoscaler governs is taken for one that none does.
    AutoscalerUnseen,
    /// Weights that ECS shifts are compared with git's.
    ShiftedWeightsCompared,
    /// A task definition is registered without looking for an equal one.
    RegisteredAlways,
    /// What left git is deleted although `prune` is off.
    DeletedUnasked,
    /// What an application has is deleted when its service is missing.
    MissingIsDeleted,
    /// More is deleted for one commit than `prune_limit` allows.
    PruneLimitIgnored,
    /// Only the first page of a list is read.
    FirstPageOnly,
    /// A service that an answer does not mention is taken for absent.
    FailuresIgnored,
    /// A service that cannot be read is taken for absent.
    UnreadIsAbsent,
    /// A call that AWS refuses is made again without growing pauses.
    RefusedWithoutBackoff,
    /// SIGTERM is ignored.
    SigtermIgnored,
    /// A read that shows the time before an own write is taken for drift.
    OldReadsBelieved,
    /// Another installation's tag is ignored.
    ForeignTagIgnored,
    /// The newest revision is not remembered for a restart without git.
    NewestNotRemembered,
    /// A suspended application is written to.
    SuspensionIgnored,
    /// An application that is at rest is not compared any more.
    RestForEver,
    /// The values of environment variables are told.
    ValuesTold,
    /// `depends_on` is ignored.
    DependenciesIgnored,
}

#[cfg(feature = "broken")]
mod switch {
    use std::cell::Cell;

    use super::Broken;

    thread_local! {
        /// Histories run on one thread each, so this is exact.
        static BROKEN: Cell<Option<Broken>> = const { Cell::new(None) };
    }

    /// Puts a bug in, or takes it out, for all that runs on this thread.
    pub fn set(broken: Option<Broken>) {
        BROKEN.set(broken);
    }

    /// Whether a bug is in.
    pub fn is(broken: Broken) -> bool {
        BROKEN.get() == Some(broken)
    }

    /// Whether any bug is in.
    pub fn any() -> bool {
        BROKEN.get().is_some()
    }
}

#[cfg(feature = "broken")]
pub use switch::{any, is, set};

/// Whether a bug is in: never.
#[cfg(not(feature = "broken"))]
pub const fn is(_: Broken) -> bool {
    false
}

/// Whether any bug is in: never.
#[cfg(not(feature = "broken"))]
pub const fn any() -> bool {
    false
}
