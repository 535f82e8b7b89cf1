//! Core values as text for people.

pub mod changes;
pub mod plan;
pub mod problems;
pub mod status;
