//! The adapter against an AWS that is a function: what goes over the wire, and what becomes of what comes back.

mod fake;
mod pairs;
mod reads;
mod resolve;
mod writes;
