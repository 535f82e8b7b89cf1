//! Names by which resources are found must be known without asking AWS.

use super::{Place, Subject};
use crate::document::Problem;
use crate::kind::Kind;

pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    for (kind, member) in
        [(Kind::TaskDefinition, "family"), (Kind::Service, "serviceName"), (Kind::TargetGroup, "Name")]
    {
        for document in subject.documents.iter().filter(|document| document.kind == kind) {
            let place = Place::root(&document.node).get(member);
            if let Some(place) = place.filter(|place| document.waits_at(&place.pointer())) {
                problems.push(
                    place
                        .problem("unknown-name", format!("`{member}` must be known without asking AWS"))
                        .help("write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` may stand in it"),
                );
            }
        }
    }
}
