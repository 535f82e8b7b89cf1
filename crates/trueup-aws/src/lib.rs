//! The AWS adapter of trueup: the only crate that names the AWS SDK.
