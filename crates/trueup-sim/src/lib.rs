//! A simulated AWS with time and faults: an HTTP request in, an HTTP response out.
//!
//! [`Simulator`] is a state machine over virtual time and one seed. It speaks AWS's wire protocols as the SDKs and the
//! AWS CLI do. The same seed and the same requests at the same times give the same answers, to the byte: there is no wall
//! clock, no global randomness and no iteration over unordered maps anywhere in here.
//!
//! ```text
//!   request ──> wire (which service, action, input) ──> recorder ──> faults ──> buckets ──> ecs · elb · other services
//!                                                                                              │
//!                       world: all state of one account and region, a queue of what happens next ┘
//! ```
//!
//! `docs/simulator.md` describes the simulated behaviour, how a run is judged, and the unknown details that the seed
//! decides. Tests with real clients are in `tests/clients/`.
//!
//! It is independent of the product that it judges: it depends on no other crate of the workspace.

#![expect(clippy::doc_markdown, reason = "the docs are full of AWS's own names, such as DescribeServices")]

mod advance;
pub mod chance;
pub mod ecs;
pub mod elb;
pub mod faults;
mod hash;
pub mod http;
mod input;
pub mod judge;
pub mod principals;
pub mod recorder;
pub mod resource;
pub mod serve;
pub mod services;
pub mod setup;
pub mod simulator;
pub mod throttle;
pub mod time;
pub mod truth;
pub mod wire;
pub mod workload;
pub mod world;
pub mod writers;

pub use http::{Reply, Request, Response};
pub use simulator::Simulator;
pub use time::Time;
pub use world::World;
