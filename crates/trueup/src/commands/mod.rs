//! One file per command.

pub mod apply;
pub mod check;
pub mod diff;
pub mod health;
pub mod iam_policy;
pub mod plan;
pub mod retry;
pub mod run;
pub mod schema;
pub mod status;
pub mod suspend;
pub mod why;
