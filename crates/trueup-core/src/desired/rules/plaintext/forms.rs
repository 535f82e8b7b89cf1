//! Secrets recognised by their form: keys and tokens with a known prefix, private keys, connection strings with a
//! password.

/// Tokens with a unique prefix: the prefix, the minimum number of characters that follow (letters, digits, `_`, `-` and
/// `.`), and the kind of token.
///
/// Sources: each provider's documentation of its token formats; publishable keys (Stripe's `pk_`) are left out.
const TOKENS: [(&str, usize, &str); 39] = [
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghu_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("ghr_", 36, "a GitHub token"),
    ("github_pat_", 36, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("gldt-", 20, "a GitLab token"),
    ("glrt-", 20, "a GitLab token"),
    ("glcbt-", 20, "a GitLab token"),
    ("glptt-", 20, "a GitLab token"),
    ("glft-", 20, "a GitLab token"),
    ("glsoat-", 20, "a GitLab token"),
    ("glagent-", 20, "a GitLab token"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("xoxa-", 20, "a Slack token"),
    ("xoxr-", 20, "a Slack token"),
    ("xoxs-", 20, "a Slack token"),
    ("xapp-", 20, "a Slack token"),
    ("sk_live_", 16, "a Stripe key"),
    ("sk_test_", 16, "a Stripe key"),
    ("rk_live_", 16, "a Stripe key"),
    ("rk_test_", 16, "a Stripe key"),
    ("whsec_", 24, "a webhook secret"),
    ("SG.", 60, "a SendGrid key"),
    ("npm_", 36, "an npm token"),
    ("pypi-", 50, "a PyPI token"),
    ("dckr_pat_", 20, "a Docker Hub token"),
    ("dop_v1_", 40, "a DigitalOcean token"),
    ("shpat_", 32, "a Shopify token"),
    ("hvs.", 24, "a Vault token"),
    ("GOCSPX-", 20, "a Google OAuth client secret"),
    ("sk-ant-", 20, "an Anthropic key"),
    ("sk-proj-", 20, "an OpenAI key"),
    ("hf_", 34, "a Hugging Face token"),
    ("dapi", 32, "a Databricks token"),
    ("AGE-SECRET-KEY-1", 50, "an age key"),
    ("PMAK-", 50, "a Postman key"),
];

/// The kind of secret that a text certainly holds; never quotes it.
pub(super) fn form(text: &str) -> Option<&'static str> {
    if has_access_key_id(text) {
        return Some("an AWS access key");
    }
    if is_secret_access_key(text) {
        return Some("an AWS secret access key");
    }
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    if has_password_in_url(text) {
        return Some("a URL with a password");
    }
    if has_password_in_pairs(text) {
        return Some("a connection string with a password");
    }
    if has_slack_webhook(text) {
        return Some("the URL of a Slack webhook, which is its secret");
    }
    words(text, "_-.").find_map(|word| token(word).or_else(|| is_jwt(word).then_some("a JSON Web Token")))
}

/// The parts of a text between characters that no token has.
fn words<'t>(text: &'t str, joiners: &'static str) -> impl Iterator<Item = &'t str> {
    text.split(move |c: char| !c.is_ascii_alphanumeric() && !joiners.contains(c))
}

fn token(word: &str) -> Option<&'static str> {
    TOKENS.iter().find_map(|(prefix, length_min, what)| {
        let rest = word.strip_prefix(prefix)?;
        // Words of a sentence have no digits, and the placeholder in an example repeats one character.
        let is_random = rest.chars().any(|c| c.is_ascii_digit()) && distinct(rest) >= 8;
        (rest.len() >= *length_min && is_random).then_some(*what)
    })
}

