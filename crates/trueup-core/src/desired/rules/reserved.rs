//! Tag keys that belong to trueup or to AWS.

use super::Subject;
use crate::document::Problem;
use crate::kind::Kind;

pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    for kind in Kind::ALL {
        let tagging = kind.facts().tagging;
        for (_, document) in subject.documents_of(kind) {
            for place in document.list(tagging.member).iter().filter_map(|tag| tag.get(tagging.key)) {
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
}
