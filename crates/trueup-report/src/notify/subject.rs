//! What an event is about, so that the same is not sent twice: application, reason and revision.

use trueup_core::names::ApplicationName;
use trueup_core::plan::Resource;
use trueup_core::report::{Event, What};

use super::digest::short;

/// How an event relates to those that were sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is sent, unless the last event that was sent for the key had the same value.
    Once {
        /// What it is about.
        key: String,
        /// What the event says about it.
        value: String,
    },
    /// It is sent; what was sent for the key has ended, and may be sent again.
    Ends {
        /// What it is about.
        key: String,
    },
    /// It is sent each time.
    Free,
}

/// The mark of an event.
pub(super) fn mark(event: &Event) -> Mark {
    let environment = event.environment.as_ref().map_or("", |name| name.as_str());
    let application = event.application.as_ref().map_or("", |name| name.as_str());
    let revision = event.revision.as_ref().map_or("", |revision| revision.as_str());
    let key = |about: &str, resource: Option<&Resource>, reason: &str| {
        let (kind, name) = resource.map_or(("", ""), |resource| (resource.kind.as_str(), resource.name.as_str()));
        short(&[environment, application, about, kind, name, reason])
    };
    let name = event.what.name();
    let once = |key, detail: &str| Mark::Once { key, value: short(&[name, revision, detail]) };
    match &event.what {
        What::HoldStarted { resource, hold, applications, .. } => {
            let names: Vec<&str> = applications.iter().map(ApplicationName::as_str).collect();
            once(key("hold", resource.as_ref(), hold.reason()), &names.join("\n"))
        }
        What::HoldEnded { resource, reason, .. } => Mark::Ends { key: key("hold", resource.as_ref(), reason) },
        What::DriftDetected { resource, changes, .. } => {
            let paths: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
            once(key("drift", Some(resource), ""), &paths.join("\n"))
        }
        What::DriftResolved { resource } => Mark::Ends { key: key("drift", Some(resource), "") },
        What::RolloutStarted { .. } => Mark::Ends { key: key("rollout", None, "") },
        What::RolloutCompleted { task_definition }
        | What::RolloutFailed { task_definition, .. }
        | What::RolloutRolledBack { task_definition, .. }
        | What::RolloutTimedOut { task_definition, .. } => once(key("rollout", None, ""), task_definition.as_str()),
        What::RevisionAccepted { .. } | What::RevisionRejected { .. } => once(key("revision", None, ""), ""),
        What::RevisionUnverified { commit, .. } => once(key("unverified", None, ""), commit.as_str()),
        What::SourceFailed { .. } => once(key("source", None, ""), ""),
        What::SourceRecovered { .. } => Mark::Ends { key: key("source", None, "") },
        What::DaemonStarted { .. }
        | What::DaemonStopping { .. }
        | What::PlanMade { .. }
        | What::StepApplied { .. }
        | What::StepFailed { .. } => Mark::Free,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use trueup_core::kind::Kind;
    use trueup_core::names::{Arn, EnvironmentName, Revision};
    use trueup_core::plan::Hold;

    use super::*;

    /// An event of `production/web` at a revision.
    pub fn event(revision: &str, what: What) -> Event {
        Event {
            time: Timestamp::from_second(1_800_000_000).unwrap(),
            environment: Some(EnvironmentName::new("production")),
            application: Some(ApplicationName::new("web")),
            revision: Some(Revision::new(revision)),
            what,
        }
    }

    /// The whole application is held: by a rollout that failed, in ECS's words.
    pub fn held(message: &str) -> What {
        let hold =
            Hold::CallRefused { operation: "ecs:UpdateService".to_owned(), code: None, message: message.to_owned() };
        let (message, cure) = (hold.message(), hold.remedy().to_owned());
        let (changes, applications) = (Vec::new(), BTreeSet::new());
        What::HoldStarted { resource: None, message, cure, hold, changes, applications }
    }

    /// A hold that ended.
    pub fn ended() -> What {
        ended_of("CallRefused")
    }

    /// A hold with this reason that ended.
    pub fn ended_of(reason: &str) -> What {
        What::HoldEnded { resource: None, reason: reason.to_owned(), applications: BTreeSet::new(), root: None }
    }

    #[test]
    fn the_same_is_what_has_the_same_place_reason_and_revision() {
        let arn = |number: i64| Arn::new(format!("arn:aws:ecs:eu-west-1:1:task-definition/web:{number}"));
        let failed =
            |number| What::RolloutFailed { task_definition: arn(number), reason: "x".to_owned(), finding: None };
        let resource = |name: &str| Resource { kind: Kind::TargetGroup, name: name.to_owned(), arn: None };
        let unverified = |commit: &str| What::RevisionUnverified {
            commit: Revision::new(commit),
            message: String::new(),
            cure: String::new(),
            in_force: None,
        };
        let drift = |name| What::DriftDetected { resource: resource(name), reason: "changed", changes: Vec::new() };
        // one | another | are the same
        let table = [
            (event("a", held("x")), event("a", held("another request id")), true),
            (event("a", held("x")), event("b", held("x")), false),
            (event("a", held("x")), event("a", drift("web")), false),
            (event("a", drift("web")), event("a", drift("web")), true),
            (event("a", drift("web")), event("a", drift("api")), false),
            (event("b", unverified("a")), event("b", unverified("a")), true),
            (event("b", unverified("a")), event("c", unverified("a")), false),
            (event("a", failed(1)), event("a", failed(1)), true),
            (event("a", failed(1)), event("a", failed(2)), false),
            (event("a", failed(1)), event("a", What::RolloutCompleted { task_definition: arn(1) }), false),
        ];
        for (one, another, same) in table {
            assert_eq!(mark(&one) == mark(&another), same, "{one:?} {another:?}");
        }
        let Mark::Once { key, .. } = mark(&event("a", held("x"))) else { panic!("a hold is told") };
        assert_eq!(mark(&event("b", ended())), Mark::Ends { key });
        assert_eq!(mark(&event("a", What::DaemonStopping {})), Mark::Free);
    }
}
