//! AWS behind trueup's ports: the only crate that names the AWS SDK.
//!
//! [`AwsClouds`] makes an [`AwsCloud`] per environment, which observes, resolves and executes. Inside, every call goes
//! the same way: a turn in a token bucket by its priority, the SDK's client with its credentials, time-outs and
//! signature, and a classification of its failure. Documents and answers pass as JSON, without loss: ECS by a client protocol of our
//! own, ELBv2 by pairs out and XML in, the APIs of which only a few operations are called by one client for all of them.
//!
//! From the bottom: what makes one call (`caller`, and below it buckets, counts, failures), the clients of the APIs, a `session`
//! of all of them, reads by kind (`observe`, `resolve`, `evidence`, `attribution`), and on top `cloud`, which composes.
//!
//! What is absent on purpose: typed mirrors of requests and answers; any decision about what to write; any value of a
//! secret or a parameter. Bodies are never logged here; the SDK's own targets (`aws_*`) may log them at level `trace`.

mod answer;
mod api;
mod attribution;
mod buckets;
mod caller;
mod calls;
mod cloud;
mod clouds;
mod ecs;
mod elb;
mod evidence;
mod failure;
mod line;
mod lossless;
mod metrics;
mod observe;
mod priority;
mod query;
mod rate;
mod reading;
mod resolve;
mod session;
mod stop;
mod xml;

pub use buckets::Pace;
pub use calls::Count;
pub use cloud::AwsCloud;
pub use clouds::{AwsClouds, Keys, Options};
pub use metrics::AwsMetrics;
