//! Secrets recognised by name alone: the value of a variable called `DB_PASSWORD` is a secret, unless it cannot be one.

use super::forms::is_filled_in_later;

/// The endings of names of secrets, `_` between the words.
const ENDINGS: [&str; 25] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PWD",
    "SECRET",
    "SECRETS",
    "SECRET_KEY",
    "SECRET_KEY_BASE",
    "SECRET_ACCESS_KEY",
    "CLIENT_SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "ACCESS_KEY",
    "ACCOUNT_KEY",
    "AUTH_KEY",
    "ENCRYPTION_KEY",
    "SIGNING_KEY",
    "MASTER_KEY",
    "LICENSE_KEY",
    "APP_KEY",
    "SSH_KEY",
    "CREDENTIALS",
    "HASH_SALT",
];

/// Names without separators, and names that programs read without any of the endings.
/// Sources: the manuals of `PostgreSQL` (`PGPASSWORD`) and `MySQL` (`MYSQL_PWD`, covered by its ending).
const WHOLE: [&str; 5] = ["PGPASSWORD", "DBPASSWORD", "DBPASS", "AUTHTOKEN", "REDISCLI_AUTH"];

/// `…_PASS` often means another kind of pass; after these words it is a password.
const BEFORE_PASS: [&str; 16] = [
    "DB",
    "DATABASE",
    "SMTP",
    "MAIL",
    "EMAIL",
    "USER",
    "REDIS",
    "RABBITMQ",
    "MYSQL",
    "POSTGRES",
    "MONGO",
    "ADMIN",
    "ROOT",
    "DEFAULT",
    "BASIC_AUTH",
    "HTTP",
];

/// After these words, `…_TOKEN` is a token of a language model or a parser, or a number of tokens.
const BEFORE_OTHER_TOKEN: [&str; 16] = [
    "PAD", "BOS", "EOS", "UNK", "CLS", "SEP", "MASK", "STOP", "START", "END", "SPECIAL", "MAX", "MIN", "PER", "NEXT",
    "TOTAL",
];

/// Bundlers put variables with these prefixes into public pages.
const PUBLIC: [&str; 7] =
    ["NEXT_PUBLIC_", "NUXT_PUBLIC_", "EXPO_PUBLIC_", "VITE_", "REACT_APP_", "GATSBY_", "STORYBOOK_"];

/// Last words of a name that only distinguish several values of one kind.
const WHICH: [&str; 12] = [
    "OLD",
    "NEW",
    "PREVIOUS",
    "CURRENT",
    "PRIMARY",
    "SECONDARY",
    "PROD",
    "PRODUCTION",
    "STAGING",
    "DEV",
    "LIVE",
    "TEST",
];

/// Values that only switch something on or off.
const SWITCHES: [&str; 15] = [
    "true", "false", "yes", "no", "on", "off", "none", "null", "nil", "enabled", "disabled", "required", "optional",
    "auto", "default",
];

/// Placeholders for a value.
const PLACEHOLDERS: [&str; 16] = [
    "changeme",
    "changeit",
    "replaceme",
    "placeholder",
    "dummy",
    "fixme",
    "todo",
    "tbd",
    "example",
    "redacted",
    "hidden",
    "unset",
    "notset",
    "unused",
    "empty",
    "na",
];

/// Whether a variable of this name holds a secret.
pub(super) fn names_a_secret(name: &str) -> bool {
    let name = words(name);
    if PUBLIC.iter().any(|prefix| name.starts_with(prefix)) || name.contains("PUBLISHABLE") {
        return false;
    }
    let mut name = name.as_str();
    while let Some((rest, last)) = name.rsplit_once('_')
        && (WHICH.contains(&last) || last.trim_start_matches('V').chars().all(|c| c.is_ascii_digit()))
    {
        name = rest;
    }
    let before = |ending: &str| {
        let rest = name.strip_suffix(ending)?;
        if rest.is_empty() { Some("") } else { rest.strip_suffix('_') }
    };
    let after_one_of = |rest: &str, words: &[&str]| {
        words.iter().any(|word| rest.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_')))
    };
    if WHOLE.iter().any(|whole| before(whole).is_some()) {
        return true;
    }
    if let Some(rest) = before("PASS") {
        return after_one_of(rest, &BEFORE_PASS);
    }
    // The working directory of a shell.
    if name == "PWD" || name == "OLDPWD" {
        return false;
    }
    if let Some(rest) = before("TOKEN") {
        return !after_one_of(rest, &BEFORE_OTHER_TOKEN);
    }
    ENDINGS.iter().any(|ending| before(ending).is_some())
}

/// A name in capitals with `_` between its words: `dbPassword`, `db-password` and `db.password` are `DB_PASSWORD`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut after_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_small {
            words.push('_');
        }
        after_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        words.push(if matches!(c, '-' | '.' | ' ' | ':' | '/') { '_' } else { c.to_ascii_uppercase() });
    }
    words
}

