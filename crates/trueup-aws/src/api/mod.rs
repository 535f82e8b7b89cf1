//! One client for every API with only a few operations that trueup calls.
//!
//! A generated client is for hundreds of operations, and compiling it costs more than all of trueup. So ECS, ELBv2 and CloudWatch
//! have theirs, and everything else is a row in [`operations`] and goes through [`Api`]: JSON in, JSON out.
//!
//! Credentials, signature, time-outs, clock skew, user agent and HTTP are the SDK's own: [`Api`] composes the same plugins, in the same
//! order, as a generated client does, only with the service as a value. Two other ways were left: an ECS client that is
//! given another protocol and endpoint per call would sign and connect as well, but would call itself ECS in the user
//! agent, in traces and in its errors; the SDK's `Operation::builder` builds its plugins anew for every call, so that
//! credentials and connections would not be shared. The items used here are documented for generated code alone, but
//! each generated crate depends on them with a caret requirement, so a release that changed them would break the SDK.
//!
//! It speaks the protocols of the operations that are called today: JSON 1.0 and 1.1, and query. REST-JSON and EC2's form of query
//! come with the first operation that needs them, in [`protocol`].

mod client;
mod endpoint;
pub(crate) mod operations;
mod protocol;

pub(crate) use client::Api;
