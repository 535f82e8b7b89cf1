//! Who we are to the server: a token for HTTPS, a key or the agent for SSH.

use std::fmt;
use std::path::PathBuf;

use git2::{Cred, CredentialType};
use trueup_ports::SourceError;

use crate::fault::lasting;
use crate::location::{Location, Transport};

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A token for HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// The token itself, from the environment.
    Value(Secret),
    /// A file that holds it, read at every connection, so that a token can be exchanged while the daemon runs (those of
    /// GitHub apps last an hour).
    File(PathBuf),
}

/// A private key for SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The key itself, in OpenSSH's or PEM format, from the environment: what containers get from a secret store.
    Value(Secret),
    /// A file that holds it, read at every connection.
    File(PathBuf),
}

/// Who we are to the server. Nothing here is sent to any other host than the repository's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The user name that goes with the token; `x-access-token` when absent, which GitHub and GitLab take. Bitbucket
    /// wants `x-token-auth`.
    pub https_user: Option<String>,
    /// The token, or password, for HTTPS.
    pub https_token: Option<Token>,
    /// The private key for SSH; when absent, the SSH agent is asked.
    pub ssh_key: Option<Key>,
    /// The private key's passphrase.
    pub ssh_passphrase: Option<Secret>,
    /// OpenSSH `known_hosts` files; when empty, `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`.
    pub known_hosts: Vec<PathBuf>,
}

/// What the server gets as proof.
#[derive(Debug, PartialEq, Eq)]
enum Proof {
    UserName(String),
    Password { user: String, password: Secret },
    Key { user: String, path: PathBuf, passphrase: Option<Secret> },
    KeyText { user: String, key: Secret, passphrase: Option<Secret> },
    Agent { user: String },
}

impl Credentials {
    /// Answers libgit2 when the server at `url` wants to know who we are. `asked_before` says how often it has already
    /// refused the answer.
    pub(crate) fn answer(
        &self,
        location: &Location,
        url: &str,
        allowed: CredentialType,
        asked_before: usize,
    ) -> Result<Result<Cred, git2::Error>, SourceError> {
        Ok(match self.choose(location, url, allowed, asked_before)? {
            Proof::UserName(user) => Cred::username(&user),
            Proof::Password { user, password } => Cred::userpass_plaintext(&user, password.reveal()),
            Proof::Key { user, path, passphrase } => {
                Cred::ssh_key(&user, None, &path, passphrase.as_ref().map(Secret::reveal))
            }
            Proof::KeyText { user, key, passphrase } => {
                // A variable loses the line's end without which the last line of a key is none.
                let key = format!("{}\n", key.reveal().trim());
                Cred::ssh_key_from_memory(&user, None, &key, passphrase.as_ref().map(Secret::reveal))
            }
            Proof::Agent { user } => Cred::ssh_key_from_agent(&user),
        })
    }

    fn choose(
        &self,
        location: &Location,
        url: &str,
        allowed: CredentialType,
        asked_before: usize,
    ) -> Result<Proof, SourceError> {
        let place = &location.url;
        if !location.is_at(url) {
            return Err(lasting(
                format!("a server other than that of `{place}` asked for its credentials, and got none"),
                "the server redirects elsewhere: give the repository's new URL",
            ));
        }
        match &location.transport {
            Transport::Path(_) => Err(lasting(format!("`{place}` asked for credentials"), "a path needs none")),
            Transport::Http { .. } => {
                let Some(password) = self.token()? else {
                    return Err(lasting(
                        format!("`{place}` asks for credentials, but no token is given"),
                        "the repository is private or does not exist: give a token with read access to its contents",
                    ));
                };
                if asked_before > 0 {
                    return Err(lasting(
                        format!("`{place}` refused the token"),
                        "the token has expired, was revoked, or may not read this repository",
                    ));
                }
                let user = self.https_user.clone().unwrap_or_else(|| "x-access-token".to_owned());
                Ok(Proof::Password { user, password })
            }
            Transport::Ssh { user, .. } => self.choose_for_ssh(place, user, allowed, asked_before),
        }
    }

    fn choose_for_ssh(
        &self,
        place: &str,
        user: &str,
        allowed: CredentialType,
        asked_before: usize,
    ) -> Result<Proof, SourceError> {
        let user = user.to_owned();
        if allowed.contains(CredentialType::USERNAME) {
            return Ok(Proof::UserName(user));
        }
        if !allowed.contains(CredentialType::SSH_KEY) {
            return Err(lasting(
                format!("`{place}` does not accept SSH keys"),
                "only public-key authentication is supported for SSH",
            ));
        }
        let passphrase = self.ssh_passphrase.clone();
        match &self.ssh_key {
            Some(key) if asked_before > 0 => Err(lasting(
                match key {
                    Key::File(path) => {
                        format!("`{place}` refused user `{user}` with the key `{}`", path.display())
                    }
                    Key::Value(_) => {
                        format!("`{place}` refused user `{user}` with the key from the environment")
                    }
                },
                "add its public half to the repository's deploy keys (reading is enough); if the key has a \
                 passphrase, check that too",
            )),
            Some(Key::File(path)) if !path.is_file() => {
                Err(lasting(format!("there is no SSH key at `{}`", path.display()), "give the path of the private key"))
            }
            Some(Key::File(path)) => Ok(Proof::Key { user, path: path.clone(), passphrase }),
            Some(Key::Value(key)) => Ok(Proof::KeyText { user, key: key.clone(), passphrase }),
            None if asked_before > 0 => Err(lasting(
                format!("`{place}` refused user `{user}` with every key of the SSH agent"),
                "give the deploy key as a file",
            )),
            None => Ok(Proof::Agent { user }),
        }
    }

