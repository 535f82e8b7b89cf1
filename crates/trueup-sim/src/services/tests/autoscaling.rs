use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::{call, refusal, world};
use crate::ecs::model::{Service, ServiceKey, ServiceStatus};
use crate::services::autoscaling::scale;
use crate::wire::Api::ApplicationAutoScaling;
use crate::world::World;

fn add_service(world: &mut World, count: u64) -> ServiceKey {
    let key = ServiceKey { cluster: "main".to_owned(), name: "web".to_owned() };
    let service = Service {
        arn: world.arn("ecs", "service/main/web"),
        status: ServiceStatus::Active,
        created_at: world.now,
        created_by: "arn:aws:iam::123456789012:user/someone".to_owned(),
        created_from: (None, Value::Null),
        desired_count: count,
        task_definition: world.arn("ecs", "task-definition/web:1"),
        settings: Map::new(),
        tags: BTreeMap::new(),
        deployments: Vec::new(),
        service_deployments: Vec::new(),
        revisions: BTreeMap::new(),
        events: VecDeque::new(),
        forgotten_at: None,
        memory: crate::ecs::scheduler::Memory::default(),
    };
    world.ecs.services.insert(key.clone(), service);
    key
}

#[test]
fn registering_a_target_moves_the_count_into_its_bounds() {
    let mut world = world();
    let target = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/main/web", "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 2, "MaxCapacity": 6,
    });
    let error = refusal(&mut world, ApplicationAutoScaling, "RegisterScalableTarget", target.clone());
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("ValidationException", "ECS service doesn't exist: service/main/web")
    );
    let key = add_service(&mut world, 1);
    call(&mut world, ApplicationAutoScaling, "RegisterScalableTarget", target.clone());
    assert_eq!(world.ecs.services[&key].desired_count, 2);
    let found = json!({"ServiceNamespace": "ecs", "ResourceIds": ["service/main/web"]});
    let found = call(&mut world, ApplicationAutoScaling, "DescribeScalableTargets", found)["ScalableTargets"].clone();
    assert_eq!((found.as_array().map(Vec::len), &found[0]["MaxCapacity"]), (Some(1), &json!(6)));

    scale(&mut world, "main", "web", 9);
    assert_eq!(world.ecs.services[&key].desired_count, 6, "an autoscaler keeps to its bounds");
    call(&mut world, ApplicationAutoScaling, "DeregisterScalableTarget", target.clone());
    scale(&mut world, "main", "web", 3);
    assert_eq!(world.ecs.services[&key].desired_count, 6, "it owns the count no longer");
    let error = refusal(&mut world, ApplicationAutoScaling, "DeregisterScalableTarget", target);
    assert_eq!(error.code, "ObjectNotFoundException");
}
