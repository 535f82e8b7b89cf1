//! trueup's own service is an application in the repository that it watches: it deploys its own new version, and that one
//! finishes what was begun; where the new version does not start, the old one comes back and continues.
//!
//! Here ECS decides which trueup lives: a task of the service that runs is a process without a cache, one that is stopped
//! gets SIGTERM.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use trueup_core::plan::{Hold, Plan, Sync};
use trueup_histories::{
    Application, Balanced, CLUSTER, Copy, Cut, Desired, Moment, Scene, Stage, image, parallel, run, surroundings,
    violations, well,
};
use trueup_sim::ecs::model::{ServiceKey, TaskStatus};
use trueup_sim::wire::Api;
use trueup_sim::writers::{Deed, Writer};

/// The application, its service and its image.
const SELF: &str = "trueup";

/// How often arriving and leaving tasks are polled for.
const LOOK: Duration = Duration::from_millis(500);

/// Between SIGTERM and SIGKILL: `stopTimeout` on Fargate.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a change of itself may take; a rollback takes three attempts to start.
const PATIENCE: Duration = Duration::from_mins(45);

/// How long nothing may be written until all counts as done.
const QUIET: Duration = Duration::from_mins(3);

/// Minimum and maximum percent of trueup's service: the old task stops first, or the new one starts first.
const STOP_FIRST: (u64, u64) = (0, 100);
const START_FIRST: (u64, u64) = (100, 200);

/// What runs trueup: the tasks of its service, by ARN.
struct Host<'a> {
    stage: &'a Stage,
    running: BTreeMap<String, Copy>,
    /// Those that got SIGTERM, and when they get SIGKILL.
    stopping: Vec<(trueup_sim::Time, Copy)>,
    started: u32,
    told: Vec<String>,
}

impl<'a> Host<'a> {
    /// An operator brings everything up from elsewhere, once; from then on trueup runs as its own service.
    async fn after_bring_up(stage: &'a Stage, desired: &Desired) -> Self {
        stage.commit(desired);
        let first = stage.start("trueup-operator");
        stage.settle_well(&first).await.expect("it comes up");
        first.stop().await;
        let mut host = Self { stage, running: BTreeMap::new(), stopping: Vec::new(), started: 0, told: Vec::new() };
        host.look().await;
        assert_eq!(host.running.len(), 1, "one task runs");
        host
    }

    /// Does what ECS's agent does, until `done` has held for `quiet` without a write, or time is over.
    async fn wait(&mut self, quiet: Duration, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        let end = self.stage.now() + PATIENCE;
        let (mut since, mut writes) = (self.stage.now(), self.stage.writes());
        loop {
            self.look().await;
            sleep(LOOK).await;
            let now = self.stage.now();
            if !done(self) || self.stage.writes() != writes {
                (since, writes) = (now, self.stage.writes());
            }
            if now.since(since) >= quiet {
                return Ok(());
            }
            if now >= end {
                let plans = self.plans().map(|plan| format!("{plan:#?}")).collect::<Vec<_>>().join("\n");
                let running: Vec<_> = self.running.keys().collect();
                return Err(format!("not in time; {running:?}\n{plans}\n{}", self.told.join("\n")));
            }
        }
    }

    /// Starts a process for every task that has begun to run, and stops those whose tasks are to stop.
    async fn look(&mut self) {
        for (arn, image) in self.tasks() {
            // One that crashes does so before it does anything.
            if !self.running.contains_key(&arn) && !image.ends_with(":crash") {
                self.started += 1;
                self.running.insert(arn, self.stage.start_without_cache(&format!("trueup-{}", self.started)));
            }
        }
        let alive: Vec<String> = self.tasks().into_iter().map(|(arn, _)| arn).collect();
        let gone: Vec<String> = self.running.keys().filter(|arn| !alive.contains(arn)).cloned().collect();
        for arn in gone {
            let copy = self.running.remove(&arn).expect("it is there");
            copy.engine.shutdown().request();
            self.stopping.push((self.stage.now() + STOP_TIMEOUT, copy));
        }
        for (limit, copy) in std::mem::take(&mut self.stopping) {
            if copy.is_over() {
                self.told.extend(copy.lines());
                copy.ended().await;
            } else {
                assert!(self.stage.now() < limit, "it is not gone half a minute after SIGTERM");
                self.stopping.push((limit, copy));
            }
        }
        // A process that died by itself takes its task with it.
        let dead: Vec<String> =
            self.running.iter().filter(|(_, copy)| copy.line.is_dead()).map(|(arn, _)| arn.clone()).collect();
        for arn in dead {
            let copy = self.running.remove(&arn).expect("it is there");
            self.told.extend(copy.lines());
            copy.kill().await;
            self.stage.facts().killed(self.stage.now());
            let input = json!({"cluster": CLUSTER, "task": arn});
            let stop = Deed::Call { service: Api::Ecs, action: "StopTask".to_owned(), input };
            let mut aws = self.stage.aws();
            let now = aws.now();
            aws.script(now, &Writer::person(trueup_histories::ACCOUNT, "agent"), stop);
            aws.advance(now);
        }
    }

