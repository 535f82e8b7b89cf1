//! Initial state for simulations: the resources of an account before anything is deployed into it.
//!
//! Nothing here takes time: a load balancer is active at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::ecs::model::Cluster;
use crate::elb;
use crate::services::ecr::{self, Build};
use crate::services::model::{Output, Resource, Stack};
use crate::services::secrets;
use crate::world::World;

/// The VPC of [`main`], and of everything else that does not name one.
pub const VPC: &str = "vpc-0123456789abcdef0";

/// The account and region of the example in the repository's `desired-state/`.
pub const ELEARNING: (&str, &str) = ("123456789012", "ap-northeast-1");

/// The resources that [`main`] created.
#[derive(Clone, Debug)]
pub struct Main {
    /// The ARN of the cluster `main`.
    pub cluster: String,
    /// The ARN of the load balancer `main`.
    pub load_balancer: String,
    /// The ARN of its listener on port 80, which answers 404 to requests that match no rule.
    pub listener: String,
}

/// Creates the minimum that services need: the cluster `main`, and the load balancer `main` that listens on port 80.
///
/// # Panics
/// When the load balancer already exists.
pub fn main(world: &mut World) -> Main {
    let cluster = cluster(world, "main");
    let (load_balancer, listener) = load_balancer(world, "main", 80);
    Main { cluster, load_balancer, listener }
}

/// An active cluster; its ARN.
pub fn cluster(world: &mut World, name: &str) -> String {
    let arn = world.arn("ecs", &format!("cluster/{name}"));
    let cluster = Cluster { arn: arn.clone(), active: true, tags: BTreeMap::new(), settings: Map::new() };
    world.ecs.clusters.entry(name.to_owned()).or_insert(cluster);
    arn
}

/// An active application load balancer with an HTTP listener that answers 404 to what no rule takes; the ARNs of both.
///
/// # Panics
/// When the load balancer already exists.
pub fn load_balancer(world: &mut World, name: &str, port: u16) -> (String, String) {
    let input = json!({
        "Name": name, "Subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "SecurityGroups": ["sg-0123456789abcdef0"],
    });
    let created = call(world, "CreateLoadBalancer", &input);
    let load_balancer = text(&created["LoadBalancers"][0]["LoadBalancerArn"]);
    if let Some(found) = world.elb.load_balancers.get_mut(&load_balancer) {
        found.active_at = world.now;
    }
    let response = json!({"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "not found"});
    let input = json!({
        "LoadBalancerArn": load_balancer, "Protocol": "HTTP", "Port": port.to_string(),
        "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": response}],
    });
    let created = call(world, "CreateListener", &input);
    (load_balancer, text(&created["Listeners"][0]["ListenerArn"]))
}

/// A target group for HTTP to the addresses of tasks, with AWS's defaults; its ARN.
///
/// # Panics
/// When there is another target group of that name already.
pub fn target_group(world: &mut World, name: &str, port: u16) -> String {
    let input = json!({"Name": name, "Protocol": "HTTP", "Port": port.to_string(), "VpcId": VPC, "TargetType": "ip"});
    text(&call(world, "CreateTargetGroup", &input)["TargetGroups"][0]["TargetGroupArn"])
}

/// A rule for a path that forwards to a target group; its ARN.
///
/// # Panics
/// When the priority is in use, or listener or target group do not exist.
pub fn rule(world: &mut World, listener: &str, priority: u64, path: &str, target_group: &str) -> String {
    let input = json!({
        "ListenerArn": listener, "Priority": priority.to_string(),
        "Conditions": [{"Field": "path-pattern", "Values": [path]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": target_group}],
    });
    text(&call(world, "CreateRule", &input)["Rules"][0]["RuleArn"])
}

/// A stack in `CREATE_COMPLETE`: its outputs as key and value, its resources as logical id, type and physical id.
pub fn stack(world: &mut World, name: &str, outputs: &[(&str, &str)], resources: &[(&str, &str, &str)]) {
    let chance = world.chance.of("cloudformation: ids");
    let parts = [chance.hex(8), chance.hex(4), chance.hex(4), chance.hex(4), chance.hex(12)];
    let id = world.arn("cloudformation", &format!("stack/{name}/{}", parts.join("-")));
    let output = |(key, value): &(&str, &str)| {
        ((*key).to_owned(), Output { value: (*value).to_owned(), export: Some(format!("{name}-{key}")) })
    };
    let resource = |(logical, kind, physical): &(&str, &str, &str)| {
        let found = Resource {
            kind: (*kind).to_owned(),
            physical_id: (*physical).to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
        };
        ((*logical).to_owned(), found)
    };
    let stack = Stack {
        id,
        status: "CREATE_COMPLETE".to_owned(),
        status_reason: None,
        created_at: world.now,
        outputs: outputs.iter().map(output).collect(),
        resources: resources.iter().map(resource).collect(),
        tags: BTreeMap::new(),
    };
    world.stacks.insert(name.to_owned(), stack);
}

/// All that the example in `desired-state/` refers to: the cluster, the load balancer with its listener, the stack with
/// network and roles, both images under `latest`, and the secrets. For a world of [`ELEARNING`].
///
/// # Panics
/// When it is there already.
pub fn elearning(world: &mut World) {
    const STACK: &str = "elearning-system-infrastructure";
    cluster(world, "elearning-system-cluster");
    let (load_balancer, listener) = load_balancer(world, "elearning-system-alb", 80);
    let role = |world: &World, name: &str| format!("arn:aws:iam::{}:role/elearning-system-{name}", world.account);
    let execution_role = role(world, "task-execution");
    let task_role = role(world, "task");
    stack(
        world,
        STACK,
        &[("TaskExecutionRoleArn", &execution_role), ("TaskRoleArn", &task_role)],
        &[
            ("VPC", "AWS::EC2::VPC", VPC),
            ("PublicSubnet1", "AWS::EC2::Subnet", "subnet-0aaaaaaaaaaaaaaa1"),
            ("PublicSubnet2", "AWS::EC2::Subnet", "subnet-0aaaaaaaaaaaaaaa2"),
            ("ECSSecurityGroup", "AWS::EC2::SecurityGroup", "sg-0aaaaaaaaaaaaaaa1"),
            ("ApplicationLoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", &load_balancer),
            ("HTTPListener", "AWS::ElasticLoadBalancingV2::Listener", &listener),
            ("ECSCluster", "AWS::ECS::Cluster", "elearning-system-cluster"),
            ("BackendRepository", "AWS::ECR::Repository", "elearning-system-backend"),
            ("FrontendRepository", "AWS::ECR::Repository", "elearning-system-frontend"),
            ("BackendLogGroup", "AWS::Logs::LogGroup", "/ecs/elearning-system-backend"),
            ("FrontendLogGroup", "AWS::Logs::LogGroup", "/ecs/elearning-system-frontend"),
            ("TaskExecutionRole", "AWS::IAM::Role", "elearning-system-task-execution"),
            ("TaskRole", "AWS::IAM::Role", "elearning-system-task"),
        ],
    );
    for repository in ["elearning-system-backend", "elearning-system-frontend"] {
        ecr::push(world, repository, "latest", &Build::of("the first"));
    }
    for name in ["elearning-system/database", "elearning-system/django", "elearning-system/redis"] {
        secrets::create(world, name);
    }
}

fn call(world: &mut World, action: &str, input: &Value) -> Value {
    elb::api::answer(world, "arn:aws:iam::123456789012:user/setup", action, input)
        .unwrap_or_else(|error| panic!("{action}: {}: {}", error.code, error.message))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
