//! Secrets in clear text: everyone who can read the repository has them.

mod forms;
mod names;

use std::borrow::Cow;

use self::forms::form;
use self::names::{may_be_secret, names_a_secret};
use super::{ApplicationView, Located};
use crate::desired::Ignore;
use crate::desired::merge::key_of;
use crate::document::{NodeValue, Problem};
use crate::kind::Kind;
use crate::pointer::Pointer;

/// Checks every string of every document. Returns for each entry of `allow_plaintext` the problem to report when it is
/// not needed, and whether it is needed.
pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) -> Vec<(Problem, bool)> {
    // A document that could not be parsed may need any entry.
    let mut needed = vec![!subject.complete; subject.allow_plaintext.len()];
    for document in subject.documents {
        let mut found = Vec::new();
        walk(document.kind, &mut Pointer::root(), &Located::root(&document.node), &mut found);
        for FoundSecret { place, field, message, help } in found {
            let mut is_allowed = false;
            for ((allowed, _), needed) in subject.allow_plaintext.iter().zip(&mut needed) {
                let Ignore { kind, name, pointer } = allowed;
                let of_document = *kind == document.kind && name.as_ref().is_none_or(|name| *name == document.name);
                if of_document && pointer.covers(&field) {
                    (is_allowed, *needed) = (true, true);
                }
            }
            if !is_allowed {
                let allow = format!("allow_plaintext = [\"{}:{field}\"]", document.kind.as_str());
                let help = format!("{help}; if it is no secret, add `{allow}` to `app.toml`");
                problems.push(place.problem("plaintext-secret", message).help(help));
            }
        }
    }
    subject.allow_plaintext.iter().map(|(_, problem)| problem.clone()).zip(needed).collect()
}

/// Whether a line of a file that cannot be parsed names or contains a secret: the text after it may be one, too.
pub fn hints_at_secret(line: &str) -> bool {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.'));
    form(line).is_some() || words.map(|word| word.trim_start_matches('-')).any(names_a_secret)
}

/// A secret in clear text. Nothing in it quotes the value.
struct FoundSecret<'a> {
    place: Located<'a>,
    /// Where it is, keyed sets by key, as `allow_plaintext` names it.
    field: Pointer,
    message: String,
    help: String,
}

/// Checks a value and everything in it.
fn walk<'a>(kind: Kind, field: &mut Pointer, place: &Located<'a>, found: &mut Vec<FoundSecret<'a>>) {
    match &place.node.value {
        NodeValue::String(text) => found.extend(judge(kind, field, place, text)),
        NodeValue::List(_) if is_command(kind, field.segments()) => words(field, place, found),
        NodeValue::List(_) => {
            let key = kind.list_key(field.segments());
            for (index, item) in place.items().enumerate() {
                let name = key.and_then(|key| key_of(key, item.node));
                field.push(name.map_or_else(|| index.to_string(), Cow::into_owned));
                walk(kind, field, &item, found);
                field.pop();
            }
        }
        NodeValue::Object(_) => {
            // A variable is named by its entry: `/containerDefinitions/web/environment/NAME`.
            if let Some(name) = variable(kind, field.segments()) {
                if let Some(value) = place.get("value")
                    && let Some(text) = value.node.as_str()
                    && let Some(what) = of_name(name, text)
                {
                    let message = format!("`{name}` holds {what} in clear text");
                    let help = format!("move it to `secrets`: `name = \"{name}\"`, `valueFrom = \"${{secret.NAME}}\"`");
                    found.push(FoundSecret { place: value, field: field.clone(), message, help });
                }
                return;
            }
            for (name, member) in place.members() {
                field.push(name);
                walk(kind, field, &member, found);
                field.pop();
            }
        }
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => {}
    }
}

/// The name of the environment variable at a place.
fn variable(kind: Kind, field: &[String]) -> Option<&str> {
    match field {
        [containers, _, list, name]
            if kind == Kind::TaskDefinition && containers == "containerDefinitions" && list == "environment" =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// Whether the list at a place is a command line.
fn is_command(kind: Kind, field: &[String]) -> bool {
    let inside = match field {
        [containers, _, inside @ ..] if kind == Kind::TaskDefinition && containers == "containerDefinitions" => inside,
        _ => return false,
    };
    match inside {
        [list] => list == "command" || list == "entryPoint",
        [check, list] => check == "healthCheck" && list == "command",
        _ => false,
    }
}

/// The kind of secret that the value of a variable is, by its form or else by the variable's name.
fn of_name(name: &str, text: &str) -> Option<&'static str> {
    form(text).or_else(|| (names_a_secret(name) && may_be_secret(text)).then_some("what its name calls a secret"))
}

/// Checks a string that is neither an environment variable nor part of a command line.
fn judge<'a>(kind: Kind, field: &Pointer, place: &Located<'a>, text: &str) -> Option<FoundSecret<'a>> {
    let segments: Vec<&str> = field.segments().iter().map(String::as_str).collect();
    let name = *segments.last()?;
    // Names there are chosen by the author, or belong to a program that is not AWS's.
    let (is_named, help) = match segments[..] {
        ["containerDefinitions", _, "logConfiguration", "options", _] => {
            (true, "move it to `secretOptions`, with `valueFrom = \"${secret.NAME}\"`")
        }
        ["containerDefinitions", _, "firelensConfiguration", "options", _]
        | ["containerDefinitions", _, "dockerLabels", _]
        | ["volumes", _, "dockerVolumeConfiguration", "driverOpts" | "labels", _] => {
            (true, "remove it, and pass it to the container by `secrets` with `valueFrom = \"${secret.NAME}\"`")
        }
        [.., "AuthenticateOidcConfig", "ClientSecret"] if kind == Kind::ListenerRule => {
            (true, "write `UseExistingClientSecret = true` instead, and set the secret of the rule manually, once")
        }
        _ => (false, "keep it in Secrets Manager, and refer to it by `valueFrom = \"${secret.NAME}\"` in `secrets`"),
    };
    let what = if is_named { of_name(name, text)? } else { form(text)? };
    let message = format!("`{name}` holds {what} in clear text");
    Some(FoundSecret { place: place.clone(), field: field.clone(), message, help: help.to_owned() })
}

/// The words of a command line: `--password=hunter2`, `--password hunter2`, `PGPASSWORD=hunter2`, also inside one word
/// that is passed to a shell.
fn words<'a>(field: &mut Pointer, list: &Located<'a>, found: &mut Vec<FoundSecret<'a>>) {
    let mut option = None;
    for (index, place) in list.items().enumerate() {
        let Some(text) = place.node.as_str() else { continue };
        let mut what = form(text);
        for word in text.split([' ', '\n', '\t', ';']).filter(|word| !word.is_empty()) {
            let is_value = |text: &str| may_be_secret(text.trim_matches(['"', '\'']));
            let by_name = match word.split_once('=') {
                Some((name, value)) => names_a_secret(name.trim_start_matches('-')) && is_value(value),
                None => option.is_some() && !word.starts_with('-') && is_value(word),
            };
            what = what.or(by_name.then_some("what is called a secret there"));
            option = word.strip_prefix("--").filter(|name| !name.contains('=') && names_a_secret(name));
        }
        if let Some(what) = what {
            let list_name = field.segments().last().cloned().unwrap_or_default();
            field.push(index.to_string());
            let message = format!("`{list_name}` holds {what} in clear text");
            let help = "give it to the container by `secrets` with `valueFrom = \"${secret.NAME}\"`, and let a shell put it in";
            found.push(FoundSecret { place, field: field.clone(), message, help: help.to_owned() });
            field.pop();
        }
    }
}
