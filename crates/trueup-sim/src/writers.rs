//! Other writers to the same account: an operator in the console, an autoscaler, another pipeline.
//!
//! Their actions are scripted by time ([`crate::Simulator::script`]). Their calls take tokens from the same buckets and
//! are recorded in the same history as all others; faults do not affect them.

use serde_json::{Map, Value, json};

use crate::ecs::model::{ServiceKey, TaskStatus};
use crate::wire::Api;
use crate::world::World;

/// A principal, as it appears in CloudTrail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The access key id.
    pub access_key: String,
    /// The ARN of the principal.
    pub arn: String,
}

impl Writer {
    /// An operator signed in to the console.
    pub fn person(account: &str, name: &str) -> Self {
        Self {
            access_key: format!("ASIACONSOLE{}", name.to_ascii_uppercase()),
            arn: format!("arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Administrator/{name}"),
        }
    }

    /// Application Auto Scaling, by its service-linked role for ECS.
    pub fn autoscaler(account: &str) -> Self {
        Self {
            access_key: "ASIAAUTOSCALING".to_owned(),
            arn: format!(
                "arn:aws:sts::{account}:assumed-role/AWSServiceRoleForApplicationAutoScaling_ECSService/AutoScaling-UpdateDesiredCapacity"
            ),
        }
    }

    /// A pipeline that deploys on its own.
    pub fn pipeline(account: &str) -> Self {
        Self { access_key: "AKIAPIPELINE".to_owned(), arn: format!("arn:aws:iam::{account}:user/deploy-pipeline") }
    }
}

/// An action of a writer.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Sets a service's desired count.
    Scale {
        /// The service.
        service: ServiceKey,
        /// The number of tasks.
        desired_count: u64,
    },
    /// Manually changes settings of a service: members of `UpdateService` without `cluster` and `service`.
    Edit {
        /// The service.
        service: ServiceKey,
        /// The settings.
        members: Map<String, Value>,
    },
    /// Stops the service's oldest running task.
    StopTask {
        /// The service.
        service: ServiceKey,
    },
    /// Registers the running task definition again, with another image and without tags, and deploys it.
    Deploy {
        /// The service.
        service: ServiceKey,
        /// The container that gets the image.
        container: String,
        /// The image.
        image: String,
    },
    /// Sets tags of an ECS resource.
    Tag {
        /// Its ARN.
        resource: String,
        /// The tags.
        tags: Vec<(String, String)>,
    },
    /// Removes tags of an ECS resource.
    Untag {
        /// Its ARN.
        resource: String,
        /// The tag keys.
        keys: Vec<String>,
    },
    /// Deletes a service, whatever it runs.
    Delete {
        /// The service.
        service: ServiceKey,
    },
    /// Any other call, such as `ModifyTargetGroup`.
    Call {
        /// The API of the call.
        service: Api,
        /// The action.
        action: String,
        /// The input as JSON; for the query protocol, its leaves are strings.
        input: Value,
    },
}

/// A call that a writer makes: service, action, input.
pub(crate) type Step = (Api, String, Value);

impl Deed {
    /// The next call once `done` calls were answered, the last one with `last`. Values that depend on the world are
    /// read at that moment, as an operator would.
    pub(crate) fn step(&self, world: &World, done: usize, last: &Value) -> Option<Step> {
        let ecs = |action: &str, input| Some((Api::Ecs, action.to_owned(), input));
        match (self, done) {
            (Self::Scale { service, desired_count }, 0) => ecs(
                "UpdateService",
                json!({"cluster": service.cluster, "service": service.name, "desiredCount": desired_count}),
            ),
            (Self::Edit { service, members }, 0) => {
                let mut input = json!({"cluster": service.cluster, "service": service.name});
                input.as_object_mut()?.extend(members.clone());
                ecs("UpdateService", input)
            }
            (Self::StopTask { service }, 0) => {
                let running = world.ecs.tasks.values().filter(|task| {
                    task.service.as_ref() == Some(service) && task.last_status == TaskStatus::Running && !task.to_stop
                });
                let oldest = running.min_by_key(|task| (task.created_at, task.arn.clone()))?;
                ecs(
                    "StopTask",
                    json!({"cluster": service.cluster, "task": oldest.arn, "reason": "stopped in the console"}),
                )
            }
            (Self::Deploy { service, container, image }, 0) => {
                ecs("RegisterTaskDefinition", with_image(world, service, container, image)?)
            }
            (Self::Deploy { service, .. }, 1) => {
                let arn = last.pointer("/taskDefinition/taskDefinitionArn")?;
                let input = json!({"cluster": service.cluster, "service": service.name, "taskDefinition": arn});
                ecs("UpdateService", input)
            }
            (Self::Tag { resource, tags }, 0) => {
                let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
                ecs("TagResource", json!({"resourceArn": resource, "tags": tags}))
            }
            (Self::Untag { resource, keys }, 0) => {
                ecs("UntagResource", json!({"resourceArn": resource, "tagKeys": keys}))
            }
            (Self::Delete { service }, 0) => {
                ecs("DeleteService", json!({"cluster": service.cluster, "service": service.name, "force": true}))
            }
            (Self::Call { service, action, input }, 0) => Some((*service, action.clone(), input.clone())),
            _ => None,
        }
    }
}

/// `RegisterTaskDefinition` from what runs, without what only answers have.
fn with_image(world: &World, service: &ServiceKey, container: &str, image: &str) -> Option<Value> {
    const ANSWERS_ONLY: [&str; 8] = [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
    ];
    let arn = &world.ecs.services.get(service)?.task_definition;
    let (family, revision) = crate::resource::family(arn)?;
    let mut input = world.ecs.families.get(family)?.revisions.get(&revision?)?.description.clone();
    input.retain(|member, _| !ANSWERS_ONLY.contains(&member.as_str()));
    for definition in input.get_mut("containerDefinitions")?.as_array_mut()? {
        if definition["name"] == container {
            definition["image"] = Value::from(image);
        }
    }
    Some(Value::Object(input))
}
