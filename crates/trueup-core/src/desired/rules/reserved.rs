//! What trueup sets itself, and tag keys that belong to trueup or AWS.

use super::Subject;
use crate::document::Problem;
use crate::model::Kind;

pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    if let Some(service) = &subject.service {
        for (name, why) in [
            ("taskDefinition", "it is the newest revision of the application's own task definition"),
            ("clientToken", "trueup makes one for each call"),
        ] {
            if let Some(place) = service.get(name) {
                problems.push(place.key_problem("set-by-trueup", format!("`{name}` is set by trueup")).help(format!("take it out: {why}")));
            }
        }
    }
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
