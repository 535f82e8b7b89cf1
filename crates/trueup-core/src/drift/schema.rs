//! The shape that a comparison follows: AWS's API model, with the rule of each field.
//!
//! Built once per kind of document from [`Model::aws`] and the kind's own tables of keyed lists and of rules, so that the
//! comparison itself never looks anything up by path.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::list_key::ListKey;
use super::rule::Rule;
use crate::model::{Api, Model, Shape};

/// A field of a document: its form, and how it is compared.
#[derive(Debug)]
pub(crate) struct Field {
    pub form: Form,
    pub rule: Rule,
}

/// What a field may hold.
#[derive(Debug)]
pub(crate) enum Form {
    Structure(IndexMap<String, Field>),
    List(Box<Field>, ListOrder),
    Map,
    Text,
    Integer,
    Real,
    Flag,
    /// Any JSON.
    Free,
}

/// The meaning of a list's order.
#[derive(Debug)]
pub(crate) enum ListOrder {
    /// Order matters: the list is one value.
    Ordered,
    /// Order has no meaning: the list is one value, a set.
    Set,
    /// Order has no meaning, and the elements have keys.
    Keyed(&'static ListKey),
}

/// The schema that a comparison, a digest and a merge follow for one kind of document.
#[derive(Debug)]
pub struct Schema {
    root: Field,
    absence: Absence,
    /// The member that is not part of the content that the digest covers.
    aside: Option<&'static str>,
}

/// The values that mean absence in a whole document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// None: an empty list means "none".
    Nothing,
    /// Every empty value.
    Empty,
}

/// The member of another operation that documents carry in addition to the members of their request.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    /// The member, such as `Attributes`.
    pub member: &'static str,
    /// The operation whose request has it, such as `ModifyTargetGroupAttributes`.
    pub operation: &'static str,
}

impl Beside {
    /// The shape of the member.
    pub fn shape(&self, api: Api) -> &'static str {
        &Model::aws().input(api, self.operation).members[self.member].shape
    }
}

/// A kind's rules, by the path of the field in the schema; `*` stands for the elements of a list.
pub(crate) type Rules = &'static [(&'static str, Rule)];

/// A kind's keyed lists, by the path of the list; `*` stands for the elements of an outer list.
pub(crate) type Lists = &'static [(&'static str, ListKey)];

impl Schema {
    /// The schema of the documents that are requests of this operation.
    pub(crate) fn new(request: (Api, &str), beside: Option<Beside>, lists: Lists, rules: Rules) -> Self {
        let (api, operation) = request;
        let mut builder = Builder { api, lists, rules, path: Vec::new() };
        let mut members = builder.members(&Model::aws().input(api, operation).members);
        if let Some(beside) = beside {
            builder.path.push(Cow::Borrowed(beside.member));
            members.insert(beside.member.to_owned(), builder.field(beside.shape(api)));
        }
        let root = Field { form: Form::Structure(members), rule: Rule::ALWAYS };
        Self { root, absence: Absence::Nothing, aside: None }
    }

    pub(crate) fn with_absence(self, absence: Absence) -> Self {
        Self { absence, ..self }
    }

    /// Leaves a member out of the content that the digest covers.
    pub(crate) fn without(self, member: &'static str) -> Self {
        Self { aside: Some(member), ..self }
    }

    pub(crate) fn root(&self) -> &Field {
        &self.root
    }

    pub(crate) fn absence(&self) -> Absence {
        self.absence
    }

    pub(crate) fn aside(&self) -> Option<&'static str> {
        self.aside
    }

    /// Whether there is a field at a path, `*` standing for the elements of a list.
    #[cfg(test)]
    pub(crate) fn has_field(&self, path: &str) -> bool {
        let found = path.split('/').try_fold(&self.root, |field, segment| match &field.form {
            Form::Structure(members) => members.get(segment),
            Form::List(item, _) => Some(&**item).filter(|_| segment == "*"),
            Form::Map | Form::Text | Form::Integer | Form::Real | Form::Flag | Form::Free => None,
        });
        found.is_some()
    }
}

/// The key of the list at `path` among `lists`, when it is a keyed set.
///
/// `path` holds the segments from the document's root to the list, with any text for the elements of outer lists
/// (`["containerDefinitions", "web", "environment"]`). `None` for sets of plain values, for ordered lists (including a
/// rule's `Actions`, which are addressed by position), and for values that are not lists.
pub(crate) fn list_key<S: AsRef<str>>(lists: Lists, path: &[S]) -> Option<&'static ListKey> {
    let fits = |pattern: &str| {
        let mut path = path.iter();
        pattern.split('/').all(|part| path.next().is_some_and(|segment| part == "*" || part == segment.as_ref()))
            && path.next().is_none()
    };
    lists.iter().find(|(pattern, _)| fits(pattern)).map(|(_, key)| key)
}

struct Builder {
    api: Api,
    lists: Lists,
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
                let order = match list_key(self.lists, &self.path) {
                    Some(key) => ListOrder::Keyed(key),
                    None if rule.set => ListOrder::Set,
                    None => ListOrder::Ordered,
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
