//! The daemon's whole path, but for git and the network: load, observe, plan, for fleets that are as git wants them.
//!
//! Each measurement is made in a process of its own, which is this program again. It runs the product's engine with the
//! product's AWS adapter; the SDK's requests are answered in process. The CPU time of the answers, and of handing over
//! the files, is not counted; that of signing, (de)serializing and retrying is.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use trueup_aws::AwsClouds;
use trueup_bench::aws::Aws;
use trueup_bench::fleet::{self, Documents};
use trueup_bench::measure::{Meter, resident};
use trueup_core::names::{InstanceName, Revision};
use trueup_core::plan::{Health, Sync};
use trueup_core::report::Event;
use trueup_engine::{Engine, Options, Sink};
use trueup_ports::{Clock, Head, Movement, Snapshot, Source, SourceError};

/// The argument that makes this program measure one fleet and print its figures.
const MEASURE: &str = "--measure";

/// How many services, and how often it is measured. No more than 3,999 applications of five files can be loaded.
const FLEETS: [(usize, usize); 5] = [(1, 3), (10, 3), (100, 3), (1_000, 3), (3_000, 1)];

/// How many steady cycles are measured in each process.
const STEADY_CYCLES: usize = 5;

/// How often the end of a cycle is polled for.
const LOOK: Duration = Duration::from_millis(20);

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != MEASURE);
    if arguments.next().is_some() {
        let count = arguments.next().and_then(|count| count.parse().ok()).expect("the number of services");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
        println!("{}", runtime.block_on(measure(count)).line());
        return;
    }
    println!(
        "{:>8}  {:>10}  {:>10}  {:>10}  {:>12}  {:>9}  {:>10}  {:>10}",
        "services", "cold CPU", "steady CPU", "cold calls", "steady calls", "promised", "resident", "peak"
    );
    for (count, times) in FLEETS {
        let figures: Vec<Figures> = (0..times).map(|_| Figures::of_process(count)).collect();
        let median = |of: fn(&Figures) -> f64| {
            let mut values: Vec<f64> = figures.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!(
            "{count:>8}  {:>7.1} ms  {:>7.1} ms  {:>10}  {:>12}  {:>9}  {:>6.1} MiB  {:>6.1} MiB",
            median(|figures| figures.cold),
            median(|figures| figures.steady),
            median(|figures| figures.cold_calls),
            median(|figures| figures.steady_calls),
            count.div_ceil(10) + count.div_ceil(100) + 5,
            median(|figures| figures.resident),
            median(|figures| figures.peak),
        );
    }
}

/// What one process measured.
struct Figures {
    /// CPU milliseconds of the first cycle, with reading the documents.
    cold: f64,
    /// CPU milliseconds of a later cycle: the median.
    steady: f64,
    /// Calls of the first cycle.
    cold_calls: f64,
    /// Calls of a later cycle: the most.
    steady_calls: f64,
    /// Resident memory after the last cycle in MiB.
    resident: f64,
    /// The most resident memory there ever was in MiB.
    peak: f64,
}

impl Figures {
    /// Has another process measure.
    fn of_process(count: usize) -> Self {
        let program = std::env::current_exe().expect("this program is somewhere");
        let output = Command::new(program).args([MEASURE, &count.to_string()]).output().expect("it can be run again");
        let text = String::from_utf8(output.stdout).expect("figures are ASCII");
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().expect("a figure")).collect();
        let [cold, steady, cold_calls, steady_calls, resident, peak] = figures[..] else { panic!("{text}") };
        Self { cold, steady, cold_calls, steady_calls, resident, peak }
    }

    fn line(&self) -> String {
        let Self { cold, steady, cold_calls, steady_calls, resident, peak } = self;
        format!("{cold} {steady} {cold_calls} {steady_calls} {resident} {peak}")
    }
}

