use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::time::sleep;
use trueup_core::names::EnvironmentName;
use trueup_ports::{CallError, Effect, Sample, Unit};

use super::*;
use crate::fixture::{now, plan, status};

/// The clock of the fixture, which goes as tokio's does.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        now() + self.0.elapsed()
    }
}

/// Keeps what is put: time and count of data. Fails while it is told to.
#[derive(Default)]
struct Kept {
    calls: Mutex<Vec<(i64, usize)>>,
    failing: Mutex<Option<FailureKind>>,
    stuck: Mutex<bool>,
}

#[async_trait]
impl Metrics for Kept {
    async fn put(&self, namespace: &str, data: &[Datum]) -> Result<(), CallError> {
        assert_eq!(namespace, "Trueup");
        if *self.stuck.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        let failing = *self.failing.lock().unwrap();
        self.calls.lock().unwrap().push((data[0].time.as_second() - now().as_second(), data.len()));
        failing.map_or(Ok(()), |kind| {
            let operation = "cloudwatch:PutMetricData".to_owned();
            Err(CallError {
                operation,
                kind,
                code: None,
                message: "x".to_owned(),
                request_id: None,
                effect: Effect::None,
            })
        })
    }
}

impl Kept {
    fn calls(&self) -> Vec<(i64, usize)> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

fn start(kept: &Arc<Kept>, applications: usize) -> (CloudWatch, Flushing) {
    let cloudwatch = CloudWatch::default();
    let plans = (0..applications).map(|number| plan("production", &number.to_string()));
    let status = status(plans.collect::<Vec<_>>());
    let clock = Arc::new(Paused(Instant::now()));
    let flushing = cloudwatch.start("Trueup".to_owned(), kept.clone(), clock, move || status.clone());
    (cloudwatch, flushing)
}

#[tokio::test(start_paused = true)]
async fn metrics_are_put_each_minute_and_once_more_at_the_end() {
    let kept = Arc::<Kept>::default();
    let (cloudwatch, flushing) = start(&kept, 1);
    let production = EnvironmentName::new("production");
    cloudwatch.measure(&Measurement::Cycle { environment: &production, full: true, took: Duration::from_secs(1) });
    sleep(Duration::from_secs(125)).await;
    // The age of git, four numbers of the application, and in the first minute a cycle.
    assert_eq!(kept.calls(), [(60, 6), (120, 5)]);
    flushing.finish(Duration::from_secs(2)).await;
    assert_eq!(kept.calls(), [(125, 5)]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_put_is_put_later_but_not_for_ever() {
    let kept = Arc::<Kept>::default();
    let (_cloudwatch, _flushing) = start(&kept, 1);
    *kept.failing.lock().unwrap() = Some(FailureKind::Throttled);
    sleep(Duration::from_secs(185)).await;
    assert_eq!(kept.calls(), [(60, 5); 3]);
    *kept.failing.lock().unwrap() = None;
    sleep(FLUSH).await;
    assert_eq!(kept.calls(), [(60, 5), (120, 5), (180, 5), (240, 5)]);
    *kept.failing.lock().unwrap() = Some(FailureKind::AccessDenied);
    sleep(Duration::from_hours(1)).await;
    *kept.failing.lock().unwrap() = None;
    kept.calls();
    sleep(FLUSH).await;
    let times: Vec<i64> = kept.calls().into_iter().map(|(time, _)| time).collect();
    assert_eq!((times.len(), times[0], times[15]), (16, 3900 - 900, 3900));
    // What would be refused again is not put again.
    *kept.failing.lock().unwrap() = Some(FailureKind::Rejected);
    sleep(FLUSH * 2).await;
    assert_eq!(kept.calls(), [(3960, 5), (4020, 5)]);
}

#[tokio::test(start_paused = true)]
async fn a_cloudwatch_that_does_not_answer_delays_neither_the_loop_nor_the_end() {
    let kept = Arc::<Kept>::default();
    let (cloudwatch, flushing) = start(&kept, 1);
    *kept.stuck.lock().unwrap() = true;
    sleep(Duration::from_secs(65)).await;
    let began = Instant::now();
    cloudwatch.emit(&crate::fixture::event("web", crate::fixture::completed()));
    flushing.finish(Duration::from_secs(2)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn thousands_of_applications_are_put_in_calls_that_cloudwatch_takes() {
    let kept = Arc::<Kept>::default();
    let (_cloudwatch, _flushing) = start(&kept, 1_000);
    sleep(Duration::from_secs(61)).await;
    assert_eq!(kept.calls(), [(60, 1_000), (60, 1_000), (60, 1_000), (60, 1_000), (60, 1)]);
}

#[test]
fn a_call_has_bounds_in_number_and_size() {
    let datum = |length: usize| Datum {
        name: "Drift",
        dimensions: BTreeMap::from([("Application", "x".repeat(length))]),
        time: now(),
        unit: Unit::Count,
        sample: Sample::One(1.0),
    };
    // data, the length of each one's dimension | the calls' sizes
    let table: [(usize, usize, &[usize]); 4] =
        [(0, 10, &[]), (1_000, 10, &[1_000]), (1_001, 10, &[1_000, 1]), (1_000, 1_024, &[625, 375])];
    for (count, length, expected) in table {
        let sizes: Vec<usize> = calls(vec![datum(length); count]).iter().map(Vec::len).collect();
        assert_eq!(sizes, expected, "{count} {length}");
    }
}

#[test]
fn what_waits_has_bounds_also_in_number() {
    let datum =
        Datum { name: "Drift", dimensions: BTreeMap::new(), time: now(), unit: Unit::Count, sample: Sample::One(1.0) };
    let waiting = (0..60).map(|_| vec![datum.clone(); 1_000]).collect();
    let metrics = Arc::<Kept>::default();
    let mut flush = Flush { namespace: "Trueup".to_owned(), metrics, waiting, told: false };
    flush.drop_old(now());
    assert_eq!(flush.waiting.len(), 50);
}
