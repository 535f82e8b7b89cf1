//! Checks a document against AWS's API model: types, required members, legal values, ranges, lengths and patterns.
//!
//! Offline and complete: every problem of a document at once. Facts that only AWS knows (whether a role exists) are not
//! checked here, nor are rules that the model lacks: those are in `desired::rules`.

mod unknown;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{LazyLock, RwLock};

use regex::Regex;

pub(crate) use self::unknown::nearest;
use super::node::{Node, NodeValue};
use super::problem::Problem;
use super::source::Span;
use super::{Format, is_one_reference};
use crate::drift::{Beside, Shown};
use crate::kind::Kind;
use crate::model::{Api, List, MapShape, Model, Range, Shape, StringShape, Structure};
use crate::pointer::Pointer;

/// How strictly a document is checked.
#[derive(Clone, Debug, Default)]
pub struct Validation {
    /// Whether `${…}` in strings is still a reference.
    pub references: References,
    /// Members that are accepted although the model does not know them, with everything in them. A list's items are
    /// addressed by index, by their `name`, or all by `*`; `*` matches any one segment.
    pub allow_unknown: Vec<Pointer>,
}

/// Whether `${…}` in strings is still a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// The text of a string with `${` in it is not checked, and exactly one reference is accepted where the API wants a
    /// number or boolean.
    #[default]
    Pending,
    /// Strings are as AWS receives them.
    Resolved,
}

/// The maximum number of problems reported per document, give or take those of one object. A file of
/// [`super::FILE_SIZE_MAX`] has room for a hundred thousand, too many to read.
const PROBLEMS_MAX: usize = 200;

/// Checks a whole document of a kind: the request's shape, the member that a kind has in addition to it, and the
/// members that trueup sets itself. The `[trueup]` table has been removed before.
///
/// Problems are ordered from top to bottom and limited to the first few hundred. `cluster` is accepted in a service;
/// the caller checks whether it contradicts the environment.
pub fn validate_document(node: &Node, kind: Kind, options: &Validation) -> Vec<Problem> {
    let facts = kind.facts();
    let (api, _) = facts.request;
    let mut walk = Walk::new(api, options);
    walk.kind = Some(kind);
    walk.extra = facts.beside.map(|beside| (beside.member, shape_of(api, beside)));
    walk.structure(node, kind.shape());
    let mut problems = walk.problems;
    if let NodeValue::Object(members) = &node.value {
        for &(name, help) in facts.set_by_us {
            if let Some(member) = members.get(name) {
                let message = format!("`{name}` is set by trueup and not allowed in a document");
                let field = Pointer::root().join(name);
                problems.push(Problem::at("set-by-trueup", &member.key, &field, message).help(help));
            }
        }
    }
    problems.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    problems
}

/// Checks a value against a shape of an API, as [`validate_document`] does for whole documents.
///
/// `null` means "not set", as in the AWS CLI: a member that is null is accepted unless it is required. In lists and
/// maps it is a type error.
pub fn validate(node: &Node, api: Api, shape: &Structure, options: &Validation) -> Vec<Problem> {
    let mut walk = Walk::new(api, options);
    walk.structure(node, shape);
    walk.problems.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    walk.problems
}

/// The shape of a member that documents have in addition to the request's.
pub(super) fn shape_of(api: Api, beside: Beside) -> &'static Shape {
    let model = Model::aws();
    model.shape(api, &model.input(api, beside.operation).members[beside.member].shape)
}

