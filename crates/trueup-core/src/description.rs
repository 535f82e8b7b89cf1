//! A resource as AWS describes it: text, until somebody looks into it.
//!
//! Parsed, a description takes five to ten times the memory of its text, and most of them are the same in every cycle and
//! nobody needs to look into them again. So text is what is kept and passed on; whoever reads a member gets the value,
//! which is made then.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A JSON value, as text or as a value. It is used like a [`Value`].
pub struct Description(State);

enum State {
    /// Invariant: `text` can be parsed; that was done once.
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
        Ok(Self(State::Text { text, value: OnceLock::from(Box::new(value)) }))
    }

    /// The same as text alone, to be kept.
    #[must_use]
    pub fn to_text(&self) -> Self {
        let text = match &self.0 {
            State::Text { text, .. } => text.clone(),
            State::Value(value) => value.to_string().into(),
        };
        Self(State::Text { text, value: OnceLock::new() })
    }

    /// Feeds it to a hasher that looks for changes between one look and the next. Of equal values that are spelt in
    /// different ways the hashes differ.
    pub fn fingerprint(&self, hasher: &mut impl Hasher) {
        match &self.0 {
            State::Text { text, .. } => text.hash(hasher),
            State::Value(value) => value.to_string().hash(hasher),
        }
    }
}

impl Deref for Description {
    type Target = Value;

    fn deref(&self) -> &Value {
        match &self.0 {
            State::Text { text, value } => {
                value.get_or_init(|| serde_json::from_str(text).expect("it was parsed when it was made"))
            }
            State::Value(value) => value,
        }
    }
}

impl DerefMut for Description {
    fn deref_mut(&mut self) -> &mut Value {
        if let State::Text { .. } = &self.0 {
            self.0 = State::Value(Box::new((**self).clone()));
        }
        match &mut self.0 {
            State::Value(value) => value,
            State::Text { .. } => unreachable!("it was made a value just before"),
        }
    }
}

impl From<Value> for Description {
    fn from(value: Value) -> Self {
        Self(State::Value(Box::new(value)))
    }
}

impl Clone for Description {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            // Whoever needs the value makes it: most copies are only kept.
            State::Text { text, .. } => State::Text { text: text.clone(), value: OnceLock::new() },
            State::Value(value) => State::Value(value.clone()),
        })
    }
}

impl PartialEq for Description {
    fn eq(&self, other: &Self) -> bool {
        let same_text =
            matches!((&self.0, &other.0), (State::Text { text: a, .. }, State::Text { text: b, .. }) if a == b);
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