/// `AKIA` (long-lived) or `ASIA` (temporary) and sixteen letters and digits; those of AWS's own examples end in
/// `EXAMPLE`.
/// Source: IAM user guide, "IAM identifiers", unique identifiers.
fn has_access_key_id(text: &str) -> bool {
    words(text, "").any(|word| {
        word.len() == 20
            && (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            && !word.ends_with("EXAMPLE")
    })
}

/// Exactly forty characters of base64, as evenly distributed as random ones. Commit ids, which are as long, have
/// sixteen different characters; paths and sentences repeat theirs.
fn is_secret_access_key(text: &str) -> bool {
    text.len() == 40
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '/' || c == '+')
        && text.chars().any(|c| c.is_ascii_uppercase())
        && text.chars().any(|c| c.is_ascii_lowercase())
        && text.chars().any(|c| c.is_ascii_digit())
        && distinct(text) >= 24
        && !text.contains("EXAMPLE")
}

/// How many different characters a text has.
fn distinct(text: &str) -> usize {
    let characters: std::collections::BTreeSet<char> = text.chars().collect();
    characters.len()
}

/// Two JSON objects in base64 and a signature. A token without a signature grants no access.
/// Source: RFC 7519, 3.1; `eyJ` is `{"` in base64.
fn is_jwt(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let [header, claims, signature] = parts[..] else { return false };
    header.starts_with("eyJ") && claims.starts_with("eyJ") && signature.len() >= 16
}

/// `https://hooks.slack.com/services/T…/B…/…`: anyone with the URL may write.
fn has_slack_webhook(text: &str) -> bool {
    text.split_once("hooks.slack.com/services/")
        .is_some_and(|(_, path)| path.split('/').nth(2).is_some_and(|last| distinct(last) >= 8))
}

/// `scheme://user:password@host`
fn has_password_in_url(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let authority = text[at + 3..].split(['/', '?', '#', ' ', '"', '\'']).next().unwrap_or_default();
        let password =
            authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
        password.is_some_and(|password| !is_filled_in_later(password))
    })
}

/// `Server=db;Password=hunter2`, `host=db password=hunter2`, `jdbc:…?user=u&password=hunter2`: a list of pairs in which a
/// password is not the only one.
/// Sources: ODBC and ADO.NET connection strings; `PostgreSQL`, "Connection Strings"; Azure Storage connection strings.
fn has_password_in_pairs(text: &str) -> bool {
    let separators = [';', '&', '?', ' ', ','];
    let pairs: Vec<(&str, &str)> = text.split(separators).filter_map(|part| part.split_once('=')).collect();
    let is_password = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        matches!(name.as_str(), "password" | "pwd" | "sslpassword" | "accountkey" | "sharedaccesskey")
    };
    let more = text.contains("://") || pairs.len() >= 2;
    more && pairs.iter().any(|(name, value)| is_password(name) && !is_filled_in_later(value.trim_matches(['\'', '"'])))
}

/// Whether a password is empty, or a placeholder that the program itself fills in: `$NAME`, `${…}`, `$(…)`, `{…}`,
/// `<…>`, `%s`, `%(…)s`, `%NAME%`, or nothing but asterisks or crosses.
pub(super) fn is_filled_in_later(text: &str) -> bool {
    text.is_empty()
        || (text.len() >= 3 && text.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '…')))
        || text.starts_with(['$', '{', '<', '['])
        || ["${", "$(", "{{", "%(", "<%"].iter().any(|opening| text.contains(opening))
        || text == "%s"
        || (text.len() > 2 && text.starts_with('%') && text.ends_with('%'))
}

#[cfg(test)]
mod tests {
    use super::form;

