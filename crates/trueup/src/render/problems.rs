//! Problems with the offending source line underlined.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use trueup_core::document::{Problem, SourceFile};

use trueup_core::report::{printable, steers};

/// How many bytes of a line are shown before and behind the begin of what is underlined; no person's line is longer.
const SURROUNDINGS_BYTES: usize = 1_000;

/// Problems, each with its title, its place, the line underlined, and what to write instead; an empty line between.
///
/// In the order given. Of neighbours from one file, that file is looked at once.
pub fn problems(root: &Path, problems: &[Problem]) -> String {
    problems_of(root, problems, |file| super::masked::masked(file, problems))
}

/// The same for files with their own rule of masking. The result of `masked` has the file's length.
pub fn problems_of(root: &Path, problems: &[Problem], masked: impl Fn(&Arc<SourceFile>) -> String) -> String {
    let mut last: Option<(Arc<SourceFile>, String)> = None;
    let shown = problems.iter().map(|one| {
        if let Some(span) = &one.span
            && !last.as_ref().is_some_and(|(file, _)| Arc::ptr_eq(file, &span.file))
        {
            last = Some((Arc::clone(&span.file), in_place(&masked(&span.file))));
        }
        problem(root, one, last.as_ref().map_or("", |(_, text)| text))
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// One problem, in a file whose printable text is `text`.
fn problem(root: &Path, problem: &Problem, text: &str) -> String {
    let path = root.join(&problem.file);
    let path = path.strip_prefix("./").unwrap_or(&path).display().to_string();
    let path = printable(&path);
    let field = problem.field.as_ref().map(ToString::to_string).unwrap_or_default();
    let field = Some(printable(&field)).filter(|field| !field.is_empty());
    let title = Level::ERROR.primary_title(printable(&problem.message)).id(problem.code);
    let mut group = title.elements(Vec::<Origin>::new());
    match &problem.span {
        Some(span) => {
            let (line, column) = span.position();
            let (whole, range) = first_line(text, &span.range);
            let (source, range) = surroundings(whole, &range);
            let annotation = AnnotationKind::Primary.span(range).label(field.unwrap_or_default());
            let snippet = Snippet::source(source).line_start(line).annotation(annotation);
            group = if source.len() == whole.len() {
                group.element(snippet.path(path))
            } else {
                // The renderer would count the column from where the line is cut.
                group.element(Origin::path(path).line(line).char_column(column)).element(snippet)
            };
        }
        None => group = group.element(Origin::path(path)),
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(printable(help)));
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

/// What of a long line is shown: the range's begin with some bytes before and behind. A megabyte on one line takes the
/// renderer a second for each problem.
fn surroundings<'t>(line: &'t str, range: &Range<usize>) -> (&'t str, Range<usize>) {
    let boundary = |from: usize| (from..line.len()).find(|at| line.is_char_boundary(*at)).unwrap_or(line.len());
    let begin = boundary(range.start.saturating_sub(SURROUNDINGS_BYTES));
    let end = boundary(range.start + SURROUNDINGS_BYTES);
    (&line[begin..end], range.start - begin..range.end.min(end) - begin)
}

/// A file's text without characters that steer a terminal. All other characters keep their byte offsets.
fn in_place(masked: &str) -> String {
    let mut text = String::with_capacity(masked.len());
    for c in masked.chars() {
        match (steers(c), c.len_utf8()) {
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
    fn what_is_called_a_secret_is_not_shown() {
        let file = SourceFile::new("app/task-definition.toml", "command = [\"serve\", \"--key=hunter2\"]\n");
        let at =
            |code, range| Problem::at(code, &Span { file: Arc::clone(&file), range }, &Pointer::root(), "it is wrong");
        let told = problems(Path::new(""), &[at("unknown", 0..7), at("plaintext-secret", 20..35)]);
        assert!(told.contains("serve") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn of_a_line_without_end_the_surroundings_are_shown() {
        let text = format!("{{{}\"last\": 1}}", "\"ä\": 1, ".repeat(100_000));
        let at = text.find("\"last").unwrap();
        let told = shown("a.json", &text, std::slice::from_ref(&(at..at + 6)));
        assert!(told.contains("a.json:1:800002\n") && told.contains("\"last\"") && told.len() < 5_000, "{told}");
    }

    #[test]
    fn nothing_of_a_file_steers_the_terminal() {
        let told =
            shown("a\u{1b}[31m.toml", "a = \"\u{9b}31m\u{1b}[2J\u{202e}\u{7f}b\"\n", std::slice::from_ref(&(0..1)));
        assert!(told.chars().all(|c| c == '\n' || !steers(c)), "{told:?}");
        assert!(told.contains("a.toml") || told.contains(".toml:1:1"), "{told}");
    }
}
