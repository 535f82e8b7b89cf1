//! The kinds of documents, with the facts of each as one value.
//!
//! This is the lower one of a kind's two rooms: it describes the kind (which request, which file, how AWS describes
//! it, which fields have which defaults). The kind's behaviour is in [`crate::resources`]. Nothing here reads live
//! state or plans.

pub mod described;
mod listener_rule;
mod service;
pub mod tagging;
mod target_group;
mod task_definition;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::described::{Described, unwrap_envelope};
pub use self::tagging::Tagging;
use crate::digest::Digest;
use crate::drift::list_key::ListKey;
use crate::drift::schema::{self, Rules};
use crate::drift::{Beside, Change, Context, Schema};
use crate::model::{Api, Model, Structure};

/// The kinds of documents whose resources trueup manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `RegisterTaskDefinition`.
    TaskDefinition,
    /// `CreateService`.
    Service,
    /// `CreateTargetGroup`, with `Attributes` as an additional member.
    TargetGroup,
    /// `CreateRule`.
    ListenerRule,
}

/// The facts of a kind, as data.
#[derive(Debug)]
pub struct Facts {
    /// The name that commands, reports and `ignore` patterns use: `target-group`.
    pub name: &'static str,
    /// Where its documents are in an application's directory.
    pub place: Place,
    /// The API and the operation whose request a document is.
    pub request: (Api, &'static str),
    /// The member that documents have in addition to those of the request.
    pub beside: Option<Beside>,
    /// Members of the request that trueup sets itself, so that no document may have them, each with what to do instead.
    pub set_by_us: &'static [(&'static str, &'static str)],
    /// The member that names the resource in AWS; `None` where resources have no name of their own.
    pub named_by: Option<&'static str>,
    /// How AWS describes it.
    pub described: Described,
    /// How its API represents tags.
    pub tagging: &'static Tagging,
    /// Its keyed lists, by path; `*` stands for the elements of an outer list.
    pub lists: &'static [(&'static str, ListKey)],
    /// How its fields are compared, by path.
    pub(crate) fields: Rules,
    /// Whether elements of the list at a path may share their key, because it distinguishes only most of them.
    pub may_repeat: fn(&[&str]) -> bool,
    /// What the comparison follows: the request's shape with [`Facts::lists`] and the rules of its fields.
    pub schema: &'static LazyLock<Schema>,
    /// The CloudTrail events that record a change of a resource.
    pub changed_by: &'static [&'static str],
    /// How those events name the resource.
    pub trail_name: TrailName,
    /// When its resources are created and deleted among those of other kinds.
    pub order: Order,
    /// The kind whose document is applied together with one of this kind, and so is covered by its digest tag.
    pub digested_with: Option<Kind>,
    /// The rank of its resources among those that carry the tag `trueup:suspended`; the lowest is tagged first. `None`: they
    /// never carry it.
    pub suspension: Option<u8>,
    /// What an author can do where AWS cannot change a field.
    pub when_immutable: &'static str,
}

/// Where the documents of a kind are in an application's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One file with this name, without its ending.
    File(&'static str),
    /// Any number of files in this folder.
    Folder(&'static str),
}

/// How CloudTrail's events name a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailName {
    /// By the last part of its ARN.
    ShortName,
    /// By its ARN.
    Arn,
}

/// When a kind's resources are created and deleted among those of other kinds: smaller numbers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// A resource that serves traffic is created before one that sends traffic to it.
    pub created: u8,
    /// A resource that sends traffic is deleted before the one that serves it. `None`: never deleted.
    pub deleted: Option<u8>,
}

impl Facts {
    fn new_schema(&self) -> Schema {
        Schema::new(self.request, self.beside, self.lists, self.fields)
    }
}

const NAME: ListKey = ListKey::by(&[&["name"]]);
const KEY: ListKey = ListKey::by(&[&["key"]]);

impl Kind {
    /// All kinds, in the order in which their resources are created.
    pub const ALL: [Self; 4] = [Self::TargetGroup, Self::ListenerRule, Self::TaskDefinition, Self::Service];

    /// Its facts.
    pub fn facts(self) -> &'static Facts {
        match self {
            Self::TaskDefinition => &task_definition::FACTS,
            Self::Service => &service::FACTS,
            Self::TargetGroup => &target_group::FACTS,
            Self::ListenerRule => &listener_rule::FACTS,
        }
    }

    /// The name that commands and `ignore` patterns use, such as `task-definition`.
    pub fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// Finds a kind by [`Kind::as_str`]'s name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The API and the operation whose request a document of this kind is.
    pub fn request(self) -> (Api, &'static str) {
        self.facts().request
    }

    /// The shape of the request.
    pub fn shape(self) -> &'static Structure {
        let (api, operation) = self.request();
        Model::aws().input(api, operation)
    }

    /// The key of the list at `path`, when it is a keyed set.
    ///
    /// `path` holds the segments from the document's root to the list, with any text for the elements of outer lists
    /// (`["containerDefinitions", "web", "environment"]`). `None` for sets of plain values, for ordered lists
    /// (including a rule's `Actions`, which are addressed by position), and for values that are not lists.
    pub fn list_key<S: AsRef<str>>(self, path: &[S]) -> Option<&'static ListKey> {
        schema::list_key(self.facts().lists, path)
    }

    /// Whether an application has only one document of the kind, named after the kind.
    pub fn is_single(self) -> bool {
        match self.facts().place {
            Place::File(_) => true,
            Place::Folder(_) => false,
        }
    }
}

