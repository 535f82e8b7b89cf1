//! `app.toml`: an application's policy, order and images.

use std::collections::{BTreeMap, BTreeSet};

use super::configuration::nearest_environment;
use super::images::{Image, read_image};
use super::located::Located;
use super::reader::{PolicyPatch, TableReader};
use super::template::{ReferenceScope, settle};
use super::{Environment, Ignore};
use crate::document::{Node, Problem};
use crate::names::{ApplicationName, EnvironmentName};

/// The file's name.
pub(super) const FILE: &str = "app.toml";

/// The content of `app.toml`, with an environment's own merged over it.
#[derive(Default)]
pub(super) struct Manifest {
    /// Applications that must be Synced and Healthy first, each with the problem to report when it does not exist.
    pub depends_on: BTreeMap<ApplicationName, Problem>,
    /// `[images.NAME]`, by name.
    pub images: BTreeMap<String, Image>,
    /// Members that the API model does not know and that are accepted.
    pub allow_unknown: Vec<Ignore>,
    /// Values that look like secrets and are not, each with the problem to report when no value needs the entry.
    pub allow_plaintext: Vec<(Ignore, Problem)>,
}

const KEYS: [&str; 6] = ["depends_on", "environments", "policy", "images", "allow_unknown", "allow_plaintext"];

impl Manifest {
    /// Reads all but `policy` and `environments`, which do not merge. References may name the environment and its
    /// variables.
    pub fn read(mut node: Node, environment: &Environment, problems: &mut Vec<Problem>) -> Self {
        let scope = ReferenceScope { environment, images: &BTreeMap::new(), target_groups: &BTreeMap::new() };
        for (template, span) in settle(None, &mut node, &scope, problems) {
            let message = "`app.toml` takes references to the environment and its variables only";
            problems.push(
                Problem::at("bad-reference", &span, &template.pointer, message)
                    .help("write `${account}`, `${region}`, `${cluster}`, `${environment}` or `${var.NAME}`"),
            );
        }
        let reader = &mut TableReader { problems };
        let root = Located::root(&node);
        reader.table(&root, "`app.toml`", &KEYS);
        let mut manifest = Self::default();
        if let Some(place) = root.get("depends_on") {
            for (name, place) in reader.texts(&place, "`depends_on`") {
                let problem = place.problem("bad-dependency", String::new());
                manifest.depends_on.insert(ApplicationName::new(name), problem);
            }
        }
        if let Some(table) = root.get("images").and_then(|place| reader.open_table(&place, "`images`")) {
            for (name, place) in table.members() {
                if let Some(image) = read_image(name, &place, reader) {
                    manifest.images.insert(name.to_owned(), image);
                }
            }
        }
        if let Some(place) = root.get("allow_unknown") {
            manifest.allow_unknown = reader.patterns(&place, "`allow_unknown`");
        }
        if let Some(place) = root.get("allow_plaintext") {
            for (pattern, text, place) in reader.placed_patterns(&place, "`allow_plaintext`") {
                let problem = place
                    .problem("unused-allowance", format!("`{text}` matches nothing that looks like a secret"))
                    .help("remove it: an entry that allows nothing hides the next secret in that place");
                manifest.allow_plaintext.push((pattern, problem));
            }
        }
        manifest
    }
}

/// Reads `[policy]` of one `app.toml`.
pub(super) fn policy(node: &Node, problems: &mut Vec<Problem>) -> PolicyPatch {
    let root = Located::root(node);
    root.get("policy").map(|place| PolicyPatch::read(&place, &mut TableReader { problems })).unwrap_or_default()
}

/// The environments that `app.toml` limits the application to; `None` when it is in all.
pub(super) fn environments(
    node: &Node,
    known: &[&EnvironmentName],
    problems: &mut Vec<Problem>,
) -> Option<BTreeSet<EnvironmentName>> {
    let place = Located::root(node).get("environments")?;
    let reader = &mut TableReader { problems };
    let mut environments = BTreeSet::new();
    for (name, place) in reader.texts(&place, "`environments`") {
        let name = EnvironmentName::new(name);
        if !known.contains(&&name) {
            let problem = place.problem("unknown-environment", format!("`trueup.toml` has no environment `{name}`"));
            reader.problems.push(problem.help(nearest_environment(&name, known)));
        }
        environments.insert(name);
    }
    Some(environments)
}
