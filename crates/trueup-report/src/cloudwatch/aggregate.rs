//! Aggregates measurements, events and the status into one minute's data. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use trueup_core::plan::{Health, Plan, Sync};
use trueup_core::report::{Event, What};
use trueup_engine::Status;
use trueup_ports::{CallOutcome, Datum, Measurement, Sample, Unit};

use crate::commit_to_deploy::CommitToDeploy;
use crate::notify::is_passing;
use crate::prometheus::drifted;

/// How many environments and applications something is counted of between two minutes; more than anybody runs.
const PLACES_MAX: usize = 20_000;

/// CloudWatch takes no longer values of dimensions.
/// Source: Amazon CloudWatch API reference, `Dimension`.
const VALUE_CHARACTERS_MAX: usize = 1_024;

/// The names of all metrics.
pub const METRICS: [&str; 10] = [
    "ApiCalls",
    "ApiThrottles",
    "CommitToDeploySeconds",
    "CycleSeconds",
    "DesiredStateAgeSeconds",
    "Drift",
    "Held",
    "OutOfSync",
    "RolloutFailed",
    "Unhealthy",
];

/// An application in an environment.
type Place = (String, String);

/// The data accumulated since the last minute.
#[derive(Debug, Default)]
pub(super) struct Aggregate {
    cycles: BTreeMap<String, Sample>,
    calls: BTreeMap<String, Calls>,
    failed: BTreeMap<Place, u32>,
    deploys: BTreeMap<Place, Sample>,
    commit_to_deploy: CommitToDeploy,
}

#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    made: u32,
    throttled: u32,
}

impl Aggregate {
    /// Takes a measurement.
    pub fn measure(&mut self, measurement: &Measurement<'_>) {
        match measurement {
            // Short looks at what is going on would make the average of all say nothing.
            Measurement::Cycle { environment, full: true, took } => {
                add(&mut self.cycles, environment.to_string(), *took);
            }
            Measurement::Call { environment, outcome, .. } => {
                if self.calls.len() < PLACES_MAX || self.calls.contains_key(*environment) {
                    let calls = self.calls.entry((*environment).to_owned()).or_default();
                    calls.made += 1;
                    calls.throttled += u32::from(*outcome == CallOutcome::Throttled);
                }
            }
            Measurement::Cycle { full: false, .. } | Measurement::Git { .. } => {}
        }
    }

    /// Takes an event.
    pub fn observe(&mut self, event: &Event) {
        if let Some(deployed) = self.commit_to_deploy.observe(event) {
            add(&mut self.deploys, (deployed.environment.to_string(), deployed.application.to_string()), deployed.took);
        }
        let is_failed = matches!(event.what, What::RolloutFailed { .. } | What::RolloutRolledBack { .. });
        if let (true, Some(environment), Some(application)) = (is_failed, &event.environment, &event.application)
            && self.failed.len() < PLACES_MAX
        {
            *self.failed.entry((environment.to_string(), application.to_string())).or_default() += 1;
        }
    }

    /// The data of this minute: what was accumulated, and the status. Begins a new minute.
    ///
    /// `began` is since when this process tries to read the repository.
    pub fn take(&mut self, status: &Status, began: Timestamp, now: Timestamp) -> Vec<Datum> {
        let mut data = Data { now, data: Vec::new() };
        let read = status.source.last_success.unwrap_or(began);
        let age = now.duration_since(read).as_secs_f64().max(0.0);
        data.add("DesiredStateAgeSeconds", [], Unit::Seconds, Sample::One(age));
        for (environment, sample) in std::mem::take(&mut self.cycles) {
            data.add("CycleSeconds", [&environment], Unit::Seconds, sample);
        }
        for (environment, calls) in std::mem::take(&mut self.calls) {
            data.add("ApiCalls", [&environment], Unit::Count, Sample::One(calls.made.into()));
            data.add("ApiThrottles", [&environment], Unit::Count, Sample::One(calls.throttled.into()));
        }
        for ((environment, application), count) in std::mem::take(&mut self.failed) {
            data.add("RolloutFailed", [&environment, &application], Unit::Count, Sample::One(count.into()));
        }
        for ((environment, application), sample) in std::mem::take(&mut self.deploys) {
            data.add("CommitToDeploySeconds", [&environment, &application], Unit::Seconds, sample);
        }
        for ((environment, application), standing) in &status.applications {
            let place = [environment.as_str(), application.as_str()];
            for (name, number) in standing_of(&standing.plan) {
                data.add(name, place, Unit::Count, Sample::One(number));
            }
        }
        data.data
    }
}

