//! AWS's rates: who goes first, who shares them, and what happens when an endpoint is back after a disturbance.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};
use trueup_aws::Pace;
use trueup_core::desired::Environment;
use trueup_core::names::{EnvironmentName, ServiceId};
use trueup_core::plan::{Call, Operation};
use trueup_ports::{Cloud as _, ObserveRequest, Priority};

use crate::fake::{self, Fake, Reply, error};

/// How many `DescribeServices` we make in a second: four fifths of AWS's 20.
const PER_SECOND: u32 = 16;

fn wanted(services: std::ops::Range<usize>, priority: Priority) -> ObserveRequest {
    let id = |n| ServiceId { cluster: "main".to_owned(), name: format!("s{n:04}") };
    ObserveRequest { services: services.map(id).collect(), priority, ..ObserveRequest::default() }
}

/// Says of all services that they do not exist.
fn nothing_there(request: &fake::Request) -> Reply {
    let names = request.json()["services"].as_array().cloned().unwrap_or_default();
    let failures: Vec<_> = names.iter().map(|name| json!({"arn": name, "reason": "MISSING"})).collect();
    Reply::Json(200, json!({"services": [], "failures": failures}))
}

#[tokio::test(start_paused = true)]
async fn a_safety_read_does_not_wait_for_a_long_observation() {
    let fake = Fake::new(nothing_there);
    let cloud = fake.clouds(Pace::Published).aws(&fake::environment()).await;
    let start = Instant::now();
    let everything = async {
        cloud.observe(&wanted(0..3_000, Priority::Rest)).await;
        start.elapsed()
    };
    let one = async {
        sleep(Duration::from_secs(2)).await;
        let asked = Instant::now();
        cloud.observe(&wanted(0..1, Priority::Safety)).await;
        asked.elapsed()
    };
    let (everything, one) = tokio::join!(everything, one);
    assert!(everything > Duration::from_secs(12), "300 calls, 80 of them at once: {everything:?}");
    assert!(one < Duration::from_millis(200), "its turn was one of the next two: {one:?}");
}

#[tokio::test(start_paused = true)]
async fn environments_in_one_account_and_region_share_its_rates() {
    let register = Call { operation: Operation::RegisterTaskDefinition, input: json!({}) };
    let environment = |name: &str, region: &str| Environment {
        name: EnvironmentName::new(name),
        region: region.to_owned(),
        ..fake::environment()
    };
    for (second, shared) in [(environment("staging", fake::REGION), true), (environment("abroad", "eu-west-1"), false)]
    {
        let fake = Fake::new(|_| Reply::Json(200, json!({})));
        let clouds = fake.clouds(Pace::Published);
        let start = Instant::now();
        for environment in [fake::environment(), second] {
            let cloud = clouds.aws(&environment).await;
            for _ in 0..14 {
                cloud.execute(&register).await.unwrap();
            }
        }
        // 28 calls: 16 at once and 12 at 0.8 per second, where they share.
        assert_eq!(start.elapsed() > Duration::from_secs(14), shared, "{:?}", start.elapsed());
    }
}

/// Two hundred applications, each observed on its own, every two minutes and all at the same moment; the endpoint gives
/// no proper answer for ten minutes. Gives back how many calls arrived in each second.
async fn calls_around_a_blackout(broken: fn() -> Reply) -> Vec<u32> {
    let is_down = Arc::new(AtomicBool::new(false));
    let down = Arc::clone(&is_down);
    let arrived = Arc::new(Mutex::new(vec![0_u32; 1_200]));
    let counts = Arc::clone(&arrived);
    let start = Instant::now();
    let fake = Fake::new(move |request| {
        if request.operation == "DescribeServices" {
            counts.lock().unwrap()[usize::try_from(start.elapsed().as_secs()).unwrap()] += 1;
        }
        if down.load(Ordering::Relaxed) { broken() } else { nothing_there(request) }
    });
    let cloud = fake.clouds(Pace::Published).aws(&fake::environment()).await;
    let applications = join_all((0..200).map(|n| {
        let cloud = Arc::clone(&cloud);
        async move {
            for round in 1..=8 {
                cloud.observe(&wanted(n..n + 1, Priority::Rest)).await;
                tokio::time::sleep_until(start + Duration::from_secs(round * 120)).await;
            }
        }
    }));
    let blackout = async {
        sleep(Duration::from_mins(1)).await;
        is_down.store(true, Ordering::Relaxed);
        sleep(Duration::from_mins(10)).await;
        is_down.store(false, Ordering::Relaxed);
    };
    tokio::join!(applications, blackout);
    let arrived = arrived.lock().unwrap();
    arrived.clone()
}

#[tokio::test(start_paused = true)]
async fn when_an_endpoint_is_back_nobody_storms_it() {
    let calls = calls_around_a_blackout(|| Reply::Reset).await;
    assert!(calls[0] > 80, "before it a burst goes at once: {calls:?}");
    // The first round of the blackout begins with what the bucket holds, until the first calls have failed.
    let (during, after) = (&calls[121..660], &calls[660..]);
    assert!(during.iter().all(|calls| *calls <= PER_SECOND + 1), "repetitions are within the rate: {during:?}");
    let first = after.iter().position(|calls| *calls > 0).unwrap();
    let recovered = &after[first..first + 12];
    assert!(recovered.iter().all(|calls| *calls <= PER_SECOND + 1), "{recovered:?}");
    assert!(recovered.iter().sum::<u32>() >= 180, "and yet as fast as may be: {recovered:?}");
}

#[tokio::test(start_paused = true)]
async fn throttling_makes_calls_fewer_and_they_come_back_slowly() {
    let calls = calls_around_a_blackout(|| error("ThrottlingException", "Rate exceeded")).await;
    let busiest = |from: usize, to: usize| calls[from..to].iter().max().copied().unwrap();
    assert!(busiest(121, 660) <= 5, "{calls:?}");
    let in_a_minute: u32 = calls[240..300].iter().sum();
    assert!((50..80).contains(&in_a_minute), "a sixteenth of the rate: {in_a_minute}");
    // Each round begins with what little the bucket holds, and more the more answers there were.
    assert!(busiest(660, 720) <= 5 && busiest(720, 840) <= 40, "{calls:?}");
    assert!(busiest(840, 960) > 80, "four minutes later all is as before: {calls:?}");
}
