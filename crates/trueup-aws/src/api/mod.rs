//! One client for every API with only a few operations that trueup calls.
//!
//! A generated client covers hundreds of operations, and compiling it costs more than all of trueup. So only ECS, ELBv2
//! and CloudWatch have one; every other operation is a row in [`operations`] and goes through [`Api`]: JSON in, JSON
//! out.
//!
//! Credentials, signature, time-outs, clock skew, user agent and HTTP are the SDK's own: [`Api`] composes the same
//! plugins, in the same order, as a generated client does, only with the service as a value. Two alternatives were
//! rejected. An ECS client with another protocol and endpoint per call would sign and connect as well, but would call
//! itself ECS in the user agent, in traces and in its errors. The SDK's `Operation::builder` rebuilds its plugins for
//! every call, so credentials and connections would not be shared. The items used here are documented for generated
//! code only, but each generated crate depends on them with a caret requirement, so a release that changed them would
//! break the SDK.
//!
//! It speaks the protocols of the operations in use today: JSON 1.0 and 1.1, and query. REST-JSON and EC2's form of
//! query will be added to [`protocol`] with the first operation that needs them.

mod client;
mod endpoint;
pub(crate) mod operations;
mod protocol;

pub(crate) use client::Api;
