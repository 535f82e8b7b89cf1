//! The AWS that all histories begin in: a cluster, a load balancer with a listener, and what images do.

use std::time::Duration;

use serde_json::json;
use trueup_sim::Simulator;
use trueup_sim::workload::{Behaviour, Exit, Health, Start};

use crate::ask::call;
use crate::desired::{CLUSTER, LOAD_BALANCER};
use crate::stage::{ACCOUNT, REGION};

/// Who made it.
const FOUNDER: &str = "founder";

/// The repositories of images: one for every application that histories have.
const REPOSITORIES: [&str; 4] = ["api", "jobs", "shop", "web"];

/// Tags of images that do not come up, whatever is tried.
pub const BAD: [&str; 5] = ["crash", "missing", "arm", "deaf", "hungry"];

/// What an image with a tag does. Tags that are not here are healthy.
fn behaviours() -> [(&'static str, Behaviour); 6] {
    let runs = Behaviour::default();
    [
        ("slow", Behaviour { ready_after: Duration::from_secs(25), ..runs.clone() }),
        ("crash", Behaviour { exits: Some(exit(1, false)), ..runs.clone() }),
        ("hungry", Behaviour { exits: Some(exit(137, true)), ..runs.clone() }),
        ("missing", Behaviour { start: Start::ImageMissing, ..runs.clone() }),
        ("arm", Behaviour { start: Start::WrongPlatform, ..runs.clone() }),
        ("deaf", Behaviour { health: Health::Silent, ..runs }),
    ]
}

fn exit(code: i32, out_of_memory: bool) -> Exit {
    Exit { after: Duration::from_secs(2), code, out_of_memory }
}

/// A fresh AWS with these surroundings.
pub fn surroundings(seed: u64) -> Simulator {
    let mut aws = Simulator::new(ACCOUNT, REGION, seed);
    for repository in REPOSITORIES {
        for (tag, behaviour) in behaviours() {
            aws.world_mut().workloads.script(&format!("{repository}:{tag}"), behaviour);
        }
    }
    call(&mut aws, FOUNDER, "ecs", "CreateCluster", &json!({"clusterName": CLUSTER}));
    let subnets = json!(["subnet-0a1b2c3d", "subnet-1a2b3c4d"]);
    let balancer = json!({"Name": LOAD_BALANCER, "Subnets": subnets, "SecurityGroups": ["sg-0a1b2c3d"]});
    call(&mut aws, FOUNDER, "elasticloadbalancing", "CreateLoadBalancer", &balancer);
    let balancers = crate::ask::ask(&mut aws, "elasticloadbalancing", "DescribeLoadBalancers", &json!({}));
    let response = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]);
    let listener = json!({
        "LoadBalancerArn": balancers["LoadBalancers"][0]["LoadBalancerArn"],
        "Protocol": "HTTP",
        "Port": 80,
        "DefaultActions": response,
    });
    call(&mut aws, FOUNDER, "elasticloadbalancing", "CreateListener", &listener);
    aws
}
