//! Which file of the tree is what: applications by directory, and in each the documents by kind and name.

use std::collections::{BTreeMap, BTreeSet};

use super::configuration::is_name;
use super::reader::quoted;
use super::{FileTree, manifest};
use crate::document::Problem;
use crate::document::nearest;
use crate::kind::Kind;
use crate::names::{ApplicationName, EnvironmentName};

/// The most documents that one application may have in one environment's files. A load balancer has at most 100
/// rules, so this is room for two full ones.
pub const DOCUMENTS_PER_APPLICATION_MAX: usize = 200;

/// An application's files, by what they are.
#[derive(Default)]
pub(super) struct Directory {
    /// What holds in every environment.
    pub base: DirectoryFiles,
    /// `environments/NAME/…`, by name.
    pub overlays: BTreeMap<EnvironmentName, DirectoryFiles>,
    /// DirectoryFiles that have no business there.
    pub problems: Vec<Problem>,
}

/// The paths of an application's files, or of one environment's overlay.
#[derive(Default)]
pub(super) struct DirectoryFiles {
    /// `app.toml`.
    pub manifest: Option<String>,
    /// Documents by kind and name.
    pub documents: BTreeMap<(Kind, String), String>,
}

/// What the whole tree holds.
pub(super) struct Layout {
    /// Directories with an `app.toml`.
    pub applications: BTreeMap<ApplicationName, Directory>,
    /// Directories that hold documents and no `app.toml`.
    pub without_manifest: BTreeSet<String>,
}

/// Sorts the files of a tree.
pub(super) fn lay_out(files: &FileTree) -> Layout {
    let directories = application_directories(files);
    let mut layout = Layout {
        applications: directories.iter().map(|dir| (ApplicationName::new(*dir), Directory::default())).collect(),
        without_manifest: BTreeSet::new(),
    };
    for path in files.keys() {
        match ancestors(path).find(|dir| directories.contains(dir)) {
            Some(dir) => {
                let directory = layout.applications.get_mut(&ApplicationName::new(dir));
                directory.expect("every directory got an entry").add(path, &path[dir.len() + 1..]);
            }
            None => {
                if let Some(dir) = looks_like_document(path) {
                    layout.without_manifest.insert(dir.to_owned());
                }
            }
        }
    }
    layout
}

/// Directories with an `app.toml` that is not an environment's overlay of another one.
fn application_directories(files: &FileTree) -> BTreeSet<&str> {
    let suffix = format!("/{}", manifest::FILE);
    let with_manifest: BTreeSet<&str> = files.keys().filter_map(|path| path.strip_suffix(&suffix)).collect();
    let is_overlay = |dir: &&str| {
        let Some((parent, _)) = dir.rsplit_once('/') else { return false };
        parent.strip_suffix("/environments").is_some_and(|application| with_manifest.contains(application))
    };
    with_manifest.iter().copied().filter(|dir| !is_overlay(dir)).collect()
}

/// The directories that a path lies in, the innermost first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(dir, _)| dir), |dir| dir.rsplit_once('/').map(|(dir, _)| dir))
}

/// The directory that would be the application of a file that looks like a document.
fn looks_like_document(path: &str) -> Option<&str> {
    let (dir, file) = path.rsplit_once('/')?;
    let (stem, _) = file.rsplit_once('.').filter(|(_, ending)| matches!(*ending, "toml" | "json"))?;
    match (dir.rsplit_once('/'), stem) {
        (_, "task-definition" | "service") => Some(dir),
        (Some((parent, "target-groups" | "listener-rules")), _) => Some(parent),
        _ => None,
    }
}

/// What a path inside an application is.
enum Entry<'p> {
    Ignored,
    Manifest,
    Document(Kind, &'p str),
    Overlay(&'p str, &'p str),
    /// A problem, told once for the directory or file that it is about.
    Wrong {
        about: &'p str,
        code: &'static str,
        message: String,
        help: String,
    },
}

