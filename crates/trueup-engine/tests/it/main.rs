//! The engine against fakes of its ports, on paused time.

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
mod world;
