//! Problems with the offending source line underlined.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use trueup_core::document::{Problem, SourceFile};

use crate::terminal::{self, clean};

/// Problems, each with its title, its place, the line underlined, and what to write instead; an empty line between.
///
/// In the order given. Of neighbours from one file, that file is looked at once.
pub fn problems(root: &Path, problems: &[Problem]) -> String {
    let mut last: Option<(Arc<SourceFile>, String)> = None;
    let shown = problems.iter().map(|one| {
        if let Some(span) = &one.span
            && !last.as_ref().is_some_and(|(file, _)| Arc::ptr_eq(file, &span.file))
        {
            last = Some((Arc::clone(&span.file), printable(&span.file)));
        }
        problem(root, one, last.as_ref().map_or("", |(_, text)| text))
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// One problem, in a file of which `text` is what may be shown.
fn problem(root: &Path, problem: &Problem, text: &str) -> String {
    let path = root.join(&problem.file);
    let path = clean(&path.strip_prefix("./").unwrap_or(&path).display().to_string());
    let field = problem.field.as_ref().map(|field| clean(&field.to_string())).filter(|field| !field.is_empty());
    let mut group = Level::ERROR.primary_title(clean(&problem.message)).id(problem.code).elements(Vec::<Origin>::new());
    match &problem.span {
        Some(span) => {
            let (line, _) = span.position();
            let (source, range) = first_line(text, &span.range);
            let annotation = AnnotationKind::Primary.span(range).label(field.unwrap_or_default());
            group = group.element(Snippet::source(source).line_start(line).path(path).annotation(annotation));
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

/// The line that a range begins on, and the part of the range on it: a whole table underlined says less than its head.
fn first_line<'t>(text: &'t str, range: &Range<usize>) -> (&'t str, Range<usize>) {
    let start = range.start.min(text.len());
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[begin..end].trim_end_matches('\r');
    let inside = |at: usize| at.clamp(begin, begin + line.len()) - begin;
    (line, inside(start)..inside(range.end.max(start)))
}

/// A file's text as it may be shown: no value of an environment variable, and nothing that steers a terminal. Other
/// characters stand in their places, byte for byte.
fn printable(file: &Arc<SourceFile>) -> String {
    let mut text = String::with_capacity(file.text().len());
    for c in super::masked::masked(file).chars() {
        match (terminal::steers(c), c.len_utf8()) {
            (true, 2) => text.push('\u{bf}'),
            (true, 3) => text.push('\u{fffd}'),
            // One byte: the renderer has pictures for them.
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use trueup_core::document::Span;
    use trueup_core::pointer::Pointer;

    /// The text of problems at ranges of a file, without colours.
    fn shown(path: &str, text: &str, ranges: &[Range<usize>]) -> String {
        let file = SourceFile::new(path, text);
        let at = |range: &Range<usize>| {
            let span = Span { file: Arc::clone(&file), range: range.clone() };
            Problem::at("wrong", &span, &Pointer::root().join("a\u{1b}[2J"), "it is \u{9b}2J wrong")
                .help("fix\u{202e} it")
        };
        let told = problems(Path::new(""), &ranges.iter().map(at).collect::<Vec<_>>());
        anstream::adapter::strip_str(&told).to_string()
    }

    #[test]
    fn the_line_is_underlined_by_its_number_to_its_end_at_most() {
        let told = shown("a.toml", "x = 1\r\n\ta = [\r\n  2,\n]\n", &[8..17, 1..1, 5..6]);
        insta::assert_snapshot!(told);
    }

    #[test]
    fn nothing_of_a_file_steers_the_terminal() {
        let told = shown("a\u{1b}[31m.toml", "a = \"\u{9b}31m\u{1b}[2J\u{202e}\u{7f}b\"\n", &[0..1]);
        assert!(told.chars().all(|c| c == '\n' || !terminal::steers(c)), "{told:?}");
        assert!(told.contains("a.toml") || told.contains(".toml:1:1"), "{told}");
    }
}
