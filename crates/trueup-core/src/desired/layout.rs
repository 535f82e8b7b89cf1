//! The role of each file in the tree: applications by directory, and their documents by kind and name.

use std::collections::{BTreeMap, BTreeSet};

use super::configuration::is_name;
use super::reader::quoted;
use super::{FileTree, manifest};
use crate::document::Problem;
use crate::document::nearest;
use crate::kind::{Kind, Place};
use crate::names::{ApplicationName, EnvironmentName};

/// The maximum number of documents that one application may have in one environment's files. A load balancer has at
/// most 100 rules, so there is room for two full load balancers.
pub const DOCUMENTS_PER_APPLICATION_MAX: usize = 200;

/// An application's files, by role.
#[derive(Default)]
pub(super) struct Directory {
    /// The files for every environment.
    pub base: DirectoryFiles,
    /// `environments/NAME/…`, by name.
    pub overlays: BTreeMap<EnvironmentName, DirectoryFiles>,
    /// The problems of misplaced files.
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

/// The files of the whole tree.
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

/// Directories with an `app.toml`, except overlays of another application's `app.toml`.
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
    let folder = dir.rsplit_once('/');
    Kind::ALL.into_iter().find_map(|kind| match kind.facts().place {
        Place::File(name) => (stem == name).then_some(dir),
        Place::Folder(name) => folder.filter(|(_, folder)| *folder == name).map(|(parent, _)| parent),
    })
}

/// The role of a path inside an application.
enum FileRole<'p> {
    Ignored,
    Manifest,
    Document(Kind, &'p str),
    Overlay(&'p str, &'p str),
    /// A problem, reported once for the directory or file that it is about.
    Wrong {
        about: &'p str,
        code: &'static str,
        message: String,
        help: String,
    },
}

impl Directory {
    /// Adds a file. `rest` is its path inside the directory.
    fn add(&mut self, path: &str, rest: &str) {
        let mut entry = classify(rest);
        let mut files = &mut self.base;
        let mut rest = rest;
        if let FileRole::Overlay(environment, inner) = entry {
            files = self.overlays.entry(EnvironmentName::new(environment)).or_default();
            rest = inner;
            entry = classify(inner);
            if matches!(entry, FileRole::Overlay(..)) {
                // Environments cannot be nested.
                entry = unknown(inner);
            }
        }
        match entry {
            FileRole::Ignored | FileRole::Overlay(..) => {}
            FileRole::Manifest => files.manifest = Some(path.to_owned()),
            FileRole::Document(kind, name) => {
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
            FileRole::Wrong { about, code, message, help } => {
                let about = &path[..path.len() - rest.len() + about.len()];
                let problem = Problem::of_file(code, about, message).help(help);
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            }
        }
    }
}

/// Names that are allowed in an application's directory, as authors write them: files before folders.
fn known_names() -> Vec<String> {
    let (mut files, mut folders) = (vec![manifest::FILE.to_owned()], Vec::new());
    for kind in Kind::ALL {
        match kind.facts().place {
            Place::File(name) => files.push(format!("{name}.toml")),
            Place::Folder(name) => folders.push(name.to_owned()),
        }
    }
    folders.push(ENVIRONMENTS.to_owned());
    files.into_iter().chain(folders).collect()
}

/// The folder of environments' files, which replace or overlay those of the application.
const ENVIRONMENTS: &str = "environments";

fn classify(rest: &str) -> FileRole<'_> {
    let (first, inner) = rest.split_once('/').map_or((rest, None), |(first, inner)| (first, Some(inner)));
    if rest.split('/').any(|part| part.starts_with('.')) || is_prose(rest.rsplit('/').next().unwrap_or(rest)) {
        return FileRole::Ignored;
    }
    match (first, inner) {
        (manifest::FILE, None) => FileRole::Manifest,
        (ENVIRONMENTS, Some(inner)) => match inner.split_once('/') {
            Some((environment, inner)) => FileRole::Overlay(environment, inner),
            None => FileRole::Wrong {
                about: rest,
                code: "unknown-file",
                message: "a file is where the directory of an environment is expected".to_owned(),
                help: "write `environments/NAME/FILE`".to_owned(),
            },
        },
        ("jobs", Some(_)) => FileRole::Wrong {
            about: first,
            code: "jobs",
            message: "this version of trueup does not run jobs".to_owned(),
            help: "remove the directory".to_owned(),
        },
        _ => document(rest).unwrap_or_else(|| unknown(rest)),
    }
}

/// The document at a path, by the place of its kind.
fn document(rest: &str) -> Option<FileRole<'_>> {
    Kind::ALL.into_iter().find_map(|kind| match kind.facts().place {
        Place::File(name) => {
            let ending = rest.strip_prefix(name)?;
            matches!(ending, ".toml" | ".json").then_some(FileRole::Document(kind, kind.as_str()))
        }
        Place::Folder(name) => Some(named(rest, name, rest.strip_prefix(name)?.strip_prefix('/')?, kind)),
    })
}

/// One of several documents of its kind: `DIRECTORY/NAME.toml`.
fn named<'p>(rest: &'p str, directory: &str, inner: &'p str, kind: Kind) -> FileRole<'p> {
    match inner.rsplit_once('.') {
        Some((name, "toml" | "json")) if is_name(name) => FileRole::Document(kind, name),
        _ => FileRole::Wrong {
            about: rest,
            code: "unknown-file",
            message: format!("this cannot be the file of a {}", kind.as_str()),
            help: format!("name it `{directory}/NAME.toml` or `.json`, with letters, digits, `-` and `_` in NAME"),
        },
    }
}

fn unknown(rest: &str) -> FileRole<'_> {
    let first = rest.split('/').next().unwrap_or(rest);
    let stem = first.rsplit_once('.').map_or(first, |(stem, _)| stem);
    let is_file_of_kind =
        Kind::ALL.into_iter().any(|kind| matches!(kind.facts().place, Place::File(name) if name == stem));
    let is_document = is_file_of_kind && first == rest && stem != first;
    let help = if is_document {
        format!("documents are TOML or JSON: `{stem}.toml` or `{stem}.json`")
    } else {
        let known = known_names();
        let known = || known.iter().map(String::as_str);
        match nearest(first, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("an application has {}; `README`, `*.md` and dot files are ignored", quoted(known())),
        }
    };
    FileRole::Wrong {
        about: first,
        code: "unknown-file",
        message: "no file or directory of this name belongs to an application".to_owned(),
        help,
    }
}

/// Whether a file is prose, not desired state.
fn is_prose(file: &str) -> bool {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    file.starts_with("README") || file.starts_with("LICENSE") || ending.eq_ignore_ascii_case("md")
}
