//! A document's values, each with its place in the file.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::source::Span;
use crate::pointer::Pointer;

/// A value of a TOML or JSON file.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: NodeValue,
    /// Its place.
    pub span: Span,
}

/// The values that both formats share. Numbers keep the author's digits.
#[derive(Clone, PartialEq)]
pub enum NodeValue {
    /// JSON's `null`; TOML has none.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number with all digits of its source (TOML's `1_000` and `0x10` in plain decimal).
    Number(Number),
    /// Text, unescaped.
    String(String),
    /// An array.
    List(Vec<Node>),
    /// An object or table, in the author's order.
    Object(IndexMap<String, NodeMember>),
}

/// A member of an object.
#[derive(Clone, PartialEq)]
pub struct NodeMember {
    /// The place of its name.
    pub key: Span,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The member of an object by name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let NodeValue::Object(members) = &self.value else { return None };
        members.get(name).map(|member| &member.node)
    }

    /// The value at a pointer; list members by index.
    pub fn at(&self, pointer: &Pointer) -> Option<&Self> {
        pointer.segments().iter().try_fold(self, |node, segment| match &node.value {
            NodeValue::Object(_) => node.get(segment),
            NodeValue::List(items) => items.get(segment.parse::<usize>().ok()?),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => None,
        })
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        let NodeValue::String(text) = &self.value else { return None };
        Some(text)
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        let NodeValue::Bool(value) = &self.value else { return None };
        Some(*value)
    }

    /// The value of a whole number.
    pub fn as_i64(&self) -> Option<i64> {
        let NodeValue::Number(number) = &self.value else { return None };
        number.as_i64()
    }

    /// The members of a list; none when it is something else.
    pub fn items(&self) -> &[Self] {
        let NodeValue::List(items) = &self.value else { return &[] };
        items
    }

    /// What it is, for messages: `a string`, `an object`, …
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Number(_) => "a number",
            NodeValue::String(_) => "a string",
            NodeValue::List(_) => "a list",
            NodeValue::Object(_) => "an object",
        }
    }

    /// Converts a value without places: all of it gets this one place.
    pub fn of(value: &Value, place: &Span) -> Self {
        let node = |value| Self::of(value, place);
        let value = match value {
            Value::Null => NodeValue::Null,
            Value::Bool(value) => NodeValue::Bool(*value),
            Value::Number(number) => NodeValue::Number(number.clone()),
            Value::String(text) => NodeValue::String(text.clone()),
            Value::Array(items) => NodeValue::List(items.iter().map(node).collect()),
            Value::Object(members) => {
                let member = |value| NodeMember { key: place.clone(), node: node(value) };
                NodeValue::Object(members.iter().map(|(name, value)| (name.clone(), member(value))).collect())
            }
        };
        Self { value, span: place.clone() }
    }

    /// Removes members that are null, at any depth. Items of lists stay.
    pub fn remove_nulls(&mut self) {
        match &mut self.value {
            NodeValue::Object(members) => {
                members.retain(|_, member| member.node.value != NodeValue::Null);
                members.values_mut().for_each(|member| member.node.remove_nulls());
            }
            NodeValue::List(items) => items.iter_mut().for_each(Self::remove_nulls),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {}
        }
    }

    /// The value without its places.
    pub fn to_json(&self) -> Value {
        self.value.to_json()
    }
}

impl NodeValue {
    /// The value without its places.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Self::Object(members) => {
                Value::Object(members.iter().map(|(name, member)| (name.clone(), member.node.to_json())).collect())
            }
        }
    }
}

/// The value without its places.
impl Serialize for NodeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items.iter().map(|item| &item.value)),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, member)| (name, &member.node.value)))
            }
        }
    }
}
