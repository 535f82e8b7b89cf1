//! The daemon's own configuration: a TOML file, or its text in the environment, with what is too long for flags.
//!
//! A new section is a member of [`Document`], one of [`Configuration`], and its keys in [`is_shown`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::{env, fmt};

use anyhow::Result;
use serde::Deserialize;
use toml::Spanned;
use trueup_core::document::{Problem, SourceFile, Span};
use trueup_core::pointer::Pointer;
use trueup_git::Rules;
use trueup_report::notify::{self, Target};

use crate::args::SourceArgs;
use crate::terminal::Hinted;
use crate::{render, verification};

/// The environment variable that holds the configuration's text, where there are no files.
const TEXT_VARIABLE: &str = "TRUEUP_CONFIG_TEXT";

/// A file that is larger is something else.
const CONFIGURATION_BYTES_MAX: u64 = 1024 * 1024;

/// What the configuration says, checked.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// The targets of notifications.
    pub notifications: Vec<Target>,
    /// Which commits must be signed, and by whom; `None` where none must.
    pub verification: Option<Rules>,
}

/// The file in its written form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    notifications: Vec<notify::Table>,
    verification: Option<Spanned<BTreeMap<Spanned<String>, verification::Table>>>,
}

/// The problems of the configuration, each with its place and what to write instead.
#[derive(Debug)]
pub struct Wrong(Vec<Problem>);

/// All problems, with the lines underlined; values that may be secrets are blotted out.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An error has no colours: whoever prints it takes control characters for foreign ones.
        let told = render::problems::problems_of("".as_ref(), &self.0, masked);
        write!(f, "the configuration is wrong\n\n{}", anstream::adapter::strip_str(&told))
    }
}

impl std::error::Error for Wrong {}

/// Reads the configuration: `--config`, or the text in the environment; an empty one where there is neither.
///
/// # Errors
/// When there are both, the file cannot be read, or something in it is wrong.
pub fn configuration(args: &SourceArgs) -> Result<Configuration> {
    let Some(file) = source(args)? else { return Ok(Configuration::default()) };
    let (document, mut problems) = (document(&file)?, Vec::new());
    let notifications = notifications(&document, &file, &args.repository, &mut problems);
    let verification = verification::rules(document.verification.as_ref(), &file, &mut problems);
    if problems.is_empty() { Ok(Configuration { notifications, verification }) } else { Err(Wrong(problems).into()) }
}

/// Reads which commits must be signed, for commands without notifications: they need not have the secrets for those.
///
/// # Errors
/// As [`configuration`].
pub fn verification(args: &SourceArgs) -> Result<Option<Rules>> {
    let Some(file) = source(args)? else { return Ok(None) };
    let (document, mut problems) = (document(&file)?, Vec::new());
    let verification = verification::rules(document.verification.as_ref(), &file, &mut problems);
    if problems.is_empty() { Ok(verification) } else { Err(Wrong(problems).into()) }
}

/// The location of the configuration, if there is one.
fn source(args: &SourceArgs) -> Result<Option<Arc<SourceFile>>> {
    let text = env::var_os(TEXT_VARIABLE);
    // A secret that was emptied by mistake must not switch verification off without a word.
    if text.as_ref().is_some_and(|text| text.to_string_lossy().trim().is_empty()) {
        let message = format!("`{TEXT_VARIABLE}` is set but empty");
        return Err(Hinted::new(message, "set it to the text of the configuration, or unset it").into());
    }
    let (name, text) = match (&args.config, text) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let message = format!("both `--config` and `{TEXT_VARIABLE}` are given");
            return Err(Hinted::new(message, "give one of them").into());
        }
        (Some(path), None) => (path.display().to_string(), read(path)?),
        // The error itself would quote the value.
        (None, Some(text)) => {
            let text = text.into_string().map_err(|_| {
                Hinted::new(format!("`{TEXT_VARIABLE}` is not UTF-8"), "it holds the configuration's TOML text")
            })?;
            (TEXT_VARIABLE.to_owned(), text)
        }
    };
    Ok(Some(SourceFile::new(name, text)))
}

fn read(path: &Path) -> Result<String, Hinted> {
    let unreadable = |error| {
        let message = format!("the configuration `{}` cannot be read: {error}", path.display());
        Hinted::new(message, "`--config` names a TOML file that this user may read")
    };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > CONFIGURATION_BYTES_MAX {
        let message = format!("the configuration `{}` is larger than {CONFIGURATION_BYTES_MAX} bytes", path.display());
        return Err(Hinted::new(message, "is it the right file?"));
    }
    Ok(text)
}

/// Understands the form of a configuration.
///
/// # Errors
/// The first thing that is wrong with it.
fn document(file: &Arc<SourceFile>) -> Result<Document, Wrong> {
    toml::from_str(file.text()).map_err(|error| Wrong(vec![malformed(file, &error)]))
}

