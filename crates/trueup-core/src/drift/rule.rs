//! The rule of a field: its default, its equivalent notations, the meaning of leaving it out, its owner.
//!
//! Rules are constants, combined in the tables of the kinds: `Rule::PLAIN.int(0)`.

use std::borrow::Cow;

use serde_json::Value;

use super::Context;
use super::compare::Comparison;
use super::schema::Field;

/// How one field is compared.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table: each says yes to one thing of its own")]
pub(crate) struct Rule {
    /// AWS's value of a left-out field.
    pub default: Fallback,
    /// The live values that are accepted when the desired document leaves the field out.
    pub undeclared: Undeclared,
    /// Converts a text to its canonical form.
    pub spelling: Option<fn(&str) -> Cow<'_, str>>,
    /// The meaning of a left-out structure.
    pub presence: Presence,
    /// The member that switches the structure on; a structure that is off equals one that is absent.
    pub gate: Option<&'static str>,
    /// The list is a set of values.
    pub set: bool,
    /// The list's elements are pairs of a key and this member; they are addressed as one.
    pub pair: Option<&'static str>,
    /// `""` is a value of its own, not the same as absence.
    pub keep_empty: bool,
    /// Elements of the list that only live has are not managed.
    pub only_declared: bool,
    /// A list that live lacks altogether was not read, so nothing is known about it.
    pub unread_when_absent: bool,
    /// Elements of the list that are ignored.
    pub skip: Option<fn(&Value) -> bool>,
    /// Finds the field in live, when it is not under its name in the request.
    pub live: Option<fn(&Value) -> Option<&Value>>,
    /// An additional test of equality.
    pub equal: Option<Equal>,
    /// A custom comparison.
    pub compare: Option<Compare>,
}

/// A field's own test of whether desired and live are equal.
pub(crate) type Equal = fn(&Scope, Option<&Value>, Option<&Value>) -> bool;

/// A custom comparison: it reports the differences between desired and live.
pub(crate) type Compare = for<'a> fn(&mut Comparison<'a>, &'static Field, Option<&'a Value>, Option<&'a Value>);

/// AWS's value of a left-out field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fallback {
    /// Nothing: absence is a value of its own.
    Absent,
    Text(&'static str),
    Texts(&'static [&'static str]),
    Int(i64),
    Flag(bool),
    /// It depends on the rest of the document.
    By(fn(Side) -> Option<Value>),
}

/// The live values that are accepted when the desired document leaves the field out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Undeclared {
    /// The default alone.
    Default,
    /// Anything: the field is not managed, or AWS's default cannot be known.
    Anything,
    /// The default, and whatever this accepts.
    These(fn(&Scope, &Value) -> bool),
}

/// The meaning of a left-out structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The structure with all its members at their defaults: differences are reported member by member.
    Always,
    /// No structure, which equals one that has nothing but defaults.
    Optional,
    /// No structure, which equals nothing but `{}`: its presence has a meaning.
    Marked,
}

/// One of the two documents, seen from one of its fields.
#[derive(Clone, Copy)]
pub(crate) struct Side<'s> {
    /// The document.
    pub root: &'s Value,
    /// The structure that the field is a member of, or would be.
    pub parent: Option<&'s Value>,
}

/// Both documents, seen from one of their fields.
pub(crate) struct Scope<'s> {
    pub desired: Side<'s>,
    pub live: Side<'s>,
    /// The structure around the parent, desired and live.
    pub grandparents: [Option<&'s Value>; 2],
    pub context: &'s Context,
}

impl Rule {
    /// A field whose absence is a value of its own, compared as the model types it.
    pub const PLAIN: Self = Self {
        default: Fallback::Absent,
        undeclared: Undeclared::Default,
        spelling: None,
        presence: Presence::Optional,
        gate: None,
        set: false,
        pair: None,
        keep_empty: false,
        only_declared: false,
        unread_when_absent: false,
        skip: None,
        live: None,
        equal: None,
        compare: None,
    };

    /// A structure that exists even when it is left out, with its members' defaults.
    pub const ALWAYS: Self = Self { presence: Presence::Always, ..Self::PLAIN };
    /// A structure whose presence has a meaning even when all its members are at their defaults.
    pub const MARKED: Self = Self { presence: Presence::Marked, ..Self::PLAIN };
    /// A list whose order has no meaning.
    pub const SET: Self = Self { set: true, ..Self::PLAIN };
    /// A field that is not managed unless the document declares it.
    pub const IF_DECLARED: Self = Self { undeclared: Undeclared::Anything, ..Self::PLAIN };
    /// A field that responses do not have, or that is compared together with another one.
    pub const NEVER: Self = Self { compare: Some(|_, _, _, _| {}), ..Self::PLAIN };

    pub const fn text(self, default: &'static str) -> Self {
        Self { default: Fallback::Text(default), ..self }
    }

    pub const fn texts(self, default: &'static [&'static str]) -> Self {
        Self { default: Fallback::Texts(default), ..self }
    }

    pub const fn int(self, default: i64) -> Self {
        Self { default: Fallback::Int(default), ..self }
    }

    pub const fn flag(self, default: bool) -> Self {
        Self { default: Fallback::Flag(default), ..self }
    }

    pub const fn default_by(self, default: fn(Side) -> Option<Value>) -> Self {
        Self { default: Fallback::By(default), ..self }
    }

    pub const fn accepts(self, these: fn(&Scope, &Value) -> bool) -> Self {
        Self { undeclared: Undeclared::These(these), ..self }
    }

    pub const fn spelling(self, canonical: fn(&str) -> Cow<'_, str>) -> Self {
        Self { spelling: Some(canonical), ..self }
    }

    pub const fn always(self) -> Self {
        Self { presence: Presence::Always, ..self }
    }

    pub const fn gate(self, member: &'static str) -> Self {
        Self { gate: Some(member), ..self }
    }

    pub const fn pair(self, value: &'static str) -> Self {
        Self { pair: Some(value), ..self }
    }

    pub const fn keep_empty(self) -> Self {
        Self { keep_empty: true, ..self }
    }

    pub const fn only_declared(self) -> Self {
        Self { only_declared: true, unread_when_absent: true, ..self }
    }

    pub const fn skip(self, element: fn(&Value) -> bool) -> Self {
        Self { skip: Some(element), ..self }
    }

    pub const fn live(self, read: fn(&Value) -> Option<&Value>) -> Self {
        Self { live: Some(read), ..self }
    }

    pub const fn equal(self, equal: Equal) -> Self {
        Self { equal: Some(equal), ..self }
    }

    pub const fn compare(self, compare: Compare) -> Self {
        Self { compare: Some(compare), ..self }
    }
}

/// Tags, which every kind has: those of AWS and trueup are never drift, and foreign ones are never removed.
pub(crate) const fn tags(value: &'static str) -> Rule {
    Rule::PLAIN.pair(value).only_declared().skip(is_reserved_tag)
}

fn is_reserved_tag(tag: &Value) -> bool {
    let key = tag.get("key").or_else(|| tag.get("Key")).and_then(Value::as_str);
    key.is_some_and(|key| key.starts_with("aws:") || key.starts_with("trueup:"))
}
