//! The AWS that all histories begin in: a cluster, a load balancer with a listener, and what images do.

use std::time::Duration;

use serde_json::{Value, json};
use trueup_sim::Simulator;
use trueup_sim::services::model::ScalableTarget;
use trueup_sim::workload::{Behaviour, Exit, Health, Start};

use crate::account::{ACCOUNT, CLUSTER, LOAD_BALANCER, REGION};
use crate::ask::{ask, call, listener};
use crate::desired::{BlueGreen, Strategy};

/// Who made it.
const FOUNDER: &str = "founder";

/// The repositories of images: one for every application that histories have.
const REPOSITORIES: [&str; 5] = ["api", "jobs", "shop", "trueup", "web"];

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
    let balancers = ask(&mut aws, "elasticloadbalancing", "DescribeLoadBalancers", &json!({}));
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

/// An autoscaler governs the number of tasks of a service from now on, between two and ten.
pub fn autoscale(aws: &mut Simulator, service: &str) {
    let key = ("ecs".to_owned(), format!("service/{CLUSTER}/{service}"), "ecs:service:DesiredCount".to_owned());
    let target = ScalableTarget {
        arn: format!("arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/{service}"),
        min: 2,
        max: 10,
        suspended: json!({}),
        created_at: aws.now(),
    };
    aws.world_mut().scalable_targets.insert(key, target);
}

/// Two target groups for an application whose traffic ECS shifts, and a production rule that sends all to the first.
pub fn shifting(aws: &mut Simulator, name: &str, priority: u64, strategy: Strategy) -> BlueGreen {
    let mut group = |name: String| {
        let input = json!({
            "Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d", "TargetType": "ip",
            "HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5,
            "HealthyThresholdCount": 2,
        });
        call(aws, FOUNDER, "elasticloadbalancing", "CreateTargetGroup", &input);
        let groups = ask(aws, "elasticloadbalancing", "DescribeTargetGroups", &json!({"Names": [name]}));
        text(&groups["TargetGroups"][0]["TargetGroupArn"])
    };
    let (blue, green) = (group(format!("{name}-blue")), group(format!("{name}-green")));
    let listener = listener(aws);
    let groups = json!([{"TargetGroupArn": blue, "Weight": 100}, {"TargetGroupArn": green, "Weight": 0}]);
    let conditions = json!([{"Field": "path-pattern", "PathPatternConfig": {"Values": [format!("/{priority}/*")]}}]);
    let input = json!({
        "ListenerArn": listener, "Priority": priority, "Conditions": conditions,
        "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    });
    call(aws, FOUNDER, "elasticloadbalancing", "CreateRule", &input);
    let rules = ask(aws, "elasticloadbalancing", "DescribeRules", &json!({"ListenerArn": listener}));
    let rules = rules["Rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rule = rules.iter().find(|rule| rule["Priority"] == json!(priority.to_string()));
    let rule = rule.map(|rule| text(&rule["RuleArn"])).unwrap_or_default();
    BlueGreen { blue, green, rule, priority, strategy }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
