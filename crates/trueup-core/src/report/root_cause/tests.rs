//! Events of several applications, and the merged events.

use jiff::Timestamp;

use super::*;
use crate::kind::Kind;
use crate::live::ReadFailure;
use crate::names::{EnvironmentName, Revision};
use crate::plan::{Health, Held, Plan, Resource, Subject, Sync};
use crate::report::{Notes, ReportedState, json_line, text};

fn plan(application: &str, reason: Option<Hold>) -> Plan {
    let held = reason.map(|reason| Held { subject: Subject::Application, changes: Vec::new(), reason });
    let revision = Revision::new("0123456789abcdef0123456789abcdef01234567");
    let settled = Plan::settled(EnvironmentName::new("production"), ApplicationName::new(application), revision);
    Plan { held: held.into_iter().collect(), sync: Sync::Unknown, health: Health::Unknown, ..settled }
}

fn unread(operation: &str, kind: FailureKind) -> Hold {
    let (operation, message) = (operation.to_owned(), format!("request {}", operation.len()));
    Hold::NotObserved { failure: ReadFailure { operation, kind, message } }
}

fn denied(operation: &str) -> Hold {
    Hold::AccessDenied { operation: operation.to_owned(), message: "no policy allows it".to_owned() }
}

/// An environment whose applications are looked at, cycle after cycle.
#[derive(Default)]
struct Outage {
    states: BTreeMap<&'static str, ReportedState>,
    causes: RootCauses,
}

