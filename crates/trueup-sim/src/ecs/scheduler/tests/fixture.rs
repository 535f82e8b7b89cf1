//! A world with a service `web` in a cluster `prod`, made by hand.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::ecs::model::{
    Deployment, Family, Service, ServiceDeployment, ServiceKey, ServiceStatus, Task, TaskDefinition,
    TaskDefinitionStatus, TaskStatus,
};
use crate::ecs::scheduler::{self, counts};
use crate::elb;
use crate::setup;
use crate::time::Time;
use crate::workload::{Behaviour, Exit, Health, Start};
use crate::world::World;

/// A world under test.
pub(super) struct Scene {
    pub world: World,
    pub web: ServiceKey,
    pub balancer: Balancer,
}

/// What a scene begins with.
pub(super) struct Setup {
    pub seed: u64,
    pub desired: u64,
    /// `deploymentConfiguration`.
    pub configuration: Value,
    /// Besides, members of the container definition.
    pub container: Value,
    pub settings: Value,
    /// With an application load balancer: a rule `production` over the groups `blue` and `green`, and one for tests.
    pub balanced: bool,
}

/// The ARNs of a scene with a load balancer.
#[derive(Default)]
pub(super) struct Balancer {
    pub blue: String,
    pub green: String,
    pub production: String,
    pub test: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            desired: 1,
            configuration: json!({}),
            container: json!({}),
            settings: json!({}),
            balanced: false,
        }
    }
}

/// A circuit breaker that is on.
pub(super) fn breaker(rollback: bool) -> Value {
    json!({"deploymentCircuitBreaker": {"enable": true, "rollback": rollback}})
}

impl Scene {
    /// A service whose first deployment of image `web:1` begins now.
    pub fn created(setup: &Setup) -> Self {
        let mut scene = Self::with_images(setup);
        let mut settings = setup.settings.as_object().cloned().unwrap_or_default();
        if setup.balanced {
            scene.balancer = balancer(&mut scene.world);
            // Until ECS sees that rules forward to the groups.
            scene.pass(10);
            let Balancer { blue, green, production, test } = &scene.balancer;
            let shift = json!({"alternateTargetGroupArn": green, "productionListenerRule": production, "testListenerRule": test});
            let mut entry = json!({"targetGroupArn": blue, "containerName": "web", "containerPort": 80});
            if setup.configuration["strategy"].is_string() {
                entry["advancedConfiguration"] = shift;
            }
            settings.insert("loadBalancers".to_owned(), json!([entry]));
        }
        settings.insert("deploymentConfiguration".to_owned(), setup.configuration.clone());
        let service = Service {
            arn: scene.world.arn("ecs", "service/prod/web"),
            status: ServiceStatus::Active,
            created_at: scene.world.now,
            created_by: scene.world.arn("iam", "role/deployer"),
            created_from: (None, Value::Null),
            desired_count: setup.desired,
            task_definition: scene.definition_arn(1),
            settings,
            tags: BTreeMap::new(),
            deployments: Vec::new(),
            service_deployments: Vec::new(),
            revisions: BTreeMap::new(),
            events: VecDeque::new(),
            forgotten_at: None,
            memory: scheduler::Memory::default(),
        };
        scene.world.ecs.services.insert(scene.web.clone(), service);
        scheduler::deploy(&mut scene.world, &scene.web);
        scene
    }

    /// A service that runs image `web:1`, steady.
    pub fn steady(setup: &Setup) -> Self {
        let mut scene = Self::created(setup);
        scene.until(7_200, "the first deployment is complete", |scene| {
            scene.primary().rollout_state_reason.ends_with("completed.")
        });
        scene
    }

