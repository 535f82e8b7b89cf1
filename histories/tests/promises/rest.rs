//! At rest: a fleet that is as git says is left alone, and observed with few calls.

use std::time::Duration;

use tokio::time::sleep;
use trueup_histories::{Application, Balanced, Desired, Scene, Stage, Style, run, surroundings};

/// How many services.
const SERVICES: usize = 200;

/// How many cycles.
const CYCLES: u32 = 100;

#[test]
fn two_hundred_services_in_many_styles_rest_for_a_hundred_cycles() {
    run(5, async {
        let stage = Stage::new(&Scene::new(surroundings(5)));
        let application = |index: usize| Application {
            balanced: (index < 90).then(|| Balanced::at(10 + index as u64)),
            checked: index.is_multiple_of(3),
            count: Some(1),
            style: Style::of(index),
            ..Application::default()
        };
        let names = (0..SERVICES).map(|index| (format!("service-{index}"), application(index)));
        let desired = Desired { applications: names.collect(), prune: false };
        stage.commit(&desired);
        let copy = stage.start("trueup-1");
        let settled =
            stage.settle(&copy, trueup_histories::well, Duration::from_mins(15), Duration::from_hours(6)).await;
        settled.expect("all of them come up");
        let (writes, calls) = (stage.writes(), copy.line.calls());
        sleep(Duration::from_mins(1) * CYCLES).await;
        assert_eq!(stage.writes(), writes, "nothing is written at rest");
        let reads = (copy.line.calls() - calls) / u64::from(CYCLES);
        let promised = SERVICES.div_ceil(10) + SERVICES.div_ceil(100) + 5;
        println!("{SERVICES} services: {reads} reads a cycle; promised are {promised}");
        assert!(reads <= promised as u64, "{reads} reads a cycle");
    });
}
