//! The text that people read: string literals and first lines of doc comments of the product, and the documentation.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The heading of the glossary, which itself has all odd words.
pub const GLOSSARY: &str = "\n## Glossary\n";

/// Where a line of text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a string literal.
    String,
    /// The first line of a doc comment.
    Comment,
    /// A line of a page.
    Page,
}

/// A line of text.
#[derive(Debug)]
pub struct Line {
    /// Its file, from the root.
    pub path: String,
    /// Its number in that file, from 1.
    pub number: usize,
    pub place: Place,
    pub text: String,
}

/// Every line that counts.
///
/// # Errors
/// When a file cannot be read.
pub fn lines(root: &Path) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        lines.extend(page(name, &fs::read_to_string(root.join(name))?));
    }
    for name in names(&root.join("docs"))?.iter().filter(|name| has_extension(name, "md")) {
        let path = format!("docs/{name}");
        lines.extend(page(&path, &fs::read_to_string(root.join(&path))?));
    }
    // The product: every crate whose name begins as its own does.
    for name in names(&root.join("crates"))?.iter().filter(|name| name.starts_with("trueup")) {
        sources(root, &format!("crates/{name}/src"), &mut lines)?;
    }
    Ok(lines)
}

/// The names in a directory, in order.
fn names(directory: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read `{}`", directory.display()))?;
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = entries.map(name).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// Reads the sources below a directory, without tests.
fn sources(root: &Path, directory: &str, lines: &mut Vec<Line>) -> Result<()> {
    for name in names(&root.join(directory))? {
        let path = format!("{directory}/{name}");
        if root.join(&path).is_dir() {
            if name != "tests" {
                sources(root, &path, lines)?;
            }
        } else if has_extension(&name, "rs") && name != "tests.rs" && !name.ends_with("_tests.rs") {
            let text = fs::read_to_string(root.join(&path))?;
            let found = comments(&text).into_iter().map(|found| (Place::Comment, found));
            let found = found.chain(strings(&text).into_iter().map(|found| (Place::String, found)));
            lines.extend(found.map(|(place, (number, text))| Line { path: path.clone(), number, place, text }));
        }
    }
    Ok(())
}

/// The prose of a page: without code, the glossary, and what was released.
fn page(path: &str, text: &str) -> Vec<Line> {
    let mut is_code = false;
    let mut heading = "";
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if line.starts_with("## ") {
            heading = line;
        }
        let is_released = path == "CHANGELOG.md" && heading != "## Unreleased";
        if !is_code && !is_released && heading != GLOSSARY.trim() {
            // What is between backticks is a name, whatever it says.
            let text = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
            lines.push(Line { path: path.to_owned(), number: index + 1, place: Place::Page, text });
        }
    }
    lines
}

/// The first line of every doc comment, with its number.
fn comments(source: &str) -> Vec<(usize, String)> {
    let text = |line: &str| {
        let line = line.trim_start();
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
        Some(text.split('`').step_by(2).collect::<Vec<_>>().join("`"))
    };
    let mut is_before = false;
    let mut found = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let comment = text(line);
        let is_comment = comment.is_some();
        found.extend(comment.filter(|_| !is_before).map(|text| (index + 1, text)));
        is_before = is_comment;
    }
    found
}

/// The lines of all string literals outside of `#[cfg(test)]`, with their numbers. A literal without a space is a name, not text.
fn strings(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut number = 1;
    // How deep a test module is in, when one is; and whether its attribute was just read.
    let (mut depth, mut is_test) = (0_usize, false);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some((before, content, after)) = literal(rest) {
            if depth == 0 && content.contains(' ') {
                let lines = content.lines().enumerate();
                found.extend(lines.map(|(index, line)| (number + index, line.to_owned())));
            }
            before + content.len() + after
        } else if rest.starts_with("#[cfg(test)]") {
            is_test = true;
            "#[cfg(test)]".len()
        } else if first == '\'' {
            character(rest)
        } else {
            match first {
                '{' if depth > 0 || is_test => (depth, is_test) = (depth + 1, false),
                '}' if depth > 0 => depth -= 1,
                ';' => is_test = false,
                _ => {}
            }
            // A whole word, so that the `r` at the end of a name begins no raw string.
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            word.max(first.len_utf8())
        };
        let (passed, next) = rest.split_at(length);
        number += passed.matches('\n').count();
        rest = next;
    }
    found
}

/// A string literal at the start of `rest`: how long its beginning is, its content, how long its end is.
fn literal(rest: &str) -> Option<(usize, &str, usize)> {
    let name = rest.find(|c: char| !c.is_ascii_alphabetic())?;
    let after = rest[name..].trim_start_matches('#');
    let hashes = rest.len() - name - after.len();
    if !after.starts_with('"') || !["", "b", "c", "r", "br", "cr"].contains(&&rest[..name]) {
        return None;
    }
    let (before, content) = (name + hashes + 1, &after[1..]);
    if rest[..name].ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return content.find(&end).map(|at| (before, &content[..at], end.len()));
    }
    let mut is_escaped = false;
    let end = content.find(|c: char| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some((before, &content[..end], 1))
}

/// How long the character literal or the lifetime at the start of `rest` is.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            rest[from..].find('\'').map_or(rest.len(), |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{comments, page, strings};

    #[test]
    fn literals_are_read_and_names_comments_and_tests_are_not() {
        let source = "
            //! \"not this one\"
            const A: &str = \"first line \\
                second\\\" line\"; // \"nor this\"
            const B: &str = r#\"raw \"text\" here\"#;
            fn quote<'a>(c: char) -> bool { c == '\"' || c == '\\'' || c == '}' }
            let name = json(\"cure\");
            #[cfg(test)]
            mod tests { fn a() { call(\"in a test { here\"); } }
            fn after() -> &'static str { \"after all\" }
        ";
        let found: Vec<(usize, String)> = strings(source);
        let texts: Vec<(usize, &str)> = found.iter().map(|(number, text)| (*number, text.trim())).collect();
        let expected = [(3, "first line \\"), (4, "second\\\" line"), (5, "raw \"text\" here"), (10, "after all")];
        assert_eq!(texts, expected);
    }

    #[test]
    fn of_comments_the_first_line_counts_and_of_pages_the_prose() {
        let source = "//! One `code` idea.\n//! More.\n\n/// Two.\n/// More.\nfn f() {}\n    /// Three.\n// not this\n";
        let expected = [(1, " One ` idea."), (4, " Two."), (7, " Three.")];
        assert_eq!(comments(source), expected.map(|(number, text)| (number, text.to_owned())));
        let text = "one `name`\n```\ncode\n```\n## Unreleased\ntwo\n## Glossary\nthree\n## 0.1\nfour\n";
        let read = |path: &str| page(path, text).into_iter().map(|line| line.number).collect::<Vec<_>>();
        assert_eq!(read("README.md"), [1, 4, 5, 6, 9, 10]);
        assert_eq!(read("CHANGELOG.md"), [5, 6]);
    }
}
