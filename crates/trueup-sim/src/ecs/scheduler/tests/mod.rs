//! Scenarios: a world with one service, time that advances, and what is seen of it.

mod balanced;
mod blue_green;
mod fixture;
mod histories;
mod lives;
mod rollbacks;
mod rollouts;
