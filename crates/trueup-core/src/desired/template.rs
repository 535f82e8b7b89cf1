//! Settling references: trueup's own files answer some at once, the others become templates for later.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Number, Value};

use super::reference::{Fault, Part, Reference, parse};
use super::{Environment, Lookup};
use crate::document::nearest;
use crate::document::{Node, NodeValue, Problem, Span};
use crate::kind::Kind;
use crate::model::{Api, Model, Shape};
use crate::pointer::Pointer;

/// The values that references resolve to while files are loaded.
pub(super) struct ReferenceScope<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// `[images.NAME]` of `app.toml`.
    pub images: &'a BTreeMap<String, Lookup>,
    /// The target group documents of the application, by file name without extension, with the name in AWS where it is
    /// known.
    pub target_groups: &'a BTreeMap<String, Option<String>>,
}

/// A string whose references AWS answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    /// Its field in the document.
    pub pointer: Pointer,
    /// The type of its value.
    value_type: ValueType,
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Literal text.
    Text(String),
    /// A value that AWS knows.
    Lookup {
        /// The reference as the file has it.
        reference: String,
        /// The lookup.
        lookup: Lookup,
        /// The target group document of the same application that it names, by its file's name.
        document: Option<String>,
    },
}

/// The type that the API expects in place of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueType {
    Text,
    Number,
    Flag,
}

impl Template {
    /// Writes the completed value of this template into the document that it was taken from.
    pub fn fill(&self, document: &mut Value, text: String) {
        let value = self.pointer.segments().iter().try_fold(document, |value, segment| match value {
            Value::Object(members) => members.get_mut(segment),
            Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        });
        *value.expect("a template is filled into the document that it was taken from") =
            self.value_type.value(text).to_json();
    }
}

impl ValueType {
    /// The type of a shape, for a string that is one reference and nothing else.
    fn at(shape: Option<&Shape>) -> Self {
        match shape {
            Some(Shape::Integer(_) | Shape::Long(_) | Shape::Float(_) | Shape::Double(_)) => Self::Number,
            Some(Shape::Boolean {}) => Self::Flag,
            _ => Self::Text,
        }
    }

    /// The value of a text. Text that does not have this type remains text, and validation reports it.
    fn value(self, text: String) -> NodeValue {
        match self {
            Self::Text => NodeValue::String(text),
            Self::Number => match text.parse::<Number>() {
                Ok(number) => NodeValue::Number(number),
                Err(_) => NodeValue::String(text),
            },
            Self::Flag => match text.parse::<bool>() {
                Ok(flag) => NodeValue::Bool(flag),
                Err(_) => NodeValue::String(text),
            },
        }
    }
}

/// Settles all references in a document: replaces those that `scope` answers and returns the others as templates,
/// each with its place.
pub(super) fn settle(
    kind: Option<Kind>,
    node: &mut Node,
    scope: &ReferenceScope<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<(Template, Span)> {
    let mut settling = TemplateRendering {
        api: kind.map(|kind| kind.request().0),
        scope,
        problems,
        pointer: Pointer::root(),
        templates: Vec::new(),
    };
    if let NodeValue::Object(members) = &mut node.value {
        settling.members(members, |name| {
            let kind = kind?;
            Some(Model::aws().shape(kind.request().0, &kind.shape().members.get(name)?.shape))
        });
    }
    settling.templates
}

struct TemplateRendering<'a> {
    api: Option<Api>,
    scope: &'a ReferenceScope<'a>,
    problems: &'a mut Vec<Problem>,
    pointer: Pointer,
    templates: Vec<(Template, Span)>,
}