fn add<K: Ord>(samples: &mut BTreeMap<K, Sample>, key: K, took: Duration) {
    let seconds = took.as_secs_f64();
    let is_full = samples.len() >= PLACES_MAX;
    match samples.get_mut(&key) {
        Some(sample) => *sample = sample.and(seconds),
        None if is_full => {}
        None => {
            samples.insert(key, Sample::One(seconds));
        }
    }
}

/// The status of an application in numbers, without values that are unknown.
fn standing_of(plan: &Plan) -> impl Iterator<Item = (&'static str, f64)> {
    let flag = |is: bool| Some(if is { 1.0 } else { 0.0 });
    let seen = plan.sync != Sync::Unknown;
    // What ends by itself, or what the policy asks for, waits for nobody.
    let held = plan.held.iter().any(|held| !is_passing(held.reason.reason()));
    let fields = u32::try_from(drifted(plan)).unwrap_or(u32::MAX);
    let unhealthy = match plan.health {
        Health::Degraded | Health::Missing => flag(true),
        Health::Healthy | Health::Progressing | Health::Suspended => flag(false),
        Health::Unknown => None,
    };
    [
        ("Drift", seen.then(|| fields.into())),
        ("OutOfSync", if seen { flag(plan.sync == Sync::OutOfSync) } else { None }),
        ("Unhealthy", unhealthy),
        ("Held", flag(held)),
    ]
    .into_iter()
    .filter_map(|(name, number)| Some((name, number?)))
}

/// The data of one time.
struct Data {
    now: Timestamp,
    data: Vec<Datum>,
}

impl Data {
    /// `place` is an environment, or an environment and an application.
    fn add<const N: usize>(&mut self, name: &'static str, place: [&str; N], unit: Unit, sample: Sample) {
        let dimensions = ["Environment", "Application"].into_iter().zip(place.map(value)).collect();
        self.data.push(Datum { name, dimensions, time: self.now, unit, sample });
    }
}