/// A step from a value into it.
#[derive(Clone, Copy)]
enum PathStep<'a> {
    Member(&'a str),
    Item(usize, &'a Node),
}

struct Walk<'a> {
    api: Api,
    model: &'static Model,
    options: &'a Validation,
    /// The kind of the document, when a whole one is checked.
    kind: Option<Kind>,
    /// A member that the outermost structure has besides those of its shape.
    extra: Option<(&'static str, &'a Shape)>,
    /// The path from the root to the value being checked.
    path: Vec<PathStep<'a>>,
    /// The structures on that path, each with the length of its own path, the innermost last.
    within: Vec<(&'a Structure, usize)>,
    problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn new(api: Api, options: &'a Validation) -> Self {
        let (path, within, problems) = (Vec::new(), Vec::new(), Vec::new());
        Self { api, model: Model::aws(), options, kind: None, extra: None, path, within, problems }
    }

    fn value(&mut self, node: &'a Node, shape: &'a Shape) {
        if self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        match shape {
            Shape::Structure(structure) => self.structure(node, structure),
            Shape::List(list) => self.list(node, list),
            Shape::Map(map) => self.map(node, map),
            Shape::String(string) => self.string(node, string),
            Shape::Integer(range) => self.integer(node, range, i64::from(i32::MIN)..=i64::from(i32::MAX)),
            Shape::Long(range) => self.integer(node, range, i64::MIN..=i64::MAX),
            Shape::Float(range) | Shape::Double(range) => self.decimal(node, range),
            Shape::Boolean {} => self.boolean(node),
            // These are in responses only.
            Shape::Timestamp {} | Shape::Blob {} => {}
        }
    }

    fn structure(&mut self, node: &'a Node, shape: &'a Structure) {
        if shape.document {
            return;
        }
        let NodeValue::Object(members) = &node.value else {
            let help = match (&node.value, Format::of(node.span.file.path())) {
                (NodeValue::List(_), Some(Format::Toml)) => "write `[name]` or `{ … }` instead of `[[name]]` or `[…]`",
                (NodeValue::List(_), _) => "write `{ … }` instead of `[…]`",
                _ => "write an object: `{ … }`",
            };
            return self.wrong_type(node, "an object", help);
        };
        self.within.push((shape, self.path.len()));
        for (name, member) in members {
            let known = match shape.members.get(name) {
                Some(known) => Some(self.model.shape(self.api, &known.shape)),
                None => self.extra.filter(|(extra, _)| self.path.is_empty() && extra == name).map(|(_, shape)| shape),
            };
            self.path.push(PathStep::Member(name));
            match known {
                Some(_) if member.node.value == NodeValue::Null => {}
                Some(known) => self.value(&member.node, known),
                None => self.unknown_member(name, &member.key, shape),
            }
            self.path.pop();
        }
        for name in &shape.required {
            if members.get(name).is_none_or(|member| member.node.value == NodeValue::Null) {
                self.missing(node, name, shape);
            }
        }
        self.within.pop();
    }

    fn missing(&mut self, node: &Node, name: &str, shape: &Structure) {
        let member = &shape.members[name];
        let value = match self.model.shape(self.api, &member.shape) {
            Shape::Structure(_) | Shape::Map(_) => "{ … }",
            Shape::List(_) => "[ … ]",
            Shape::Boolean {} => "true",
            Shape::Integer(_) | Shape::Long(_) | Shape::Float(_) | Shape::Double(_) => "1",
            Shape::String(_) | Shape::Timestamp {} | Shape::Blob {} => "\"…\"",
        };
        let mut help = match Format::of(node.span.file.path()) {
            Some(Format::Toml) => format!("write `{name} = {value}`"),
            Some(Format::Json) | None => format!("write `\"{name}\": {value}`"),
        };
        if let Some(doc) = &member.doc {
            help = format!("{help} ({})", doc.trim_end_matches('.'));
        }
        let field = self.pointer();
        let problem = Problem::at("missing-member", &first_line(&node.span), &field, format!("`{name}` is missing"));
        self.problems.push(problem.help(help));
    }

    fn list(&mut self, node: &'a Node, shape: &'a List) {
        let NodeValue::List(items) = &node.value else {
            let help = match (&node.value, Format::of(node.span.file.path())) {
                (NodeValue::Object(_), Some(Format::Toml)) => "write `[[name]]` instead of `[name]`, or `[{ … }]`",
                (NodeValue::Object(_), _) => "write it in brackets: `[{ … }]`",
                _ => "write it in brackets: `[…]`",
            };
            return self.wrong_type(node, "a list", help);
        };
        self.count(&node.span, items.len() as u64, (shape.min, shape.max), "item");
        let member = self.model.shape(self.api, &shape.member);
        for (index, item) in items.iter().enumerate() {
            self.path.push(PathStep::Item(index, item));
            self.value(item, member);
            self.path.pop();
        }
    }

    fn map(&mut self, node: &'a Node, shape: &'a MapShape) {
        let NodeValue::Object(members) = &node.value else {
            return self.wrong_type(node, "an object", "write an object: `{ … }`");
        };
        let key = self.model.shape(self.api, &shape.key);
        let value = self.model.shape(self.api, &shape.value);
        for (name, member) in members {
            self.path.push(PathStep::Member(name));
            if let Shape::String(key) = key {
                self.text(name, &member.key, key);
            }
            self.value(&member.node, value);
            self.path.pop();
        }
    }

    fn string(&mut self, node: &'a Node, shape: &'a StringShape) {
        match &node.value {
            NodeValue::String(text) => self.text(text, &node.span, shape),
            NodeValue::Number(_) | NodeValue::Bool(_) => {
                let help = match self.shown(node).filter(|_| !shape.sensitive) {
                    Some(value) => format!("write `\"{value}\"`"),
                    None => "write it in quotes".to_owned(),
                };
                self.wrong_type(node, "a string", help);
            }
            NodeValue::Null | NodeValue::List(_) | NodeValue::Object(_) => {
                self.wrong_type(node, "a string", "write text in quotes");
            }
        }
    }

    /// Checks a string's text, or a map's key.
    fn text(&mut self, text: &str, span: &Span, shape: &StringShape) {
        if self.options.references == References::Pending && text.contains("${") {
            return;
        }
        if !shape.values.is_empty() && !shape.values.iter().any(|value| value == text) {
            let values = shape.values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
            let help = match unknown::nearest(text, shape.values.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? The legal values are {values}"),
                None => format!("the legal values are {values}"),
            };
            self.report("illegal-value", span, format!("`{text}` is not a legal value here"), help);
        }
        if shape.min.is_some() || shape.max.is_some() {
            self.count(span, text.chars().count() as u64, (shape.min, shape.max), "character");
        }
        if let Some(pattern) = &shape.pattern
            && !matches(pattern, text)
        {
            let message = "the text has a form or characters that AWS does not accept here";
            self.report("illegal-text", span, message.to_owned(), format!("it must match `{pattern}`"));
        }
    }

    fn integer(&mut self, node: &'a Node, range: &Range, width: std::ops::RangeInclusive<i64>) {
        let NodeValue::Number(number) = &node.value else {
            return self.not_a_number(node, "a whole number", |text| text.parse::<i64>().is_ok());
        };
        if let Some(value) = number.as_i64().filter(|value| width.contains(value)) {
            #[expect(clippy::cast_precision_loss, reason = "the model's bounds are far below 2^53")]
            return self.bounds(node, value as f64, range);
        }
        // `1.0` is a whole number to a reader, but not to AWS.
        let whole = number.as_f64().filter(|value| value.fract() == 0.0);
        let digits_alone = number.as_str().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let message = if digits_alone { "does not fit here" } else { "is not a whole number" };
        let help = match whole.filter(|value| !digits_alone && value.abs() < 1e9) {
            Some(value) => format!("write `{value}`"),
            None => format!("write a whole number from {} to {}", width.start(), width.end()),
        };
        self.report("wrong-type", &node.span, format!("`{number}` {message}"), help);
    }

    fn decimal(&mut self, node: &'a Node, range: &Range) {
        let NodeValue::Number(number) = &node.value else {
            return self.not_a_number(node, "a number", |text| text.parse::<f64>().is_ok_and(f64::is_finite));
        };
        match number.as_f64().filter(|value| value.is_finite()) {
            Some(value) => self.bounds(node, value, range),
            None => self.report(
                "illegal-value",
                &node.span,
                format!("`{number}` is too large"),
                "write a smaller number".to_owned(),
            ),
        }
    }

    fn not_a_number(&mut self, node: &'a Node, wanted: &str, is_number: impl Fn(&str) -> bool) {
        match node.as_str() {
            Some(text) if self.may_become(text) => {}
            Some(text) if is_number(text) => self.wrong_type(node, wanted, format!("write `{text}` without quotes")),
            _ => self.wrong_type(node, wanted, "write decimal digits, without quotes"),
        }
    }

    fn boolean(&mut self, node: &'a Node) {
        match &node.value {
            NodeValue::Bool(_) => {}
            NodeValue::String(text) if self.may_become(text) => {}
            NodeValue::String(text) => match text.to_ascii_lowercase().as_str() {
                value @ ("true" | "false") => {
                    self.wrong_type(node, "a boolean", format!("write `{value}` without quotes"));
                }
                _ => self.wrong_type(node, "a boolean", "write `true` or `false`"),
            },
            NodeValue::Null | NodeValue::Number(_) | NodeValue::List(_) | NodeValue::Object(_) => {
                self.wrong_type(node, "a boolean", "write `true` or `false`");
            }
        }
    }

    /// Whether a string is a reference whose value is checked once it is resolved.
    fn may_become(&self, text: &str) -> bool {
        self.options.references == References::Pending && is_one_reference(text)
    }

    fn bounds(&mut self, node: &Node, value: f64, range: &Range) {
        let wanted = match (range.min, range.max) {
            (Some(min), Some(max)) if !(min..=max).contains(&value) => format!("a number from {min} to {max}"),
            (Some(min), None) if value < min => format!("a number of at least {min}"),
            (None, Some(max)) if value > max => format!("a number of at most {max}"),
            _ => return,
        };
        let than = if range.min.is_some_and(|min| value < min) { "less" } else { "more" };
        let message = format!("`{value}` is {than} than AWS accepts here");
        self.report("out-of-range", &node.span, message, format!("write {wanted}"));
    }

    /// Checks a number of characters or items.
    fn count(&mut self, span: &Span, count: u64, (min, max): (Option<u64>, Option<u64>), what: &str) {
        let plural = |count: u64| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let help = match (min, max) {
            (Some(min), _) if count < min => format!("write at least {}", plural(min)),
            (_, Some(max)) if count > max => format!("write at most {}", plural(max)),
            _ => return,
        };
        let message = format!("there {} {} here", if count == 1 { "is" } else { "are" }, plural(count));
        self.report("illegal-length", &first_line(span), message, help);
    }

    fn wrong_type(&mut self, node: &Node, wanted: &str, help: impl Into<String>) {
        let message = match self.path.last() {
            Some(PathStep::Member(name)) => format!("`{name}` is {}, not {wanted}", node.kind_name()),
            Some(PathStep::Item(..)) => format!("this item is {}, not {wanted}", node.kind_name()),
            None => format!("the document is {}, not {wanted}", node.kind_name()),
        };
        self.report("wrong-type", &first_line(&node.span), message, help.into());
    }

    fn report(&mut self, code: &'static str, span: &Span, message: String, help: String) {
        let field = self.pointer();
        self.problems.push(Problem::at(code, span, &field, message).help(help));
    }

    /// A scalar as JSON writes it. `None` for a value that must not be shown.
    fn shown(&self, node: &Node) -> Option<String> {
        let value = node.to_json();
        let shown = Shown::at(&self.pointer(), &value).to_json();
        (shown == value).then(|| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// The field being checked, lists by index.
    fn pointer(&self) -> Pointer {
        let segment = |step: &PathStep<'_>| match step {
            PathStep::Member(name) => (*name).to_owned(),
            PathStep::Item(index, _) => index.to_string(),
        };
        self.path.iter().map(segment).collect()
    }
}

/// The part of a span that is on its first line, for problems of a whole object.
fn first_line(span: &Span) -> Span {
    let text = &span.file.text()[span.range.clone()];
    let length = text.find(['\n', '\r']).unwrap_or(text.len());
    Span { file: span.file.clone(), range: span.range.start..span.range.start + length }
}

/// Whether a text as a whole matches one of the model's patterns.
fn matches(pattern: &str, text: &str) -> bool {
    /// Compiling a pattern with Unicode classes takes a thousand times as long as matching it. The model has a dozen.
    static COMPILED: LazyLock<RwLock<BTreeMap<String, Regex>>> = LazyLock::new(RwLock::default);
    const UNPOISONED: &str = "nothing that holds the lock can panic";
    if let Some(regex) = COMPILED.read().expect(UNPOISONED).get(pattern) {
        return regex.is_match(text);
    }
    let regex = compile(pattern).expect("a test compiles every pattern of the model");
    let is_match = regex.is_match(text);
    COMPILED.write().expect(UNPOISONED).insert(pattern.to_owned(), regex);
    is_match
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"\A(?:{pattern})\z"))
}
