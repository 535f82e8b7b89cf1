//! Bugs that can be planted on purpose, to check that the tests find them.
//!
//! A test suite that finds no bug may just be too weak. So the product calls [`is`] wherever controllers have had a
//! bug; `histories/tests/broken.rs` runs its scenarios with each bug planted, and fails when no scenario notices it.
//! `docs/simulation.md` lists which scenario notices which bug.
//!
//! This needs the feature `broken`, which only that test enables. Without it [`is`] is a constant `false`, and the
//! compiler removes every bug from the product.

/// Declares the bugs with their descriptions, which are their documentation as well.
macro_rules! bugs {
    ($(#[doc = $words:literal] $name:ident,)*) => {
        /// A bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Broken {
            $(#[doc = $words] $name,)*
        }

        #[cfg(feature = "broken")]
        impl Broken {
            /// All bugs.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its description.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words.trim_ascii(),)*
                }
            }
        }
    };
}

bugs! {
    /// A deployment that ECS failed or rolled back is requested again.
    FailureForgotten,
    /// A stable service counts as a success, whatever revision serves.
    StableIsSuccess,
    /// `desiredCount` is sent with every update, a default where git has none.
    CountAlwaysSent,
    /// A service with an autoscaler is treated as one without.
    AutoscalerUnseen,
    /// Weights that ECS shifts are compared with git's.
    ShiftedWeightsCompared,
    /// A task definition is registered without looking for an equal one.
    RegisteredAlways,
    /// Resources that left git are deleted although `prune` is off.
    DeletedUnasked,
    /// An application's resources are deleted when its service is missing.
    MissingIsDeleted,
    /// More resources are deleted for one commit than `prune_limit` allows.
    PruneLimitIgnored,
    /// Only the first page of a list is read.
    FirstPageOnly,
    /// A service that an answer does not mention is treated as absent.
    FailuresIgnored,
    /// A service that cannot be read is treated as absent.
    UnreadIsAbsent,
    /// A call that AWS refuses is retried without growing pauses.
    RefusedWithoutBackoff,
    /// SIGTERM is ignored.
    SigtermIgnored,
    /// A read from before trueup's own write is taken for drift.
    OldReadsBelieved,
    /// Another installation's tag is ignored.
    ForeignTagIgnored,
    /// The newest revision is not remembered for a restart without git.
    NewestNotRemembered,
    /// A suspended application is written to.
    SuspensionIgnored,
    /// An application at rest is never compared again.
    RestForEver,
    /// The values of environment variables are printed.
    ValuesTold,
    /// `depends_on` is ignored.
    DependenciesIgnored,
}

#[cfg(feature = "broken")]
mod switch {
    use std::cell::Cell;

    use super::Broken;

    thread_local! {
        /// Each history runs on one thread, so a thread-local value is enough.
        static BROKEN: Cell<Option<Broken>> = const { Cell::new(None) };
    }

    /// Plants a bug, or removes it, for all code that runs on this thread.
    pub fn set(broken: Option<Broken>) {
        BROKEN.set(broken);
    }

    /// Whether this bug is planted.
    pub fn is(broken: Broken) -> bool {
        BROKEN.get() == Some(broken)
    }

    /// Whether any bug is planted.
    pub fn any() -> bool {
        BROKEN.get().is_some()
    }
}

#[cfg(feature = "broken")]
pub use switch::{any, is, set};

/// Whether this bug is planted: never.
#[cfg(not(feature = "broken"))]
pub const fn is(_: Broken) -> bool {
    false
}

/// Whether any bug is planted: never.
#[cfg(not(feature = "broken"))]
pub const fn any() -> bool {
    false
}
