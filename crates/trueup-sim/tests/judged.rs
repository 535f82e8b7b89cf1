//! Rollouts through the wire, and what the judge makes of them.

use std::time::Duration;

use serde_json::{Value, json};
use trueup_sim::ecs::model::ServiceKey;
use trueup_sim::faults::{Ending, Executed, Fault, FaultRule};
use trueup_sim::judge::{Commit, Facts, judge};
use trueup_sim::wire::Api;
use trueup_sim::workload::{Behaviour, Exit};
use trueup_sim::writers::{Deed, Writer};
use trueup_sim::{Reply, Request, Simulator, Time, World, setup};

const ACCOUNT: &str = "123456789012";
const DEFINITION: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web";

/// A product of a few lines, and time.
struct Scene {
    simulator: Simulator,
    now: Time,
    key: &'static str,
}

impl Scene {
    /// The service `web` in the cluster `main` runs `web:1` well; `web:2` exits at once.
    fn new(seed: u64) -> Self {
        let mut world = World::new(ACCOUNT, "eu-west-1", seed, Time::START);
        setup::main(&mut world);
        let exit = Exit { after: Duration::from_secs(1), code: 1, out_of_memory: false };
        world.workloads.script("web:2", Behaviour { exits: Some(exit), ..Behaviour::default() });
        let mut scene = Self { simulator: Simulator::around(world), now: Time::START, key: "COPY1" };
        scene.register(1);
        let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"], "securityGroups": []}});
        scene.call(
            "CreateService",
            &json!({
                "cluster": "main", "serviceName": "web", "taskDefinition": "web:1", "desiredCount": 2, "launchType": "FARGATE",
                "networkConfiguration": network, "tags": [{"key": "trueup:revision", "value": "c1"}],
                "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": true}},
            }),
        );
        scene.wait(10);
        scene
    }

    fn call(&mut self, action: &str, input: &Value) -> Reply {
        self.now = self.now + Duration::from_secs(1);
        let credential = format!("{}/20260101/eu-west-1/ecs/aws4_request", self.key);
        let request = Request {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: vec![
                (
                    "authorization".to_owned(),
                    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"),
                ),
                ("x-amz-target".to_owned(), format!("AmazonEC2ContainerServiceV20141113.{action}")),
            ],
            body: input.to_string().into_bytes(),
        };
        let reply = self.simulator.handle(self.now, &request);
        if let Reply::Answer { response, .. } = &reply {
            assert_eq!(response.status, 200, "{action}: {}", String::from_utf8_lossy(&response.body));
        }
        reply
    }

    fn register(&mut self, image: u64) {
        let container = json!({"name": "web", "image": format!("web:{image}")});
        let digest = json!([{"key": "trueup:digest", "value": format!("digest-{image}")}]);
        self.call(
            "RegisterTaskDefinition",
            &json!({
                "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
                "containerDefinitions": [container], "tags": digest,
            }),
        );
    }

    fn deploy(&mut self, revision: u64) -> Reply {
        self.call(
            "UpdateService",
            &json!({"cluster": "main", "service": "web", "taskDefinition": format!("web:{revision}")}),
        )
    }

    fn wait(&mut self, minutes: u64) {
        self.now = self.now + Duration::from_mins(minutes);
        self.simulator.advance(self.now);
    }

    /// What is behind the family's name, such as `:1`.
    fn runs(&self) -> &str {
        self.simulator.world().ecs.services[&web()].task_definition.trim_start_matches(DEFINITION)
    }

    fn broken(&self) -> Vec<&'static str> {
        let commit = |id: &str, image: &str| Commit {
            id: id.to_owned(),
            at: Time::START,
            images: [(web(), vec![image.to_owned()])].into(),
        };
        let facts = Facts {
            products: vec!["COPY1".to_owned(), "COPY2".to_owned()],
            commits: vec![commit("c1", "web:1"), commit("c2", "web:2"), commit("c3", "web:3")],
            ..Facts::default()
        };
        judge(&self.simulator.recorder, &facts).into_iter().map(|violation| violation.rule).collect()
    }
}

fn web() -> ServiceKey {
    ServiceKey { cluster: "main".to_owned(), name: "web".to_owned() }
}

#[test]
fn a_revision_that_ecs_rolled_back_must_not_be_deployed_again() {
    for seed in 0..5 {
        let mut scene = Scene::new(seed);
        scene.register(2);
        scene.deploy(2);
        scene.wait(60);
        assert_eq!(scene.runs(), ":1", "seed {seed}: the circuit breaker rolled it back");
        assert_eq!(scene.broken(), [""; 0], "seed {seed}");
        scene.deploy(2);
        assert_eq!(scene.broken(), ["known-bad revision"], "seed {seed}");
    }
}

#[test]
fn the_same_content_under_another_revision_is_known_to_be_bad_as_well() {
    let mut scene = Scene::new(1);
    scene.register(2);
    scene.deploy(2);
    scene.wait(60);
    scene.register(2);
    scene.deploy(3);
    assert_eq!(scene.broken(), ["needless write", "known-bad revision"]);
}

#[test]
fn good_changes_and_repairs_break_nothing() {
    let mut scene = Scene::new(1);
    scene.register(3);
    scene.deploy(2);
    scene.wait(30);
    assert_eq!(scene.runs(), ":2");
    let intruder = Deed::Deploy { service: web(), container: "web".to_owned(), image: "web:evil".to_owned() };
    let at = scene.now;
    scene.simulator.script(at, &Writer::pipeline(ACCOUNT), intruder);
    scene.wait(30);
    assert_eq!(scene.runs(), ":3", "the other pipeline deployed");
    scene.deploy(2);
    scene.wait(30);
    assert_eq!(scene.runs(), ":2");
    assert_eq!(scene.broken(), [""; 0]);
}

