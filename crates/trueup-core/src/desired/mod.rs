//! Desired state: all documents of one environment at one revision.
//!
//! A [`FileTree`] is the content of the repository; loading it gives [`Environment`]s and [`Application`]s with
//! references in them; resolving those gives [`DesiredApplication`]s, which the planner compares with live state.

mod across;
mod application;
mod build;
mod candidate;
mod configuration;
mod images;
mod layout;
mod load;
mod located;
mod manifest;
mod merge;
mod ownership;
mod parsed_document;
mod parsed_files;
mod reader;
mod reference;
mod rules;
mod template;
#[cfg(test)]
mod tests;
mod unresolved_document;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::application::Application;
pub use self::layout::DOCUMENTS_PER_APPLICATION_MAX;
pub use self::load::{APPLICATIONS_MAX, BYTES_MAX, FILES_MAX, Loaded, load};
pub use self::rules::hints_at_secret;
pub use self::unresolved_document::UnresolvedDocument;
use crate::digest::Digest;
use crate::kind::Kind;
use crate::names::{ApplicationName, EnvironmentName, Revision, ServiceId};
use crate::pointer::Pointer;

/// The files of the desired state at one commit, by path relative to its root, with `/` between the parts.
pub type FileTree = BTreeMap<String, Arc<[u8]>>;

/// The reaction to a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is ignored.
    Off,
    /// It is reported and held.
    Report,
    /// It is acted on.
    #[default]
    On,
}

/// The reaction to differences, per application: `[policy]` of `trueup.toml`, overridden by `app.toml`'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Pending changes: git differs from what was last applied.
    pub follow: Mode,
    /// Drift: live differs from what was last applied.
    pub heal: Mode,
    /// Resources that trueup created and git no longer has. Off by default.
    pub prune: Mode,
    /// The maximum number of resources that one commit may remove.
    pub prune_limit: u32,
    /// Whether resources that a `CloudFormation` stack owns are managed anyway.
    pub manage_stack_resources: bool,
    /// How long a rollout may take, in addition to the waits of the service's own configuration (grace period, bake times,
    /// pauses), before it counts as stuck.
    pub rollout_timeout: SignedDuration,
    /// Fields that are never compared and never written.
    pub ignore: Vec<Ignore>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            follow: Mode::On,
            heal: Mode::On,
            prune: Mode::Off,
            prune_limit: 5,
            manage_stack_resources: false,
            rollout_timeout: SignedDuration::from_mins(30),
            ignore: Vec::new(),
        }
    }
}

/// One `ignore` pattern: `KIND[/NAME]:POINTER`, such as `service:/tags/CostCentre` or
/// `target-group/backend:/Attributes/slow_start.duration_seconds`. A segment `*` matches any one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The kind of document it applies to.
    pub kind: Kind,
    /// The one document it applies to, by name; all of the kind when absent.
    pub name: Option<String>,
    /// The field, with everything below it.
    pub pointer: Pointer,
}

/// An environment of `trueup.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// The twelve digits of the AWS account. When any other account answers, trueup refuses to act.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// The default cluster's short name; documents name one themselves where it is absent.
    pub cluster: Option<String>,
    /// The role assumed for this environment.
    pub role: Option<String>,
    /// `${var.NAME}`.
    pub variables: BTreeMap<String, String>,
}

/// A resource or value in AWS that a reference names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// The digest URI (`REPOSITORY_URI@sha256:…`) of an image in ECR.
    Image {
        /// A repository's name in the environment's account and region, or a full `ACCOUNT.dkr.ecr.….com/NAME`.
        repository: String,
        /// The tag.
        tag: String,
        /// The platform that the image must have, such as `linux/amd64`.
        platform: String,
    },
    /// A target group's ARN, by its name in AWS.
    TargetGroup(String),
    /// A listener's ARN, by its load balancer's name and its port.
    Listener {
        /// The load balancer's name.
        load_balancer: String,
        /// The listener's port.
        port: u16,
    },
    /// A secret's ARN in Secrets Manager, by its name. Never its value.
    Secret(String),
    /// A parameter's ARN in Systems Manager, by its name. Never its value.
    Parameter(String),
    /// The physical id of a stack's resource.
    StackResource {
        /// The stack's name.
        stack: String,
        /// The logical id in it.
        logical_id: String,
    },
    /// The value of a stack's output.
    StackOutput {
        /// The stack's name.
        stack: String,
        /// The output's key.
        key: String,
    },
}

/// One application in one environment at one revision, references resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredApplication {
    /// Its name.
    pub name: ApplicationName,
    /// The environment that it belongs to.
    pub environment: EnvironmentName,
    /// The last commit that changed its files.
    pub revision: Revision,
    /// The cluster of its service.
    pub cluster: String,
    /// How differences are handled.
    pub policy: Policy,
    /// Applications that must be Synced and Healthy first.
    pub depends_on: BTreeSet<ApplicationName>,
    /// Its documents, in the order in which their resources are created, and by name.
    pub documents: Vec<Document>,
    /// References that could not be resolved. While there are any, nothing of the application is written.
    pub unresolved: Vec<Unresolved>,
}

impl DesiredApplication {
    /// Its documents of a kind, by name.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(move |document| document.kind == kind)
    }

    /// The document of a kind that an application may have only once; `None` when it has none.
    pub fn single(&self, kind: Kind) -> Option<&Document> {
        debug_assert!(kind.is_single(), "an application may have several documents of the kind {}", kind.as_str());
        self.of(kind).next()
    }

    /// Its document of a kind and name.
    pub fn document(&self, kind: Kind, name: &str) -> Option<&Document> {
        self.of(kind).find(|document| document.name == name)
    }

    /// Its service by cluster and name; `None` when it has no service.
    pub fn service_id(&self) -> Option<ServiceId> {
        let name = self.single(Kind::Service)?.body.get("serviceName")?.as_str()?;
        Some(ServiceId { cluster: self.cluster.clone(), name: name.to_owned() })
    }
}

/// A document with its references resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The kind of document.
    pub kind: Kind,
    /// The file's name without its extension (`backend`), or the kind's name where an application has only one.
    pub name: String,
    /// The file's path relative to the root of the desired state.
    pub path: String,
    /// The AWS request, without trueup's own `[trueup]` table.
    pub body: Value,
    /// The digest of the canonical body.
    pub digest: Digest,
    /// Documents of the same application whose resources AWS does not have yet, by kind and name: the body still holds
    /// the references to them as text, and cannot be sent before they exist.
    pub awaits: BTreeSet<(Kind, String)>,
}

/// A reference that could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unresolved {
    /// The reference in the file's notation: `${secret.elearning/database}`.
    pub reference: String,
    /// `FILE:LINE:COLUMN` of the value that contains it.
    pub location: String,
    /// Why: it does not exist, or the read failed.
    pub reason: String,
    /// Whether it may resolve later without any change (a failed read).
    pub transient: bool,
}
