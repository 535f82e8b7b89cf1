//! What a scraper reads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use trueup_core::names::EnvironmentName;
use trueup_core::report::{Event, What};
use trueup_engine::Sink as _;
use trueup_ports::{CallOutcome, GitOutcome, Measurement, Meter as _};

use super::*;
use crate::fixture::{CANARY, completed, event, failed, now, plan, planned, status, wrong};

/// Everything measured once, and a commit deployed.
fn measures() -> Measures {
    let measures = Measures::default();
    let (took, environment) = (Duration::from_millis(300), EnvironmentName::new("production"));
    measures.measure(&Measurement::Cycle { environment: &environment, full: true, took });
    measures.measure(&Measurement::Git { outcome: GitOutcome::Failed, took });
    for outcome in [CallOutcome::Throttled, CallOutcome::Succeeded] {
        let operation = "ecs:DescribeServices";
        measures.measure(&Measurement::Call { environment: "production", operation, outcome, took });
    }
    let committed = Timestamp::from_second(now().as_second() - 100).unwrap();
    let accepted = What::RevisionAccepted { subject: CANARY.to_owned(), committed, rewritten: false };
    measures.emit(&Event { environment: None, application: None, ..event("", accepted) });
    let mut plan = planned();
    if let What::PlanMade { steps } = &mut plan {
        steps[0].cause = trueup_core::plan::Cause::Pending;
    }
    for what in [plan, completed(), failed(CANARY)] {
        measures.emit(&event("web", what));
    }
    measures
}

fn scraped() -> String {
    let status = status([plan("production", "a\"\\\n\u{1b}"), wrong(plan("production", "web"))]);
    text(&measures(), &status, now()).unwrap()
}

/// The names of a scrape's metrics, as they stand in the descriptions.
fn names(scraped: &str) -> BTreeSet<String> {
    let types = scraped.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_scrape_says_how_everything_stands_and_what_was_measured() {
    let scraped = scraped();
    let web = r#"environment="production",application="web""#;
    let expected = [
        r#"trueup_build_info{version="0.1.0"} 1"#.to_owned(),
        "trueup_ready 1".to_owned(),
        "trueup_source_up 1".to_owned(),
        "trueup_desired_state_age_seconds 42.0".to_owned(),
        format!(r#"trueup_desired_state_info{{revision="{}"}} 1"#, "a".repeat(40)),
        r#"trueup_environment_cycle_age_seconds{environment="production"} 0.0"#.to_owned(),
        format!(r#"trueup_application_sync{{{web},sync="OutOfSync"}} 1"#),
        format!(r#"trueup_application_sync{{{web},sync="Synced"}} 0"#),
        format!(r#"trueup_application_health{{{web},health="Degraded"}} 1"#),
        format!(r#"trueup_application_health{{{web},health="Healthy"}} 0"#),
        format!(r#"trueup_application_held{{{web},reason="ServiceDraining"}} 2"#),
        format!(r#"trueup_application_held{{{web},reason="ManagedByEcs"}} 1"#),
        format!("trueup_application_drift_fields{{{web}}} 1"),
        format!(r#"trueup_application_info{{revision="0123456789abcdef0123456789abcdef01234567",{web}}} 1"#),
        format!("trueup_application_observed_timestamp_seconds{{{web}}} 1767225600.0"),
        r#"trueup_application_drift_fields{environment="production",application="a\"\\ �"} 0"#.to_owned(),
        r#"trueup_cycle_duration_seconds_count{environment="production",scope="full"} 1"#.to_owned(),
        r#"trueup_git_duration_seconds_bucket{le="0.5",outcome="failed"} 1"#.to_owned(),
        r#"trueup_api_call_duration_seconds_count{operation="ecs:DescribeServices",outcome="throttled"} 1"#.to_owned(),
        r#"trueup_api_throttles_total{environment="production",operation="ecs:DescribeServices"} 1"#.to_owned(),
        r#"trueup_commit_to_deploy_seconds_sum{environment="production"} 100.0"#.to_owned(),
        r#"trueup_events_total{event="rollout.failed"} 1"#.to_owned(),
        r#"trueup_rollouts_total{environment="production",outcome="completed"} 1"#.to_owned(),
        r#"trueup_rollouts_total{environment="production",outcome="failed"} 1"#.to_owned(),
    ];
    let lines: BTreeSet<&str> = scraped.lines().collect();
    for line in &expected {
        assert!(lines.contains(line.as_str()), "{line} is not in\n{scraped}");
    }
    assert!(scraped.ends_with("# EOF\n") && !scraped.contains(CANARY) && !scraped.contains('\u{1b}'), "{scraped}");
}

#[test]
fn what_is_gone_leaves_no_series() {
    let measures = measures();
    let gone = text(&measures, &status([plan("production", "a")]), now()).unwrap();
    assert!(!gone.contains("\"web\"") && gone.contains("application=\"a\""), "{gone}");
    let empty = text(&Measures::default(), &Status::default(), now()).unwrap();
    assert!(empty.contains("trueup_ready 0") && empty.contains("trueup_source_up 0"), "{empty}");
    assert!(!empty.contains("desired_state_age"), "{empty}");
}

#[test]
fn every_metric_and_every_path_stands_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/http.md");
    let documentation = fs::read_to_string(path).expect("docs/http.md is there");
    let scraped = scraped();
    let names = names(&scraped);
    assert!(names.len() > 15, "{names:?}");
    for name in &names {
        // As it is queried: counters and infos have an ending.
        let ending = ["_total", "_info", ""].into_iter().find(|ending| {
            let series = format!("\n{name}{ending}");
            scraped.contains(&format!("{series}{{")) || scraped.contains(&format!("{series} "))
        });
        let queried = format!("`{name}{}`", ending.unwrap_or_default());
        let row = documentation.lines().find(|line| line.starts_with(&format!("| {queried} |")));
        let cells: Vec<&str> = row.unwrap_or_default().split(" | ").collect();
        assert!(cells.len() == 4 && cells.iter().all(|cell| cell.len() > 4), "{queried} in docs/http.md: {cells:?}");
    }
    for path in crate::api::PATHS {
        assert!(documentation.contains(&format!("`{path}`")), "{path} is not in docs/http.md");
    }
    // And no metric that there is not.
    let documented =
        documentation.split('`').filter(|word| word.starts_with("trueup_") && !word.contains(['{', ' ', '*']));
    for word in documented {
        let name = word.trim_end_matches("_total").trim_end_matches("_info");
        assert!(names.contains(name) || names.contains(word), "{word} is in docs/http.md and is no metric");
    }
}
