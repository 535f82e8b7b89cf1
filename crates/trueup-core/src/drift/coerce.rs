//! Scalars as the API model types them, whatever JSON type they are written in.
//!
//! `256` and `"256"` are one value where the model says string, and one where it says integer; an image tag `1.10`
//! stays text. No type is guessed from the text of a value.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::rule::{Fallback, Rule};
use super::schema::Form;

/// A scalar in canonical form.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum Scalar<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Real(f64),
    Flag(bool),
    /// It does not have the type that the model requires: compared as plain JSON.
    Other(String),
}

impl<'a> Scalar<'a> {
    /// Reads a value of the given form. `None` for what equals absence: null, and `""` unless the rule keeps it.
    pub fn read(form: &Form, rule: &Rule, value: &'a Value) -> Option<Self> {
        if value.is_null() {
            return None;
        }
        Some(match form {
            Form::Integer => integer(value).map_or_else(|| Self::Other(value.to_string()), Self::Integer),
            Form::Real => real(value).map_or_else(|| Self::Other(value.to_string()), Self::Real),
            Form::Flag => flag(value).map_or_else(|| Self::Other(value.to_string()), Self::Flag),
            Form::Text | Form::Map | Form::Free | Form::List(..) | Form::Structure(_) => match text(value) {
                Some(text) if text.is_empty() && !rule.keep_empty => return None,
                Some(text) => Self::Text(match (rule.spelling, text) {
                    (None, text) => text,
                    (Some(spelling), Cow::Borrowed(text)) => spelling(text),
                    (Some(spelling), Cow::Owned(text)) => Cow::Owned(spelling(&text).into_owned()),
                }),
                None => Self::Other(value.to_string()),
            },
        })
    }

    /// The same, without borrowing.
    pub fn into_owned<'b>(self) -> Scalar<'b> {
        match self {
            Self::Text(text) => Scalar::Text(Cow::Owned(text.into_owned())),
            Self::Integer(number) => Scalar::Integer(number),
            Self::Real(number) => Scalar::Real(number),
            Self::Flag(flag) => Scalar::Flag(flag),
            Self::Other(json) => Scalar::Other(json),
        }
    }

    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.as_ref().to_owned()),
            Self::Integer(number) => Value::from(*number),
            Self::Real(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Other(json) => Value::String(json.clone()),
        }
    }
}

impl Fallback {
    /// The default of a scalar, where it does not depend on anything.
    pub fn scalar(self, form: &Form) -> Option<Scalar<'static>> {
        match self {
            Self::Text(text) => Some(Scalar::Text(Cow::Borrowed(text))),
            #[expect(clippy::cast_precision_loss, reason = "the table's own small numbers")]
            Self::Int(number) if matches!(form, Form::Real) => Some(Scalar::Real(number as f64)),
            Self::Int(number) => Some(Scalar::Integer(number)),
            Self::Flag(flag) => Some(Scalar::Flag(flag)),
            Self::Absent | Self::Texts(_) | Self::By(_) => None,
        }
    }
}

/// The text of a scalar: numbers in digits, booleans as `true` and `false`.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(match whole(number) {
            Some(whole) => Cow::Owned(whole.to_string()),
            None => Cow::Owned(number.to_string()),
        }),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The whole number that a value is, or contains as text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole(number),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Numbers keep their text (`arbitrary_precision`), so `10.0` has to be read as a float to be recognised as 10.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
        (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64)
    })
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether two values are the same JSON: numbers by value, `null` members as absent.
pub(crate) fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            let covers = |a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>| {
                a.iter().all(|(name, a)| a.is_null() || b.get(name).is_some_and(|b| same_json(a, b)))
            };
            covers(a, b) && covers(b, a)
        }
        (a, b) => a == b,
    }
}

/// A task's `cpu` in CPU units: `.25 vCPU` is 256. Case and spaces are ignored.
///
/// Source: ECS API reference, `RegisterTaskDefinition`: "an integer using CPU units (`1024`) or a string using vCPUs
/// (`1 vCPU` or `1 vcpu`)".
pub(crate) fn cpu_units(text: &str) -> Cow<'_, str> {
    with_unit(text, "vcpu")
}

/// A task's `memory` in MiB: `1 GB` is 1024. Case and spaces are ignored.
///
/// Source: ECS API reference, `RegisterTaskDefinition`: "an integer using MiB (`1024`) or a string using GB (`1GB` or
/// `1 GB`)".
pub(crate) fn mebibytes(text: &str) -> Cow<'_, str> {
    with_unit(text, "gb")
}

/// Multiplies a number with this unit by 1024. Other text stays unchanged.
fn with_unit<'a>(text: &'a str, unit: &str) -> Cow<'a, str> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    match compact.strip_suffix(unit) {
        Some(number) => match number.parse::<f64>() {
            Ok(number) if number.is_finite() => Cow::Owned(format!("{:.0}", (number * 1024.0).round())),
            _ => Cow::Borrowed(text),
        },
        None if compact.parse::<u64>().is_ok() => Cow::Owned(compact),
        None => Cow::Borrowed(text),
    }
}

/// A text that is compared without regard to case.
pub(crate) fn any_case(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// A comma-separated set, such as a matcher's codes: order, spaces and repetition are ignored; ranges stay ranges.
pub(crate) fn comma_set(text: &str) -> Cow<'_, str> {
    if !text.contains([',', ' ']) {
        return Cow::Borrowed(text);
    }
    let mut codes: Vec<&str> = text.split(',').map(str::trim).filter(|code| !code.is_empty()).collect();
    codes.sort_unstable();
    codes.dedup();
    Cow::Owned(codes.join(","))
}

#[cfg(test)]
mod tests {
    use super::{comma_set, cpu_units, mebibytes};

    #[test]
    fn sizes_with_units_are_the_numbers_that_aws_returns() {
        for (text, units) in [
            ("256", "256"),
            (".25 vCPU", "256"),
            ("0.25 vcpu", "256"),
            ("1vCPU", "1024"),
            ("16 vCPU", "16384"),
            ("x", "x"),
        ] {
            assert_eq!(cpu_units(text), units, "{text}");
        }
        for (text, size) in
            [("1024", "1024"), ("1GB", "1024"), ("1.0 GB", "1024"), ("0.5gb", "512"), ("30 gb", "30720")]
        {
            assert_eq!(mebibytes(text), size, "{text}");
        }
    }

    #[test]
    fn codes_are_a_set_and_ranges_stay_ranges() {
        for (text, set) in [("202, 200", "200,202"), ("200-201", "200-201"), ("200,200", "200")] {
            assert_eq!(comma_set(text), set, "{text}");
        }
    }
}