impl Directory {
    /// Puts a file in its place. `rest` is its path inside the directory.
    fn add(&mut self, path: &str, rest: &str) {
        let mut entry = classify(rest);
        let mut files = &mut self.base;
        let mut rest = rest;
        if let Entry::Overlay(environment, inner) = entry {
            files = self.overlays.entry(EnvironmentName::new(environment)).or_default();
            rest = inner;
            entry = match classify(inner) {
                Entry::Overlay(..) => unknown(inner),
                entry => entry,
            };
        }
        match entry {
            Entry::Ignored | Entry::Overlay(..) => {}
            Entry::Manifest => files.manifest = Some(path.to_owned()),
            Entry::Document(kind, name) => {
                let earlier = files.documents.insert((kind, name.to_owned()), path.to_owned());
                if let Some(earlier) = earlier {
                    self.problems.push(
                        Problem::of_file("written-twice", path, format!("`{earlier}` is the same document"))
                            .help("keep one of the two"),
                    );
                } else if files.documents.len() == DOCUMENTS_PER_APPLICATION_MAX + 1 {
                    let message = format!("the application has more than {DOCUMENTS_PER_APPLICATION_MAX} documents");
                    self.problems.push(Problem::of_file("too-many", path, message).help("split the application"));
                }
            }
            Entry::Wrong { about, code, message, help } => {
                let about = &path[..path.len() - rest.len() + about.len()];
                let problem = Problem::of_file(code, about, message).help(help);
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            }
        }
    }
}

/// Names that may stand in an application's directory, as people write them.
const KNOWN: [&str; 6] =
    ["app.toml", "task-definition.toml", "service.toml", "target-groups", "listener-rules", "environments"];

fn classify(rest: &str) -> Entry<'_> {
    let (first, inner) = rest.split_once('/').map_or((rest, None), |(first, inner)| (first, Some(inner)));
    if rest.split('/').any(|part| part.starts_with('.')) || is_prose(rest.rsplit('/').next().unwrap_or(rest)) {
        return Entry::Ignored;
    }
    match (first, inner) {
        (manifest::FILE, None) => Entry::Manifest,
        ("task-definition.toml" | "task-definition.json", None) => {
            Entry::Document(Kind::TaskDefinition, Kind::TaskDefinition.as_str())
        }
        ("service.toml" | "service.json", None) => Entry::Document(Kind::Service, Kind::Service.as_str()),
        ("target-groups", Some(inner)) => named(rest, first, inner, Kind::TargetGroup),
        ("listener-rules", Some(inner)) => named(rest, first, inner, Kind::ListenerRule),
        ("environments", Some(inner)) => match inner.split_once('/') {
            Some((environment, inner)) => Entry::Overlay(environment, inner),
            None => Entry::Wrong {
                about: rest,
                code: "unknown-file",
                message: "a file stands where the directory of an environment is expected".to_owned(),
                help: "write `environments/NAME/FILE`".to_owned(),
            },
        },
        ("jobs", Some(_)) => Entry::Wrong {
            about: first,
            code: "jobs",
            message: "this version of trueup does not run jobs".to_owned(),
            help: "take the directory out".to_owned(),
        },
        _ => unknown(rest),
    }
}

/// A document among several of its kind: `DIRECTORY/NAME.toml`.
fn named<'p>(rest: &'p str, directory: &str, inner: &'p str, kind: Kind) -> Entry<'p> {
    match inner.rsplit_once('.') {
        Some((name, "toml" | "json")) if is_name(name) => Entry::Document(kind, name),
        _ => Entry::Wrong {
            about: rest,
            code: "unknown-file",
            message: format!("this cannot be the file of a {}", kind.as_str()),
            help: format!("name it `{directory}/NAME.toml` or `.json`, with letters, digits, `-` and `_` in NAME"),
        },
    }
}

fn unknown(rest: &str) -> Entry<'_> {
    let first = rest.split('/').next().unwrap_or(rest);
    let stem = first.rsplit_once('.').map_or(first, |(stem, _)| stem);
    let is_document = matches!(stem, "service" | "task-definition") && first == rest && stem != first;
    let help = if is_document {
        format!("documents are TOML or JSON: `{stem}.toml` or `{stem}.json`")
    } else {
        match nearest(first, KNOWN.into_iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("an application has {}; `README`, `*.md` and dot files are let be", quoted(KNOWN.into_iter()))
            }
        }
    };
    Entry::Wrong {
        about: first,
        code: "unknown-file",
        message: "no file or directory of this name belongs to an application".to_owned(),
        help,
    }
}

/// DirectoryFiles for people.
fn is_prose(file: &str) -> bool {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    file.starts_with("README") || file.starts_with("LICENSE") || ending.eq_ignore_ascii_case("md")
}
