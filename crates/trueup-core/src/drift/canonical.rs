//! The canonical form of a desired document, and its digest.
//!
//! Equal for documents whose own text means the same: types are coerced to the model's, keyed sets and sets sorted,
//! `null` omitted. Defaults are not filled in, so that a later release that knows more of them computes the same
//! digests.

use serde_json::{Map, Value};

use super::coerce::{Scalar, text};
use super::schema::{Absence, Field, Form, ListOrder, Schema};
use crate::digest::Digest;

/// The canonical form of a document: the input of [`digest`].
///
/// Where the schema says so, it omits empty values, and the member that is not part of the content.
pub fn canonical(schema: &Schema, document: &Value) -> Value {
    let drops_empty = schema.absence() == Absence::Empty;
    let mut canonical = Canonical { drops_empty }.value(schema.root(), document).unwrap_or(Value::Object(Map::new()));
    if let (Some(aside), Some(members)) = (schema.aside(), canonical.as_object_mut()) {
        members.shift_remove(aside);
    }
    canonical
}

/// The digest of a document's canonical form.
pub fn digest(schema: &Schema, document: &Value) -> Digest {
    Digest::of(canonical(schema, document).to_string().as_bytes())
}

struct Canonical {
    drops_empty: bool,
}

impl Canonical {
    /// `None` for a value that equals absence.
    fn value(&self, field: &Field, value: &Value) -> Option<Value> {
        let canonical = match (&field.form, value) {
            (_, Value::Null) => return None,
            (Form::Structure(members), Value::Object(object)) => {
                sorted(object, |name, value| match members.get(name) {
                    Some(member) => self.value(member, value),
                    None => plain(value),
                })
            }
            (Form::Map, Value::Object(object)) => sorted(object, |_, value| {
                text(value).map(|text| Value::from(text.into_owned())).or_else(|| plain(value))
            }),
            (Form::List(item, order), Value::Array(list)) => {
                let counted = list.iter().filter(|element| !field.rule.skip.is_some_and(|skip| skip(element)));
                let mut list: Vec<Value> = counted.filter_map(|element| self.element(field, item, element)).collect();
                match order {
                    ListOrder::Ordered => {}
                    ListOrder::Set => list.sort_by_cached_key(Value::to_string),
                    ListOrder::Keyed(key) => list.sort_by(|a, b| {
                        let by_key = key.of_json(a).cmp(&key.of_json(b));
                        by_key.then_with(|| a.to_string().cmp(&b.to_string()))
                    }),
                }
                if matches!(order, ListOrder::Set) {
                    list.dedup();
                }
                Value::Array(list)
            }
            (Form::Text | Form::Integer | Form::Real | Form::Flag, value) => {
                match Scalar::read(&field.form, &field.rule, value) {
                    Some(Scalar::Other(_)) => plain(value)?,
                    Some(scalar) => scalar.to_json(),
                    None => return None,
                }
            }
            (_, value) => plain(value)?,
        };
        let is_empty = match &canonical {
            Value::Array(list) => list.is_empty(),
            Value::Object(object) => object.is_empty(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        };
        (!(is_empty && self.drops_empty)).then_some(canonical)
    }

    /// An element of a list. Texts are verbatim: an empty argument of a command is an argument.
    fn element(&self, list: &Field, item: &Field, element: &Value) -> Option<Value> {
        match (&item.form, element) {
            (Form::Text, element) => {
                let text = text(element)?;
                let spelling = item.rule.spelling.or(list.rule.spelling);
                Some(Value::from(spelling.map_or_else(|| text.to_string(), |spelling| spelling(&text).into_owned())))
            }
            // An element stays even when all of it is empty: the number of elements counts.
            (_, element) => {
                self.value(item, element).or_else(|| element.is_object().then(|| Value::Object(Map::new())))
            }
        }
    }
}

/// JSON that the model says nothing about: sorted keys, no `null` members.
fn plain(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => return None,
        Value::Object(object) => sorted(object, |_, value| plain(value)),
        Value::Array(list) => Value::Array(list.iter().map(|value| plain(value).unwrap_or(Value::Null)).collect()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    })
}

fn sorted(object: &Map<String, Value>, canonical: impl Fn(&str, &Value) -> Option<Value>) -> Value {
    let mut members: Vec<_> =
        object.iter().filter_map(|(name, value)| Some((name.clone(), canonical(name, value)?))).collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(members.into_iter().collect())
}
