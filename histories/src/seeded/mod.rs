//! Seeded histories: random desired states, faults, other writers, one to three copies, then a quiet end.
//!
//! A seed becomes a list of acts (`generate.rs`), which is all that is needed to play it (`perform.rs`): so a failing one
//! can be made shorter by leaving acts out (`reduce.rs`). What must be so at the end is compared with AWS itself
//! (`truth.rs`), not by what trueup says.

mod act;
mod choice;
mod generate;
mod owners;
mod perform;
mod reduce;
mod trouble;
mod truth;

pub use self::act::{Act, Change, Hand, History, Trouble};
pub use self::generate::generate;
pub use self::perform::{Verdict, perform};
pub use self::reduce::reduce;
pub(crate) use self::truth::differences;