#[test]
fn writes_that_change_nothing_are_seen() {
    let mut scene = Scene::new(1);
    scene.deploy(1);
    assert_eq!(scene.broken(), ["needless write"]);
    let tags = json!([{"key": "trueup:revision", "value": "c1"}]);
    let arn = "arn:aws:ecs:eu-west-1:123456789012:service/main/web";
    scene.call("TagResource", &json!({"resourceArn": arn, "tags": tags}));
    assert_eq!(scene.broken(), ["needless write"; 2]);
}

#[test]
fn a_lost_answer_excuses_one_more_deployment() {
    let force = json!({"cluster": "main", "service": "web", "forceNewDeployment": true});
    for (lost, rules) in [(true, &[][..]), (false, &["second deployment"])] {
        let mut scene = Scene::new(1);
        scene.register(3);
        if lost {
            let fault = Fault::NoAnswer { executed: Executed::AtOnce, ending: Ending::Reset };
            let next = scene.simulator.recorder.next_mutation();
            scene.simulator.faults.add(FaultRule::mutation(next, fault));
        }
        let reply = scene.deploy(2);
        assert_eq!(matches!(reply, Reply::Reset { .. }), lost);
        scene.call("UpdateService", &force);
        assert_eq!(scene.broken(), rules);
        scene.call("UpdateService", &force);
        assert!(scene.broken().contains(&"second deployment"));
    }
}

#[test]
fn going_back_to_an_older_commit_is_seen_and_a_crossing_copy_is_no_excuse() {
    let mut scene = Scene::new(1);
    scene.register(3);
    scene.deploy(2);
    scene.wait(30);
    scene.key = "COPY2";
    scene.deploy(1);
    assert_eq!(scene.broken(), ["older commit"]);
}

#[test]
fn weights_that_ecs_shifts_and_resources_of_others_are_told_by_the_world() {
    let mut world = World::new(ACCOUNT, "eu-west-1", 1, Time::START);
    let main = setup::main(&mut world);
    let groups = ["blue", "green", "plain"].map(|name| setup::target_group(&mut world, name, 80));
    let [blue, green, plain] = &groups;
    let shifted = setup::rule(&mut world, &main.listener, 10, "/shifted/*", blue);
    let own = setup::rule(&mut world, &main.listener, 20, "/own/*", plain);
    let mut simulator = Simulator::around(world);
    let product = Writer { access_key: "COPY1".to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:user/COPY1") };
    let mut act = |service: Api, action: &str, input: Value| {
        let now = simulator.now() + Duration::from_mins(5);
        let deed = Deed::Call { service, action: action.to_owned(), input };
        simulator.script(now, &product, deed);
        simulator.advance(now);
        let record = simulator.recorder.records().last().unwrap().clone();
        assert!(record.done(), "{record}");
        let facts = Facts {
            products: vec!["COPY1".to_owned()],
            instances: ["trueup".to_owned()].into(),
            may_prune: true,
            ..Facts::default()
        };
        let broken =
            judge(&simulator.recorder, &facts).into_iter().filter(|violation| violation.call == Some(record.index));
        broken.map(|violation| violation.rule).collect::<Vec<_>>()
    };
    let container = json!({"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]});
    let definition = json!({
        "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [container],
    });
    assert_eq!(act(Api::Ecs, "RegisterTaskDefinition", definition), [""; 0]);
    let modify = |rule: &str, weights: [&str; 2], groups: [&String; 2]| {
        let group = |index: usize| json!({"TargetGroupArn": groups[index], "Weight": weights[index]});
        let forward = json!({"TargetGroups": [group(0), group(1)]});
        json!({"RuleArn": rule, "Actions": [{"Type": "forward", "ForwardConfig": forward}]})
    };
    let elb = Api::ElasticLoadBalancing;
    assert_eq!(
        act(elb, "ModifyRule", modify(&shifted, ["1", "0"], [blue, green])),
        [""; 0],
        "ECS does not shift it yet"
    );
    let advanced = json!({
        "alternateTargetGroupArn": green, "productionListenerRule": shifted,
        "roleArn": "arn:aws:iam::123456789012:role/ecs-load-balancing",
    });
    let service = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}},
        "deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1},
        "loadBalancers": [
            {"targetGroupArn": blue, "containerName": "web", "containerPort": 80, "advancedConfiguration": advanced},
        ],
    });
    assert_eq!(act(Api::Ecs, "CreateService", service), [""; 0]);

    assert_eq!(act(elb, "ModifyRule", modify(&shifted, ["1", "9"], [blue, green])), ["field of another owner"]);
    assert_eq!(act(elb, "ModifyRule", modify(&own, ["1", "9"], [plain, green])), [""; 0]);
    assert_eq!(act(elb, "ModifyRule", modify(&own, ["1", "9"], [plain, green])), ["needless write"]);
    assert_eq!(act(elb, "DeleteRule", json!({"RuleArn": own})), ["deletion"], "it has no tag");
    let tags = json!([{"Key": "trueup:instance", "Value": "trueup"}]);
    assert_eq!(act(elb, "AddTags", json!({"ResourceArns": [plain], "Tags": tags})), [""; 0]);
    assert_eq!(act(elb, "DeleteTargetGroup", json!({"TargetGroupArn": plain})), [""; 0], "it is its own");
}
