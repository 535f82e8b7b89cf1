//! A document whose references to AWS are not resolved yet, and how they are resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::template::{Piece, Template};
use super::{Document, Ignore, Lookup, Unresolved};
use crate::document::{Node, Problem, References, SourceFile, Span, Validation, validate_document};
use crate::kind::{self, Kind};
use crate::live::Observed;

/// A document whose references to AWS are not resolved yet.
///
/// Kept as text, without the place of every value: ten thousand of them stay in memory for as long as their commit is the
/// current one, and they are only read when an answer of AWS changes.
#[derive(Clone)]
pub struct UnresolvedDocument {
    /// The kind of document.
    pub kind: Kind,
    /// The file's name without its extension, or the kind's name where an application has only one.
    pub name: String,
    /// The file's path relative to the root of the desired state; the overlay's where there is no base file.
    pub path: String,
    /// The name of its resource in AWS; `None` when the files do not contain it, and for kinds whose resources have no
    /// name of their own.
    pub in_aws: Option<String>,
    /// The AWS request as JSON, with overlays merged and without trueup's own table.
    json: Box<str>,
    /// The strings in it that wait for AWS's answers, each with its place.
    templates: Vec<(Template, String)>,
}

impl UnresolvedDocument {
    /// Keeps the request of `node` as text. `templates` are the strings in it that wait for AWS's answers.
    pub(super) fn new(
        kind: Kind,
        name: String,
        path: String,
        in_aws: Option<String>,
        node: &Node,
        templates: Vec<(Template, String)>,
    ) -> Self {
        let json = serde_json::to_string(&node.value).expect("objects have text as keys, so nothing can fail");
        Self { kind, name, path, in_aws, json: json.into(), templates }
    }

    /// The AWS request. References that wait for AWS's answers are still as written in the file.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.json).expect("it was written as JSON")
    }

    /// The strings in it that wait for AWS's answers.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter().map(|(template, _)| template)
    }

    /// Puts AWS's answers into the document; references without an answer are added to `unresolved`.
    pub(super) fn resolve(
        &self,
        found: &BTreeMap<Lookup, Observed<String>>,
        allow_unknown: &[Ignore],
        unresolved: &mut Vec<Unresolved>,
    ) -> Document {
        let mut awaits = BTreeSet::new();
        let mut body = self.body();
        let mut references = References::Resolved;
        for (template, place) in &self.templates {
            match fill(template, place, found, &mut awaits, unresolved) {
                Some(text) => template.fill(&mut body, text),
                None => references = References::Pending,
            }
        }
        if !self.templates.is_empty() {
            self.check(&body, references, allow_unknown, unresolved);
        }
        let digest = kind::digest(self.kind, &body);
        Document { kind: self.kind, name: self.name.clone(), path: self.path.clone(), body, digest, awaits }
    }

    /// Checks the resolved references alone: the rest was valid before.
    fn check(&self, body: &Value, references: References, allow_unknown: &[Ignore], unresolved: &mut Vec<Unresolved>) {
        let place = Span { file: SourceFile::new(&*self.path, ""), range: 0..0 };
        for problem in validate(self.kind, &self.name, &Node::of(body, &place), references, allow_unknown) {
            let template =
                self.templates.iter().find(|(template, _)| Some(&template.pointer) == problem.field.as_ref());
            unresolved.push(Unresolved {
                reference: template.map(|(template, _)| spellings(template)).unwrap_or_default(),
                location: template.map_or(problem.file, |(_, place)| place.clone()),
                reason: format!("resolved, but {}", problem.message),
                transient: false,
            });
        }
    }
}

/// The text of a template, when everything in it has an answer.
fn fill(
    template: &Template,
    place: &str,
    found: &BTreeMap<Lookup, Observed<String>>,
    awaits: &mut BTreeSet<(Kind, String)>,
    unresolved: &mut Vec<Unresolved>,
) -> Option<String> {
    let mut text = Some(String::new());
    for piece in &template.pieces {
        let (reference, lookup, document) = match piece {
            Piece::Text(more) => {
                if let Some(text) = &mut text {
                    text.push_str(more);
                }
                continue;
            }
            Piece::Lookup { reference, lookup, document } => (reference, lookup, document),
        };
        let (reason, transient) = match (found.get(lookup), document) {
            (Some(Observed::Present(answer)), _) => {
                if let Some(text) = &mut text {
                    text.push_str(answer);
                }
                continue;
            }
            (Some(Observed::Absent), Some(document)) => {
                awaits.insert((Kind::TargetGroup, document.clone()));
                text = None;
                continue;
            }
            (Some(Observed::Absent), None) => (format!("AWS has no {}", describe(lookup)), false),
            (Some(Observed::Unknown(failure)), _) => (failure.to_string(), failure.kind.is_transient()),
            (None, _) => ("it was not looked up".to_owned(), true),
        };
        text = None;
        unresolved.push(Unresolved { reference: reference.clone(), location: place.to_owned(), reason, transient });
    }
    text
}

/// The resource of a lookup in words.
fn describe(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Image { repository, tag, platform } => format!("image `{repository}:{tag}` for `{platform}`"),
        Lookup::TargetGroup(name) => format!("target group `{name}`"),
        Lookup::Listener { load_balancer, port } => {
            format!("listener on port {port} of load balancer `{load_balancer}`")
        }
        Lookup::Secret(name) => format!("secret `{name}`"),
        Lookup::Parameter(name) => format!("parameter `{name}`"),
        Lookup::StackResource { stack, logical_id } => format!("resource `{logical_id}` in stack `{stack}`"),
        Lookup::StackOutput { stack, key } => format!("output `{key}` of stack `{stack}`"),
    }
}

/// The references of a template, as written in the file.
fn spellings(template: &Template) -> String {
    let pieces = template.pieces.iter().filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Lookup { reference, .. } => Some(reference.as_str()),
    });
    pieces.collect::<Vec<_>>().join(" ")
}

/// Checks a document against the API model, except for members that `allow_unknown` accepts.
pub(super) fn validate(
    kind: Kind,
    name: &str,
    body: &Node,
    references: References,
    allow_unknown: &[Ignore],
) -> Vec<Problem> {
    let concerns = |allowed: &&Ignore| allowed.kind == kind && allowed.name.as_deref().is_none_or(|only| only == name);
    let allow_unknown = allow_unknown.iter().filter(concerns).map(|allowed| allowed.pointer.clone()).collect();
    validate_document(body, kind, &Validation { references, allow_unknown })
}