    /// The tasks that run and are to continue: ARN and image.
    fn tasks(&self) -> Vec<(String, String)> {
        let service = ServiceKey { cluster: CLUSTER.to_owned(), name: SELF.to_owned() };
        let mut aws = self.stage.aws();
        let tasks = aws.world_mut().ecs.tasks.values();
        let ours = tasks.filter(|task| task.service.as_ref() == Some(&service));
        let alive = ours.filter(|task| task.last_status == TaskStatus::Running && !task.to_stop);
        alive.map(|task| (task.arn.clone(), task.containers[0].image.clone())).collect()
    }

    /// What the one process that runs shows; nothing when it is not one.
    fn plans(&self) -> impl Iterator<Item = Plan> {
        let one = self.running.values().next().filter(|_| self.running.len() == 1);
        one.into_iter()
            .flat_map(|copy| copy.engine.status().applications.into_values().map(|status| Plan::clone(&status.plan)))
    }

    /// Whether one process runs, of this version, that has taken the newest commit and shows every application so.
    fn shows(&self, tag: &str, wanted: impl Fn(&Plan) -> bool) -> bool {
        let of_version = self.tasks().iter().map(|(_, image)| image.clone()).collect::<Vec<_>>() == [image(SELF, tag)];
        let newest = self.stage.repository.commits().pop();
        let in_force = self.running.values().all(|copy| copy.engine.status().source.revision == newest);
        let plans: Vec<Plan> = self.plans().collect();
        of_version && in_force && plans.len() == 3 && plans.iter().all(wanted)
    }

    async fn dismiss(self) {
        for (_, copy) in self.running {
            copy.stop().await;
        }
        for (_, copy) in self.stopping {
            copy.ended().await;
        }
    }
}

/// Three applications: one of them is trueup.
fn desired(percent: (u64, u64)) -> Desired {
    Desired::of([
        (SELF, Application { count: Some(1), percent, ..Application::default() }),
        ("web", Application { balanced: Some(Balanced::at(10)), ..Application::default() }),
        ("api", Application::default()),
    ])
}

/// The next version of trueup, and other changes in the same commit.
fn next(desired: &Desired, version: &str) -> Desired {
    let changed = desired.with(SELF, |own| version.clone_into(&mut own.tag));
    changed.with("web", |web| web.tag = "2".into()).with("api", |api| api.level = "debug".into())
}

/// How many deployments of an image trueup began.
fn deployments(stage: &Stage, image: &str) -> usize {
    let aws = stage.aws();
    let begun = aws.recorder.mutations().filter_map(|record| record.truth.as_ref());
    begun.flat_map(|truth| &truth.deployments).filter(|deployed| deployed.images.iter().any(|one| one == image)).count()
}

/// A tag of a service.
fn tag(stage: &Stage, service: &str, key: &str) -> Option<String> {
    let input = json!({"cluster": CLUSTER, "services": [service], "include": ["TAGS"]});
    let mut aws = stage.aws();
    let answer =
        trueup_sim::ecs::api::answer(aws.world_mut(), "judge", "DescribeServices", &input).expect("it is there");
    let tags = answer["services"][0]["tags"].as_array()?.clone();
    tags.into_iter().find(|tag| tag["key"] == key).and_then(|tag| tag["value"].as_str().map(str::to_owned))
}

#[test]
fn it_deploys_its_own_new_version_once_and_the_successor_finishes_what_was_begun() {
    for (seed, percent) in [(20, STOP_FIRST), (21, START_FIRST), (22, STOP_FIRST), (23, START_FIRST)] {
        run(seed, async {
            let stage = Stage::new(&Scene::new(surroundings(seed)));
            let mut host = Host::after_bring_up(&stage, &desired(percent)).await;
            let newest = stage.commit(&next(&desired(percent), "2"));
            let outcome = host.wait(QUIET, |host| host.shows("2", well)).await;
            outcome.unwrap_or_else(|error| panic!("{percent:?}: {error}"));
            for (name, version) in [(SELF, "2"), ("web", "2")] {
                assert_eq!(deployments(&stage, &image(name, version)), 1, "{percent:?}: {name}");
            }
            for name in [SELF, "web", "api"] {
                let revision = tag(&stage, name, "trueup:revision");
                assert_eq!(revision.as_deref(), Some(newest.as_str()), "{percent:?}: {name}");
            }
            assert!(host.started >= 2, "{percent:?}: a successor took over");
            host.dismiss().await;
            assert_eq!(violations(&stage), Vec::<String>::new(), "{percent:?}");
        });
    }
}