/// The notifications of a daemon that watches this repository.
fn notifications(
    document: &Document,
    file: &Arc<SourceFile>,
    watched: &str,
    problems: &mut Vec<Problem>,
) -> Vec<Target> {
    let mut targets = Vec::new();
    for (index, table) in document.notifications.iter().enumerate() {
        match table.target(file, index, watched) {
            Ok(target) => targets.push(target),
            Err(more) => problems.extend(more),
        }
    }
    targets
}

/// What the parser says, without the values that it quotes where they may be secrets.
fn malformed(file: &Arc<SourceFile>, error: &toml::de::Error) -> Problem {
    let range = error.span().unwrap_or_default();
    let message = error.message();
    let message = match message.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") && !line_is_shown(file.text(), &range) => {
            format!("this is of the wrong type, expected {expected}")
        }
        _ => message.to_owned(),
    };
    let span = Span { file: Arc::clone(file), range };
    Problem::at("configuration", &span, &Pointer::root(), message)
        .help("docs/notifications.md and docs/verification.md have every key")
}

/// Whether the value of this key may be shown: keys whose values are never secret, even if a wrong value was entered.
fn is_shown(key: &str) -> bool {
    notify::SHOWN_KEYS.contains(&key) || verification::SHOWN_KEYS.contains(&key)
}

/// The key that a line gives a value to.
fn key_of(line: &str) -> Option<&str> {
    line.split_once('=').map(|(key, _)| key.trim().trim_matches(['"', '\'']))
}

fn line_is_shown(text: &str, range: &Range<usize>) -> bool {
    let start = range.start.min(text.len());
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    text[begin..].lines().next().and_then(key_of).is_some_and(is_shown)
}

/// The file's text with everything blotted out, byte for byte, but sections, keys, and values of keys that may be shown.
fn masked(file: &Arc<SourceFile>) -> String {
    let mut masked = String::with_capacity(file.text().len());
    for line in file.text().split_inclusive('\n') {
        let shown = match line.find('=') {
            Some(_) if key_of(line).is_some_and(is_shown) => line.len(),
            Some(at) => at + 1,
            None if line.trim_start().starts_with('[') => line.len(),
            None => 0,
        };
        masked.push_str(&line[..shown]);
        for c in line[shown..].chars() {
            if c.is_ascii_whitespace() {
                masked.push(c);
            } else {
                masked.extend(std::iter::repeat_n('*', c.len_utf8()));
            }
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All problems of a configuration; none where it is right.
    fn problems(text: &str) -> Vec<Problem> {
        let file = SourceFile::new("daemon.toml", text);
        let document = match document(&file) {
            Ok(document) => document,
            Err(Wrong(problems)) => return problems,
        };
        let mut problems = Vec::new();
        notifications(&document, &file, "/srv/state.git", &mut problems);
        verification::rules(document.verification.as_ref(), &file, &mut problems);
        problems
    }

    fn told(text: &str) -> String {
        let problems = problems(text);
        assert!(!problems.is_empty(), "{text}");
        Wrong(problems).to_string()
    }

    #[test]
    fn an_empty_configuration_is_one() {
        assert_eq!(problems("# nothing yet\n"), Vec::new());
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_line() {
        let text = "[[notifications]]\nkind = \"slack\"\nevents = [\"rolout.*\"]\nurl_env = \"NO_SUCH_URL\"\n";
        insta::assert_snapshot!(told(text));
    }

    #[test]
    fn a_secret_that_stands_there_by_mistake_is_not_shown() {
        let table = [
            "[[notifications]]\nkind = \"slack\"\nurl = \"https://hunter2/\"\n",
            "[[notifications]]\nkind = \"slack\"\n  \"url\" = \"https://hünter2/hunter2\"\n",
            "[[notifications]]\nkind = \"slack\"\nurl_file = \"https://hunter2/\"\n",
            "[[notifications]]\nkind = \"slack\"\nurl_env = \"hunter2\"\n",
            "[[notifications]]\nkind = \"slack\"\nurl_env = \"\"\"\nhunter2\n",
            "[[notifications]]\nkind = \"slack\"\nurl_env = hunter2\n",
            "[[notifications]]\nkind = \"slack\"\nurl_env = [\"hunter2\"]\n",
            "notifications = \"hunter2\"\n",
            "[[notifications]]\nkind = \"slack\"\n[[token]]\nvalue = \"hunter2\"\n",
            "hunter2\n",
            "[verification.production]\nallowed_signers = \"hunter2\"\n",
            "[verification.production]\nopenpgp_keys = \"\"\"\nhunter2\n\"\"\"\n",
            "[verification.production]\nopenpgp_keys_file = \"/nonexistent/hunter2\"\n",
            "[verification.production]\nallowed_signers = [\"hunter2\"]\n",
        ];
        for text in table {
            let told = told(text);
            assert!(!told.contains("hunter2") && told.contains("daemon.toml:"), "{text}\n{told}");
        }
    }
}
