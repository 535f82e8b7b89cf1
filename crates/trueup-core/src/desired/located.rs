//! A value of a file with its place and its field, for readers and rules that report problems.

use std::rc::Rc;

use crate::document::{Node, NodeValue, Problem, Span};
use crate::pointer::Pointer;

/// A value with its place. Cheap to create and to copy: the pointer is only written out for a problem.
#[derive(Clone)]
pub(super) struct Located<'a> {
    /// The value.
    pub node: &'a Node,
    /// The place of its name, if it is a member of an object.
    key: Option<&'a Span>,
    way: Option<Rc<Way<'a>>>,
}

/// The last step of a path, and the path before it.
struct Way<'a> {
    before: Option<Rc<Way<'a>>>,
    step: WayStep<'a>,
}

#[derive(Clone, Copy)]
enum WayStep<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Located<'a> {
    /// The whole document.
    pub fn root(node: &'a Node) -> Self {
        Self { node, key: None, way: None }
    }

    /// A member of an object, by name. Null counts as absent.
    pub fn get(&self, name: &str) -> Option<Self> {
        let NodeValue::Object(members) = &self.node.value else { return None };
        let (name, member) = members.get_key_value(name)?;
        (member.node.value != NodeValue::Null).then(|| self.step(&member.node, Some(&member.key), WayStep::Name(name)))
    }

    /// The members of an object, in the author's order; none when it is something else.
    pub fn members(&self) -> Vec<(&'a str, Self)> {
        let NodeValue::Object(members) = &self.node.value else { return Vec::new() };
        members
            .iter()
            .map(|(name, member)| (name.as_str(), self.step(&member.node, Some(&member.key), WayStep::Name(name))))
            .collect()
    }

    /// The items of a list; none when it is something else.
    pub fn items(&self) -> impl Iterator<Item = Self> {
        self.node.items().iter().enumerate().map(|(index, node)| self.step(node, None, WayStep::Index(index)))
    }

    /// The items of a member that is a list.
    pub fn list(&self, name: &str) -> Vec<Self> {
        self.get(name).map_or_else(Vec::new, |list| list.items().collect())
    }

    /// The text of a string that holds no reference.
    pub fn text(&self) -> Option<&'a str> {
        self.node.as_str().filter(|text| !text.contains("${"))
    }

    /// The text of a member, when it is a string that holds no reference.
    pub fn member_text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.text()
    }

    /// The whole number of a member.
    pub fn member_int(&self, name: &str) -> Option<i64> {
        self.get(name)?.node.as_i64()
    }

    /// The value of a member that is a boolean.
    pub fn member_flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.node.as_bool()
    }

    /// Whether the value is unknown until references are resolved.
    pub fn is_deferred(&self) -> bool {
        self.node.as_str().is_some_and(|text| text.contains("${"))
    }

    /// The path as a pointer, by index in lists.
    pub fn pointer(&self) -> Pointer {
        let mut segments = Vec::new();
        let mut way = self.way.as_deref();
        while let Some(Way { before, step }) = way {
            segments.push(match step {
                WayStep::Name(name) => (*name).to_owned(),
                WayStep::Index(index) => index.to_string(),
            });
            way = before.as_deref();
        }
        segments.into_iter().rev().collect()
    }

    /// A problem with this value.
    pub fn problem(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::at(code, &self.node.span, &self.pointer(), message)
    }

    /// A problem with the name of this member.
    pub fn key_problem(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::at(code, self.key.unwrap_or(&self.node.span), &self.pointer(), message)
    }

    fn step(&self, node: &'a Node, key: Option<&'a Span>, step: WayStep<'a>) -> Self {
        Self { node, key, way: Some(Rc::new(Way { before: self.way.clone(), step })) }
    }
}
