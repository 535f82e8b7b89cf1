//! JSON Schema for editors, derived from AWS's API model.
//!
//! Draft-07, because TOML editors support no later one. A schema checks less than `trueup check`: it has no rules
//! across members, and does not see merged files. A TOML document names its schema in a comment,
//! `#:schema service.json`; JSON documents rely on the editor's settings, since a document has no members that AWS does
//! not know.

mod own;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

pub use self::own::{json_schema_of_app, json_schema_of_trueup};
use super::validate::shape_of;
use crate::kind::Kind;
use crate::model::{Api, Model, Range, Shape, StringShape, Structure};

/// The schema of one kind of documents.
///
/// Every structure of AWS's model is a definition under its own name. Where AWS restricts the form of a scalar, `${…}`
/// references are accepted as well.
pub fn json_schema(kind: Kind) -> Value {
    let facts = kind.facts();
    let (api, operation) = facts.request;
    let mut schemas = Schemas { api, seen: BTreeSet::new(), waiting: Vec::new() };
    let mut root = schemas.structure(kind.shape());
    let properties = root["properties"].as_object_mut().expect("a structure's schema has properties");
    if let Some(beside) = facts.beside {
        let mut property = schemas.value(shape_of(api, beside));
        property["description"] = json!(format!("{}, which {} sets.", beside.member, beside.operation));
        properties.insert(beside.member.to_owned(), property);
    }
    for (name, _) in facts.set_by_us {
        properties.shift_remove(*name);
    }
    let mut definitions = Map::new();
    while let Some((name, structure)) = schemas.waiting.pop() {
        definitions.insert(name.to_owned(), schemas.structure(structure));
    }
    definitions.sort_keys();
    definitions.insert("reference".to_owned(), reference());
    definitions.insert("text with references".to_owned(), text_with_references());

    let mut schema = head(kind.as_str(), &format!("{}: the request of AWS's {operation}", kind.as_str()));
    schema.extend(root.as_object().expect("a structure's schema is an object").clone());
    schema.insert("definitions".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

/// The beginning of every schema.
fn head(name: &str, title: &str) -> Map<String, Value> {
    let head = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": format!("https://github.com/trueup-io/trueup/schema/{name}.json"),
        "title": title,
    });
    head.as_object().expect("it is written as one").clone()
}

/// Exactly one reference, where AWS expects a number or boolean.
fn reference() -> Value {
    json!({ "type": "string", "pattern": r"^\$\{[^{}]+\}$" })
}

/// Text that contains a reference, where AWS expects text of a certain form.
fn text_with_references() -> Value {
    json!({ "type": "string", "pattern": r"\$\{" })
}

/// The schemas of one API's shapes.
struct Schemas {
    api: Api,
    /// The structures that are referred to.
    seen: BTreeSet<&'static str>,
    /// The referenced structures that have no definition yet.
    waiting: Vec<(&'static str, &'static Structure)>,
}

impl Schemas {
    fn structure(&mut self, shape: &'static Structure) -> Value {
        let mut out = json!({ "type": "object" });
        if let Some(doc) = &shape.doc {
            out["description"] = json!(doc);
        }
        if shape.document {
            return out;
        }
        let properties = shape.members.iter().map(|(name, member)| {
            let mut property = self.named(&member.shape);
            if let Some(doc) = &member.doc {
                // Draft-07 ignores members next to a `$ref`.
                if property.get("$ref").is_some() {
                    property = json!({ "allOf": [property] });
                }
                property["description"] = json!(doc);
            }
            if member.deprecated {
                property["deprecated"] = json!(true);
            }
            (name.clone(), property)
        });
        out["properties"] = Value::Object(properties.collect());
        if !shape.required.is_empty() {
            out["required"] = json!(shape.required);
        }
        out["additionalProperties"] = json!(false);
        out
    }

    /// The schema of a shape by name: structures by reference, all others in place.
    fn named(&mut self, name: &'static str) -> Value {
        let shape = Model::aws().shape(self.api, name);
        let Shape::Structure(structure) = shape else { return self.value(shape) };
        if self.seen.insert(name) {
            self.waiting.push((name, structure));
        }
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    fn value(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Structure(structure) => self.structure(structure),
            Shape::List(list) => {
                let mut out = json!({ "type": "array", "items": self.named(&list.member) });
                for (key, bound) in [("minItems", list.min), ("maxItems", list.max)] {
                    if let Some(bound) = bound.filter(|bound| *bound > 0) {
                        out[key] = json!(bound);
                    }
                }
                out
            }
            Shape::Map(map) => json!({ "type": "object", "additionalProperties": self.named(&map.value) }),
            Shape::String(string) => text(string),
            Shape::Integer(range) | Shape::Long(range) => or_reference(&number("integer", range)),
            Shape::Float(range) | Shape::Double(range) => or_reference(&number("number", range)),
            Shape::Boolean {} => or_reference(&json!({ "type": "boolean" })),
            // These are in responses only.
            Shape::Timestamp {} | Shape::Blob {} => json!({}),
        }
    }
}

fn or_reference(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "$ref": "#/definitions/reference" }] })
}

fn text(shape: &StringShape) -> Value {
    let mut out = json!({ "type": "string" });
    if !shape.values.is_empty() {
        out["enum"] = json!(shape.values);
    }
    for (key, bound) in [("minLength", shape.min), ("maxLength", shape.max)] {
        if let Some(bound) = bound.filter(|bound| *bound > 0) {
            out[key] = json!(bound);
        }
    }
    // Unicode classes are left to `trueup check`: many validators fail on a schema that has them.
    if let Some(pattern) = shape.pattern.as_ref().filter(|pattern| !pattern.contains(r"\p")) {
        out["pattern"] = json!(format!("^(?:{pattern})$"));
    }
    let has_form = out.as_object().is_some_and(|out| out.len() > 1);
    if has_form { json!({ "anyOf": [out, { "$ref": "#/definitions/text with references" }] }) } else { out }
}

fn number(kind: &str, range: &Range) -> Value {
    let mut out = json!({ "type": kind });
    for (key, bound) in [("minimum", range.min), ("maximum", range.max)] {
        if let Some(bound) = bound {
            out[key] = plain(bound);
        }
    }
    out
}

/// A bound in its shortest notation: `300`, not `300.0`.
fn plain(bound: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "the model's bounds are whole numbers far below 2^53")]
    let whole = bound as i64;
    json!(whole)
}