/// Where `live` differs from `desired`: see [`crate::drift::drift`].
pub fn drift(kind: Kind, desired: &Value, live: &Value, context: &Context) -> Vec<Change> {
    crate::drift::drift(kind.facts().schema, desired, live, context)
}

/// The canonical form of a document: see [`crate::drift::canonical`].
pub fn canonical(kind: Kind, document: &Value) -> Value {
    crate::drift::canonical(kind.facts().schema, document)
}

/// The digest of a document's canonical form.
pub fn digest(kind: Kind, document: &Value) -> Digest {
    crate::drift::digest(kind.facts().schema, document)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Place};

    #[test]
    fn the_facts_of_all_kinds_fit_together() {
        let created: Vec<u8> = Kind::ALL.iter().map(|kind| kind.facts().order.created).collect();
        assert!(created.is_sorted_by(|a, b| a < b), "`ALL` is in the order of creation: {created:?}");
        let mut deleted: Vec<u8> = Kind::ALL.iter().filter_map(|kind| kind.facts().order.deleted).collect();
        deleted.sort_unstable();
        deleted.dedup();
        assert_eq!(deleted.len(), Kind::ALL.iter().filter(|kind| kind.facts().order.deleted.is_some()).count());
        for kind in Kind::ALL {
            let facts = kind.facts();
            assert_eq!(Kind::parse(facts.name), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), facts.name);
            let (Place::File(place) | Place::Folder(place)) = facts.place;
            assert!(place.starts_with(facts.name), "{place}");
            assert!(!kind.shape().members.is_empty(), "{}", facts.name);
            assert!(kind.shape().members.contains_key(facts.tagging.member), "{}", facts.name);
            for name in facts.named_by.iter().chain(facts.set_by_us.iter().map(|(name, _)| name)) {
                assert!(kind.shape().members.contains_key(*name), "{name}");
            }
            for (path, _) in facts.fields {
                assert!(facts.schema.has_field(path), "a rule for `{path}`, which the API does not have");
            }
        }
    }

    #[test]
    fn every_keyed_list_gives_its_elements_the_key_that_paths_show() {
        let table = [
            (Kind::TaskDefinition, "containerDefinitions", json!({"name": "web"}), "web"),
            (Kind::TaskDefinition, "containerDefinitions/web/portMappings", json!({"containerPort": 80}), "80"),
            (
                Kind::TaskDefinition,
                "containerDefinitions/web/portMappings",
                json!({"containerPortRange": "80-90"}),
                "80-90",
            ),
            (Kind::Service, "loadBalancers", json!({"containerName": "web", "containerPort": 80}), "web:80"),
            (Kind::Service, "loadBalancers", json!({"targetGroupArn": "arn"}), "arn"),
            (Kind::ListenerRule, "Conditions", json!({"Field": "host-header"}), "host-header"),
            (Kind::TargetGroup, "Attributes", json!({"Key": "stickiness.enabled"}), "stickiness.enabled"),
        ];
        for (kind, path, element, key) in table {
            let path: Vec<_> = path.split('/').collect();
            let list = kind.list_key(&path).unwrap_or_else(|| panic!("{path:?} is a keyed set"));
            assert_eq!(list.of_json(&element).as_deref(), Some(key), "{path:?}");
        }
    }

    #[test]
    fn ordered_lists_and_sets_of_plain_values_have_no_key() {
        let table = [
            (Kind::TaskDefinition, "containerDefinitions/web/command"),
            (Kind::TaskDefinition, "containerDefinitions/web/links"),
            (Kind::TaskDefinition, "containerDefinitions/web/environment/A"),
            (Kind::Service, "placementStrategy"),
            (Kind::ListenerRule, "Actions"),
        ];
        for (kind, path) in table {
            assert!(kind.list_key(&path.split('/').collect::<Vec<_>>()).is_none(), "{path}");
        }
    }

    #[test]
    fn repeated_keys_are_told_apart_by_what_the_list_has_for_that() {
        let table = [
            (
                Kind::ListenerRule,
                "Conditions",
                json!({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Env"}}),
                "http-header:X-Env",
            ),
            (
                Kind::ListenerRule,
                "Conditions",
                json!({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a"}, {"Key": "b"}]}}),
                "query-string:a,b",
            ),
            (
                Kind::Service,
                "loadBalancers",
                json!({"containerName": "web", "containerPort": 80, "targetGroupArn": "arn"}),
                "arn",
            ),
            (
                Kind::TaskDefinition,
                "containerDefinitions/web/extraHosts",
                json!({"hostname": "db", "ipAddress": "10.0.0.1"}),
                "db:10.0.0.1",
            ),
        ];
        for (kind, path, element, key) in table {
            let list = kind.list_key(&path.split('/').collect::<Vec<_>>()).unwrap();
            assert_eq!(list.of_repeated(&element).as_deref(), Some(key), "{path}");
        }
    }
}
