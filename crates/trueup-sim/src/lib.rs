//! A simulated AWS.
