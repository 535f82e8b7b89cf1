//! Problems with the offending source line underlined.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use regex::Regex;
use trueup_core::document::{self, Node, NodeValue, Problem, SourceFile};

use crate::terminal::clean;

/// One problem: title, place, the line underlined, and what to write instead.
pub fn problem(root: &Path, problem: &Problem) -> String {
    let path = root.join(&problem.file);
    let path = path.strip_prefix("./").unwrap_or(&path).display().to_string();
    let field = problem.field.as_ref().map(ToString::to_string).filter(|field| !field.is_empty());
    let source;
    let mut group = Level::ERROR.primary_title(clean(&problem.message)).id(problem.code).elements(Vec::<Origin>::new());
    match &problem.span {
        Some(span) => {
            source = masked(&span.file);
            // An empty range would underline nothing.
            let range = span.range.start..span.range.end.max(span.range.start + 1).min(source.len().max(1));
            let range = one_line(&source, range);
            let annotation = AnnotationKind::Primary.span(range).label(field.unwrap_or_default());
            group = group.element(Snippet::source(source).path(path).annotation(annotation));
        }
        None => group = group.element(Origin::path(path)),
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    let groups: [Group<'_>; 1] = [group];
    Renderer::styled().render(&groups)
}

/// `3 problems in 2 files`.
pub fn summary(problems: &[Problem]) -> String {
    let mut files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let s = |count: usize| if count == 1 { "" } else { "s" };
    let (problems, files) = (problems.len(), files.len());
    format!("{problems} problem{} in {files} file{}", s(problems), s(files))
}

/// Cuts a range at the end of its first line: a whole table underlined says less than its head.
fn one_line(source: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    match source.get(range.clone()).and_then(|text| text.find('\n')) {
        Some(0) | None => range,
        Some(at) => range.start..range.start + at,
    }
}

/// The file's text with the values of environment variables blotted out, byte for byte, so that a printed line never
/// shows one.
fn masked(file: &std::sync::Arc<SourceFile>) -> String {
    let mut ranges = Vec::new();
    if let Ok(node) = document::parse(file) {
        environment_values(&node, false, &mut ranges);
    } else {
        // Not a document: whatever looks like an environment entry's value.
        let value =
            Regex::new(r#"\bvalue"?\s*[:=]\s*("(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?)"#).expect("a constant expression");
        ranges.extend(value.captures_iter(file.text()).filter_map(|found| found.get(1)).map(|value| value.range()));
    }
    let mut text = file.text().as_bytes().to_vec();
    for range in ranges {
        let quoted = text[range.clone()].len() >= 2 && matches!(text[range.start], b'"' | b'\'');
        let inner = if quoted { range.start + 1..range.end - 1 } else { range };
        text[inner].iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
    }
    String::from_utf8(text).expect("whole characters were replaced by ASCII")
}

/// Collects the places of `environment[].value`, wherever such a list stands.
fn environment_values(node: &Node, in_entry: bool, ranges: &mut Vec<std::ops::Range<usize>>) {
    match &node.value {
        NodeValue::Object(members) => {
            for (name, member) in members {
                if in_entry && name == "value" {
                    ranges.push(member.node.span.range.clone());
                } else if name == "environment" {
                    member.node.items().iter().for_each(|entry| environment_values(entry, true, ranges));
                } else {
                    environment_values(&member.node, false, ranges);
                }
            }
        }
        NodeValue::List(items) => items.iter().for_each(|item| environment_values(item, in_entry, ranges)),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {}
    }
}
