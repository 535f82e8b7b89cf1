//! Scenarios: a world with one service, time that advances, and what is seen of it.

mod balanced;
mod blue_green;
mod fixture;
mod lives;
mod rollbacks;
mod rollouts;
