//! A resource as AWS describes it: kept as text, and parsed on first access.
//!
//! A parsed description takes five to ten times the memory of its text, and most of them are the same in every cycle and
//! are never read again. So the text is kept and passed on, and the value is parsed when a member is read.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A JSON value, as text or parsed. It dereferences to a [`Value`].
pub struct Description(TextOrValue);

enum TextOrValue {
    /// Invariant: `text` is valid JSON, because it was parsed once.
    Text {
        text: Arc<str>,
        value: OnceLock<Box<Value>>,
    },
    Value(Box<Value>),
}

impl Description {
    /// A description from its text.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub fn parse(text: Arc<str>) -> serde_json::Result<Self> {
        let value = serde_json::from_str(&text)?;
        Ok(Self(TextOrValue::Text { text, value: OnceLock::from(Box::new(value)) }))
    }

    /// The same description as text alone, to be kept.
    #[must_use]
    pub fn to_text(&self) -> Self {
        let text = match &self.0 {
            TextOrValue::Text { text, .. } => text.clone(),
            TextOrValue::Value(value) => value.to_string().into(),
        };
        Self(TextOrValue::Text { text, value: OnceLock::new() })
    }

    /// Feeds the description to a hasher that detects changes from one cycle to the next. Equal values that are written
    /// differently have different hashes.
    pub fn fingerprint(&self, hasher: &mut impl Hasher) {
        match &self.0 {
            TextOrValue::Text { text, .. } => text.hash(hasher),
            TextOrValue::Value(value) => value.to_string().hash(hasher),
        }
    }
}

impl Deref for Description {
    type Target = Value;

    fn deref(&self) -> &Value {
        match &self.0 {
            TextOrValue::Text { text, value } => {
                value.get_or_init(|| serde_json::from_str(text).expect("it was parsed before"))
            }
            TextOrValue::Value(value) => value,
        }
    }
}

impl DerefMut for Description {
    fn deref_mut(&mut self) -> &mut Value {
        if let TextOrValue::Text { .. } = &self.0 {
            self.0 = TextOrValue::Value(Box::new((**self).clone()));
        }
        match &mut self.0 {
            TextOrValue::Value(value) => value,
            TextOrValue::Text { .. } => unreachable!("it was parsed just above"),
        }
    }
}

impl From<Value> for Description {
    fn from(value: Value) -> Self {
        Self(TextOrValue::Value(Box::new(value)))
    }
}

impl Clone for Description {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            // The parsed value is not copied: most copies are only kept.
            TextOrValue::Text { text, .. } => TextOrValue::Text { text: text.clone(), value: OnceLock::new() },
            TextOrValue::Value(value) => TextOrValue::Value(value.clone()),
        })
    }
}

impl PartialEq for Description {
    fn eq(&self, other: &Self) -> bool {
        let same_text = matches!((&self.0, &other.0), (TextOrValue::Text { text: a, .. }, TextOrValue::Text { text: b, .. }) if a == b);
        same_text || **self == **other
    }
}

impl PartialEq<Value> for Description {
    fn eq(&self, other: &Value) -> bool {
        **self == *other
    }
}

impl Serialize for Description {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use serde_json::json;

    use super::*;

    fn fingerprint(description: &Description) -> u64 {
        let mut hasher = DefaultHasher::new();
        description.fingerprint(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn text_and_value_are_the_same_description() {
        let text: Arc<str> = r#"{"a": [1.50, "x"]}"#.into();
        let value = json!({"a": [1, "x"]});
        let parsed = Description::parse(text.clone()).unwrap();
        assert_eq!(parsed["a"][1], "x");
        assert_eq!(parsed, parsed.to_text());
        assert_ne!(parsed, Description::from(value.clone()));
        let mut changed = parsed.to_text();
        changed["a"][0] = json!(1);
        assert_eq!(changed, Description::from(value.clone()));
        assert_eq!(changed, value);
        assert_eq!(changed.to_text(), value);
        assert_eq!(format!("{changed:?}"), format!("{value:?}"));
        assert_eq!(parsed["a"][0].to_string(), "1.50", "numbers stay as AWS wrote them");
    }

    #[test]
    fn the_fingerprint_changes_with_the_description() {
        let parsed = Description::parse(r#"{"a":1}"#.into()).unwrap();
        let mut changed = parsed.clone();
        assert_eq!(fingerprint(&parsed), fingerprint(&changed));
        changed["a"] = json!(2);
        assert_ne!(fingerprint(&parsed), fingerprint(&changed));
        changed["a"] = json!(1);
        assert_eq!(fingerprint(&parsed), fingerprint(&changed));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", r#"{"a":"\ud800"}"#, &"[".repeat(1_000)] {
            assert!(Description::parse(text.into()).is_err(), "{text}");
        }
    }
}
