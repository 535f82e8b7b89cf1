//! The engine against fakes of its ports, on paused time.

mod behind;
mod cloud;
mod daemon;
mod diagnosis;
mod governing;
mod healthy_tasks;
mod layering;
mod load_balanced;
mod logs;
mod once;
mod pace;
mod panics;
mod prune;
mod reporting;
mod rollouts;
mod source;
mod triggers;
mod verified;
mod world;
