//! JSON pointers (RFC 6901) into desired documents, where keyed sets are addressed by key.

use std::fmt;

use serde::{Serialize, Serializer};

/// A place in a document: `/containerDefinitions/web/environment/LOG_LEVEL`.
///
/// Segments are kept unescaped; `Display` and `Serialize` escape them (`~` as `~0`, `/` as `~1`). The root is the empty
/// string. Lists that are keyed sets are addressed by key and not by index, because indexes move.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a pointer. `None` when the text is neither empty nor begins with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::root());
        }
        let rest = text.strip_prefix('/')?;
        Some(Self(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// The pointer to a member of this place.
    #[must_use]
    pub fn join(&self, segment: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Self(segments)
    }

    /// Appends a segment in place; [`Pointer::pop`] removes it.
    pub fn push(&mut self, segment: impl Into<String>) {
        self.0.push(segment.into());
    }

    /// Removes the last segment in place.
    pub fn pop(&mut self) -> Option<String> {
        self.0.pop()
    }

    /// The segments from the root, unescaped.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Whether this pointer, as a pattern in which a segment `*` matches any one segment, matches `path` or a place that
    /// contains it.
    pub fn covers(&self, path: &Self) -> bool {
        self.0.len() <= path.0.len()
            && self.0.iter().zip(&path.0).all(|(pattern, segment)| pattern == "*" || pattern == segment)
    }

    /// Whether `self` is `other` or a place inside it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl<S: Into<String>> FromIterator<S> for Pointer {
    fn from_iter<I: IntoIterator<Item = S>>(segments: I) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.0 {
            write!(f, "/{}", segment.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

impl Serialize for Pointer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn a_slash_in_a_key_is_escaped_and_comes_back() {
        let pointer = Pointer::root().join("dockerLabels").join("com.example/a~b");
        assert_eq!(pointer.to_string(), "/dockerLabels/com.example~1a~0b");
        assert_eq!(Pointer::parse(&pointer.to_string()), Some(pointer));
    }
}
