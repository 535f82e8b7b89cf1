//! Tag keys that belong to trueup or to AWS.

use super::Subject;
use crate::document::Problem;
use crate::kind::Kind;

pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    for kind in Kind::ALL {
        let (tags, key) = match kind {
            Kind::TaskDefinition | Kind::Service => ("tags", "key"),
            Kind::TargetGroup | Kind::ListenerRule => ("Tags", "Key"),
        };
        for (_, document) in subject.documents_of(kind) {
            for place in document.list(tags).iter().filter_map(|tag| tag.get(key)) {
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
