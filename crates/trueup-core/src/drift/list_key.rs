//! The keys by which the elements of a list are distinguished.
//!
//! AWS returns many lists in another order than it received. Those whose elements have an identity are compared,
//! addressed and merged by it (`/containerDefinitions/web/environment/LOG_LEVEL`), never by position. These lists are
//! among the facts of each kind ([`crate::kind::Facts::lists`]).

use std::borrow::Cow;

use serde_json::Value;

/// The key by which the elements of one list are distinguished.
#[derive(Debug)]
pub struct ListKey {
    /// Members that make up the key, joined by `:`; the first alternative whose members are all present counts.
    alternatives: &'static [&'static [&'static str]],
    /// How elements with equal keys are distinguished.
    repeated: Repeated,
}

/// How elements with equal keys are distinguished.
#[derive(Debug)]
pub(crate) enum Repeated {
    /// Not at all: AWS refuses a list with equal keys.
    Never,
    /// This member is appended to the key: `53:udp`. If it is left out, the text next to it is appended.
    Append(&'static str, &'static str),
    /// This member is the key instead: `targetGroupArn`.
    Instead(&'static str),
    /// The result of this function is appended: `http-header:X-Env`.
    AppendOwn(fn(&Value) -> Option<Cow<'_, str>>),
}

impl ListKey {
    /// A key made of members; of several alternatives, the first whose members are all present counts.
    pub(crate) const fn by(alternatives: &'static [&'static [&'static str]]) -> Self {
        Self { alternatives, repeated: Repeated::Never }
    }

    /// Sets how elements with equal keys are distinguished.
    pub(crate) const fn or(self, repeated: Repeated) -> Self {
        Self { alternatives: self.alternatives, repeated }
    }

    /// The key of an element, from the text of its scalar members.
    ///
    /// `member` returns the text of the member with that name: a string itself, a number in digits. `None` when the
    /// element has no key (a member of it is missing), so that the list cannot be treated as a keyed set.
    pub fn of<'a>(&self, member: impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
        self.alternatives.iter().find_map(|names| match names {
            [name] => member(name),
            names => {
                let parts: Option<Vec<_>> = names.iter().map(|name| member(name)).collect();
                Some(Cow::Owned(parts?.join(":")))
            }
        })
    }

    /// The key of an element that is JSON; see [`ListKey::of`].
    pub fn of_json<'a>(&self, element: &'a Value) -> Option<Cow<'a, str>> {
        self.of(|name| text(element.get(name)?))
    }

    /// The key of an element whose [`ListKey::of_json`] another element of its list has as well.
    pub(crate) fn of_repeated<'a>(&self, element: &'a Value) -> Option<Cow<'a, str>> {
        let key = self.of_json(element)?;
        let append = |more: Option<Cow<'a, str>>| match more {
            Some(more) if !more.is_empty() => Cow::Owned(format!("{key}:{more}")),
            _ => key.clone(),
        };
        Some(match self.repeated {
            Repeated::Never => key,
            Repeated::Append(name, default) => {
                append(element.get(name).and_then(text).or(Some(Cow::Borrowed(default))))
            }
            Repeated::Instead(name) => element.get(name).and_then(text).unwrap_or(key),
            Repeated::AppendOwn(read) => append(read(element)),
        })
    }
}

/// An element's content, regardless of the order of its lists and members, and without empty values: elements with
/// equal keys are paired by it.
pub(crate) fn content(element: &Value) -> String {
    match element {
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, value)| (name, content(value)))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            members.sort();
            members.join(" ")
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(content).collect();
            items.sort();
            items.join(",")
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            text(scalar).unwrap_or_default().to_ascii_lowercase()
        }
    }
}

/// The text of a scalar, or of a list of them.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().filter_map(text).collect();
            items.sort();
            Some(Cow::Owned(items.join(",")))
        }
        Value::Null | Value::Object(_) => None,
    }
}
