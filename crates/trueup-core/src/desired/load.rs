//! Loading: from the files of a commit to applications, with every problem of every file.

use std::collections::{BTreeMap, BTreeSet};

use super::across::{self, Claim};
use super::application::{Application, Settled, validate};
use super::configuration::{self, Configuration, ConfiguredEnvironment};
use super::layout::{Directory, Files, lay_out, nearest_environment};
use super::manifest::{self, Manifest};
use super::merge::merge;
use super::place::Place;
use super::template::{Scope, settle};
use super::{Environment, FileTree, Lookup, Policy, rules};
use crate::document::{self, Node, NodeValue, Problem, References, nearest};
use crate::kind::Kind;
use crate::names::{ApplicationName, EnvironmentName};

/// The most files that a tree of desired state may have.
pub const FILES_MAX: usize = 60_000;

/// The most bytes that all its files may have together: 128 MiB, well above what [`FILES_MAX`] documents need.
pub const BYTES_MAX: usize = 128 << 20;

/// The most applications. ECS allows 5,000 services per cluster.
pub const APPLICATIONS_MAX: usize = 5_000;

/// What a tree of desired state says.
#[derive(Debug)]
pub struct Loaded {
    /// All problems of all files, by file and from top to bottom, each once however many environments share it.
    pub problems: Vec<Problem>,
    /// The environments of `trueup.toml`, by name.
    pub environments: Vec<Environment>,
    /// The policy of each environment, before an application's own: it holds for what git no longer has.
    pub policies: BTreeMap<EnvironmentName, Policy>,
    /// Whether the revision may be followed at all. When not, `trueup.toml` is missing or wrong, or the tree as a whole
    /// is out of bounds, and the last revision that was good stays in force.
    pub configuration_valid: bool,
    /// Each application in each environment that it is in; its problems where it has any. Those of one application do
    /// not touch another.
    pub applications: BTreeMap<(EnvironmentName, ApplicationName), Result<Application, Vec<Problem>>>,
}

/// Applications by environment and name, before they were seen beside one another.
pub(super) type Candidates = BTreeMap<(EnvironmentName, ApplicationName), Candidate>;

