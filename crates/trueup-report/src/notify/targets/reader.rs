//! Reads the keys that several kinds of targets have in common, and collects what is wrong with them.

use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;
use trueup_core::document::{Problem, SourceFile, Span};
use trueup_core::pointer::Pointer;

use super::{Kind, address};
use crate::secret::SecretSource;

/// Reads the keys of one table and collects its problems.
pub(super) struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    /// The table's place among the `[[notifications]]`, from 0.
    index: usize,
    kind: &'a Spanned<Kind>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A reader of the table at `index`.
    pub fn new(file: &'a Arc<SourceFile>, index: usize, kind: &'a Spanned<Kind>) -> Self {
        Self { file, index, kind, problems: Vec::new() }
    }

    /// The problems found so far, in the order of the checks.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Reports a problem that concerns the table as a whole, at its `kind`.
    pub fn report_missing(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.report_at(self.kind.span(), key, message, help);
    }

    /// Reports a problem of a value.
    pub fn report<T>(&mut self, place: &Spanned<T>, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.report_at(place.span(), key, message, help);
    }

    /// Reports a problem at these bytes of the file.
    pub fn report_at(
        &mut self,
        range: std::ops::Range<usize>,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let field = Pointer::root().join("notifications").join(self.index.to_string()).join(key);
        let span = Span { file: Arc::clone(self.file), range };
        self.problems.push(Problem::at("configuration", &span, &field, message).help(help));
    }

    /// Reads `WHAT_file` or `WHAT_env`: exactly one must be given, and the secret must be readable now.
    pub fn secret(
        &mut self,
        what: &str,
        file: Option<&Spanned<PathBuf>>,
        variable: Option<&Spanned<String>>,
    ) -> Option<SecretSource> {
        let (keys, name) = (format!("`{what}_file` or `{what}_env`"), self.kind.get_ref().as_str());
        let (place, source) = match (file, variable) {
            (Some(_), Some(variable)) => {
                let key = format!("{what}_env");
                self.report(
                    variable,
                    &key,
                    format!("both {keys} are given").replace(" or ", " and "),
                    "give one of them",
                );
                return None;
            }
            (None, None) => {
                self.report_missing(
                    what,
                    format!("`{name}` needs {keys}"),
                    "name the file or the environment variable that holds the secret",
                );
                return None;
            }
            (Some(file), None) => {
                if file.get_ref().to_str().is_some_and(|path| path.contains("://")) {
                    let help = "put the secret into a file or an environment variable, and name that";
                    self.report(file, &format!("{what}_file"), "this is a URL, not the path of a file", help);
                    return None;
                }
                (file.span(), SecretSource::File(file.get_ref().clone()))
            }
            (None, Some(variable)) => {
                let name = variable.get_ref();
                let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                if name.is_empty() || !name.chars().all(legal) {
                    let help = "put the secret into a variable such as `SLACK_URL`, and name that";
                    self.report(
                        variable,
                        &format!("{what}_env"),
                        "this is not the name of an environment variable",
                        help,
                    );
                    return None;
                }
                (variable.span(), SecretSource::Variable(name.clone()))
            }
        };
        match source.read() {
            Ok(_) => Some(source),
            Err(error) => {
                self.report_at(
                    place,
                    what,
                    error.to_string(),
                    "it must hold the secret on one line, and be readable for this user",
                );
                None
            }
        }
    }

    /// Reads `url_file` or `url_env`: the URL that messages are posted to.
    pub fn url(&mut self, file: Option<&Spanned<PathBuf>>, variable: Option<&Spanned<String>>) -> Option<SecretSource> {
        let source = self.secret("url", file, variable)?;
        let url = source.read().ok()?;
        if let Err(flaw) = address::parse(url.expose()) {
            let place = file.map(Spanned::span).or(variable.map(Spanned::span));
            let help = "it must be `https://HOST/PATH`; `http://` is for this machine only";
            self.report_at(place.unwrap_or_default(), "url", format!("{source} holds no usable URL: {flaw}"), help);
            return None;
        }
        Some(source)
    }
}
