//! Secrets in clear text. What is in git, everybody who reads the repository has.

use super::{Place, Subject};
use crate::desired::Ignore;
use crate::document::Problem;
use crate::model::Kind;
use crate::pointer::Pointer;

pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    for container in subject.containers() {
        let container_name = container.member_text("name").unwrap_or("*");
        let inside = Pointer::root().join("containerDefinitions").join(container_name);
        for entry in container.list("environment") {
            let (Some(name), Some(place)) = (entry.member_text("name"), entry.get("value")) else { continue };
            let Some(what) = place.node.as_str().and_then(|value| secret(name, value)) else { continue };
            let field = inside.join("environment").join(name);
            let help = format!("move it to `secrets`: `name = \"{name}\"`, `valueFrom = \"${{secret.NAME}}\"`");
            report(subject, &place, &field, &format!("`{name}` holds {what} in clear text"), &help, problems);
        }
        let options = container.get("logConfiguration").and_then(|logs| logs.get("options"));
        if let Some(place) = options.and_then(|options| options.get("splunk-token"))
            && place.text().is_some()
        {
            let field = inside.join("logConfiguration").join("options").join("splunk-token");
            let help = "move it to `secretOptions`, with `valueFrom = \"${secret.NAME}\"`";
            report(subject, &place, &field, "`splunk-token` holds a token in clear text", help, problems);
        }
    }
}

fn report(
    subject: &Subject<'_>,
    place: &Place<'_>,
    field: &Pointer,
    message: &str,
    help: &str,
    problems: &mut Vec<Problem>,
) {
    if subject.allow_plaintext.iter().any(|allowed| allows(allowed, field)) {
        return;
    }
    let allowed = format!("task-definition:{field}");
    problems.push(
        place
            .problem("plaintext-secret", message)
            .help(format!("{help}; if it is no secret, add `allow_plaintext = [\"{allowed}\"]` to `app.toml`")),
    );
}

fn allows(allowed: &Ignore, field: &Pointer) -> bool {
    let segments = allowed.pointer.segments();
    allowed.kind == Kind::TaskDefinition
        && segments.len() <= field.segments().len()
        && segments.iter().zip(field.segments()).all(|(pattern, segment)| pattern == "*" || pattern == segment)
}

/// What kind of secret a value certainly is. Never quotes it.
fn secret(name: &str, value: &str) -> Option<&'static str> {
    if has_access_key_id(value) {
        return Some("an AWS access key");
    }
    if value.contains("-----BEGIN ") && value.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    if has_password_in_url(value) {
        return Some("a URL with a password");
    }
    (names_a_secret(name) && is_literal_secret(value)).then_some("what its name calls a secret")
}

/// `AKIA` (long-lived) or `ASIA` (temporary) and sixteen letters and digits.
/// Source: IAM user guide, "IAM identifiers", unique identifiers.
fn has_access_key_id(value: &str) -> bool {
    value.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        word.len() == 20
            && (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    })
}

/// `scheme://user:password@host`
fn has_password_in_url(value: &str) -> bool {
    value.match_indices("://").any(|(at, _)| {
        let authority = value[at + 3..].split(['/', '?', '#', ' ', '"']).next().unwrap_or_default();
        let password =
            authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
        // `$(…)`, `$NAME` and `{…}` are filled in later, by the program itself.
        password.is_some_and(|password| !password.is_empty() && !password.contains(['$', '{', '<', '%']))
    })
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_uppercase().replace(['-', '.'], "_");
    let endings = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "SECRET",
        "SECRET_KEY",
        "SECRET_KEY_BASE",
        "SECRET_ACCESS_KEY",
        "PRIVATE_KEY",
        "API_KEY",
        "AUTH_TOKEN",
        "ACCESS_TOKEN",
        "API_TOKEN",
    ];
    // What the clients of PostgreSQL and MySQL read.
    if matches!(name.as_str(), "PGPASSWORD" | "MYSQL_PWD") {
        return true;
    }
    endings.iter().any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('_')))
}

/// Leaves out what is no secret whatever the name says: switches, paths, ARNs, and what is filled in later.
fn is_literal_secret(value: &str) -> bool {
    let is_word = !matches!(
        value.to_lowercase().as_str(),
        "" | "0" | "1" | "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null"
    );
    // Where the secret is: `prod/database`, `file:///run/secrets/x`. Passwords that look like it are rare.
    let lower = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || "-_.".contains(c));
    let is_place = value.contains("://") || (value.contains('/') && value.split('/').all(lower));
    is_word
        && !is_place
        && !value.starts_with(['/', '$', '{', '<'])
        && !value.starts_with("arn:")
        && !value.contains("${")
}
