//! The actions of ECS.
//!
//! Each takes its input (checked against the API's shapes), changes the model or refuses with AWS's error, notifies the scheduler
//! what it changed, and answers what the API answers. What happens afterwards is the scheduler's.
//!
//! | file | idea |
//! |---|---|
//! | `shapes.rs`, `shapes.txt` | which members an action takes, of what type |
//! | `input.rs` | typed access to them |
//! | `errors.rs` | errors that several actions answer |
//! | `names.rs` | from names and ARNs to things |
//! | `paging.rs` | pages and tokens |
//! | `uncertain.rs` | where AWS's behaviour is not known: one way or the other, by seed |
//! | `clusters.rs` | clusters |
//! | `task_definitions.rs`, `task_definition_rules.rs`, `normalise.rs` | task definitions: actions, refusals, completion |
//! | `services/`, `defaults.rs` | services: actions, refusals, completion, how they are shown |
//! | `service_deployments.rs` | service deployments and revisions |
//! | `tasks.rs`, `run.rs`, `task_view.rs` | tasks: list, describe, stop; `RunTask`; how they are shown |
//! | `tags.rs` | tags of all of them |

mod clusters;
mod defaults;
mod errors;
mod input;
mod names;
mod normalise;
mod paging;
mod run;
mod service_deployments;
mod services;
mod shapes;
mod tags;
mod task_definition_rules;
mod task_definitions;
mod task_view;
mod tasks;
mod uncertain;

use input::Input;

use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// What answers an action: the world, who calls, and the input.
type Action = fn(&mut World, &str, &Input) -> Outcome;

/// The actions that are simulated.
const ACTIONS: [(&str, Action); 28] = [
    ("ContinueServiceDeployment", |world, _, input| service_deployments::go_on(world, input)),
    ("CreateCluster", |world, _, input| clusters::create(world, input)),
    ("CreateService", services::create),
    ("DeleteCluster", |world, _, input| clusters::delete(world, input)),
    ("DeleteService", |world, _, input| services::delete(world, input)),
    ("DeleteTaskDefinitions", |world, _, input| task_definitions::delete(world, input)),
    ("DeregisterTaskDefinition", |world, _, input| task_definitions::deregister(world, input)),
    ("DescribeClusters", |world, _, input| clusters::describe(world, input)),
    ("DescribeServiceDeployments", |world, _, input| service_deployments::describe(world, input)),
    ("DescribeServiceRevisions", |world, _, input| service_deployments::describe_revisions(world, input)),
    ("DescribeServices", |world, _, input| services::describe(world, input)),
    ("DescribeTaskDefinition", |world, _, input| task_definitions::describe(world, input)),
    ("DescribeTasks", |world, _, input| tasks::describe(world, input)),
    ("ListClusters", |world, _, input| clusters::list(world, input)),
    ("ListServiceDeployments", |world, _, input| service_deployments::list(world, input)),
    ("ListServices", |world, _, input| services::list(world, input)),
    ("ListTagsForResource", |world, _, input| tags::list(world, input)),
    ("ListTaskDefinitionFamilies", |world, _, input| task_definitions::list_families(world, input)),
    ("ListTaskDefinitions", |world, _, input| task_definitions::list(world, input)),
    ("ListTasks", |world, _, input| tasks::list(world, input)),
    ("PutClusterCapacityProviders", |world, _, input| clusters::put_capacity_providers(world, input)),
    ("RegisterTaskDefinition", task_definitions::register),
    ("RunTask", |world, _, input| run::run(world, input)),
    ("StopServiceDeployment", |world, _, input| service_deployments::stop(world, input)),
    ("StopTask", |world, _, input| tasks::stop(world, input)),
    ("TagResource", |world, _, input| tags::tag(world, input)),
    ("UntagResource", |world, _, input| tags::untag(world, input)),
    ("UpdateService", |world, _, input| services::update(world, input)),
];

/// Answers one action of ECS. `caller` is the ARN of who calls.
///
/// # Errors
/// As AWS: the code, the text and the status that ECS answers. `UnknownOperationException` for what is not simulated.
pub fn answer(world: &mut World, caller: &str, action: &str, input: &serde_json::Value) -> Outcome {
    let Some((name, answer)) = ACTIONS.iter().find(|(name, _)| *name == action) else {
        return Err(ApiError::client("UnknownOperationException", format!("{action} is not simulated")));
    };
    let input = Input::of(name, input)?;
    answer(world, caller, &input)
}
