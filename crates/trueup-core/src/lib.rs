//! Documents, references, drift, plan, status and reports of trueup: the pure core.
//!
//! Nothing here does I/O, waits, reads a clock or draws a random number: time is an argument, files and AWS answers are
//! values. Every decision is taken here, so that it can be tested with tables.
//!
//! The data flow: [`document`] turns files into [`desired`] state, [`drift`] compares that with [`live`] state,
//! [`planner`] turns the differences into a [`plan`] of ordered steps and holds, [`report`] turns plans into events.

pub mod address;
pub mod broken;
pub mod description;
pub mod desired;
pub mod diagnosis;
pub mod digest;
pub mod document;
pub mod drift;
pub mod kind;
pub mod live;
pub mod model;
pub mod names;
pub mod operation;
pub mod permissions;
pub mod plan;
pub mod planner;
pub mod pointer;
pub mod report;
pub mod resources;
pub mod service_deployment;