async fn measure(count: usize) -> Figures {
    let meter = Arc::new(Meter::default());
    let clouds = Aws::new(count, meter.clone()).clouds();
    let source = Repository { documents: Documents::default(), count, meter: meter.clone() };
    let clock = Arc::new(Ticks::default());
    let mut options = Options::new(InstanceName::new("default"));
    // Cycles come when they are triggered.
    (options.interval, options.git_interval) = (Duration::from_hours(1), Duration::from_hours(1));
    let engine = Engine::new(Arc::new(source), clouds.clone(), clock.clone(), Arc::new(Nowhere), options);

    let before = meter.cpu();
    let daemon = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run().await }
    });
    looked_at(&engine, count, &clock, &meter).await;
    let cold = milliseconds(meter.cpu().saturating_sub(before));
    let cold_calls = calls(&clouds);

    let mut steady = Vec::new();
    for _ in 0..STEADY_CYCLES {
        let (cpu, made) = (meter.cpu(), calls(&clouds));
        clock.tick();
        engine.trigger().observe();
        looked_at(&engine, count, &clock, &meter).await;
        steady.push((milliseconds(meter.cpu().saturating_sub(cpu)), calls(&clouds) - made));
    }
    let (resident, peak) = resident().unwrap_or((f64::NAN, f64::NAN));
    engine.shutdown().request();
    daemon.await.expect("the daemon ends");
    steady.sort_by(|a, b| a.0.total_cmp(&b.0));
    let steady_calls = steady.iter().map(|(_, calls)| *calls).max().unwrap_or_default();
    let as_figure = |calls: u32| f64::from(calls);
    Figures {
        cold,
        steady: steady[steady.len() / 2].0,
        cold_calls: as_figure(cold_calls),
        steady_calls: as_figure(steady_calls),
        resident,
        peak,
    }
}

/// How often it is polled at most: a minute of waiting, on a machine that has nothing else to do.
const LOOKS_MAX: usize = 3_000;

/// Waits until every application was observed since the clock's last tick, and the cycle is over.
async fn looked_at(engine: &Engine, count: usize, clock: &Ticks, meter: &Meter) {
    for look in 0.. {
        assert!(look < LOOKS_MAX, "the cycle does not end: {:?}", engine.status().source);
        tokio::time::sleep(LOOK).await;
        let is_over = meter.count(|| {
            let applications = engine.status().applications;
            applications.len() == count && applications.values().all(|status| status.observed == clock.now())
        });
        if is_over {
            break;
        }
    }
    // What was observed is dropped after the last application was looked at.
    tokio::time::sleep(LOOK).await;
    meter.count(|| {
        for status in engine.status().applications.values() {
            let plan = &status.plan;
            assert_eq!((plan.sync, plan.health, plan.steps.len()), (Sync::Synced, Health::Healthy, 0), "{plan:#?}");
        }
    });
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// All calls so far.
fn calls(clouds: &AwsClouds) -> u32 {
    let calls: u64 = clouds.calls().values().map(|count| count.calls).sum();
    u32::try_from(calls).expect("there are not that many")
}

/// A clock that is stopped between cycles, so that it shows which cycle a status is of.
#[derive(Default)]
struct Ticks(AtomicI64);

impl Ticks {
    fn tick(&self) {
        self.0.fetch_add(60, Ordering::Relaxed);
    }
}

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + self.0.load(Ordering::Relaxed)).expect("it is in range")
    }
}

/// Drops events.
struct Nowhere;

impl Sink for Nowhere {
    fn emit(&self, _event: &Event) {}
}

/// A repository with one commit. It makes the files whenever it is asked for them, as git reads them from its store.
struct Repository {
    documents: Documents,
    count: usize,
    meter: Arc<Meter>,
}

#[async_trait]
impl Source for Repository {
    async fn poll(&self) -> Result<Head, SourceError> {
        Ok(Head { revision: fleet::revision(), movement: Movement::First })
    }

    async fn snapshot(&self, revision: &Revision) -> Result<Snapshot, SourceError> {
        let snapshot = self.meter.count(|| Snapshot {
            revision: revision.clone(),
            committed: Timestamp::UNIX_EPOCH,
            subject: "the fleet".to_owned(),
            files: self.documents.files(0..self.count),
            application_revisions: BTreeMap::new(),
        });
        Ok(snapshot)
    }

    async fn knows(&self, revision: &Revision) -> bool {
        *revision == fleet::revision()
    }

    async fn contains(&self, head: &Revision, revision: &Revision) -> bool {
        head == revision && *revision == fleet::revision()
    }

    async fn accept(&self, _revision: &Revision) -> Result<(), SourceError> {
        Ok(())
    }

    async fn accepted(&self) -> Option<Revision> {
        None
    }
}