    fn with_images(setup: &Setup) -> Self {
        let web = ServiceKey { cluster: "prod".to_owned(), name: "web".to_owned() };
        let mut world = World::new("111122223333", "eu-west-1", setup.seed, Time::START);
        script(&mut world);
        let mut family = Family::default();
        for revision in 1..=9 {
            let arn = world.arn("ecs", &format!("task-definition/web:{revision}"));
            let mut container = json!({"name": "web", "image": format!("web:{revision}"), "essential": true,
                "portMappings": [{"containerPort": 80}],
                "secrets": [{"name": "KEY", "valueFrom": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf"}]});
            for (name, value) in setup.container.as_object().into_iter().flatten() {
                container[name] = value.clone();
            }
            let description =
                json!({"containerDefinitions": [container], "runtimePlatform": {"cpuArchitecture": "ARM64"}});
            let definition = TaskDefinition {
                arn,
                status: TaskDefinitionStatus::Active,
                description: description.as_object().cloned().unwrap_or_default(),
                tags: BTreeMap::new(),
                registered_at: world.now,
                registered_by: String::new(),
                deregistered_at: None,
            };
            family.newest = revision;
            family.revisions.insert(revision, definition);
        }
        world.ecs.families.insert("web".to_owned(), family);
        Self { world, web, balancer: Balancer::default() }
    }

    /// The weights of a rule: blue and green.
    pub fn weights(&self, rule: &str) -> (u64, u64) {
        let weights = elb::health::weights(&self.world, rule).expect("the scene has it");
        let of = |group: &str| weights.iter().filter(|(known, _)| known == group).map(|(_, weight)| weight).sum();
        (of(&self.balancer.blue), of(&self.balancer.green))
    }

    /// How many targets of a group are in a state.
    pub fn targets(&self, group: &str, state: &str) -> usize {
        let targets = self.world.elb.target_groups[group].targets.keys();
        targets.filter(|(ip, port)| elb::health::health(&self.world, group, ip, *port).state == state).count()
    }

    /// An action of Elastic Load Balancing.
    pub fn elb(&mut self, action: &str, input: &Value) {
        call(&mut self.world, action, input);
    }

    /// Revision N of the task definition runs image `web:N`: 1 and 2 are well, the others as `script` says.
    pub fn definition_arn(&self, revision: u64) -> String {
        self.world.arn("ecs", &format!("task-definition/web:{revision}"))
    }

    /// Names another image in a revision of the task definition.
    pub fn set_image(&mut self, revision: u64, image: &str) {
        let family = self.world.ecs.families.get_mut("web").expect("the scene has it");
        let definition = family.revisions.get_mut(&revision).expect("revisions are 1 to 9");
        definition.description["containerDefinitions"][0]["image"] = json!(image);
    }

    /// `UpdateService` with that revision.
    pub fn update(&mut self, revision: u64) {
        let arn = self.definition_arn(revision);
        self.service_mut().task_definition = arn;
        scheduler::deploy(&mut self.world, &self.web);
    }

    /// `UpdateService` with that `desiredCount`.
    pub fn scale(&mut self, desired: u64) {
        self.service_mut().desired_count = desired;
        scheduler::settings_changed(&mut self.world, &self.web);
    }

    pub fn service(&self) -> &Service {
        &self.world.ecs.services[&self.web]
    }

    pub fn service_mut(&mut self) -> &mut Service {
        self.world.ecs.services.get_mut(&self.web).expect("the scene has it")
    }

    pub fn settings(&mut self) -> &mut Map<String, Value> {
        &mut self.service_mut().settings
    }

    pub fn primary(&self) -> &Deployment {
        &self.service().deployments[0]
    }

    /// The newest service deployment.
    pub fn record(&self) -> &ServiceDeployment {
        &self.service().service_deployments[0]
    }

    pub fn running(&self) -> u64 {
        counts(&self.world, &self.web, None).running
    }

    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.world.ecs.tasks.values()
    }

    /// Tasks of image `web:N` that run and are not asked to stop.
    pub fn serving(&self, revision: u64) -> usize {
        let arn = self.definition_arn(revision);
        self.tasks()
            .filter(|task| task.task_definition == arn && !task.to_stop && task.last_status == TaskStatus::Running)
            .count()
    }

    pub fn pass(&mut self, seconds: u64) {
        let until = self.world.now + Duration::from_secs(seconds);
        self.world.advance(until);
    }

    /// Advances second by second until it is so; the seconds that it took.
    pub fn until(&mut self, seconds_max: u64, what: &str, is_so: impl Fn(&Self) -> bool) -> u64 {
        for passed in 0..=seconds_max {
            if is_so(self) {
                return passed;
            }
            self.pass(1);
        }
        panic!("not within {seconds_max} s: {what}\n{}", self.story());
    }

    /// All events, oldest first, with seconds since the start, ids left out.
    pub fn story(&self) -> String {
        let lines = self.service().events.iter().rev().map(|event| {
            let at = event.created_at.since(Time::START).as_secs();
            format!("{at:>6} {}", without_ids(&event.message))
        });
        let deployments = self.service().deployments.iter().map(|known| {
            format!(
                "{:?} {:?} {} {}",
                known.status, known.rollout_state, known.failed_tasks, known.rollout_state_reason
            )
        });
        let tasks = self.tasks().map(|task| {
            format!("{:?} {:?} {:?} {}", task.last_status, task.stop_code, task.stopped_reason, task.task_definition)
        });
        lines.chain(deployments).chain(tasks).collect::<Vec<_>>().join("\n")
    }

    /// Messages, oldest first, ids left out.
    pub fn messages(&self) -> Vec<String> {
        self.service().events.iter().rev().map(|event| without_ids(&event.message)).collect()
    }
}

fn call(world: &mut World, action: &str, input: &Value) {
    elb::api::answer(world, "arn:aws:iam::111122223333:role/deployer", action, input).expect("it is allowed");
}

fn balancer(world: &mut World) -> Balancer {
    let (_, listener) = setup::load_balancer(world, "main", 80);
    let (blue, green) = (setup::target_group(world, "blue", 80), setup::target_group(world, "green", 80));
    for group in [&blue, &green] {
        let delay = json!([{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]);
        call(world, "ModifyTargetGroupAttributes", &json!({"TargetGroupArn": group, "Attributes": delay}));
    }
    let production = setup::rule(world, &listener, 1, "/*", &blue);
    let test = setup::rule(world, &listener, 2, "/test/*", &green);
    Balancer { blue, green, production, test }
}

/// A message with `ID` for every long run of digits.
fn without_ids(message: &str) -> String {
    let ids = regex::Regex::new("[0-9a-f]{19,32}").expect("a valid expression");
    ids.replace_all(message, "ID").into_owned()
}

/// | image | what it does |
/// |---|---|
/// | `web:1`, `web:2` | well |
/// | `web:3` | exits with 1 after two seconds |
/// | `web:4` | does not exist |
/// | `web:5` | never answers a health check |
/// | `web:6` | another platform |
/// | `web:7` | its secret does not exist |
/// | `web:8` | is killed for its memory after five minutes |
/// | `web:9` | takes two minutes until it answers |
fn script(world: &mut World) {
    let well = Behaviour::default();
    let exit = |after, code, out_of_memory| Some(Exit { after: Duration::from_secs(after), code, out_of_memory });
    for (image, behaviour) in [
        ("web:3", Behaviour { exits: exit(2, 1, false), ..well.clone() }),
        ("web:4", Behaviour { start: Start::ImageMissing, ..well.clone() }),
        ("web:5", Behaviour { health: Health::Silent, ..well.clone() }),
        ("web:6", Behaviour { start: Start::WrongPlatform, ..well.clone() }),
        ("web:7", Behaviour { start: Start::SecretMissing, ..well.clone() }),
        ("web:8", Behaviour { exits: exit(300, 137, true), ..well.clone() }),
        ("web:9", Behaviour { ready_after: Duration::from_mins(2), ..well }),
    ] {
        world.workloads.script(image, behaviour);
    }
}
