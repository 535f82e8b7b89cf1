//! `[verification.ENVIRONMENT]` of the daemon's configuration: which commits must be signed, and by whom.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use trueup_core::document::{Problem, SourceFile, Span};
use trueup_core::names::{EnvironmentName, Revision};
use trueup_core::pointer::Pointer;
use trueup_git::{Commits, Rule, Rules};
use trueup_verify::{AllowedSigners, SignersError};

/// The environments that have no table of their own.
const OTHERS: &str = "*";

/// The keys of a table whose values may be shown in a message.
pub const SHOWN_KEYS: [&str; 2] = ["commits", "since"];

/// One `[verification.ENVIRONMENT]` table in its written form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(default)]
    commits: Which,
    since: Option<Spanned<String>>,
    allowed_signers: Option<Spanned<String>>,
    allowed_signers_file: Option<Spanned<PathBuf>>,
    openpgp_keys: Option<Spanned<String>>,
    openpgp_keys_file: Option<Spanned<PathBuf>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Which {
    #[default]
    Head,
    Every,
}

/// The rules of all tables; `None` without tables. Problems are added to `problems`.
pub fn rules(
    tables: Option<&Spanned<BTreeMap<Spanned<String>, Table>>>,
    file: &Arc<SourceFile>,
    problems: &mut Vec<Problem>,
) -> Option<Rules> {
    let tables = tables?;
    if tables.get_ref().is_empty() {
        let span = Span { file: Arc::clone(file), range: tables.span() };
        let problem =
            Problem::at("verification", &span, &Pointer::root().join("verification"), "no environment is given");
        problems
            .push(problem.help("write `[verification.ENVIRONMENT]`, or `[verification.\"*\"]` for all, or remove it"));
    }
    let mut rules = Rules::default();
    for (name, table) in tables.get_ref() {
        let mut reader = Reader { file, environment: name, problems };
        let rule = reader.rule(table);
        if name.get_ref() == OTHERS {
            rules.others = Some(rule);
        } else {
            rules.environments.insert(EnvironmentName::new(name.get_ref()), rule);
        }
    }
    Some(rules)
}

/// Reads one table.
struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    environment: &'a Spanned<String>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn rule(&mut self, table: &Table) -> Rule {
        let before = self.problems.len();
        let commits = self.commits(table);
        let mut signers = AllowedSigners::default();
        self.take(table.allowed_signers.as_ref(), "allowed_signers", |text| signers.add_ssh(text));
        self.take_file(table.allowed_signers_file.as_ref(), "allowed_signers_file", |text| signers.add_ssh(text));
        self.take(table.openpgp_keys.as_ref(), "openpgp_keys", |text| signers.add_openpgp(text));
        self.take_file(table.openpgp_keys_file.as_ref(), "openpgp_keys_file", |text| signers.add_openpgp(text));
        if signers.is_empty() && self.problems.len() == before {
            let help = "name some with `allowed_signers` or `allowed_signers_file` (SSH), `openpgp_keys` or \
                        `openpgp_keys_file` (OpenPGP), or remove the table";
            let place = self.environment;
            self.tell(place, "", "the list of signers is empty, so no commit could ever be applied".to_owned(), help);
        }
        Rule { commits, signers }
    }

    fn commits(&mut self, table: &Table) -> Commits {
        match (table.commits, &table.since) {
            (Which::Head, None) => Commits::Head,
            (Which::Head, Some(since)) => {
                let help = "add `commits = \"every\"`, or remove `since`";
                self.tell(
                    since,
                    "since",
                    "`since` needs `commits = \"every\"`: otherwise only the head is verified".to_owned(),
                    help,
                );
                Commits::Head
            }
            (Which::Every, None) => Commits::Every { since: None },
            (Which::Every, Some(since)) => {
                let text = since.get_ref();
                if text.len() != 40 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                    let help = "write all 40 digits, as `git rev-parse` prints them";
                    self.tell(since, "since", "this is not a commit id".to_owned(), help);
                }
                Commits::Every { since: Some(Revision::new(text)) }
            }
        }
    }

    /// Adds the signers listed in the configuration itself.
    fn take(&mut self, text: Option<&Spanned<String>>, key: &str, add: impl FnOnce(&str) -> Result<(), SignersError>) {
        let Some(text) = text else { return };
        if let Err(error) = add(text.get_ref()) {
            let line = error.line.map(|line| format!(" (line {line} of the text)")).unwrap_or_default();
            self.tell(text, key, format!("{}{line}", error.message), error.help);
        }
    }

    /// Adds the signers listed in a separate file.
    fn take_file(
        &mut self,
        path: Option<&Spanned<PathBuf>>,
        key: &str,
        add: impl FnOnce(&str) -> Result<(), SignersError>,
    ) {
        let Some(path) = path else { return };
        // Its name is not repeated: whatever stands there by mistake is blotted out in the message's excerpt as well.
        match fs::read_to_string(path.get_ref()) {
            Err(error) => {
                let help = "it must be a text file that this user may read";
                self.tell(path, key, format!("the file cannot be read: {error}"), help);
            }
            Ok(text) => {
                if let Err(error) = add(&text) {
                    let line = error.line.map(|line| format!("line {line} of the file: ")).unwrap_or_default();
                    self.tell(path, key, format!("{line}{}", error.message), error.help);
                }
            }
        }
    }

    fn tell<T>(&mut self, place: &Spanned<T>, key: &str, message: String, help: &str) {
        let span = Span { file: Arc::clone(self.file), range: place.span() };
        let environment = Pointer::root().join("verification").join(self.environment.get_ref());
        let at = if key.is_empty() { environment } else { environment.join(key) };
        self.problems.push(Problem::at("verification", &span, &at, message).help(help));
    }
}
