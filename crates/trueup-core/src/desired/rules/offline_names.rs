//! Names by which resources are found must be known without asking AWS.

use super::{ApplicationView, Located};
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    for document in subject.documents {
        let Some(member) = document.kind.facts().named_by else { continue };
        let place = Located::root(&document.node).get(member);
        if let Some(place) = place.filter(|place| document.waits_at(&place.pointer())) {
            problems.push(
                place
                    .problem("unknown-name", format!("`{member}` must be known without asking AWS"))
                    .help("write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` are allowed in it"),
            );
        }
    }
}
