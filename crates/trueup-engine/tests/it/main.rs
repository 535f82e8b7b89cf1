//! The engine against fakes of its ports, on paused time.

mod behind;
mod cloud;
mod daemon;
mod diagnosis;
mod governing;
mod healthy;
mod load_balanced;
mod once;
mod pace;
mod prune;
mod rollouts;
mod source;
mod telling;
mod triggers;
mod world;
