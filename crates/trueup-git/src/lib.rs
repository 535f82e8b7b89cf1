//! The git adapter of trueup: the only crate that names git2.
