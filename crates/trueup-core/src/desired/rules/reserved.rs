//! Tag keys that belong to trueup or to AWS.

use super::{ApplicationView, Located};
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    for document in subject.documents {
        let tagging = document.kind.facts().tagging;
        let tags = Located::root(&document.node).list(tagging.member);
        for place in tags.iter().filter_map(|tag| tag.get(tagging.key)) {
            let Some(text) = place.text() else { continue };
            let lower = text.to_lowercase();
            let owner = match () {
                () if lower.starts_with("aws:") => "AWS",
                () if lower.starts_with("trueup:") => "trueup",
                () => continue,
            };
            problems.push(
                place
                    .problem("reserved-tag", format!("tag keys like `{text}` are reserved for {owner}"))
                    .help("choose another key"),
            );
        }
    }
}