    /// The token, without the line's end that files and editors leave.
    fn token(&self) -> Result<Option<Secret>, SourceError> {
        let text = match &self.https_token {
            None => return Ok(None),
            Some(Token::Value(secret)) => secret.reveal().to_owned(),
            Some(Token::File(path)) => std::fs::read_to_string(path).map_err(|error| {
                lasting(
                    format!("cannot read the repository's token from `{}`: {error}", path.display()),
                    "the file must hold the token and nothing else",
                )
            })?,
        };
        let token = text.trim();
        if token.is_empty() || token.chars().any(char::is_control) {
            return Err(lasting(
                "the repository's token is empty or more than one line",
                "the file or variable must hold the token and nothing else",
            ));
        }
        Ok(Some(Secret::new(token)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: CredentialType = CredentialType::SSH_KEY;
    const PASSWORDS: CredentialType = CredentialType::USER_PASS_PLAINTEXT;

    fn check(credentials: &Credentials, url: &str, allowed: CredentialType, asked_before: usize, expected: &str) {
        let location = Location::parse(url).unwrap();
        let given = match credentials.choose(&location, url, allowed, asked_before) {
            Ok(Proof::Password { user, password }) => format!("{user} {}", password.reveal()),
            Ok(proof) => format!("{proof:?}"),
            Err(error) => error.message,
        };
        assert!(given.contains(expected), "{given} does not contain {expected}");
    }

    #[test]
    fn https_gets_the_token_once_and_then_a_reason() {
        let url = "https://github.com/example/state";
        let none = Credentials::default();
        let token = Credentials { https_token: Some(Token::Value(Secret::new("t0k\n"))), ..none.clone() };
        let user = Credentials { https_user: Some("x-token-auth".into()), ..token.clone() };
        let empty = Credentials { https_token: Some(Token::Value(Secret::new(" \n"))), ..none.clone() };
        let gone = Credentials { https_token: Some(Token::File("/nonexistent/token".into())), ..none.clone() };
        check(&none, url, PASSWORDS, 0, "no token is given");
        check(&token, url, PASSWORDS, 0, "x-access-token t0k");
        check(&user, url, PASSWORDS, 0, "x-token-auth t0k");
        check(&token, url, PASSWORDS, 1, "refused the token");
        check(&empty, url, PASSWORDS, 0, "empty");
        check(&gone, url, PASSWORDS, 0, "/nonexistent/token");
    }

    #[test]
    fn a_token_file_is_read_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let credentials = Credentials { https_token: Some(Token::File(file.path().into())), ..Credentials::default() };
        for token in ["first", "second"] {
            std::fs::write(file.path(), format!("{token}\n")).unwrap();
            check(&credentials, "https://github.com/x/y", PASSWORDS, 0, token);
        }
    }

    #[test]
    fn ssh_gets_the_deploy_key_or_the_agent() {
        let url = "ssh://deploy@git.example.com/state";
        let file = tempfile::NamedTempFile::new().unwrap();
        let agent = Credentials::default();
        let key = Credentials { ssh_key: Some(Key::File(file.path().into())), ..agent.clone() };
        let gone = Credentials { ssh_key: Some(Key::File("/nonexistent/key".into())), ..agent.clone() };
        let text = Credentials { ssh_key: Some(Key::Value(Secret::new("t0k"))), ..agent.clone() };
        check(&agent, url, KEYS, 0, "Agent { user: \"deploy\" }");
        check(&agent, url, KEYS, 1, "every key of the SSH agent");
        check(&key, url, KEYS, 0, "Key { user: \"deploy\"");
        check(&key, url, KEYS, 1, "refused user `deploy` with the key");
        check(&gone, url, KEYS, 0, "no SSH key at `/nonexistent/key`");
        check(&text, url, KEYS, 0, "KeyText { user: \"deploy\", key: Secret(…)");
        check(&text, url, KEYS, 1, "refused user `deploy` with the key from the environment");
        check(&key, "ssh://git.example.com/state", CredentialType::USERNAME, 0, "UserName(\"git\")");
        check(&key, url, PASSWORDS, 0, "does not accept SSH keys");
    }

    #[test]
    fn another_host_gets_nothing() {
        let credentials = Credentials { https_token: Some(Token::Value(Secret::new("t0k"))), ..Credentials::default() };
        let location = Location::parse("https://github.com/x/y").unwrap();
        let error = credentials.choose(&location, "https://evil.example/x/y", PASSWORDS, 0).unwrap_err();
        assert!(error.message.contains("a server other than"), "{error:?}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials {
            https_token: Some(Token::Value(Secret::new("t0k"))),
            ssh_key: Some(Key::Value(Secret::new("t0k"))),
            ssh_passphrase: Some(Secret::new("t0k")),
            ..Credentials::default()
        };
        assert!(!format!("{credentials:?}").contains("t0k"));
    }
}