/// A name as CloudWatch takes it: ASCII without control characters, not empty, not too long, no colon at its begin.
/// Source: Amazon CloudWatch API reference, `Dimension`.
fn value(name: &str) -> String {
    let legal = |c: char| if c.is_ascii() && !c.is_ascii_control() { c } else { '_' };
    let value: String = name.chars().take(VALUE_CHARACTERS_MAX).map(legal).collect();
    if value.trim().is_empty() || value.starts_with(':') { format!("_{value}") } else { value }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use trueup_core::names::EnvironmentName;

    use super::*;
    use crate::fixture::{CANARY, completed, event, failed, now, plan, planned, status, wrong};

    /// `NAME{DIMENSIONS} NUMBER UNIT`, a line each.
    fn lines(data: &[Datum]) -> Vec<String> {
        let line = |datum: &Datum| {
            let values: Vec<&str> = datum.dimensions.values().rev().map(String::as_str).collect();
            let sample = match datum.sample {
                Sample::One(number) => number.to_string(),
                Sample::Many { count, sum, minimum, maximum } => format!("{count}:{sum}:{minimum}:{maximum}"),
            };
            format!("{}{{{}}} {sample} {:?}", datum.name, values.join(" "), datum.unit)
        };
        data.iter().map(line).collect()
    }

    #[test]
    fn a_minute_comes_to_what_was_measured_and_how_things_stand() {
        let mut aggregate = Aggregate::default();
        let production = EnvironmentName::new("production");
        let cycle =
            |full, seconds| Measurement::Cycle { environment: &production, full, took: Duration::from_millis(seconds) };
        for measurement in [cycle(true, 500), cycle(true, 1500), cycle(false, 9000), cycle(true, 1000)] {
            aggregate.measure(&measurement);
        }
        for outcome in [CallOutcome::Succeeded, CallOutcome::Throttled, CallOutcome::Failed] {
            let took = Duration::from_secs(1);
            aggregate.measure(&Measurement::Call {
                environment: "production",
                operation: "ecs:DescribeServices",
                outcome,
                took,
            });
        }
        for what in [failed("x"), failed("y"), completed(), planned()] {
            aggregate.observe(&event("web", what));
        }
        let status = status([wrong(plan("production", "web")), plan("production", "äpi")]);
        let data = aggregate.take(&status, Timestamp::UNIX_EPOCH, now());
        assert_eq!(
            lines(&data),
            [
                "DesiredStateAgeSeconds{} 42 Seconds",
                "CycleSeconds{production} 3:3:0.5:1.5 Seconds",
                "ApiCalls{production} 3 Count",
                "ApiThrottles{production} 1 Count",
                "RolloutFailed{production web} 2 Count",
                "Drift{production web} 1 Count",
                "OutOfSync{production web} 1 Count",
                "Unhealthy{production web} 1 Count",
                "Held{production web} 1 Count",
                "Drift{production _pi} 0 Count",
                "OutOfSync{production _pi} 0 Count",
                "Unhealthy{production _pi} 0 Count",
                "Held{production _pi} 0 Count",
            ]
        );
        assert!(!format!("{data:?}").contains(CANARY));
        assert!(data.iter().all(|datum| datum.time == now() && METRICS.contains(&datum.name)));
        // A new minute has nothing of the last one but how things stand.
        let next: BTreeSet<&str> =
            aggregate.take(&status, Timestamp::UNIX_EPOCH, now()).iter().map(|datum| datum.name).collect();
        assert_eq!(
            next.into_iter().collect::<Vec<_>>(),
            ["DesiredStateAgeSeconds", "Drift", "Held", "OutOfSync", "Unhealthy"]
        );
    }

    #[test]
    fn what_is_not_known_has_no_number_and_what_passes_is_not_held() {
        let unknown = Plan { sync: Sync::Unknown, health: Health::Unknown, ..plan("production", "web") };
        let data = Aggregate::default().take(&status([unknown]), now(), now());
        assert_eq!(lines(&data)[1..], ["Held{production web} 0 Count"]);
        let mut passing = wrong(plan("production", "web"));
        passing.held.truncate(1);
        let data = Aggregate::default().take(&status([passing]), now(), now());
        assert!(lines(&data).contains(&"Held{production web} 0 Count".to_owned()), "{data:?}");
        // Before git was read for the first time, its age is that of the process.
        let data = Aggregate::default().take(&Status::default(), now(), now() + Duration::from_secs(7));
        assert_eq!(lines(&data), ["DesiredStateAgeSeconds{} 7 Seconds"]);
    }

    #[test]
    fn product_documentation_dashboard_and_alarms_agree_on_names_dimensions_and_units() {
        let mut aggregate = Aggregate::default();
        let production = EnvironmentName::new("production");
        let took = Duration::from_secs(1);
        aggregate.measure(&Measurement::Cycle { environment: &production, full: true, took });
        let (operation, outcome) = ("ecs:DescribeServices", CallOutcome::Succeeded);
        aggregate.measure(&Measurement::Call { environment: "production", operation, outcome, took });
        let accepted = What::RevisionAccepted { subject: "x".to_owned(), committed: now(), rewritten: false };
        let mut plan_of_commit = planned();
        if let What::PlanMade { steps } = &mut plan_of_commit {
            for step in steps {
                step.cause = trueup_core::plan::Cause::Pending;
            }
        }
        for what in [accepted, plan_of_commit, completed(), failed("x")] {
            aggregate.observe(&event("web", what));
        }
        let put = aggregate.take(&status([plan("production", "web")]), now(), now());
        let code = |text: &str| format!("`{text}`");
        let put: BTreeSet<[String; 3]> = put
            .iter()
            .map(|datum| {
                let dimensions: Vec<String> = datum.dimensions.keys().rev().map(|name| code(name)).collect();
                [code(datum.name), dimensions.join(", "), format!("{:?}", datum.unit)]
            })
            .collect();
        let page = include_str!("../../../../docs/cloudwatch.md");
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        let documented: BTreeSet<[String; 3]> = rows
            .map(|row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                assert!(cells.len() == 7 && cells[5].len() > 4, "it does not say what to do: {row}");
                [cells[1], cells[2], cells[3]].map(str::to_owned)
            })
            .collect();
        assert_eq!(put, documented);
        assert_eq!(put.iter().map(|[name, ..]| name.trim_matches('`')).collect::<Vec<_>>(), METRICS);

        let template = include_str!("../../../../deploy/cloudformation.yaml");
        let word = |text: &str| text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
        let queries = ["MetricName=\\\"", "SELECT MAX(", "SELECT COUNT("]
            .into_iter()
            .flat_map(|before| template.split(before).skip(1).map(word).collect::<Vec<_>>());
        assert_eq!(queries.collect::<BTreeSet<_>>(), METRICS.map(str::to_owned).into());
    }

    #[test]
    fn names_become_values_that_cloudwatch_takes() {
        let long = "x".repeat(2_000);
        let table = [("team/web", "team/web"), ("a\nb", "a_b"), ("", "_"), (":x", "_:x"), (" ", "_ ")];
        for (name, expected) in table {
            assert_eq!(value(name), expected);
        }
        assert_eq!(value(&long).len(), 1_024);
    }
}
