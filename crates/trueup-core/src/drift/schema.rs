//! The shape that a comparison follows: AWS's API model, with the rule of each field beside it.
//!
//! Built once per kind of document from [`Model::aws`], the table of keyed sets ([`super::keys`]) and the kind's own
//! table of rules, so that the comparison itself never looks anything up by path.

use std::borrow::Cow;
use std::sync::LazyLock;

use indexmap::IndexMap;

use super::keys::{self, ListKey};
use super::rule::Rule;
use super::{listener_rule, service, target_group, task_definition};
use crate::model::{Api, Kind, Model, Shape};

/// A field of a document: its form, and how it is compared.
#[derive(Debug)]
pub(super) struct Field {
    pub form: Form,
    pub rule: Rule,
}

/// What a field may hold.
#[derive(Debug)]
pub(super) enum Form {
    Structure(IndexMap<String, Field>),
    List(Box<Field>, Order),
    Map,
    Text,
    Integer,
    Real,
    Flag,
    /// Any JSON.
    Free,
}

/// What the order of a list means.
#[derive(Debug)]
pub(super) enum Order {
    /// Much: the list is one value.
    Ordered,
    /// Nothing: the list is one value, a set.
    Set,
    /// Nothing, and its elements have keys.
    Keyed(&'static ListKey),
}

/// The root field of a kind of document.
pub(super) fn schema(kind: Kind) -> &'static Field {
    static TASK_DEFINITION: LazyLock<Field> = LazyLock::new(|| root(Kind::TaskDefinition, task_definition::RULES));
    static SERVICE: LazyLock<Field> = LazyLock::new(|| root(Kind::Service, service::RULES));
    static TARGET_GROUP: LazyLock<Field> = LazyLock::new(|| root(Kind::TargetGroup, target_group::RULES));
    static LISTENER_RULE: LazyLock<Field> = LazyLock::new(|| root(Kind::ListenerRule, listener_rule::RULES));
    match kind {
        Kind::TaskDefinition => &TASK_DEFINITION,
        Kind::Service => &SERVICE,
        Kind::TargetGroup => &TARGET_GROUP,
        Kind::ListenerRule => &LISTENER_RULE,
    }
}

/// A kind's rules, by the path of the field in the schema; `*` stands for the elements of a list.
pub(super) type Rules = &'static [(&'static str, Rule)];

fn root(kind: Kind, rules: Rules) -> Field {
    let (api, operation) = kind.request();
    let mut builder = Builder { kind, api, rules, path: Vec::new() };
    let mut members = builder.members(&Model::aws().input(api, operation).members);
    if kind == Kind::TargetGroup {
        // Documents carry them inline; the API takes them in a request of their own, ModifyTargetGroupAttributes.
        let attributes = &Model::aws().input(api, "ModifyTargetGroupAttributes").members["Attributes"];
        builder.path.push(Cow::Borrowed("Attributes"));
        members.insert("Attributes".to_owned(), builder.field(&attributes.shape));
    }
    Field { form: Form::Structure(members), rule: Rule::ALWAYS }
}

struct Builder {
    kind: Kind,
    api: Api,
    rules: Rules,
    path: Vec<Cow<'static, str>>,
}

impl Builder {
    fn field(&mut self, shape: &str) -> Field {
        let path = self.path.join("/");
        let rule = self.rules.iter().find(|(pattern, _)| *pattern == path).map_or(Rule::PLAIN, |(_, rule)| *rule);
        let form = match Model::aws().shape(self.api, shape) {
            Shape::Structure(structure) if structure.document => Form::Free,
            Shape::Structure(structure) => Form::Structure(self.members(&structure.members)),
            Shape::List(list) => {
                let order = match keys::list_key(self.kind, &self.path) {
                    Some(key) => Order::Keyed(key),
                    None if rule.set => Order::Set,
                    None => Order::Ordered,
                };
                self.path.push(Cow::Borrowed("*"));
                let item = self.field(&list.member);
                self.path.pop();
                Form::List(Box::new(item), order)
            }
            Shape::Map(_) => Form::Map,
            Shape::String(_) => Form::Text,
            Shape::Integer(_) | Shape::Long(_) => Form::Integer,
            Shape::Float(_) | Shape::Double(_) => Form::Real,
            Shape::Boolean {} => Form::Flag,
            Shape::Timestamp {} | Shape::Blob {} => Form::Free,
        };
        Field { form, rule }
    }

    fn members(&mut self, members: &'static IndexMap<String, crate::model::Member>) -> IndexMap<String, Field> {
        members
            .iter()
            .map(|(name, member)| {
                self.path.push(Cow::Borrowed(name));
                let field = self.field(&member.shape);
                self.path.pop();
                (name.clone(), field)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Form, listener_rule, schema, service, target_group, task_definition};
    use crate::model::Kind;

    #[test]
    fn every_rule_stands_at_a_field_that_the_api_has() {
        for (kind, rules) in [
            (Kind::TaskDefinition, task_definition::RULES),
            (Kind::Service, service::RULES),
            (Kind::TargetGroup, target_group::RULES),
            (Kind::ListenerRule, listener_rule::RULES),
        ] {
            for (path, _) in rules {
                path.split('/').fold(schema(kind), |field: &Field, segment| match &field.form {
                    Form::Structure(members) => members.get(segment).unwrap_or_else(|| panic!("{path}: {segment}")),
                    Form::List(item, _) if segment == "*" => item,
                    other => panic!("{path}: {segment} in {other:?}"),
                });
            }
        }
    }
}
