//! Random histories: whatever happened before, a good revision is reached, and the bounds are kept on the way.

use serde_json::json;

use super::fixture::{Scene, Setup};
use crate::chance::Stream;
use crate::ecs::model::{RolloutState, TaskStatus};
use crate::ecs::scheduler;

const SEEDS: u64 = 150;

fn setup(seed: u64, chance: &mut Stream) -> Setup {
    let bounds = [(100, 200), (50, 100), (0, 100), (50, 200), (100, 150), (75, 200)];
    let (minimum, maximum) = *chance.one_of(&bounds).expect("there are some");
    // With one task, 150 % is no room for a second one.
    let desired = chance.between(2, 6);
    let strategy = *chance.one_of(&["ROLLING", "ROLLING", "ROLLING", "BLUE_GREEN", "CANARY"]).expect("there are some");
    let configuration = json!({
        "strategy": strategy, "minimumHealthyPercent": minimum, "maximumPercent": maximum, "bakeTimeInMinutes": 2,
        "deploymentCircuitBreaker": {"enable": chance.percent(60), "rollback": chance.percent(70)},
    });
    let settings = json!({"healthCheckGracePeriodSeconds": chance.between(0, 2) * 200});
    Setup { seed, desired, configuration, settings, balanced: chance.percent(50), ..Setup::default() }
}

fn something(scene: &mut Scene, chance: &mut Stream) {
    match chance.between(0, 8) {
        0..=3 => scene.update(chance.between(1, 10)),
        4 => scene.scale(chance.between(0, 7)),
        5 => {
            let up: Vec<String> = scene.tasks().filter(|task| !task.to_stop).map(|task| task.arn.clone()).collect();
            if let Some(arn) = chance.one_of(&up).cloned() {
                scheduler::stop_task(&mut scene.world, &arn, "UserInitiated", "Task stopped by user");
            }
        }
        6 => {
            let arn = scene.record().arn.clone();
            // One that is over refuses, as it should.
            drop(scheduler::stop_service_deployment(&mut scene.world, &arn, "ROLLBACK"));
        }
        _ => {
            let available = chance.percent(50);
            scheduler::set_capacity(&mut scene.world, available);
        }
    }
}

#[test]
fn whatever_happened_a_good_revision_is_reached_in_the_end() {
    for seed in 0..SEEDS {
        let mut chance = Stream::named(seed, "history");
        let mut scene = Scene::steady(&setup(seed, &mut chance));
        for _ in 0..chance.between(1, 9) {
            something(&mut scene, &mut chance);
            scene.pass(chance.between(1, 900));
        }
        scheduler::set_capacity(&mut scene.world, true);
        let desired = chance.between(1, 5) * 2;
        scene.scale(desired);
        scene.update(2);
        scene.pass(3 * 3_600);
        let primary = scene.primary();
        let end = (primary.rollout_state, scene.record().status.as_str(), scene.service().deployments.len());
        assert_eq!(end, (RolloutState::Completed, "SUCCESSFUL", 1), "seed {seed}\n{}", scene.story());
        assert_eq!((scene.serving(2) as u64, scene.running()), (desired, desired), "seed {seed}\n{}", scene.story());
        let left = scene.tasks().filter(|task| task.to_stop && task.last_status != TaskStatus::Stopped).count();
        assert_eq!(left, 0, "seed {seed}\n{}", scene.story());
        let open = scene.service().service_deployments.iter().filter(|known| known.finished_at.is_none()).count();
        assert_eq!(open, 0, "seed {seed}");
    }
}

#[test]
fn a_rolling_update_between_good_revisions_keeps_within_its_bounds() {
    for seed in 0..SEEDS {
        let mut chance = Stream::named(seed, "bounds");
        let mut setup = setup(seed, &mut chance);
        setup.configuration["strategy"] = json!("ROLLING");
        let percent = |name: &str| setup.configuration[name].as_u64().unwrap_or_default();
        let floor = (setup.desired * percent("minimumHealthyPercent")).div_ceil(100);
        let ceiling = setup.desired * percent("maximumPercent") / 100;
        let mut scene = Scene::steady(&setup);
        scene.update(2);
        scene.until(3 * 3_600, "complete", |scene| {
            let up = scene.tasks().filter(|task| !task.to_stop).count() as u64;
            let healthy = scene.tasks().filter(|task| task.healthy_since.is_some()).count() as u64;
            assert!(up <= ceiling, "seed {seed}: {up} of at most {ceiling}\n{}", scene.story());
            assert!(healthy >= floor, "seed {seed}: {healthy} of at least {floor}\n{}", scene.story());
            scene.record().status == "SUCCESSFUL"
        });
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let play = |seed: u64| {
        let mut chance = Stream::named(seed, "history");
        let mut scene = Scene::steady(&setup(seed, &mut chance));
        for _ in 0..6 {
            something(&mut scene, &mut chance);
            scene.pass(chance.between(1, 900));
        }
        format!("{:?}", scene.world.ecs)
    };
    for seed in 0..10 {
        assert!(play(seed) == play(seed), "seed {seed}");
        assert!(play(seed) != play(seed + 1), "seeds {seed} and the next");
    }
}
