//! Names by which resources are found must be known without asking AWS.

use super::Subject;
use crate::document::Problem;
use crate::model::Kind;

pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    for (kind, member) in
        [(Kind::TaskDefinition, "family"), (Kind::Service, "serviceName"), (Kind::TargetGroup, "Name")]
    {
        for (_, document) in subject.documents_of(kind) {
            if let Some(place) = document.get(member).filter(super::Place::is_deferred) {
                problems.push(
                    place
                        .problem("unknown-name", format!("`{member}` must be known without asking AWS"))
                        .help("write a name; `${environment}`, `${account}`, `${region}`, `${cluster}` and `${var.NAME}` may stand in it"),
                );
            }
        }
    }
}