/// An application in one environment, and what is wrong with it so far.
pub(super) struct Candidate {
    /// The application, as far as it could be put together.
    pub built: Option<Built>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// An application that was put together.
pub(super) struct Built {
    /// The application.
    pub application: Application,
    /// What it declares in AWS.
    pub claims: Vec<Claim>,
    /// Entries of `allow_plaintext`: what to tell of each when nothing needs it, and whether something does.
    pub allowances: Vec<(Problem, bool)>,
    /// What it depends on, each with the problem to report when there is none such.
    pub dependencies: BTreeMap<ApplicationName, Problem>,
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
        load_application(files, &name, directory, &environments, &mut candidates, &mut loaded.problems);
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

/// How many problems of one file are told. One of [`document::FILE_SIZE_MAX`] has room for tens of thousands, and no reader.
const PROBLEMS_PER_FILE_MAX: usize = 300;

/// Sorts problems and leaves each only once, the first few hundred of every file.
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

/// Parses a file; `None` when it cannot be, with the problems told.
fn parse(files: &FileTree, path: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let source = document::source_file(path, &files[path]).map_err(|problem| problems.push(problem)).ok()?;
    document::parse(&source).map_err(|of_syntax| problems.extend(of_syntax)).ok()
}

/// Parsed files of an application, or of one environment's overlay. A file that cannot be parsed is `None`.
#[derive(Default)]
struct Parsed {
    manifest: Option<Node>,
    documents: BTreeMap<(Kind, String), (String, Option<Node>)>,
    problems: Vec<Problem>,
}

impl Parsed {
    fn of(files: &FileTree, of: Files) -> Self {
        let mut parsed = Self::default();
        let problems = &mut parsed.problems;
        parsed.manifest = of.manifest.and_then(|path| parse(files, &path, problems));
        for (key, path) in of.documents {
            let node = parse(files, &path, problems);
            parsed.documents.insert(key, (path, node));
        }
        parsed
    }
}

fn load_application(
    files: &FileTree,
    name: &ApplicationName,
    directory: Directory,
    environments: &BTreeMap<EnvironmentName, ConfiguredEnvironment>,
    candidates: &mut Candidates,
    problems: &mut Vec<Problem>,
) {
    let mut base = Parsed::of(files, directory.base);
    base.problems.extend(directory.problems);
    let overlays: BTreeMap<EnvironmentName, Parsed> =
        directory.overlays.into_iter().map(|(name, of)| (name, Parsed::of(files, of))).collect();

    let known: Vec<&EnvironmentName> = environments.keys().collect();
    let only = base.manifest.as_ref().and_then(|node| manifest::environments(node, &known, &mut base.problems));
    for (overlay, parsed) in &overlays {
        let path = format!("{name}/environments/{overlay}");
        if !environments.contains_key(overlay) {
            let message = format!("`trueup.toml` has no environment `{overlay}`");
            let problem = Problem::of_file("unknown-environment", path, message);
            base.problems.push(problem.help(nearest_environment(overlay, &known)));
            base.problems.extend(parsed.problems.iter().cloned());
        } else if only.as_ref().is_some_and(|only| !only.contains(overlay)) {
            let message = format!("the application is not in environment `{overlay}`");
            let help = "add it to `environments` in `app.toml`, or take the directory out";
            base.problems.push(Problem::of_file("unknown-environment", path, message).help(help));
        }
    }
    problems.extend(base.problems.iter().cloned());

    let none = Parsed::default();
    let mut built = Vec::with_capacity(environments.len());
    for (environment, configured) in environments {
        if only.as_ref().is_some_and(|only| !only.contains(environment)) {
            continue;
        }
        let overlay = overlays.get(environment).unwrap_or(&none);
        let mut problems: Vec<Problem> = base.problems.iter().chain(&overlay.problems).cloned().collect();
        let application = build(name, configured, &base, overlay, &mut problems);
        built.push((environment, application, problems));
    }
    // What one environment needs, the others may carry along: they share `app.toml`.
    let needed: BTreeSet<String> = built
        .iter()
        .flat_map(|(_, application, _)| &application.allowances)
        .filter(|(_, needed)| *needed)
        .map(|(problem, _)| problem.to_string())
        .collect();
    for (environment, application, mut problems) in built {
        let unused = application.allowances.iter().map(|(problem, _)| problem);
        problems.extend(unused.filter(|problem| !needed.contains(&problem.to_string())).cloned());
        candidates.insert((environment.clone(), name.clone()), Candidate { built: Some(application), problems });
    }
}

/// Puts together one application in one environment.
fn build(
    name: &ApplicationName,
    configured: &ConfiguredEnvironment,
    base: &Parsed,
    overlay: &Parsed,
    problems: &mut Vec<Problem>,
) -> Built {
    let environment = &configured.environment;
    let mut policy = configured.policy.clone();
    for node in base.manifest.iter().chain(&overlay.manifest) {
        manifest::policy(node, problems).apply(&mut policy);
    }
    let (mut bodies, complete) = merge_documents(base, overlay);
    let manifest = read_manifest(environment, base, overlay, problems);
    let platform = default_platform(&bodies);
    let images: BTreeMap<String, Lookup> =
        manifest.images.iter().map(|(name, image)| (name.clone(), image.lookup(&platform))).collect();

    // Target groups first: the others refer to them by the name that they have in AWS.
    let mut target_groups = BTreeMap::new();
    let mut documents = Vec::with_capacity(bodies.len());
    for kind in Kind::ALL {
        for body in bodies.iter_mut().filter(|body| body.kind == kind) {
            let mut node = body.take(problems);
            let scope = Scope { environment, images: &images, target_groups: &target_groups };
            let templates = settle(Some(kind), &mut node, &scope, problems);
            problems.extend(validate(kind, &body.name, &node, References::Pending, &manifest.allow_unknown));
            remove_nulls(&mut node);
            let document = Settled { kind, name: body.name.clone(), path: body.path.clone(), body: node, templates };
            if kind == Kind::TargetGroup {
                // A target group does not refer to its siblings, so it does no harm that they are filled in one by one.
                target_groups.insert(body.name.clone(), document.in_aws().map(str::to_owned));
            }
            documents.push(document);
        }
    }
    if documents.is_empty() && complete {
        let message = "the application has no documents";
        let help = "add a `task-definition` and a `service`, `target-groups/` or `listener-rules/`";
        problems.push(Problem::of_file("no-documents", format!("{name}/{}", manifest::FILE), message).help(help));
    }
    let rules::Judged { cluster, allowances } = rules::check(
        &rules::Subject::new(environment, configured.sound, &documents, complete, &manifest.allow_plaintext),
        problems,
    );
    let claims = if configured.sound { across::claims(environment, &cluster, &documents) } else { Vec::new() };
    for document in documents.iter_mut().filter(|document| document.kind == Kind::Service) {
        if let NodeValue::Object(members) = &mut document.body.value {
            members.shift_remove("cluster");
        }
    }
    let depends_on: BTreeSet<ApplicationName> = manifest.depends_on.keys().cloned().collect();
    let application = Application {
        name: name.clone(),
        environment: environment.name.clone(),
        cluster,
        policy,
        depends_on,
        documents: documents.into_iter().map(Settled::into_draft).collect(),
        allow_unknown: manifest.allow_unknown,
    };
    Built { application, claims, allowances, dependencies: manifest.depends_on }
}

/// A merged document before references are settled.
struct Body {
    kind: Kind,
    name: String,
    path: String,
    node: Node,
}

impl Body {
    /// The request, without trueup's own table.
    fn take(&mut self, problems: &mut Vec<Problem>) -> Node {
        if let Some(own) = Place::root(&self.node).get("trueup") {
            super::reader::Reader { problems }.table(&own, "`trueup`", &[]);
        }
        let empty = Node { value: NodeValue::Null, span: self.node.span.clone() };
        let mut node = std::mem::replace(&mut self.node, empty);
        if let NodeValue::Object(members) = &mut node.value {
            members.shift_remove("trueup");
        }
        node
    }
}

/// Takes away members that are null: to AWS they are not set.
fn remove_nulls(node: &mut Node) {
    match &mut node.value {
        NodeValue::Object(members) => {
            members.retain(|_, member| member.node.value != NodeValue::Null);
            members.values_mut().for_each(|member| remove_nulls(&mut member.node));
        }
        NodeValue::List(items) => items.iter_mut().for_each(remove_nulls),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {}
    }
}

/// Merges the overlay's documents over the base's. The flag says whether all of them could be parsed.
fn merge_documents(base: &Parsed, overlay: &Parsed) -> (Vec<Body>, bool) {
    let mut bodies = Vec::with_capacity(base.documents.len());
    let mut complete = true;
    let keys: BTreeSet<&(Kind, String)> = base.documents.keys().chain(overlay.documents.keys()).collect();
    for key in keys {
        let (kind, name) = key;
        let nodes = (base.documents.get(key), overlay.documents.get(key));
        let (path, node) = match nodes {
            (Some((path, Some(node))), None) | (None, Some((path, Some(node)))) => (path, node.clone()),
            (Some((path, Some(base))), Some((_, Some(over)))) => (path, merge(Some(*kind), base, over)),
            _ => {
                complete = false;
                continue;
            }
        };
        bodies.push(Body { kind: *kind, name: name.clone(), path: path.clone(), node });
    }
    (bodies, complete)
}

/// Reads `app.toml`, an environment's own merged over it; references in it are settled by the environment.
fn read_manifest(environment: &Environment, base: &Parsed, overlay: &Parsed, problems: &mut Vec<Problem>) -> Manifest {
    let mut node = match (&base.manifest, &overlay.manifest) {
        (Some(base), Some(over)) => merge(None, base, over),
        (Some(node), None) | (None, Some(node)) => node.clone(),
        (None, None) => return Manifest::default(),
    };
    let scope = Scope { environment, images: &BTreeMap::new(), target_groups: &BTreeMap::new() };
    for (template, span) in settle(None, &mut node, &scope, problems) {
        let message = "`app.toml` takes references to the environment and its variables only";
        problems.push(
            Problem::at("bad-reference", &span, &template.pointer, message)
                .help("write `${account}`, `${region}`, `${cluster}`, `${environment}` or `${var.NAME}`"),
        );
    }
    Manifest::read(&node, problems)
}

/// The platform of images that name none: the task definition's.
///
/// Source: ECS API reference, `RuntimePlatform`: Linux on `X86_64` where nothing is said.
fn default_platform(bodies: &[Body]) -> String {
    let platform = bodies
        .iter()
        .find(|body| body.kind == Kind::TaskDefinition)
        .and_then(|body| Place::root(&body.node).get("runtimePlatform"));
    let said = |member: &str| platform.as_ref().and_then(|platform| platform.member_text(member));
    let system = match said("operatingSystemFamily") {
        Some(family) if family.starts_with("WINDOWS") => "windows",
        _ => "linux",
    };
    let architecture = match said("cpuArchitecture") {
        Some("ARM64") => "arm64",
        _ => "amd64",
    };
    format!("{system}/{architecture}")
}

/// A help that names the nearest application.
pub(super) fn nearest_application<'a>(name: &str, known: impl Iterator<Item = &'a ApplicationName>) -> String {
    match nearest(name, known.map(ApplicationName::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name a directory with an `app.toml`, relative to the root".to_owned(),
    }
}
