//! AWS's message about a request that it refuses, without the request's secrets that the message repeats.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Shown;
use crate::pointer::Pointer;

/// The replacement for a secret.
const REDACTED: &str = "(redacted)";

/// A secret of fewer bytes is replaced only where it is a whole word: otherwise `prod` would replace a part of
/// `product`.
const WORD_BYTES_MAX: usize = 8;

/// The shortest beginning of a secret, in bytes, that is recognised at the cut end of a message.
const BEGINNING_BYTES_MIN: usize = 4;

/// Replaces every secret of the request in AWS's message about it, in plain and in JSON notation. A truncated message
/// ends with `…`, and the beginning of a secret before that is removed.
///
/// A value that the request also contains in the open is not a secret: the port in `PORT` is also the container's.
///
/// Source: the validation errors that AWS's services have in common,
/// `Value 'VALUE' at 'MEMBER' failed to satisfy constraint`.
pub fn without_echo(message: &str, request: &Value) -> String {
    let (mut secret, mut open) = (BTreeSet::new(), BTreeSet::new());
    tell_apart(request, &Shown::at(&Pointer::root(), request).to_json(), &mut secret, &mut open);
    let mut forms: Vec<String> = secret.difference(&open).flat_map(|text| [text.clone(), escaped(text)]).collect();
    // The longest first: one may be a part of another.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let mut message = message.to_owned();
    for form in forms.iter().filter(|form| !form.is_empty()) {
        message = replaced(&message, form);
    }
    for form in &forms {
        message = without_beginning(message, form);
    }
    message
}

/// Sorts all texts of a value into secret ones and those that its redacted form shows.
fn tell_apart(value: &Value, shown: &Value, secret: &mut BTreeSet<String>, open: &mut BTreeSet<String>) {
    match (value, shown) {
        (Value::Object(members), Value::Object(shown)) => {
            members.iter().zip(shown.values()).for_each(|((_, value), shown)| tell_apart(value, shown, secret, open));
        }
        (Value::Array(items), Value::Array(shown)) => {
            items.iter().zip(shown).for_each(|(value, shown)| tell_apart(value, shown, secret, open));
        }
        (Value::Object(members), _) => members.values().for_each(|value| tell_apart(value, &Value::Null, secret, open)),
        (Value::Array(items), _) => items.iter().for_each(|value| tell_apart(value, &Value::Null, secret, open)),
        (value, shown) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let texts = if value == shown { open } else { secret };
            texts.insert(text);
        }
    }
}

/// A text in the notation of a JSON string.
fn escaped(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

fn replaced(message: &str, secret: &str) -> String {
    let (mut out, mut done) = (String::with_capacity(message.len()), 0);
    for (at, _) in message.match_indices(secret) {
        let end = at + secret.len();
        let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_word = !is_part(message[..at].chars().next_back()) && !is_part(message[end..].chars().next());
        if is_word || secret.len() >= WORD_BYTES_MAX {
            out.push_str(&message[done..at]);
            out.push_str(REDACTED);
            done = end;
        }
    }
    out.push_str(&message[done..]);
    out
}

/// The message without the beginning of a secret at its end, where it was cut.
fn without_beginning(message: String, secret: &str) -> String {
    let Some(text) = message.strip_suffix('…') else { return message };
    let begins = |end: &usize| secret.is_char_boundary(*end) && text.ends_with(&secret[..*end]);
    match (BEGINNING_BYTES_MIN..secret.len()).rev().find(begins) {
        Some(length) => format!("{}{REDACTED}…", &text[..text.len() - length]),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::without_echo;

    #[test]
    fn a_message_repeats_no_secret_of_its_request() {
        let variable = |name: &str, value: &str| json!({"name": name, "value": value});
        let request = json!({"family": "web", "containerDefinitions": [{
            "name": "web", "portMappings": [{"containerPort": 8080}],
            "environment": [variable("A", "hunter2-hunter2"), variable("B", "prod"), variable("C", "say \"hi\"\n"),
                            variable("PORT", "8080"), variable("D", ""), variable("E", "hunter2-hunter2-longer")],
        }], "more": {"ClientSecret": {"odd": ["t0p-s3cret"]}}});
        let table = [
            ("no such role", "no such role"),
            ("Value '[{name=A, value=hunter2-hunter2}]' is wrong", "Value '[{name=A, value=(redacted)}]' is wrong"),
            ("xhunter2-hunter2x and hunter2-hunter2-longer", "x(redacted)x and (redacted)"),
            ("the product `prod` of production", "the product `(redacted)` of production"),
            (r#"{"value":"say \"hi\"\n"}"#, r#"{"value":"(redacted)"}"#),
            ("port 8080 of web", "port 8080 of web"),
            ("odd=t0p-s3cret", "odd=(redacted)"),
            ("it was hunter2-hu…", "it was (redacted)…"),
            ("it was hun…", "it was hun…"),
            ("not cut: hunter2-hu", "not cut: hunter2-hu"),
        ];
        for (message, told) in table {
            assert_eq!(without_echo(message, &request), told, "{message}");
        }
    }
}
