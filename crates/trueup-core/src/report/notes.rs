//! The reported state as text: it is stored, so that the next process reports only what is new.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ReportedState, RootCause, RootCauses};
use crate::names::{ApplicationName, EnvironmentName};

/// The version of the format. Another version is not read: then every lasting state is reported once more.
const VERSION: u32 = 1;

/// The reported state of every application and every environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The reported state of each application.
    pub applications: BTreeMap<(EnvironmentName, ApplicationName), ReportedState>,
    /// The reported causes of each environment as a whole.
    pub root_causes: BTreeMap<EnvironmentName, RootCauses>,
}

/// The stored format: lists, as the keys are not strings.
#[derive(Serialize, Deserialize)]
struct WrittenNotes {
    version: u32,
    applications: Vec<(EnvironmentName, ApplicationName, ReportedState)>,
    root_causes: Vec<(EnvironmentName, RootCause, BTreeSet<ApplicationName>)>,
}

impl Notes {
    /// Writes the notes. They contain no value of an environment variable: changes are stored as digests.
    pub fn write(&self) -> String {
        let applications = self.applications.iter();
        let root_causes = self.root_causes.iter().flat_map(|(environment, causes)| {
            causes.notes().map(|(cause, held)| (environment.clone(), cause.clone(), held.clone()))
        });
        let written = WrittenNotes {
            version: VERSION,
            applications: applications.map(|((env, app), state)| (env.clone(), app.clone(), state.clone())).collect(),
            root_causes: root_causes.collect(),
        };
        serde_json::to_string(&written).expect("notes have string keys only and no value that can fail")
    }

    /// Reads notes; `None` for any other text, or another version.
    pub fn read(text: &str) -> Option<Self> {
        let written: WrittenNotes =
            serde_json::from_str(text).ok().filter(|written: &WrittenNotes| written.version == VERSION)?;
        let mut causes: BTreeMap<EnvironmentName, Vec<(RootCause, BTreeSet<ApplicationName>)>> = BTreeMap::new();
        for (environment, cause, held) in written.root_causes {
            causes.entry(environment).or_default().push((cause, held));
        }
        Some(Self {
            applications: written.applications.into_iter().map(|(env, app, state)| ((env, app), state)).collect(),
            root_causes: causes.into_iter().map(|(env, causes)| (env, RootCauses::restore(causes))).collect(),
        })
    }
}
