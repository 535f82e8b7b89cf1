//! Amazon ECS.
//!
//! | file | idea |
//! |---|---|
//! | `model.rs` | what ECS keeps: clusters, task definitions, services, deployments, tasks |
//! | `api/` | the actions: validation, errors, paging, answers; they change the model and tell the scheduler |
//! | `scheduler/` | what happens by itself: tasks, rolling updates, circuit breaker, rollbacks, traffic shifts, events |

pub mod api;
pub mod model;
pub mod scheduler;
