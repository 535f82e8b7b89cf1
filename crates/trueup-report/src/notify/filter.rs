//! Which events a target is notified of: patterns over their names, environments and applications.

use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::report::{Event, What};

/// The events by default: those that need an operator, and those that end them.
pub const EVENTS_DEFAULT: [&str; 12] = [
    "revision.rejected",
    "revision.unverified",
    "source.failed",
    "source.recovered",
    "drift.detected",
    "drift.resolved",
    "rollout.completed",
    "rollout.failed",
    "rollout.rolled_back",
    "rollout.timed_out",
    "hold.started",
    "hold.ended",
];

/// Holds that clear on their own, most of them within seconds. They are sent only where the events are configured.
const PASSING: [&str; 8] = [
    "NotObserved",
    "NotSettled",
    "WaitsFor",
    "Behind",
    "WriteFailed",
    "ServiceDraining",
    "TargetGroupInUse",
    "ReportOnly",
];

/// Whether a hold of this reason clears on its own, or is what the policy asks for.
pub fn is_passing(reason: &str) -> bool {
    PASSING.contains(&reason)
}

/// Patterns with `*` (any characters, `/` and `.` as well) and `?` (any one character).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Over the events' names; none: those of [`EVENTS_DEFAULT`] without holds that clear on their own.
    pub events: Vec<String>,
    /// Over environments; none: all. Events that are about no environment are about all of them.
    pub environments: Vec<String>,
    /// Over applications; none: all. Events that are about no application are about all of them.
    pub applications: Vec<String>,
}

impl Filter {
    /// Whether the target is notified of the event.
    pub fn takes(&self, event: &Event) -> bool {
        self.takes_name(event) && self.takes_place(event)
    }

    fn takes_place(&self, event: &Event) -> bool {
        let environment = event.environment.as_ref().map(EnvironmentName::as_str);
        let fits =
            |application: Option<&ApplicationName>| any(&self.applications, application.map(ApplicationName::as_str));
        // A hold of several applications is one event, which belongs to none of them.
        let several = if let What::HoldStarted { applications, .. } | What::HoldEnded { applications, .. } = &event.what
        {
            Some(applications)
        } else {
            None
        };
        let is_of_application = match several.filter(|several| !several.is_empty()) {
            Some(several) => several.iter().any(|application| fits(Some(application))),
            None => fits(event.application.as_ref()),
        };
        any(&self.environments, environment) && is_of_application
    }

    /// Whether the target is notified of this application in this environment.
    pub fn takes_names(&self, environment: &str, application: &str) -> bool {
        any(&self.environments, Some(environment)) && any(&self.applications, Some(application))
    }

    fn takes_name(&self, event: &Event) -> bool {
        let name = event.what.name();
        if !self.events.is_empty() {
            return self.events.iter().any(|pattern| fits(pattern, name));
        }
        let hold = if let What::HoldStarted { hold, .. } = &event.what {
            Some(hold.reason())
        } else if let What::HoldEnded { reason, .. } = &event.what {
            Some(&**reason)
        } else {
            None
        };
        EVENTS_DEFAULT.contains(&name) && !hold.is_some_and(is_passing)
    }
}

fn any(patterns: &[String], name: Option<&str>) -> bool {
    patterns.is_empty() || name.is_none_or(|name| patterns.iter().any(|pattern| fits(pattern, name)))
}

/// Whether a name fits a pattern. Linear in the product of their lengths, whatever the pattern.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stands, and up to where it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, eaten)) = star else { return false };
                star = Some((at, eaten + 1));
                p = at + 1;
                n = eaten + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::subject::tests::ended_of;

    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell_without_directories() {
        // pattern | name | fits
        let table = "
            *                | production        | yes
            rollout.*        | rollout.failed    | yes
            rollout.*        | hold.started      | no
            *.failed         | rollout.failed    | yes
            hold.started     | hold.started      | yes
            hold.start       | hold.started      | no
            hold.started     | hold.start        | no
            team/*           | team/web          | yes
            team/*           | team              | no
            w?b              | web               | yes
            w?b              | wb                | no
            *a*b*c           | xaxbxbxc          | yes
            *a*b*c           | xaxbxbx           | no
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let [pattern, name, expected] = *row.split('|').map(str::trim).collect::<Vec<_>>() else { panic!("{row}") };
            assert_eq!(fits(pattern, name), expected == "yes", "{row}");
        }
    }

    #[test]
    fn by_default_what_needs_a_person_is_told_and_a_filter_names_events_and_places() {
        let event = |place: Option<(&str, &str)>, what: What| Event {
            time: Timestamp::UNIX_EPOCH,
            environment: place.map(|(environment, _)| EnvironmentName::new(environment)),
            application: place.map(|(_, application)| ApplicationName::new(application)),
            revision: None,
            what,
        };
        let several = |names: &[&str]| What::HoldEnded {
            resource: None,
            reason: "NoCredentials".to_owned(),
            applications: names.iter().map(|name| ApplicationName::new(*name)).collect(),
            root: None,
        };
        let web = Some(("production", "web"));
        // events, environments, applications | event | told
        let table = [
            (["", "", ""], event(web, ended_of("RevisionFailed")), true),
            (["", "", ""], event(web, ended_of("NotSettled")), false),
            (["", "", ""], event(None, What::DaemonStopping {}), false),
            (["hold.*", "", ""], event(web, ended_of("NotSettled")), true),
            (["daemon.*", "prod*", "web"], event(None, What::DaemonStopping {}), true),
            (["hold.*", "staging", ""], event(web, ended_of("RevisionFailed")), false),
            (["", "prod*", "api"], event(web, ended_of("RevisionFailed")), false),
            (["", "prod*", "w*"], event(web, ended_of("RevisionFailed")), true),
            (["", "", "w*"], event(None, several(&["api", "web"])), true),
            (["", "", "w*"], event(None, several(&["api", "db"])), false),
        ];
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        for ([events, environments, applications], event, told) in table {
            let filter =
                Filter { events: list(events), environments: list(environments), applications: list(applications) };
            assert_eq!(filter.takes(&event), told, "{filter:?} {event:?}");
        }
    }

    #[test]
    fn the_names_of_events_are_those_of_the_documentation() {
        let page = include_str!("../../../../docs/output.md");
        let (_, table) = page.split_once("## Events of").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        for name in What::NAMES {
            assert!(table.contains(&format!("`{name}`")), "{name} is not documented");
        }
        let cells = table.lines().filter_map(|line| line.strip_prefix("| ")).filter_map(|row| row.split('|').next());
        let named = cells.flat_map(|cell| cell.split('`').filter(|word| word.contains('.')));
        for name in named {
            assert!(What::NAMES.contains(&name), "{name} is documented, and cannot be chosen");
        }
        assert!(EVENTS_DEFAULT.iter().all(|name| What::NAMES.contains(name)));
        let notifications = include_str!("../../../../docs/notifications.md");
        let cloudwatch = include_str!("../../../../docs/cloudwatch.md");
        for name in EVENTS_DEFAULT.iter().chain(&PASSING) {
            assert!(notifications.contains(&format!("`{name}`")), "{name} is not documented");
        }
        let handbook = include_str!("../../../../docs/handbook.md");
        for name in PASSING {
            assert!(cloudwatch.contains(&format!("`{name}`")), "{name} is not documented");
            assert!(handbook.contains(&format!("`{name}`")), "{name} is no reason");
        }
    }
}
