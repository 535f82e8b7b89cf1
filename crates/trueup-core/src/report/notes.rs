//! What was told, as text: so that the process after this one tells what is new, and not all over again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Edges, RootCause, RootCauses};
use crate::names::{ApplicationName, EnvironmentName};

/// The form of the text. Another version's is not read: then everything that lasts is told once more.
const VERSION: u32 = 1;

/// What was told of every application and every environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// What was told of each application.
    pub applications: BTreeMap<(EnvironmentName, ApplicationName), Edges>,
    /// What was told of each environment as a whole.
    pub root_causes: BTreeMap<EnvironmentName, RootCauses>,
}

/// How it is written: lists, as the keys are no strings.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    applications: Vec<(EnvironmentName, ApplicationName, Edges)>,
    root_causes: Vec<(EnvironmentName, RootCause, BTreeSet<ApplicationName>)>,
}

impl Notes {
    /// Writes them. No value of an environment variable is in it: changes are there as digests alone.
    pub fn write(&self) -> String {
        let applications = self.applications.iter();
        let root_causes = self.root_causes.iter().flat_map(|(environment, causes)| {
            causes.notes().map(|(cause, held)| (environment.clone(), cause.clone(), held.clone()))
        });
        let written = Written {
            version: VERSION,
            applications: applications.map(|((env, app), edges)| (env.clone(), app.clone(), edges.clone())).collect(),
            root_causes: root_causes.collect(),
        };
        serde_json::to_string(&written).expect("notes have string keys only and no value that can fail")
    }

    /// Reads them; `None` for what is no such text, or another version's.
    pub fn read(text: &str) -> Option<Self> {
        let written: Written =
            serde_json::from_str(text).ok().filter(|written: &Written| written.version == VERSION)?;
        let mut causes: BTreeMap<EnvironmentName, Vec<(RootCause, BTreeSet<ApplicationName>)>> = BTreeMap::new();
        for (environment, cause, held) in written.root_causes {
            causes.entry(environment).or_default().push((cause, held));
        }
        Some(Self {
            applications: written.applications.into_iter().map(|(env, app, edges)| ((env, app), edges)).collect(),
            root_causes: causes.into_iter().map(|(env, causes)| (env, RootCauses::restore(causes))).collect(),
        })
    }
}