/// Whether a value can be a secret itself: leaves out what is empty, a switch, a placeholder, the secret's place (a path,
/// a URL, an ARN), and what is filled in later.
pub(super) fn may_be_secret(value: &str) -> bool {
    let value = value.trim();
    let small: String = value.to_ascii_lowercase().chars().filter(|c| !matches!(c, '-' | '_' | ' ' | '/')).collect();
    let is_switch = small.is_empty() || matches!(value, "0" | "1") || SWITCHES.contains(&small.as_str());
    let is_placeholder = PLACEHOLDERS.contains(&small.as_str())
        || (small.starts_with("your") && small.len() > 4 && !small.chars().any(|c| c.is_ascii_digit()))
        || small.starts_with("replacewith");
    // Where the secret is: `prod/database`, `file:///run/secrets/x`. Passwords that look like it are rare.
    let lower = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || "-_.".contains(c));
    let is_place = value.contains("://")
        || (value.contains('/') && value.split('/').all(lower))
        || value.starts_with('/')
        || value.starts_with("./")
        || value.starts_with("arn:")
        || [".pem", ".key", ".crt", ".txt", ".json", ".p12", ".jks", ".env"]
            .iter()
            .any(|ending| value.ends_with(ending));
    !is_switch && !is_placeholder && !is_place && !is_filled_in_later(value)
}

#[cfg(test)]
mod tests {
    use super::{may_be_secret, names_a_secret};

    #[test]
    fn a_name_says_whether_its_value_is_a_secret() {
        let secrets = "
            PASSWORD password DB_PASSWORD db-password dbPassword spring.datasource.password DB_PASSWD PGPASSWORD MYSQL_PWD
            SECRET DJANGO_SECRET_KEY SECRET_KEY_BASE AWS_SECRET_ACCESS_KEY CLIENT_SECRET TOKEN GITHUB_TOKEN PUBLIC_TOKEN
            API_KEY apiKey apikey STRIPE_API_KEY PRIVATE_KEY JWT_PRIVATE_KEY SSH_KEY RAILS_MASTER_KEY NEW_RELIC_LICENSE_KEY
            DB_PASS SMTP_PASS RABBITMQ_DEFAULT_PASS DB_PASSWORD_OLD API_KEY_2 SECRET_KEY_V2 SIGNING_KEY PASSPHRASE
            REDISCLI_AUTH ConnectionStrings:Password";
        for name in secrets.split_whitespace() {
            assert!(names_a_secret(name), "{name}");
        }
        let others = "
            PASSWORD_FILE DB_PASSWORD_FILE TOKEN_URL SECRET_NAME SECRET_ARN DB_SECRET_ID TOKEN_TTL TOKEN_ISSUER PASSWORD_MIN
            PASSWORD_RESET_URL SECRET_MANAGER_REGION PUBLIC_KEY API_KEY_HEADER API_KEY_ID AWS_ACCESS_KEY_ID KEY CACHE_KEY
            PARTITION_KEY KEYSPACE COMPASSWORD PASS BOARDING_PASS RENDER_PASS BYPASS COMPASS PWD OLDPWD MAX_TOKEN PAD_TOKEN
            EOS_TOKEN TOKENS TOKENIZER NEXT_PUBLIC_API_KEY VITE_MAP_TOKEN STRIPE_PUBLISHABLE_API_KEY SECRETARY MONKEY TURKEY
            USERNAME DATABASE_URL PASSWORDLESS PASSWORD_HASHER";
        for name in others.split_whitespace() {
            assert!(!names_a_secret(name), "{name}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_a_secret_is_none() {
        for value in ["hunter2", "x", "123456", "aB3/xY9/kQ", "correct horse battery staple", "pa$$word", "yourself1"] {
            assert!(may_be_secret(value), "{value}");
        }
        let others = [
            "",
            " ",
            "0",
            "true",
            "No",
            "disabled",
            "null",
            "changeme",
            "CHANGE_ME",
            "change-me",
            "replace-with-your-key",
            "your-api-key-here",
            "<your key>",
            "TODO",
            "n/a",
            "***",
            "xxxx",
            "${secret.db}",
            "prefix-${stack.a.b}",
            "$DB_PASSWORD",
            "$(cat /run/x)",
            "{{ vault.db }}",
            "%DB_PASSWORD%",
            "/run/secrets/db",
            "./secrets/db",
            "server-key.pem",
            "file:///run/secrets/db",
            "https://example.com/reset",
            "elearning/prod/database",
            "arn:aws:secretsmanager:eu-central-1:210987654321:secret:x",
        ];
        for value in others {
            assert!(!may_be_secret(value), "{value}");
        }
    }
}
