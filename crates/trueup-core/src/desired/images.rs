//! `[images.NAME]` of `app.toml`: the images that `${image.NAME}` refers to.

use super::Lookup;
use super::configuration::is_name;
use super::located::Located;
use super::parsed_document::ParsedDocument;
use super::reader::TableReader;
use crate::document::Problem;
use crate::kind::Kind;

/// An image of `app.toml`.
pub(super) struct Image {
    repository: String,
    tag: String,
    platform: Option<String>,
}

impl Image {
    /// The lookup of its digest.
    pub fn lookup(&self, default_platform: &str) -> Lookup {
        Lookup::Image {
            repository: self.repository.clone(),
            tag: self.tag.clone(),
            platform: self.platform.clone().unwrap_or_else(|| default_platform.to_owned()),
        }
    }
}

/// Reads one image. Wrong values are reported; `None` when it is not a table.
pub(super) fn read_image(name: &str, place: &Located<'_>, reader: &mut TableReader<'_>) -> Option<Image> {
    let what = format!("image `{name}`");
    if !is_name(name) {
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
    // An incomplete image is reported here once, and not again at each use.
    let (repository, tag) = (repository.unwrap_or_default(), tag.unwrap_or_default());
    if let Some(problem) = misplaced_tag(&repository, &table) {
        reader.problems.push(problem);
    }
    Some(Image { repository, tag, platform })
}

/// The problem of a repository that includes a tag or digest.
fn misplaced_tag(repository: &str, table: &Located<'_>) -> Option<Problem> {
    let last = repository.rsplit('/').next()?;
    let place = table.get("repository")?;
    last.contains([':', '@']).then(|| {
        place
            .problem("wrong-value", "`repository` holds a tag or a digest")
            .help("write the repository alone, and the tag in `tag`")
    })
}

/// The platform of images that declare none: the task definition's.
///
/// Source: ECS API reference, `RuntimePlatform`: Linux on `X86_64` by default.
pub(super) fn default_platform(documents: &[ParsedDocument]) -> String {
    let platform = documents
        .iter()
        .find(|document| document.kind == Kind::TaskDefinition)
        .and_then(|document| Located::root(&document.node).get("runtimePlatform"));
    let declared = |member: &str| platform.as_ref().and_then(|platform| platform.member_text(member));
    let system = match declared("operatingSystemFamily") {
        Some(family) if family.starts_with("WINDOWS") => "windows",
        _ => "linux",
    };
    let architecture = match declared("cpuArchitecture") {
        Some("ARM64") => "arm64",
        _ => "amd64",
    };
    format!("{system}/{architecture}")
}
