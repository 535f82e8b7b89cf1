//! Reads TOML 1.1 with the place of every key and value.
//!
//! The tables are built here from `toml_parser`'s events, not by the `toml` crate, which loses the place of a
//! duplicate's first key, and limits the nesting of brackets but not of headers with dotted keys below them, whose
//! tables can be deep enough to overflow the stack when they are dropped.

mod tables;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Number;
use toml_parser::decoder::ScalarKind;
use toml_parser::parser::{Event, EventKind, RecursionGuard, ValidateWhitespace};
use toml_parser::{ErrorSink, Expected, ParseError, Source};

use self::tables::{Key, Opened, Tables, span};
use super::node::{Node, NodeValue};
use super::problem::Problem;
use super::source::SourceFile;
use super::{DEPTH_MAX, SYNTAX_PROBLEMS_MAX, too_deep};
use crate::pointer::Pointer;

/// Reads a file as TOML.
pub(super) fn parse(file: &Arc<SourceFile>) -> Result<Node, Vec<Problem>> {
    let source = Source::new(file.text());
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    let mut errors = Errors::default();
    let mut receiver = ValidateWhitespace::new(&mut events, source);
    // This limit bounds the parser's recursion; ours, in `value` and in `tables`, counts headers and dotted keys too.
    let mut receiver = RecursionGuard::new(&mut receiver, u32::try_from(DEPTH_MAX).expect("it is a small number"));
    toml_parser::parser::parse_document(&tokens, &mut receiver, &mut errors);
    events.retain(|event| !is_space(event.kind()));

    let mut reader = TomlReader { file, source, events, at: 0, problems: Vec::new(), decoding: Errors::default() };
    let tables = reader.document();
    let problems = reader.into_problems(&errors);
    if problems.is_empty() { Ok(tables.into_node(None)) } else { Err(problems) }
}

fn is_space(kind: EventKind) -> bool {
    matches!(kind, EventKind::Whitespace | EventKind::Comment | EventKind::Newline | EventKind::Error)
}

/// The first problems, with the parser's messages. The parser can find one in every byte of a file.
#[derive(Default)]
struct Errors {
    kept: Vec<ParseError>,
    count: usize,
}

impl ErrorSink for Errors {
    fn report_error(&mut self, error: ParseError) {
        self.count += 1;
        if self.kept.len() < SYNTAX_PROBLEMS_MAX {
            self.kept.push(error);
        }
    }
}

struct TomlReader<'a> {
    file: &'a Arc<SourceFile>,
    source: Source<'a>,
    /// The tokens of the file, without spaces and comments.
    events: Vec<Event>,
    at: usize,
    problems: Vec<Problem>,
    /// The errors inside keys and scalars, with the parser's messages.
    decoding: Errors,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's events are many; each place takes a few of them")]
