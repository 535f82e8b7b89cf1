//! The adapter against an AWS that is a function: what goes over the wire, and what becomes of what comes back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod evidence;
mod fake;
mod governing;
mod pace;
mod pairs;
mod reads;
mod resolve;
mod service_deployments;
mod writes;
