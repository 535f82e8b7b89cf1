//! The place of a value: a file, and a range of bytes in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file's path and text, with the means to turn byte offsets into lines and columns.
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    path: String,
    text: String,
    /// The offset at which each line begins.
    lines: Vec<usize>,
}

impl SourceFile {
    /// Reads a file's text. `path` is relative to the root of the desired state.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Arc::new(Self { path: path.into(), text, lines })
    }

    /// Its path relative to the root of the desired state.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset, both from 1, the column in characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|&start| start <= offset) - 1;
        let column = self.text[self.lines[line]..offset].chars().count() + 1;
        (line + 1, column)
    }
}

/// `Debug` names the file alone: its text may hold environment values.
impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({})", self.path)
    }
}

/// A range of bytes in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The bytes, on character boundaries.
    pub range: Range<usize>,
}

impl Span {
    /// Line and column of its first character, both from 1.
    pub fn position(&self) -> (usize, usize) {
        self.file.position(self.range.start)
    }
}

/// `FILE:LINE:COLUMN`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        write!(f, "{}:{line}:{column}", self.file.path())
    }
}

#[cfg(test)]
mod tests {
    use super::SourceFile;

    #[test]
    fn columns_are_counted_in_characters() {
        let file = SourceFile::new("a.toml", "é = 1\nab = 2\n");
        assert_eq!(file.position(0), (1, 1));
        assert_eq!(file.position(3), (1, 3));
        assert_eq!(file.position(7), (2, 1));
        assert_eq!(file.position(999), (3, 1));
    }
}