#[test]
fn a_version_that_never_starts_is_rolled_back_and_the_old_one_holds_it_and_goes_on_with_everything_else() {
    let cases = [(30, STOP_FIRST, "crash"), (31, STOP_FIRST, "missing"), (32, START_FIRST, "crash")];
    for (seed, percent, bad) in cases {
        run(seed, async {
            let stage = Stage::new(&Scene::new(surroundings(seed)));
            let mut host = Host::after_bring_up(&stage, &desired(percent)).await;
            stage.commit(&next(&desired(percent), bad));
            // The old version runs, holds what failed, and has made everything else true.
            let is_held = |plan: &Plan| {
                let failed = |held: &trueup_core::plan::Held| matches!(held.reason, Hold::RevisionFailed { .. });
                match plan.application.as_str() {
                    SELF => plan.sync == Sync::OutOfSync && plan.held.iter().any(failed),
                    _ => well(plan),
                }
            };
            let outcome = host.wait(QUIET, |host| host.shows("1", is_held)).await;
            outcome.unwrap_or_else(|error| panic!("{percent:?} {bad}: {error}"));
            assert_eq!(deployments(&stage, &image(SELF, bad)), 1, "{percent:?} {bad}");
            assert_eq!(deployments(&stage, &image("web", "2")), 1, "{percent:?} {bad}");
            assert!(tag(&stage, SELF, "trueup:failed").is_some(), "{percent:?} {bad}: it is remembered");

            // It is not tried again, and a person's drift elsewhere is still corrected.
            let bad_state = next(&desired(percent), bad);
            stage.commit(&bad_state.with("api", |api| api.tag = "3".into()));
            let outcome = host.wait(QUIET, |host| host.shows("1", is_held)).await;
            outcome.unwrap_or_else(|error| panic!("{percent:?} {bad}: {error}"));
            assert_eq!(deployments(&stage, &image("api", "3")), 1, "{percent:?} {bad}");

            // A corrected version is deployed as any other.
            stage.commit(&bad_state.with("api", |api| api.tag = "3".into()).with(SELF, |own| own.tag = "3".into()));
            let outcome = host.wait(QUIET, |host| host.shows("3", well)).await;
            outcome.unwrap_or_else(|error| panic!("{percent:?} {bad}: {error}"));
            let tried = [bad, "3"].map(|version| deployments(&stage, &image(SELF, version)));
            assert_eq!(tried, [1, 1], "{percent:?} {bad}");
            assert_eq!(tag(&stage, SELF, "trueup:failed"), None, "{percent:?} {bad}");
            host.dismiss().await;
            assert_eq!(violations(&stage), Vec::<String>::new(), "{percent:?} {bad}");
        });
    }
}

/// Has trueup deploy its own new version, and die at one of its calls after the commit. How many calls the process that
/// saw the commit made, and what was not as promised.
fn die_at(scene: &Scene, cut: Option<(u64, Moment)>) -> (u64, Vec<String>) {
    run(40, async {
        let stage = Stage::new(scene);
        let mut host =
            Host { stage: &stage, running: BTreeMap::new(), stopping: Vec::new(), started: 0, told: Vec::new() };
        host.wait(Duration::from_secs(20), |host| host.shows("1", well)).await.expect("it begins well");
        let line = host.running.values().next().expect("it runs").line.clone();
        let before = line.calls();
        if let Some((call, moment)) = cut {
            line.cut_at(Cut { call: before + call, moment });
        }
        stage.commit(&next(&desired(STOP_FIRST), "2"));
        let mut found = Vec::new();
        found.extend(host.wait(QUIET, |host| host.shows("2", well)).await.err());
        if tag(&stage, SELF, "trueup:failed").is_some() {
            found.push("what did not fail is remembered as failed".to_owned());
        }
        host.dismiss().await;
        found.extend(violations(&stage));
        (line.calls() - before, found)
    })
}

#[test]
fn it_may_die_at_any_call_of_deploying_itself() {
    let scene = run(40, async {
        let stage = Stage::new(&Scene::new(surroundings(40)));
        let host = Host::after_bring_up(&stage, &desired(STOP_FIRST)).await;
        host.dismiss().await;
        stage.scene()
    });
    let (calls, found) = die_at(&scene, None);
    assert_eq!(found, Vec::<String>::new(), "undisturbed");
    let points: Vec<(u64, Moment)> = (0..calls).flat_map(|call| Moment::ALL.map(|moment| (call, moment))).collect();
    let ends = parallel(&points, |point| die_at(&scene, Some(*point)).1);
    let broken: Vec<_> = points.iter().zip(&ends).filter(|(_, found)| !found.is_empty()).collect();
    println!("self-management: {} points, {} broken", points.len(), broken.len());
    assert!(points.len() > 30, "{} points are not the whole deployment", points.len());
    assert!(broken.is_empty(), "{broken:#?}");
}
