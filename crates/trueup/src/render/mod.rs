//! Core values as text for people.

pub mod changes;
pub mod markdown;
mod masked;
pub mod plan;
pub mod problems;
pub mod status;
pub mod why;
