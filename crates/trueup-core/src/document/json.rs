//! Reads JSON (RFC 8259) with the place of every value.
//!
//! A reader of our own, because existing ones stop at the first problem, or accept what AWS does not. It accepts
//! exactly what `serde_json` accepts; anything else (comments, trailing commas, single quotes) is reported and skipped.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde_json::Number;

use super::node::{Node, NodeMember, NodeValue};
use super::problem::Problem;
use super::source::{SourceFile, Span};
use super::{DEPTH_MAX, SYNTAX_PROBLEMS_MAX, too_deep};
use crate::pointer::Pointer;

/// Reads a file as JSON.
pub(super) fn parse(file: &Arc<SourceFile>) -> Result<Node, Vec<Problem>> {
    let mut reader = JsonReader { file, text: file.text(), at: 0, path: Vec::new(), problems: Vec::new() };
    match reader.document() {
        Ok(node) if reader.problems.is_empty() => Ok(node),
        Ok(_) | Err(Unreadable) => Err(reader.problems),
    }
}

/// Reading cannot continue; the reason is among the problems.
struct Unreadable;

/// A step from an object or list into it.
enum KeyOrIndex {
    /// The member whose name is there, quotes included.
    Key(Range<usize>),
    Index(usize),
}

struct JsonReader<'a> {
    file: &'a Arc<SourceFile>,
    text: &'a str,
    at: usize,
    /// The path from the root to the value being read; its length is the depth.
    path: Vec<KeyOrIndex>,
    problems: Vec<Problem>,
}

impl<'a> JsonReader<'a> {
    fn document(&mut self) -> Result<Node, Unreadable> {
        self.skip_space()?;
        if self.peek().is_none() {
            return Err(self.stop(self.at..self.at, "not-an-object", "the file is empty", "write an object: `{ … }`"));
        }
        let node = self.value()?;
        self.skip_space()?;
        if self.peek().is_some() {
            let message = "there is something after the end of the document";
            return Err(self.stop(self.rest_of_line(), "syntax", message, "a file holds exactly one object"));
        }
        if !matches!(node.value, NodeValue::Object(_)) {
            let message = format!("the outermost value is {}, not an object", node.kind_name());
            let at = Pointer::root();
            self.problems.push(Problem::at("not-an-object", &node.span, &at, message).help("write an object: `{ … }`"));
        }
        Ok(node)
    }

