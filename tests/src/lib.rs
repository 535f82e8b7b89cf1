//! End-to-end tests of trueup.
