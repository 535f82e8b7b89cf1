//! Every hold in words: name, message, remedy and implied sync.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Hold;
use crate::kind::Kind;
use crate::live::{FailureKind, ReadFailure};
use crate::names::{ApplicationName, Revision};
use crate::plan::{Ahead, Cause};
use crate::report::samples;

/// More samples of the variants whose words depend on their members.
fn special() -> Vec<Hold> {
    let text = || "text".to_owned();
    let revision = || Revision::new("0123456789abcdef0123456789abcdef01234567");
    let unreadable = |kind| Hold::NotObserved {
        failure: ReadFailure { operation: "ecs:DescribeServices".to_owned(), kind, message: text() },
    };
    let behind =
        |answered, unreachable_since| Hold::Behind(Ahead { revision: revision(), answered, unreachable_since });
    let mut all = vec![unreadable(FailureKind::AccessDenied), unreadable(FailureKind::Throttled)];
    all.extend([Cause::Create, Cause::Pending, Cause::Adopt, Cause::Prune].map(|cause| Hold::ReportOnly { cause }));
    all.extend(
        [Kind::Service, Kind::TaskDefinition, Kind::ListenerRule]
            .map(|kind| Hold::Immutable { kind, fields: vec!["/a".to_owned(), "/b".to_owned()] }),
    );
    all.push(Hold::Contested { fields: vec!["/a".to_owned()], by: Some(text()) });
    all.push(Hold::WaitsFor { applications: ["a", "b"].map(ApplicationName::new).to_vec() });
    all.push(Hold::UnknownRevision { revision: None });
    all.push(behind(false, Some(Timestamp::UNIX_EPOCH)));
    all.push(behind(true, None));
    all.push(Hold::CallRefused { operation: "ecs:UpdateService".to_owned(), code: Some(text()), message: text() });
    for hold in samples::holds() {
        if let Hold::RevisionFailed { message, digest, failed_at, .. } = hold {
            all.push(Hold::RevisionFailed { message, transient: true, digest, failed_at });
        } else if let Hold::Unresolved { mut references } = hold {
            for reference in &mut references {
                reference.transient = true;
            }
            all.push(Hold::Unresolved { references });
        }
    }
    all
}

#[test]
fn every_hold_has_a_name_a_message_a_remedy_and_an_implied_sync() {
    let mut table = String::new();
    for hold in samples::holds().into_iter().chain(special()) {
        let implied = hold.implies().map_or_else(|| "-".to_owned(), |sync| format!("{sync:?}"));
        writeln!(table, "{} | {implied}\n    {}\n    {}", hold.reason(), hold.message(), hold.remedy())
            .expect("a String takes everything");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_name_of_a_hold_is_the_reason_in_its_data() {
    for hold in samples::holds() {
        let data = serde_json::to_value(&hold).expect("a hold has string keys only");
        assert_eq!(data["reason"], hold.reason());
    }
}