impl Outage {
    /// One cycle. Returns its merged events in short: `name application[, applications] reason`.
    fn cycle(&mut self, seen: &[(&'static str, Option<Hold>)]) -> Vec<String> {
        let observe = |(application, hold): &(&'static str, Option<Hold>)| {
            let state = self.states.entry(application).or_default();
            state.observe(&plan(application, hold.clone()), Timestamp::UNIX_EPOCH)
        };
        let events = seen.iter().flat_map(observe).collect();
        self.causes.gather(events).iter().map(brief).collect()
    }
}

fn brief(event: &Event) -> String {
    let application = event.application.as_ref().map_or("-", ApplicationName::as_str);
    let (applications, reason) = if let What::HoldStarted { applications, hold, .. } = &event.what {
        (applications, hold.reason())
    } else if let What::HoldEnded { applications, reason, .. } = &event.what {
        (applications, reason.as_str())
    } else {
        panic!("{event:?}")
    };
    let applications: Vec<&str> = applications.iter().map(ApplicationName::as_str).collect();
    format!("{} {application} [{}] {reason}", event.what.name(), applications.join(","))
}

#[test]
fn an_outage_of_sts_is_one_event_in_any_order() {
    let mut environment = Outage::default();
    let sts = || Some(unread("sts:GetCallerIdentity", FailureKind::TimedOut));
    let other = || Some(unread("sts:GetCallerIdentity", FailureKind::Unavailable));
    assert_eq!(environment.cycle(&[("a", sts())]), ["hold.started - [] NotObserved"]);
    assert_eq!(environment.cycle(&[("a", sts()), ("b", sts()), ("c", sts())]), [""; 0]);
    // The same outage fails in another way.
    assert_eq!(environment.cycle(&[("a", other()), ("b", other()), ("c", other())]), [""; 0]);
    assert_eq!(environment.cycle(&[("a", None)]), [""; 0], "the others have not been looked at");
    assert_eq!(environment.cycle(&[("a", None), ("b", None), ("c", None)]), ["hold.ended - [] NotObserved"]);
    assert_eq!(environment.cycle(&[("b", sts())]), ["hold.started - [] NotObserved"]);
}

#[test]
fn missing_then_wrong_credentials_are_two_events_and_one_end() {
    let mut environment = Outage::default();
    let missing = || Some(Hold::NoCredentials { message: "none".to_owned() });
    let wrong = || Some(Hold::AccountMismatch { expected: "1".to_owned(), actual: "2".to_owned() });
    assert_eq!(environment.cycle(&[("a", missing()), ("b", missing())]), ["hold.started - [] NoCredentials"]);
    assert_eq!(
        environment.cycle(&[("a", wrong()), ("b", wrong())]),
        ["hold.started - [] AccountMismatch", "hold.ended - [] NoCredentials"]
    );
    assert_eq!(environment.cycle(&[("a", None), ("b", None)]), ["hold.ended - [] AccountMismatch"]);
}

#[test]
fn another_wrong_account_is_reported_and_replaces_the_first() {
    let mut environment = Outage::default();
    let wrong = |actual: &str| Some(Hold::AccountMismatch { expected: "1".to_owned(), actual: actual.to_owned() });
    assert_eq!(environment.cycle(&[("a", wrong("2"))]), ["hold.started - [] AccountMismatch"]);
    assert_eq!(environment.cycle(&[("a", wrong("3"))]), ["hold.started - [] AccountMismatch"]);
    assert_eq!(environment.cycle(&[("a", None)]), ["hold.ended - [] AccountMismatch"]);
    assert_eq!(environment.cycle(&[("a", wrong("2"))]), ["hold.started - [] AccountMismatch"]);
}

#[test]
fn one_cause_in_one_cycle_is_one_event_with_all_names() {
    let mut environment = Outage::default();
    let update = || Some(denied("ecs:UpdateService"));
    assert_eq!(
        environment.cycle(&[("a", update()), ("b", update()), ("c", Some(denied("elasticloadbalancing:ModifyRule")))]),
        ["hold.started - [a,b] AccessDenied", "hold.started c [] AccessDenied"]
    );
    // A permission that another application lacks later may be another resource's: it is not swallowed.
    assert_eq!(environment.cycle(&[("d", update())]), ["hold.started d [] AccessDenied"]);
    assert_eq!(
        environment.cycle(&[("a", None), ("b", None), ("c", None), ("d", update())]),
        ["hold.ended - [a,b] AccessDenied", "hold.ended c [] AccessDenied"]
    );
}

#[test]
fn what_is_each_application_s_own_stays_apart() {
    let mut environment = Outage::default();
    let invalid = || Some(Hold::InvalidDocument { problems: vec!["a typing mistake".to_owned()] });
    assert_eq!(
        environment.cycle(&[("a", invalid()), ("b", invalid())]),
        ["hold.started a [] InvalidDocument", "hold.started b [] InvalidDocument"]
    );
}

#[test]
fn an_event_for_several_names_them_and_no_resource() {
    let mut events = Vec::new();
    for name in ["a", "b"] {
        let mut plan = plan(name, Some(denied("ecs:UpdateService")));
        plan.held[0].subject = Resource { kind: Kind::Service, name: "service".to_owned(), arn: None }.into();
        events.extend(ReportedState::default().observe(&plan, Timestamp::UNIX_EPOCH));
    }
    let merged = RootCauses::default().gather(events);
    let [event] = merged.as_slice() else { panic!("{merged:?}") };
    let line = json_line(event);
    assert!(line.contains(r#""application":null"#) && line.contains(r#""resource":null"#), "{line}");
    assert!(line.contains(r#""applications":["a","b"]"#), "{line}");
    assert!(text(event).contains("production hold.started: a, b: IAM refuses"), "{}", text(event));
}

#[test]
fn applications_that_git_no_longer_has_keep_no_cause_alive() {
    let mut environment = Outage::default();
    let missing = || Some(Hold::NoCredentials { message: "none".to_owned() });
    environment.cycle(&[("a", missing()), ("b", missing())]);
    let a = ApplicationName::new("a");
    assert!(environment.causes.retain(&BTreeSet::from([&a])));
    assert!(!environment.causes.retain(&BTreeSet::from([&a])));
    assert_eq!(environment.cycle(&[("a", None)]), ["hold.ended - [] NoCredentials"]);
}

#[test]
fn notes_are_read_as_they_were_written() {
    let mut environment = Outage::default();
    let missing = || Some(Hold::NoCredentials { message: "none".to_owned() });
    environment.cycle(&[("a", missing()), ("b", Some(denied("ecs:UpdateService")))]);
    let production = EnvironmentName::new("production");
    let applications = environment.states.iter();
    let notes = Notes {
        applications: applications
            .map(|(name, states)| ((production.clone(), ApplicationName::new(*name)), states.clone()))
            .collect(),
        root_causes: BTreeMap::from([(production, environment.causes.clone())]),
    };
    assert_eq!(Notes::read(&notes.write()), Some(notes.clone()));
    assert_eq!(Notes::read(&notes.write().replace("\"version\":1", "\"version\":2")), None);
    assert_eq!(Notes::read("not even JSON"), None);
}
