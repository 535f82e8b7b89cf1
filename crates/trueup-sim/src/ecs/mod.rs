//! Amazon ECS.
//!
//! | file | idea |
//! |---|---|
//! | `model.rs` | what ECS keeps: clusters, task definitions, services, deployments, tasks |
//! | `key.rs`, `tick.rs` | how a service is named; what comes due |
//! | `api/` | the actions: validation, errors, paging, answers; they change the model and notify the scheduler |
//! | `scheduler/` | what happens by itself: tasks, rolling updates, circuit breaker, rollbacks, traffic shifts, events |

pub mod api;
mod key;
pub mod model;
pub mod scheduler;
pub mod tick;
