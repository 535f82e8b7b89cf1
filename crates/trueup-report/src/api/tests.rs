//! Paths and queries, and the pages that they get.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use trueup_core::names::ApplicationName;
use trueup_core::plan::Plan;
use trueup_core::report::What;
use trueup_engine::Sink as _;

use super::*;
use crate::fixture::{CANARY, completed, event, failed, now, plan, planned, status, wrong};

/// What a process has to tell.
struct Process {
    status: Status,
    journal: Journal,
    heartbeat: Heartbeat,
    measures: Measures,
}

impl Process {
    fn new(plans: impl IntoIterator<Item = Plan>, events: impl IntoIterator<Item = (&'static str, What)>) -> Self {
        let hour = Duration::from_hours(1);
        let journal = Journal::new(now());
        for (application, what) in events {
            journal.emit(&event(application, what));
        }
        Self { status: status(plans), journal, heartbeat: Heartbeat::new(hour, hour), measures: Measures::default() }
    }

    /// The page of a path with its query.
    fn get(&self, asked: &str) -> Page {
        let (path, query) = asked.split_once('?').map_or((asked, None), |(path, query)| (path, Some(query)));
        let Self { status, journal, heartbeat, measures } = self;
        page(path, query, &Sources { status, journal, heartbeat, measures, now: now() })
    }

    /// The status and the JSON of a page.
    fn json(&self, asked: &str) -> (u16, Value) {
        let page = self.get(asked);
        assert!(!page.body.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{page:?}");
        (page.status, serde_json::from_str(&page.body).unwrap_or_else(|error| panic!("{error}: {page:?}")))
    }

    /// The names of applications, or the numbers of events, and what `next` says.
    fn names(&self, asked: &str) -> (String, Value) {
        let (status, page) = self.json(asked);
        assert_eq!(status, 200, "{asked}: {page}");
        let number =
            |event: &Value| event["cursor"].as_str().and_then(|text| text.split_once('-')).unwrap().1.to_owned();
        let application = |entry: &Value| entry["application"].as_str().unwrap().to_owned();
        let names: Vec<String> = match page["applications"].as_array() {
            Some(entries) => entries.iter().map(application).collect(),
            None => page["events"].as_array().unwrap().iter().map(number).collect(),
        };
        (names.join(" "), page["next"].clone())
    }
}

fn some() -> Process {
    let plans = [
        plan("production", "a"),
        wrong(plan("production", "b")),
        plan("production", "group/nested app"),
        plan("staging", "a"),
    ];
    let events = [
        ("a", planned()),
        ("a", completed()),
        ("b", failed("tasks\u{1b}[31m \u{202e}failed")),
        ("b", completed()),
        ("", ended(["a", "c"])),
    ];
    Process::new(plans, events)
}

/// One cause held these applications.
fn ended<const N: usize>(applications: [&str; N]) -> What {
    let applications = applications.map(ApplicationName::new).into();
    What::HoldEnded { resource: None, reason: "NoCredentials".to_owned(), applications, root: None }
}

#[test]
fn applications_are_filtered_and_paged() {
    let process = some();
    let table = [
        ("", "a b group/nested app a"),
        ("environment=production", "a b group/nested app"),
        ("environment=production&application=a", "a"),
        ("application=a", "a a"),
        ("sync=OutOfSync", "b"),
        ("sync=Unknown", ""),
        ("health=Healthy&environment=staging", "a"),
        ("reason=ManagedByEcs", "b"),
        ("reason=Suspended", ""),
        ("environment=none", ""),
        ("environment=&sync=", "a b group/nested app a"),
    ];
    for (query, expected) in table {
        assert_eq!(
            process.names(&format!("/api/v1/applications?{query}")),
            (expected.to_owned(), Value::Null),
            "{query}"
        );
    }
    let mut all = Vec::new();
    let mut asked = "/api/v1/applications?limit=1".to_owned();
    loop {
        let (names, next) = process.names(&asked);
        all.push(names);
        let Some(next) = next.as_str() else { break };
        asked = format!("/api/v1/applications?limit=1&after={next}");
    }
    assert_eq!(all, ["a", "b", "group/nested app", "a"]);
}

#[test]
fn an_application_is_told_as_status_tells_it_and_its_secrets_are_not() {
    let process = some();
    let (status, page) = process.json("/api/v1/applications");
    assert_eq!((status, &page["source"]["age_seconds"], &page["ready"]), (200, &json!(42), &json!(true)));
    let (_, one) = process.json("/api/v1/applications/production/b");
    assert_eq!(one, page["applications"][1]);
    let known = wrong(plan("production", "b"));
    let mut expected = trueup_core::report::application_status(&known);
    expected["since"] = json!("1970-01-01T00:00:00Z");
    expected["observed"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(one, expected);
    for path in PATHS.iter().chain(&["/", "/nothing", "/api/v1/applications/production/b"]) {
        assert!(!process.get(path).body.contains(CANARY), "{path}");
    }
    assert_eq!(process.json("/api/v1/applications/production/group/nested%20app").0, 200);
    assert_eq!(process.json("/api/v1/applications/production/group%2Fnested%20app/").0, 200);
}

#[test]
fn events_are_filtered_and_paged_from_the_newest() {
    let process = some();
    let table = [
        ("", "5 4 3 2 1"),
        ("application=b", "4 3"),
        ("application=a", "5 2 1"),
        ("application=c", "5"),
        ("event=rollout.*", "4 3 2"),
        ("event=rollout.failed&environment=production", "3"),
        ("event=no.such", ""),
        ("environment=staging", ""),
        ("since=2026-01-01T00:00:00Z", "5 4 3 2 1"),
        ("since=2026-01-01T00:00:01Z", ""),
    ];
    for (query, expected) in table {
        assert_eq!(process.names(&format!("/api/v1/events?{query}")), (expected.to_owned(), Value::Null), "{query}");
    }
    let (first, next) = process.names("/api/v1/events?limit=2&event=rollout.*");
    let (second, end) =
        process.names(&format!("/api/v1/events?limit=2&event=rollout.*&before={}", next.as_str().unwrap()));
    assert_eq!((&*first, &*second, end), ("4 3", "2", Value::Null));
}

#[test]
fn who_follows_misses_nothing_without_being_told() {
    let process = some();
    let follow = |after: &str, more: &str| process.json(&format!("/api/v1/events?after={after}{more}")).1;
    let newest = process.json("/api/v1/events?limit=1").1["newest"].as_str().unwrap().to_owned();
    assert_eq!(follow(&newest, "")["events"], json!([]));
    assert_eq!(follow(&newest, "")["next"], newest);
    process.journal.emit(&event("c", completed()));
    let page = follow(&newest, "&application=b");
    assert_eq!((&page["events"], &page["missed"]), (&json!([]), &json!(false)));
    assert_ne!(page["next"], newest, "what is not wanted is looked at once");
    let page = follow(&newest, "");
    assert_eq!(page["events"][0]["application"], "c");
    assert_eq!(page["next"], page["newest"]);
    // The last process's cursor: from the beginning, and it is said that something may be missing.
    let page = follow("1-3", "&limit=2");
    assert_eq!((page["events"].as_array().map(Vec::len), &page["missed"]), (Some(2), &json!(true)));
    assert!(page["next"].as_str().unwrap().ends_with("-2"), "{page}");
    for _ in 0..3_000 {
        process.journal.emit(&event("c", completed()));
    }
    assert_eq!(follow(&newest, "")["missed"], true);
}

#[test]
fn what_is_wrong_is_told_as_json_with_the_right_status() {
    let process = some();
    // asked for | status | a part of the error
    let table = [
        ("/api/v1/applications?synk=Synced", 400, "`synk` is not a parameter of this page"),
        (
            "/api/v1/applications?sync=synced",
            400,
            "`synced` is not a valid `sync`: write one of Synced, OutOfSync, Unknown",
        ),
        ("/api/v1/applications?health=Fine", 400, "one of Healthy, Progressing"),
        ("/api/v1/applications?reason=a%20b", 400, "is not a valid `reason`"),
        ("/api/v1/applications?limit=0", 400, "a number from 1 to 500"),
        ("/api/v1/applications?limit=501", 400, "a number from 1 to 500"),
        ("/api/v1/applications?limit=1&limit=2", 400, "is there twice"),
        ("/api/v1/applications?after=x", 400, "is not a valid `after`"),
        ("/api/v1/applications/production/a?x=1", 400, "takes no parameters"),
        ("/api/v1/applications/production/nobody", 404, "no such application"),
        ("/api/v1/applications/production/%1b%5b31m", 404, "no such application"),
        ("/api/v1/applications/production/", 404, "no such page"),
        ("/api/v1/applications/production/%f", 404, "no such page"),
        ("/api/v1/applications/production/%ff", 404, "no such page"),
        ("/api/v1/events?event=*", 400, "is not a valid `event`"),
        ("/api/v1/events?event=roll*", 400, "is not a valid `event`"),
        ("/api/v1/events?event=%1b", 400, "is not a valid `event`"),
        ("/api/v1/events?since=yesterday", 400, "is not a valid `since`: write a time"),
        ("/api/v1/events?after=1-1&before=1-1", 400, "not both"),
        ("/api/v1/events?before=1-1", 400, "another process's"),
        ("/api/v1/events?before=one", 400, "is not a valid `before`"),
        ("/api/v1", 404, "no such page"),
        ("/api/v2/events", 404, "no such page"),
        ("//metrics", 404, "no such page"),
        ("", 404, "no such page"),
    ];
    for (asked, status, part) in table {
        let (code, page) = process.json(asked);
        let error = page["error"].as_str().unwrap_or_default();
        assert!(code == status && error.contains(part), "{asked}: {code} {page}");
        assert_eq!(page["paths"].is_array(), part == "no such page", "{asked}: {page}");
    }
    assert_eq!(process.json("/").1, json!({ "paths": PATHS }));
}

#[test]
fn a_page_has_a_bound() {
    let plans = (0..2_000).map(|number| {
        let mut plan = wrong(plan("production", &format!("{number:05}")));
        plan.held = (0..20).flat_map(|_| plan.held.clone()).collect();
        plan
    });
    let process = Process::new(plans, (0..40).map(|_| ("a", failed(&"x".repeat(100_000)))));
    for asked in ["/api/v1/applications?limit=500", "/api/v1/events?limit=500", "/api/v1/events?limit=500&after=1-1"] {
        let page = process.get(asked);
        assert!(page.body.len() < 3 * 1024 * 1024 / 2, "{asked}: {}", page.body.len());
        assert_ne!(process.json(asked).1["next"], Value::Null, "{asked}");
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_there_is_a_page(path in "(/api/v1/(applications|events)|/metrics|)(/|%|[ -~]|\\PC){0,30}", query in
        proptest::option::of("((environment|sync|limit|since|after|before|event|reason)=|&|%|-|[ -~]|\\PC){0,20}")) {
        let process = some();
        let Process { status, journal, heartbeat, measures } = &process;
        let page = page(&path, query.as_deref(), &Sources { status, journal, heartbeat, measures, now: now() });
        prop_assert!(matches!(page.status, 200 | 400 | 404), "{:?}", page);
        if page.content_type == "application/json" {
            prop_assert!(serde_json::from_str::<Value>(&page.body).is_ok(), "{:?}", page);
        }
    }
}
