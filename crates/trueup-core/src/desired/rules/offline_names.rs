//! Names by which resources are found must be known without asking AWS.

use super::{Place, Subject};
use crate::document::Problem;
use crate::kind::Kind;

pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    for (kind, member) in
        [(Kind::TaskDefinition, "family"), (Kind::Service, "serviceName"), (Kind::TargetGroup, "Name")]
    {
        for draft in subject.documents.iter().filter(|draft| draft.kind == kind) {
            let place = Place::root(&draft.body).get(member);
            if let Some(place) = place.filter(|place| draft.waits_at(&place.pointer())) {
                problems.push(
                    place
                        .problem("unknown-name", format!("`{member}` must be known without asking AWS"))
                        .help("write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` may stand in it"),
                );
            }
        }
    }
}
