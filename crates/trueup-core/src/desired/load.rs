//! Loading: from the files of a commit to applications, with every problem of every file.

use std::collections::BTreeMap;

use super::application::Application;
use super::build::build_application;
use super::candidate::{Candidate, Candidates};
use super::configuration::{self, Configuration};
use super::layout::{Directory, lay_out};
use super::parsed_files::parse;
use super::{Environment, FileTree, Policy, across, manifest};
use crate::document::Problem;
use crate::names::{ApplicationName, EnvironmentName};

/// The maximum number of files in a tree of desired state.
pub const FILES_MAX: usize = 60_000;

/// The maximum size of all its files together, in bytes: 128 MiB, well above what [`FILES_MAX`] documents need.
pub const BYTES_MAX: usize = 128 << 20;

/// The maximum number of applications. ECS allows 5,000 services per cluster.
pub const APPLICATIONS_MAX: usize = 5_000;

/// The content of a tree of desired state.
#[derive(Debug)]
pub struct Loaded {
    /// All problems of all files, by file and from top to bottom, each once however many environments share it.
    pub problems: Vec<Problem>,
    /// The environments of `trueup.toml`, by name.
    pub environments: Vec<Environment>,
    /// The policy of each environment, before an application's own: it applies to resources that git no longer has.
    pub policies: BTreeMap<EnvironmentName, Policy>,
    /// Whether the revision may be followed at all. When not, `trueup.toml` is missing or wrong, or the tree as a whole
    /// is out of bounds, and the last valid revision remains the current one.
    pub configuration_valid: bool,
    /// Each application in each of its environments, or its problems. The problems of one application do not affect
    /// another.
    pub applications: BTreeMap<(EnvironmentName, ApplicationName), Result<Application, Vec<Problem>>>,
}

/// Reads a tree of desired state.
///
/// Pure, and linear in the size of the tree times the number of environments; each file is parsed once.
pub fn load(files: &FileTree) -> Loaded {
    let mut loaded = Loaded {
        problems: Vec::new(),
        environments: Vec::new(),
        policies: BTreeMap::new(),
        configuration_valid: false,
        applications: BTreeMap::new(),
    };
    if let Some(problem) = out_of_bounds(files) {
        loaded.problems.push(problem);
        return loaded;
    }
    let layout = lay_out(files);
    let configuration = read_configuration(files, &layout.applications, &mut loaded.problems);
    loaded.configuration_valid = loaded.problems.is_empty();
    let (globs, environments) = match configuration {
        Some(Configuration { applications, environments }) => (Some(applications), environments),
        None => (None, BTreeMap::new()),
    };
    let is_application =
        |dir: &str| globs.as_ref().is_none_or(|globs| globs.iter().any(|(glob, _)| glob.is_match(dir)));

    let mut candidates = Candidates::new();
    if files.contains_key(manifest::FILE) {
        let message = "the root of the desired state cannot be an application";
        loaded
            .problems
            .push(Problem::of_file("misplaced-file", manifest::FILE, message).help("move it to a directory"));
    }
    for dir in layout.without_manifest.iter().filter(|dir| is_application(dir)) {
        let problem = Problem::of_file("missing-app-toml", dir, "the directory has documents and no `app.toml`")
            .help("add an `app.toml`; it may be empty");
        for environment in environments.keys() {
            let key = (environment.clone(), ApplicationName::new(dir));
            candidates.insert(key, Candidate { built: None, problems: vec![problem.clone()] });
        }
        loaded.problems.push(problem);
    }
    for (name, directory) in layout.applications.into_iter().filter(|(name, _)| is_application(name.as_str())) {
        build_application(files, &name, directory, &environments, &mut candidates, &mut loaded.problems);
    }
    across::check(&mut candidates);
    for (key, Candidate { built, mut problems }) in candidates {
        tidy(&mut problems);
        loaded.problems.extend(problems.iter().cloned());
        let application = match built {
            Some(built) if problems.is_empty() => Ok(built.application),
            _ => Err(problems),
        };
        loaded.applications.insert(key, application);
    }

    loaded.policies = environments.iter().map(|(name, configured)| (name.clone(), configured.policy.clone())).collect();
    loaded.environments = environments.into_values().map(|configured| configured.environment).collect();
    tidy(&mut loaded.problems);
    loaded
}

/// The maximum number of problems reported per file. A file of [`crate::document::FILE_SIZE_MAX`] has room for tens of
/// thousands, too many to read.
const PROBLEMS_PER_FILE_MAX: usize = 300;

/// Sorts and deduplicates problems, and keeps the first few hundred of every file.
fn tidy(problems: &mut Vec<Problem>) {
    problems.sort_by(|a, b| (a.sort_key(), a.code, &a.help).cmp(&(b.sort_key(), b.code, &b.help)));
    problems.dedup();
    let mut of_file = (String::new(), 0);
    problems.retain(|problem| {
        if of_file.0 != problem.file {
            of_file = (problem.file.clone(), 0);
        }
        of_file.1 += 1;
        of_file.1 <= PROBLEMS_PER_FILE_MAX
    });
}

fn out_of_bounds(files: &FileTree) -> Option<Problem> {
    let problem = |message: String| {
        Some(
            Problem::of_file("too-many", configuration::FILE, message)
                .help("split the desired state into several repositories"),
        )
    };
    if files.len() > FILES_MAX {
        return problem(format!("the desired state has {} files, more than {FILES_MAX}", files.len()));
    }
    let bytes: usize = files.values().map(|bytes| bytes.len()).sum();
    if bytes > BYTES_MAX {
        return problem(format!("the desired state has {bytes} bytes, more than {BYTES_MAX}"));
    }
    None
}

fn read_configuration(
    files: &FileTree,
    applications: &BTreeMap<ApplicationName, Directory>,
    problems: &mut Vec<Problem>,
) -> Option<Configuration> {
    if !files.contains_key(configuration::FILE) {
        let message = "the desired state has no `trueup.toml`";
        let help = "add one at the root, with `[environments.NAME]`";
        problems.push(Problem::of_file("no-configuration", configuration::FILE, message).help(help));
        return None;
    }
    let node = parse(files, configuration::FILE, problems)?;
    let mut configuration = Configuration::read(&node, problems);
    let mut found = 0;
    for (glob, unmatched) in &mut configuration.applications {
        let matched = applications.keys().filter(|name| glob.is_match(name.as_str())).count();
        found += matched;
        if matched == 0 {
            problems.extend(unmatched.take());
        }
    }
    if applications.is_empty() {
        let message = "the desired state has no application";
        let help = "an application is a directory with an `app.toml`";
        problems.push(Problem::of_file("no-applications", configuration::FILE, message).help(help));
    } else if found == 0 && problems.is_empty() {
        let message = "`applications` matches no directory with an `app.toml`";
        let help = "without `applications`, directories at the root are applications";
        problems.push(Problem::of_file("no-applications", configuration::FILE, message).help(help));
    }
    if found > APPLICATIONS_MAX {
        let message = format!("there are {found} applications, more than {APPLICATIONS_MAX}");
        problems.push(Problem::of_file("too-many", configuration::FILE, message).help("split the desired state"));
    }
    Some(configuration)
}