impl<'a> TomlReader<'a> {
    fn document(&mut self) -> Tables<'a> {
        let mut tables = Tables::new(self.file, 0..0);
        // `None` under an invalid header: its keys belong to no table.
        let mut under = Some(Opened::root());
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => under = self.header(&event, &mut tables),
                EventKind::SimpleKey => {
                    let depth = under.as_ref().map_or(1, |under| under.depth);
                    if let Some((keys, value)) = self.key_value(&event, depth)
                        && let Some(under) = &under
                        && let Err(problem) = tables.insert(under, keys, value)
                    {
                        self.report(problem);
                    }
                }
                // The rest of invalid syntax, which is among the errors.
                _ => {}
            }
        }
        tables
    }

    /// Reads `[a.b]` or `[[a.b]]` from its opening bracket.
    fn header(&mut self, open: &Event, tables: &mut Tables<'_>) -> Option<Opened> {
        let mut keys = Vec::new();
        let mut place = open.span().start()..open.span().end();
        while let Some(kind) = self.next_kind() {
            match kind {
                EventKind::SimpleKey => {
                    let first = self.next()?;
                    keys = self.keys(&first);
                }
                EventKind::StdTableClose | EventKind::ArrayTableClose => {
                    place.end = self.next()?.span().end();
                    break;
                }
                // The closing bracket is missing, which is among the errors.
                _ => break,
            }
        }
        if keys.is_empty() {
            return None;
        }
        match tables.open(keys, place, open.kind() == EventKind::ArrayTableOpen) {
            Ok(opened) => Some(opened),
            Err(problem) => {
                self.report(problem);
                None
            }
        }
    }

    /// Reads `a.b = value` from its first key, in an object at `depth`. `None` when it was reported.
    fn key_value(&mut self, first: &Event, depth: usize) -> Option<(Vec<Key>, Node)> {
        let keys = self.keys(first);
        if self.next_kind() != Some(EventKind::KeyValSep) {
            return None;
        }
        self.at += 1;
        let value = self.value(depth + keys.len() - 1)?;
        Some((keys, value))
    }

    /// The parts of the dotted key that `first` begins.
    fn keys(&mut self, first: &Event) -> Vec<Key> {
        let mut keys = vec![self.key(first)];
        while self.next_kind() == Some(EventKind::KeySep) {
            self.at += 1;
            if self.next_kind() == Some(EventKind::SimpleKey)
                && let Some(event) = self.next()
            {
                keys.push(self.key(&event));
            }
        }
        keys
    }

    fn key(&mut self, event: &Event) -> Key {
        let mut name = Cow::Borrowed("");
        if let Some(raw) = self.source.get(event) {
            raw.decode_key(&mut name, &mut self.decoding);
        }
        Key { name: name.into_owned(), place: event.span().start()..event.span().end() }
    }

    /// The value that comes next, in an object or list at `depth`. `None` when it was reported.
    fn value(&mut self, depth: usize) -> Option<Node> {
        match self.next_kind()? {
            EventKind::Scalar => {
                let event = self.next()?;
                self.scalar(&event)
            }
            EventKind::ArrayOpen | EventKind::InlineTableOpen if depth >= DEPTH_MAX => {
                let open = self.next()?.span();
                self.report(too_deep(self.file, open.start()..open.end(), &Pointer::root()));
                self.skip_nested();
                None
            }
            EventKind::ArrayOpen => Some(self.list(depth + 1)),
            EventKind::InlineTableOpen => Some(self.inline_table(depth + 1)),
            _ => None,
        }
    }

    /// Skips to the end of the bracket that was just opened, without recursion.
    fn skip_nested(&mut self) {
        let mut open = 1_usize;
        while open > 0
            && let Some(event) = self.next()
        {
            match event.kind() {
                EventKind::ArrayOpen | EventKind::InlineTableOpen => open += 1,
                EventKind::ArrayClose | EventKind::InlineTableClose => open -= 1,
                _ => {}
            }
        }
    }

    fn list(&mut self, depth: usize) -> Node {
        let mut place = self.place_of_next();
        let mut items = Vec::new();
        while let Some(kind) = self.next_kind() {
            match kind {
                EventKind::Scalar | EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    items.extend(self.value(depth));
                }
                EventKind::ValueSep => self.at += 1,
                EventKind::ArrayClose => {
                    place.end = self.place_of_next().end;
                    break;
                }
                _ => break,
            }
        }
        Node { value: NodeValue::List(items), span: span(self.file, place) }
    }

    fn inline_table(&mut self, depth: usize) -> Node {
        let place = self.place_of_next();
        let mut end = place.end;
        let mut tables = Tables::new(self.file, place);
        let under = Opened::inline(depth);
        while let Some(kind) = self.next_kind() {
            match kind {
                EventKind::SimpleKey => {
                    let Some(first) = self.next() else { break };
                    if let Some((keys, value)) = self.key_value(&first, depth)
                        && let Err(problem) = tables.insert(&under, keys, value)
                    {
                        // The path of the inline table itself is not known yet.
                        self.report(Problem { field: None, ..problem });
                    }
                }
                EventKind::ValueSep => self.at += 1,
                EventKind::InlineTableClose => {
                    end = self.place_of_next().end;
                    break;
                }
                _ => break,
            }
        }
        tables.into_node(Some(end))
    }

    fn scalar(&mut self, event: &Event) -> Option<Node> {
        let place = event.span().start()..event.span().end();
        let raw = self.source.get(event)?;
        let mut text = Cow::Borrowed("");
        let errors_before = self.decoding.count;
        let kind = raw.decode_scalar(&mut text, &mut self.decoding);
        if self.decoding.count > errors_before {
            return None;
        }
        let value = match kind {
            ScalarKind::String => Some(NodeValue::String(text.into_owned())),
            ScalarKind::Boolean(value) => Some(NodeValue::Bool(value)),
            ScalarKind::Integer(radix) => integer(&text, radix.value()).map(NodeValue::Number),
            ScalarKind::Float => float(&text).map(NodeValue::Number),
            ScalarKind::DateTime => None,
        };
        if value.is_none() {
            // The value itself is not shown: it may be a secret without its quotes.
            let (message, help) = if matches!(kind, ScalarKind::DateTime) {
                ("AWS requests have no dates and times", "write it as text, in quotes")
            } else {
                ("this is not a number that JSON has", "write decimal digits")
            };
            self.report(Problem {
                field: None,
                ..Problem::at("not-json", &span(self.file, place.clone()), &Pointer::root(), message).help(help)
            });
        }
        Some(Node { value: value?, span: span(self.file, place) })
    }

    fn next(&mut self) -> Option<Event> {
        let event = self.events.get(self.at).copied()?;
        self.at += 1;
        Some(event)
    }

    fn next_kind(&self) -> Option<EventKind> {
        self.events.get(self.at).map(Event::kind)
    }

    /// Consumes the next event, which the caller has peeked at.
    fn place_of_next(&mut self) -> std::ops::Range<usize> {
        let span = self.next().expect("the caller has seen it").span();
        span.start()..span.end()
    }

    /// Records a problem, up to the limit.
    fn report(&mut self, problem: Problem) {
        if self.problems.len() < SYNTAX_PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    fn into_problems(self, errors: &Errors) -> Vec<Problem> {
        let mut problems = self.problems;
        for error in errors.kept.iter().chain(&self.decoding.kept) {
            let place = error.unexpected().map_or(0..0, |span| span.start()..span.end());
            problems.push(if error.description().starts_with("cannot recurse") {
                too_deep(self.file, place, &Pointer::root())
            } else {
                let unquoted = error.description().starts_with("string values must be quoted");
                let help = unquoted.then(|| "write text in quotes: `\"…\"`".to_owned());
                let span = span(self.file, place);
                Problem { field: None, help, ..Problem::at("syntax", &span, &Pointer::root(), describe(error)) }
            });
        }
        // One bracket too deep may be followed by any number of others; the first is enough.
        problems.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        let mut reported = false;
        problems.retain(|problem| problem.code != "nested-too-deeply" || !std::mem::replace(&mut reported, true));
        problems
    }
}

/// The parser's message, with what it expected.
fn describe(error: &ParseError) -> String {
    let expected = error.expected().unwrap_or_default().iter().map(|expected| {
        if let Expected::Literal(literal) = expected {
            if *literal == "\n" { "a new line".to_owned() } else { format!("`{literal}`") }
        } else if let Expected::Description(description) = expected {
            (*description).to_owned()
        } else {
            "something else".to_owned()
        }
    });
    let expected: Vec<String> = expected.collect();
    if expected.is_empty() {
        error.description().to_owned()
    } else {
        format!("{}: expected {}", error.description(), expected.join(" or "))
    }
}

/// A whole number in plain decimal. `None` when it is unreasonably large.
fn integer(digits: &str, radix: u32) -> Option<Number> {
    if radix == 10 {
        digits.strip_prefix('+').unwrap_or(digits).parse().ok()
    } else {
        u128::from_str_radix(digits, radix).ok().and_then(Number::from_u128)
    }
}

/// A decimal number as JSON writes it. `None` for `inf` and `nan`.
fn float(text: &str) -> Option<Number> {
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}