    /// Put together here, so that no scanner takes this file for a leak.
    fn joined(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn a_secret_is_known_by_its_form() {
        let random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let table = [
            (joined(&["AKIA", "Q3EGVB5VPXKJ7TQ2"]), "an AWS access key"),
            (joined(&["key=ASIA", "Q3EGVB5VPXKJ7TQ2;"]), "an AWS access key"),
            (joined(&["wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYzQ4tW9eLkA"]), "an AWS secret access key"),
            (joined(&["-----BEGIN ", "PRIVATE KEY-----\nMII"]), "a private key"),
            (joined(&["-----BEGIN OPENSSH ", "PRIVATE KEY-----\nb3"]), "a private key"),
            (joined(&["-----BEGIN PGP ", "PRIVATE KEY BLOCK-----"]), "a private key"),
            (joined(&["ghp_", random]), "a GitHub token"),
            (joined(&["token ", "ghs_", random, " of the runner"]), "a GitHub token"),
            (joined(&["github_pat_", random, "_", random]), "a GitHub token"),
            (joined(&["glpat-", "a1B2c3D4e5F6g7H8i9J0"]), "a GitLab token"),
            (joined(&["xoxb-", "123456789012-abcdefABCDEF"]), "a Slack token"),
            (
                joined(&["https://hooks.slack.com/", "services/T01/B02/a1B2c3D4e5F6"]),
                "the URL of a Slack webhook, which is its secret",
            ),
            (joined(&["sk_live_", "a1B2c3D4e5F6g7H8"]), "a Stripe key"),
            (joined(&["rk_test_", "a1B2c3D4e5F6g7H8"]), "a Stripe key"),
            (joined(&["SG.", random, ".", random]), "a SendGrid key"),
            (joined(&["npm_", random]), "an npm token"),
            (
                joined(&["Bearer ", "eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxIn0.", "c2lnbmF0dXJlLXNpZ25hdHVyZQ"]),
                "a JSON Web Token",
            ),
            (joined(&["postgres://django:", "hunter2@db:5432/x"]), "a URL with a password"),
            (joined(&["redis://:", "hunter2@cache:6379/0"]), "a URL with a password"),
            (joined(&["amqp://u:", "p%40ss@mq/v"]), "a URL with a password"),
            (joined(&["Server=db;User Id=sa;", "Password=hunter2;"]), "a connection string with a password"),
            (joined(&["host=db user=django ", "password='hunter2'"]), "a connection string with a password"),
            (joined(&["jdbc:mysql://db/x?user=u&", "password=hunter2"]), "a connection string with a password"),
            (joined(&["AccountName=a;", "AccountKey=aB3xY9kQ=="]), "a connection string with a password"),
            (joined(&["username=u,", "password=hunter2,vers=3.0"]), "a connection string with a password"),
        ];
        for (text, what) in table {
            assert_eq!(form(&text), Some(what), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_is_none() {
        let table = [
            "",
            "production",
            // AWS's own examples.
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AKIA-is-the-prefix-of-access-keys",
            "AKIAshortword",
            // A commit, digests, an id, ARNs, paths and sentences of forty characters.
            "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "550e8400-e29b-41d4-a716-446655440000",
            "arn:aws:secretsmanager:eu-central-1:210987654321:secret:prod/db-AbCdEf",
            "arn:aws:iam::210987654321:role/elearning-execution",
            "/var/lib/Something/Other/Things/Here/1/a",
            "Users/Someone/Projects/This/Is/The/Path1",
            "AllowTheseUsersToSeeTheirOwnDashboards12",
            // Public by purpose.
            "-----BEGIN CERTIFICATE-----\nMII",
            "-----BEGIN PUBLIC KEY-----\nMII",
            "pk_live_a1B2c3D4e5F6g7H8",
            "https://a1b2c3d4@o1.ingest.sentry.io/2",
            // Prefixes in names, sentences and templates.
            "ghp_",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk_live_your_key_goes_here_please",
            "npm_config_registry_and_other_settings_of_it",
            "xoxb-your-token",
            "https://hooks.slack.com/services/T00/B00/XXXXXXXX",
            // Unsigned, or no token at all.
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
            "eyJ.example.com",
            "www.example.com.and.more",
            // URLs without a password, or with one that is put in later.
            "postgres://django@db:5432/x",
            "https://example.com:8443/a@b:c",
            "https://example.com/path?time=12:30@x",
            "http://u:$PASS@h",
            "http://u:${PASS}@h",
            "http://u:{password}@h",
            "http://u:<password>@h",
            "http://u:%(password)s@h",
            "http://u:%PASSWORD%@h",
            "http://u:****@h",
            "http://u:@h",
            "Server=db;Password=$(DB_PASSWORD);",
            "Server=db;Password=;User=u",
            "host=db passwordcheck=1",
            "password=",
            "--skip-password --user=x",
            "https://example.com/reset?token=1&passwords=2",
        ];
        for text in table {
            assert_eq!(form(text), None, "{text}");
        }
    }
}
