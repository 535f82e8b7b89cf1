//! The query of a path: known parameters, each once, each with an allowed value.

use std::collections::BTreeMap;

use jiff::Timestamp;
use url::form_urlencoded;

use crate::page::Page;

/// How many items a page has unless another number is asked for.
pub(super) const LIMIT: usize = 100;

/// The largest number that may be asked for.
pub(super) const LIMIT_MAX: usize = 500;

/// When a page has so many bytes, no further item is added.
pub(super) const BYTES_MAX: usize = 1024 * 1024;

/// Parameters by name.
#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads a query; an empty value is as good as none.
    ///
    /// # Errors
    /// With the page that says what is wrong: a parameter that is not `known`, or is there twice.
    pub fn parse(query: Option<&str>, known: &[&str]) -> Result<Self, Page> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&&*name) {
                let known = known.join(", ");
                return Err(Page::error(
                    400,
                    &format!("`{name}` is not a parameter of this page; its parameters are {known}"),
                ));
            }
            if values.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Page::error(400, &format!("`{name}` is there twice")));
            }
        }
        values.retain(|_, value| !value.is_empty());
        Ok(Self(values))
    }

    /// A value as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value that `read` understands.
    ///
    /// # Errors
    /// With the page that says what to write instead.
    pub fn read<T>(&self, name: &str, instead: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Page> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let value = read(text)
            .ok_or_else(|| Page::error(400, &format!("`{text}` is not a valid `{name}`: write {instead}")))?;
        Ok(Some(value))
    }

    /// One of several values, by its name.
    ///
    /// # Errors
    /// With the page that names them.
    pub fn one_of<T: Copy + std::fmt::Debug>(&self, name: &str, all: &[T]) -> Result<Option<T>, Page> {
        let names = all.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(", ");
        self.read(name, &format!("one of {names}"), |text| {
            all.iter().find(|value| format!("{value:?}") == text).copied()
        })
    }

    /// How many items are asked for.
    ///
    /// # Errors
    /// With the page that says what to write instead.
    pub fn limit(&self) -> Result<usize, Page> {
        let read = |text: &str| text.parse().ok().filter(|number| (1..=LIMIT_MAX).contains(number));
        Ok(self.read("limit", &format!("a number from 1 to {LIMIT_MAX}"), read)?.unwrap_or(LIMIT))
    }

    /// A point in time.
    ///
    /// # Errors
    /// With the page that says what to write instead.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Page> {
        self.read(name, "a time such as 2026-01-31T12:00:00Z", |text| text.parse().ok())
    }
}