impl TemplateRendering<'_> {
    fn members(
        &mut self,
        members: &mut IndexMap<String, crate::document::NodeMember>,
        shape_of: impl Fn(&str) -> Option<&'static Shape>,
    ) {
        for (name, member) in members {
            self.pointer.push(name.as_str());
            if name.contains("${") && !name.contains("$${") {
                self.problems.push(
                    Problem::at(
                        "reference-in-name",
                        &member.key,
                        &self.pointer,
                        "a member's name cannot hold a reference",
                    )
                    .help("write references in string values only"),
                );
            }
            self.node(&mut member.node, shape_of(name));
            self.pointer.pop();
        }
    }

    fn node(&mut self, node: &mut Node, shape: Option<&'static Shape>) {
        let api = self.api;
        let named = |name: &str| api.map(|api| Model::aws().shape(api, name));
        match &mut node.value {
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => {}
            NodeValue::String(text) => {
                if text.contains("${") {
                    let text = std::mem::take(text);
                    node.value = self.string(text, shape, &node.span);
                }
            }
            NodeValue::List(items) => {
                let inner = match shape {
                    Some(Shape::List(list)) => named(&list.member),
                    _ => None,
                };
                for (index, item) in items.iter_mut().enumerate() {
                    self.pointer.push(index.to_string());
                    self.node(item, inner);
                    self.pointer.pop();
                }
            }
            NodeValue::Object(members) => self.members(members, |name| match shape {
                Some(Shape::Structure(structure)) => named(&structure.members.get(name)?.shape),
                Some(Shape::Map(map)) => named(&map.value),
                _ => None,
            }),
        }
    }

    /// Settles one string that has a `${` in it.
    fn string(&mut self, text: String, shape: Option<&Shape>, span: &Span) -> NodeValue {
        let parts = match parse(&text) {
            Ok(parts) => parts,
            Err(faults) => {
                for fault in faults {
                    self.fault(fault, span);
                }
                return NodeValue::String(text);
            }
        };
        let value_type = match parts[..] {
            [Part::Reference(..)] => ValueType::at(shape),
            _ => ValueType::Text,
        };
        let mut pieces: Vec<Piece> = Vec::with_capacity(parts.len());
        let mut sound = true;
        for part in parts {
            let piece = match part {
                Part::Text(text) => Ok(Piece::Text(text)),
                Part::Reference(spelling, reference) => self.reference(spelling, reference),
            };
            match piece {
                Ok(Piece::Text(more)) => match pieces.last_mut() {
                    Some(Piece::Text(text)) => text.push_str(&more),
                    _ => pieces.push(Piece::Text(more)),
                },
                Ok(lookup) => pieces.push(lookup),
                Err(fault) => {
                    sound = false;
                    self.fault(fault, span);
                }
            }
        }
        if !sound {
            return NodeValue::String(text);
        }
        match pieces.as_mut_slice() {
            [] => NodeValue::String(String::new()),
            [Piece::Text(text)] => value_type.value(std::mem::take(text)),
            _ => {
                let shown = pieces.iter().map(|piece| match piece {
                    Piece::Text(text) => text.as_str(),
                    Piece::Lookup { reference, .. } => reference,
                });
                let shown = NodeValue::String(shown.collect());
                self.templates.push((Template { pointer: self.pointer.clone(), value_type, pieces }, span.clone()));
                shown
            }
        }
    }

    /// Settles one reference, as far as the files alone can.
    fn reference(&self, spelling: String, reference: Reference) -> Result<Piece, Fault> {
        let environment = self.scope.environment;
        let undefined = |message: String, help: String| Fault { piece: spelling.clone(), message, help };
        let lookup = match reference {
            Reference::Account => return Ok(Piece::Text(environment.account.clone())),
            Reference::Region => return Ok(Piece::Text(environment.region.clone())),
            Reference::Environment => return Ok(Piece::Text(environment.name.to_string())),
            Reference::Cluster => {
                return environment.cluster.clone().map(Piece::Text).ok_or_else(|| {
                    undefined(
                        format!("environment `{}` has no `cluster`", environment.name),
                        "set it in `trueup.toml`, or write the cluster's name here".to_owned(),
                    )
                });
            }
            Reference::Variable(name) => {
                return environment.variables.get(&name).cloned().map(Piece::Text).ok_or_else(|| {
                    undefined(
                        format!("there is no variable `{name}` in environment `{}`", environment.name),
                        meant(&name, environment.variables.keys(), "define it under `variables` in `trueup.toml`"),
                    )
                });
            }
            Reference::Image(name) => self.scope.images.get(&name).cloned().ok_or_else(|| {
                undefined(
                    format!("there is no image `{name}`"),
                    meant(&name, self.scope.images.keys(), &format!("declare it as `[images.{name}]` in `app.toml`")),
                )
            })?,
            Reference::TargetGroup(name) => {
                return match self.scope.target_groups.get(&name) {
                    None => {
                        Ok(Piece::Lookup { reference: spelling, lookup: Lookup::TargetGroup(name), document: None })
                    }
                    // Its name is unknown because its document is invalid, which is reported there.
                    Some(None) => Ok(Piece::Text(spelling)),
                    Some(Some(in_aws)) => Ok(Piece::Lookup {
                        reference: spelling,
                        lookup: Lookup::TargetGroup(in_aws.clone()),
                        document: Some(name),
                    }),
                };
            }
            Reference::Listener { load_balancer, port } => Lookup::Listener { load_balancer, port },
            Reference::Secret(name) => Lookup::Secret(name),
            Reference::Parameter(name) => Lookup::Parameter(name),
            Reference::StackResource { stack, logical_id } => Lookup::StackResource { stack, logical_id },
            Reference::StackOutput { stack, key } => Lookup::StackOutput { stack, key },
        };
        Ok(Piece::Lookup { reference: spelling, lookup, document: None })
    }

    fn fault(&mut self, fault: Fault, span: &Span) {
        let span = narrow(span, &fault.piece);
        self.problems.push(Problem::at("bad-reference", &span, &self.pointer, fault.message).help(fault.help));
    }
}

/// Help text that names the nearest known name, or else says what to do.
fn meant<'a>(name: &str, known: impl Iterator<Item = &'a String>, otherwise: &str) -> String {
    match nearest(name, known.map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    }
}

/// The piece of a string's span that holds `piece`; the whole span where escapes hide it.
fn narrow(span: &Span, piece: &str) -> Span {
    match span.file.text()[span.range.clone()].find(piece) {
        Some(at) => {
            let start = span.range.start + at;
            Span { file: span.file.clone(), range: start..start + piece.len() }
        }
        None => span.clone(),
    }
}

/// All lookups of the templates.
pub(super) fn lookups<'a>(templates: impl IntoIterator<Item = &'a Template>) -> BTreeSet<Lookup> {
    let pieces = templates.into_iter().flat_map(|template| &template.pieces);
    pieces
        .filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Lookup { lookup, .. } => Some(lookup.clone()),
        })
        .collect()
}