    fn value(&mut self) -> Result<Node, Unreadable> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object()?,
            Some(b'[') => self.list()?,
            Some(b'"') => NodeValue::String(self.string()?.into_owned()),
            Some(b'\'') => NodeValue::String(self.single_quoted()?),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number()?,
            Some(byte) if is_word(byte) => self.word()?,
            Some(_) => {
                let found = self.character_at(start);
                return Err(self.stop(found, "syntax", "a value is missing here", "write a value, or `null`"));
            }
            None => return Err(self.unexpected_end()),
        };
        Ok(Node { value, span: self.span(start..self.at) })
    }

    fn object(&mut self) -> Result<NodeValue, Unreadable> {
        self.enter()?;
        let mut members: IndexMap<String, NodeMember> = IndexMap::new();
        while self.more(b'}')? {
            let key_start = self.at;
            let name = match self.peek() {
                Some(b'"') => self.string()?.into_owned(),
                Some(b'\'') => self.single_quoted()?,
                Some(byte) if is_word(byte) => {
                    let word = self.take_word();
                    let name = self.text[word.clone()].to_owned();
                    let help = "write the name in double quotes";
                    self.report(word, "syntax", "a member's name must be in double quotes", help)?;
                    name
                }
                Some(_) => {
                    let found = self.character_at(key_start);
                    return Err(self.stop(
                        found,
                        "syntax",
                        "a member's name is missing here",
                        "write `\"name\": value`",
                    ));
                }
                None => return Err(self.unexpected_end()),
            };
            let key = key_start..self.at;
            self.skip_space()?;
            match self.peek() {
                Some(b':') => self.at += 1,
                Some(b'=') => {
                    self.report(self.at..self.at + 1, "syntax", "JSON writes `:` between name and value", "write `:`")?;
                    self.at += 1;
                }
                Some(_) => {
                    // This may be half of a value: neither it nor a path with it is shown.
                    let message = "`:` is missing after this name";
                    return Err(self.stop(key, "syntax", message, "write `\"name\": value`"));
                }
                None => return Err(self.unexpected_end()),
            }
            self.path.push(KeyOrIndex::Key(key.clone()));
            self.skip_space()?;
            let node = self.value()?;
            match members.entry(name) {
                Entry::Vacant(vacant) => {
                    vacant.insert(NodeMember { key: self.span(key), node });
                }
                Entry::Occupied(first) => {
                    let (line, column) = first.get().key.position();
                    let message = format!("`{}` is here a second time", first.key());
                    let help = format!("it is already in line {line}, column {column}: keep one of them");
                    self.report(key, "duplicate-key", message, help)?;
                }
            }
            self.path.pop();
        }
        Ok(NodeValue::Object(members))
    }

    fn list(&mut self) -> Result<NodeValue, Unreadable> {
        self.enter()?;
        let mut items = Vec::new();
        while self.more(b']')? {
            self.path.push(KeyOrIndex::Index(items.len()));
            items.push(self.value()?);
            self.path.pop();
        }
        Ok(NodeValue::List(items))
    }

    /// Skips the opening bracket, unless the nesting is too deep.
    fn enter(&mut self) -> Result<(), Unreadable> {
        if self.path.len() >= DEPTH_MAX {
            let field = self.field();
            self.problems.push(too_deep(self.file, self.at..self.at + 1, &field));
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }

    /// Advances past the comma to the next member of the object or list that `close` ends. `false` at its end.
    ///
    /// Whether a comma is due depends on what comes before: the opening bracket, or a value, which never ends in one.
    fn more(&mut self, close: u8) -> Result<bool, Unreadable> {
        let before = self.at;
        let first = matches!(self.text.as_bytes()[before - 1], b'{' | b'[');
        self.skip_space()?;
        let comma = self.at;
        if self.peek() == Some(b',') {
            self.at += 1;
            if first {
                self.report(comma..self.at, "syntax", "a value is missing before this comma", "remove the comma")?;
            }
            self.skip_space()?;
            while self.peek() == Some(b',') {
                self.report(self.at..self.at + 1, "syntax", "one comma too many", "remove it")?;
                self.at += 1;
                self.skip_space()?;
            }
            if self.peek() == Some(close) {
                self.report(comma..comma + 1, "syntax", "JSON has no comma after the last value", "remove it")?;
            }
        } else if !first && self.peek().is_some_and(|byte| byte != close && !matches!(byte, b'}' | b']')) {
            let end = before..before;
            self.report(end, "syntax", "a comma is missing here", "write `,` between values")?;
        }
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(byte @ (b'}' | b']')) => {
                let message = format!("`{}` closes what `{}` should close", char::from(byte), char::from(close));
                let help = format!("write `{}`", char::from(close));
                Err(self.stop(self.at..self.at + 1, "syntax", message, help))
            }
            Some(_) => Ok(true),
            None => Err(self.unexpected_end()),
        }
    }

    /// A string in double quotes, unescaped.
    fn string(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        let start = self.at;
        let text = self.text;
        let bytes = text.as_bytes();
        self.at += 1;
        let mut escaped = false;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    // The character after a backslash never ends the string, and it is checked below.
                    self.at += if bytes.get(self.at + 1).is_some_and(|&byte| byte >= b' ') { 2 } else { 1 };
                }
                Some(b'\n') | None => {
                    let help = "write `\"` at its end, and `\\n` for a new line in it";
                    return Err(self.stop(start..self.at.min(bytes.len()), "syntax", "the string has no end", help));
                }
                Some(byte) if *byte < b' ' => {
                    let help = format!("write `\\u{byte:04x}`");
                    self.report(self.at..self.at + 1, "syntax", "a control character is in a string", help)?;
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let inner = start + 1..self.at - 1;
        if escaped { Ok(Cow::Owned(self.unescape(inner)?)) } else { Ok(Cow::Borrowed(&self.text[inner])) }
    }

    /// Resolves the escapes in `range`; those that JSON does not have are reported and left unchanged.
    fn unescape(&mut self, range: Range<usize>) -> Result<String, Unreadable> {
        let mut out = String::with_capacity(range.len());
        let mut at = range.start;
        while let Some(offset) = self.text[at..range.end].find('\\') {
            out.push_str(&self.text[at..at + offset]);
            at += offset;
            let rest = &self.text[at + 1..range.end];
            let (character, length) = match rest.as_bytes().first() {
                Some(b'n') => (Some('\n'), 2),
                Some(b't') => (Some('\t'), 2),
                Some(b'r') => (Some('\r'), 2),
                Some(b'b') => (Some('\u{8}'), 2),
                Some(b'f') => (Some('\u{c}'), 2),
                Some(&byte @ (b'"' | b'\\' | b'/')) => (Some(char::from(byte)), 2),
                Some(b'u') => match (hex4(&rest[1..]), rest.get(5..7).filter(|next| *next == "\\u")) {
                    (Some(high @ 0xD800..=0xDBFF), Some(_)) => {
                        let low = hex4(&rest[7..]).filter(|low| (0xDC00..=0xDFFF).contains(low));
                        let joined = low.map(|low| 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
                        (joined.and_then(char::from_u32), 12)
                    }
                    (unit, _) => (unit.and_then(char::from_u32), 6),
                },
                other => (None, 1 + usize::from(other.is_some_and(u8::is_ascii))),
            };
            if let Some(character) = character {
                out.push(character);
                at += length;
            } else {
                let end = (at + length).min(range.end);
                let end = (end..=range.end).find(|&end| self.text.is_char_boundary(end)).unwrap_or(range.end);
                let message = format!("`{}` is not an escape of JSON", &self.text[at..end]);
                self.report(at..end, "syntax", message, "write `\\\\` for a backslash")?;
                at = end;
            }
        }
        out.push_str(&self.text[at..range.end]);
        Ok(out)
    }

    fn single_quoted(&mut self) -> Result<String, Unreadable> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let Some(length) = rest.find(['\'', '\n']).filter(|&end| rest.as_bytes()[end] == b'\'') else {
            return Err(self.stop(self.rest_of_line(), "syntax", "the string has no end", "write it in double quotes"));
        };
        let inner = rest[..length].to_owned();
        self.at = start + length + 2;
        self.report(start..self.at, "syntax", "strings must be in double quotes", "write `\"` instead of `'`")?;
        Ok(inner)
    }

    fn number(&mut self) -> Result<NodeValue, Unreadable> {
        let word = self.take_word();
        let text = &self.text[word.clone()];
        if let Ok(number) = text.parse::<Number>() {
            return Ok(NodeValue::Number(number));
        }
        let message = "this is not a number as JSON writes them";
        self.report(word, "syntax", message, "write plain decimal digits, such as `10` or `0.5`")?;
        Ok(NodeValue::Null)
    }

    fn word(&mut self) -> Result<NodeValue, Unreadable> {
        let word = self.take_word();
        match &self.text[word.clone()] {
            "true" => Ok(NodeValue::Bool(true)),
            "false" => Ok(NodeValue::Bool(false)),
            "null" => Ok(NodeValue::Null),
            other => {
                // The word itself is not shown: it may be a secret without its quotes.
                let help = match other.to_ascii_lowercase().as_str() {
                    lower @ ("true" | "false" | "null") => format!("write `{lower}`"),
                    "none" | "nil" | "undefined" => "write `null`".to_owned(),
                    _ => "write text in double quotes".to_owned(),
                };
                self.report(word, "syntax", "this word is not a value that JSON has", help)?;
                Ok(NodeValue::Null)
            }
        }
    }

    /// Skips letters, digits and the other characters of numbers.
    fn take_word(&mut self) -> Range<usize> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        self.at += length;
        start..self.at
    }

    /// Skips white space, and comments, which are reported.
    fn skip_space(&mut self) -> Result<(), Unreadable> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'#') => self.comment(self.rest_of_line().end)?,
                Some(b'/') if self.text[self.at..].starts_with("//") => self.comment(self.rest_of_line().end)?,
                Some(b'/') if self.text[self.at..].starts_with("/*") => {
                    let end = self.text[self.at + 2..].find("*/").map(|length| self.at + 2 + length + 2);
                    self.comment(end.unwrap_or(self.text.len()))?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self, end: usize) -> Result<(), Unreadable> {
        let start = self.at;
        self.at = end;
        self.report(start..end, "syntax", "JSON has no comments", "remove it, or write the document in TOML")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest_of_line(&self) -> Range<usize> {
        let rest = &self.text[self.at..];
        self.at..self.at + rest.find('\n').unwrap_or(rest.len())
    }

    fn character_at(&self, at: usize) -> Range<usize> {
        at..at + self.text[at..].chars().next().map_or(0, char::len_utf8)
    }

    fn unexpected_end(&mut self) -> Unreadable {
        let end = self.text.trim_end().len();
        self.stop(end..end, "syntax", "the file ends before the document does", "a closing bracket is missing")
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span { file: Arc::clone(self.file), range }
    }

    /// The value being read.
    fn field(&self) -> Pointer {
        let segment = |step: &KeyOrIndex| match step {
            KeyOrIndex::Index(index) => index.to_string(),
            KeyOrIndex::Key(range) => {
                let text = &self.text[range.clone()];
                // The name was read before, so a failure here has already been reported.
                serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches(['\'', '"']).to_owned())
            }
        };
        self.path.iter().map(segment).collect()
    }

    /// Reports a problem after which reading can continue.
    fn report(
        &mut self,
        range: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Result<(), Unreadable> {
        let field = self.field();
        self.problems.push(Problem::at(code, &self.span(range), &field, message).help(help));
        if self.problems.len() < SYNTAX_PROBLEMS_MAX { Ok(()) } else { Err(Unreadable) }
    }

    /// Reports a problem after which reading cannot continue.
    fn stop(
        &mut self,
        range: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Unreadable {
        match self.report(range, code, message, help) {
            Ok(()) | Err(Unreadable) => Unreadable,
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'$')
}

/// The four hexadecimal digits at the start.
fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}
