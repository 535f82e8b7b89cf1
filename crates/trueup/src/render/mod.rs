//! Core values as text for people.

pub mod changes;
mod masked;
pub mod plan;
pub mod problems;
pub mod status;
pub mod why;
