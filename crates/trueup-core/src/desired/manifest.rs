//! `app.toml`: an application's policy, order and images.

use std::collections::{BTreeMap, BTreeSet};

use super::place::Place;
use super::reader::{PolicyPatch, Reader};
use super::{Ignore, Lookup};
use crate::document::{Node, Problem};
use crate::names::{ApplicationName, EnvironmentName};

/// The file's name.
pub(super) const FILE: &str = "app.toml";

/// What `app.toml` says, an environment's own merged over it.
#[derive(Default)]
pub(super) struct Manifest {
    /// Applications that must be Synced and Healthy first, each with the problem to report when there is none such.
    pub depends_on: BTreeMap<ApplicationName, Problem>,
    /// `[images.NAME]`; where no platform is said, it is the task definition's.
    pub images: BTreeMap<String, Image>,
    /// Members that the API model does not know and that are let through.
    pub allow_unknown: Vec<Ignore>,
    /// Values that look like secrets and are none, each with the problem to report when there is no such value.
    pub allow_plaintext: Vec<(Ignore, Problem)>,
}

/// An image of `app.toml`.
pub(super) struct Image {
    repository: String,
    tag: String,
    platform: Option<String>,
}

impl Image {
    /// What is looked up for it.
    pub fn lookup(&self, default_platform: &str) -> Lookup {
        Lookup::Image {
            repository: self.repository.clone(),
            tag: self.tag.clone(),
            platform: self.platform.clone().unwrap_or_else(|| default_platform.to_owned()),
        }
    }
}

const KEYS: [&str; 6] = ["depends_on", "environments", "policy", "images", "allow_unknown", "allow_plaintext"];

impl Manifest {
    /// Reads all but `policy` and `environments`, which do not merge.
    pub fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let reader = &mut Reader { problems };
        let root = Place::root(node);
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
                    .help("take it out: what is allowed for nothing hides the next secret that stands there");
                manifest.allow_plaintext.push((pattern, problem));
            }
        }
        manifest
    }
}

/// Reads `[policy]` of one `app.toml`.
pub(super) fn policy(node: &Node, problems: &mut Vec<Problem>) -> PolicyPatch {
    let root = Place::root(node);
    root.get("policy").map(|place| PolicyPatch::read(&place, &mut Reader { problems })).unwrap_or_default()
}

/// The environments that `app.toml` limits the application to; `None` when it is in all.
pub(super) fn environments(
    node: &Node,
    known: &[&EnvironmentName],
    problems: &mut Vec<Problem>,
) -> Option<BTreeSet<EnvironmentName>> {
    let place = Place::root(node).get("environments")?;
    let reader = &mut Reader { problems };
    let mut environments = BTreeSet::new();
    for (name, place) in reader.texts(&place, "`environments`") {
        let name = EnvironmentName::new(name);
        if !known.contains(&&name) {
            let problem = place.problem("unknown-environment", format!("`trueup.toml` has no environment `{name}`"));
            reader.problems.push(problem.help(super::layout::nearest_environment(&name, known)));
        }
        environments.insert(name);
    }
    Some(environments)
}

fn read_image(name: &str, place: &Place<'_>, reader: &mut Reader<'_>) -> Option<Image> {
    let what = format!("image `{name}`");
    if !super::configuration::is_name(name) {
        reader.problems.push(
            place
                .key_problem("bad-name", format!("`{name}` cannot be the name of an image"))
                .help("use letters, digits, `-` and `_`"),
        );
    }
    let table = reader.table(place, &what, &["repository", "tag", "platform"])?;
    let mut required = |key: &str| {
        if let Some(place) = table.get(key) {
            return reader.text(&place, &format!("`{key}`"));
        }
        let problem = table.key_problem("missing-key", format!("{what} has no `{key}`"));
        reader.problems.push(problem.help(format!("add `{key} = \"…\"`")));
        None
    };
    let (repository, tag) = (required("repository"), required("tag"));
    let platform = table.get("platform").and_then(|place| {
        let text = reader.text(&place, "`platform`")?;
        let good = text.split('/').count() >= 2 && text.split('/').all(|part| !part.is_empty());
        if !good {
            let problem = place.problem("wrong-value", "`platform` must be `OS/ARCHITECTURE`");
            reader.problems.push(problem.help("write `linux/amd64` or `linux/arm64`"));
        }
        good.then_some(text)
    });
    // An image that lacks something is told once, here, and not again wherever it is used.
    let (repository, tag) = (repository.unwrap_or_default(), tag.unwrap_or_default());
    if let Some(problem) = misplaced_tag(&repository, &table) {
        reader.problems.push(problem);
    }
    Some(Image { repository, tag, platform })
}

/// A repository with a tag or digest in it names an image.
fn misplaced_tag(repository: &str, table: &Place<'_>) -> Option<Problem> {
    let last = repository.rsplit('/').next()?;
    let place = table.get("repository")?;
    last.contains([':', '@']).then(|| {
        place
            .problem("wrong-value", "`repository` holds a tag or a digest")
            .help("write the repository alone; the tag stands in `tag`")
    })
}
