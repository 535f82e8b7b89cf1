//! Drift: where live state differs from a desired document, field by field.
//!
//! [`Change`] is the one change list that feeds detection, plan, apply and reports.
//!
//! The comparison (`compare`) walks the API's own shapes (`schema`) with the rule of each field (`rule`). It knows no
//! kind of document: where AWS's notation differs from the request's, and which lists are keyed, is among the facts of
//! each kind ([`crate::kind`]). `coerce` reads scalars, `names` compares names and ARNs. A field of a newer API is
//! compared as plain JSON when the document declares it, and ignored when only live has it.

mod canonical;
pub(crate) mod coerce;
pub(crate) mod compare;
mod echo;
pub mod list_key;
pub(crate) mod names;
mod redact;
pub(crate) mod rule;
pub(crate) mod schema;

use serde::Serialize;
use serde_json::Value;

pub use self::canonical::{canonical, digest};
pub use self::echo::without_echo;
pub use self::redact::Shown;
pub(crate) use self::schema::Absence;
pub use self::schema::{Beside, Schema};
use crate::pointer::Pointer;

/// One field that differs.
///
/// The path is a JSON pointer into the desired document (with the request's names); keyed sets are addressed by key. It
/// is as deep as the difference: a scalar, a key of a map, an element of a keyed set that only one side has, a
/// structure that only one side has. Lists that are one value (ordered ones, and sets without keys) are reported as a
/// whole, and pairs of a key and a value (environment variables, secrets, tags, attributes) by their key.
///
/// The values are as written; for a field that is left out and has a default, the default.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The path of the field.
    pub path: Pointer,
    /// The value in AWS.
    pub live: Shown,
    /// The value in git.
    pub desired: Shown,
}

impl Change {
    /// The member of the request that the change is in, such as `deploymentConfiguration`: what an update has to send.
    /// `None` for a change of the whole document.
    pub fn member(&self) -> Option<&str> {
        self.path.segments().first().map(String::as_str)
    }
}

/// The input of a comparison in addition to the two documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Fields that are never compared; a segment `*` stands for any one segment.
    pub ignore: Vec<Pointer>,
    /// Application Auto Scaling governs the service's `desiredCount`.
    pub autoscaled: bool,
    /// ECS shifts traffic by this rule's weights (`advancedConfiguration` of a service names it).
    pub delegated_weights: bool,
}

/// Where `live` differs from `desired`, sorted by path. Equal arguments give equal lists.
///
/// `desired` is the AWS request. `live` is AWS's description of that one resource, see
/// [`crate::kind::unwrap_envelope`]: a `taskDefinition` with its `tags` inside, an element of `services`, an element of
/// `TargetGroups` with `Attributes` and `Tags` inside, an element of `Rules` with `Tags` inside. If live has no `tags`
/// (`Tags`, `Attributes`) at all, they were not read and are not compared; `[]` means that there are none.
pub fn drift(schema: &'static Schema, desired: &Value, live: &Value, context: &Context) -> Vec<Change> {
    compare::Comparison::run(schema.root(), desired, live, context)
}
