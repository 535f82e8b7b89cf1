//! A service's `cluster` may repeat the environment's, not contradict it.

use super::ApplicationView;
use crate::document::Problem;
use crate::kind::Kind;

/// The cluster that ECS uses when none is named. Source: ECS API reference, `CreateService`.
const DEFAULT: &str = "default";

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) -> String {
    let given = subject.environment.cluster.as_deref();
    let Some(place) = subject.service.as_ref().and_then(|service| service.get("cluster")) else {
        return given.unwrap_or(DEFAULT).to_owned();
    };
    let Some(text) = place.text() else {
        if subject
            .documents
            .iter()
            .any(|document| document.kind == Kind::Service && document.waits_at(&place.pointer()))
        {
            problems.push(
                place
                    .problem("unknown-name", "the cluster of a service must be known without asking AWS")
                    .help("write its name, or `${cluster}`, `${environment}` or `${var.NAME}`"),
            );
        }
        return given.unwrap_or(DEFAULT).to_owned();
    };
    // `arn:aws:ecs:REGION:ACCOUNT:cluster/NAME`
    if let [_, _, _, region, account, _] = text.split(':').collect::<Vec<_>>()[..]
        && subject.environment_sound
        && (region, account) != (&*subject.environment.region, &*subject.environment.account)
    {
        let super::Environment { name, region: its_region, account: its_account, .. } = subject.environment;
        let message = format!(
            "environment `{name}` is account `{its_account}` in `{its_region}`, not account `{account}` in `{region}`"
        );
        problems
            .push(place.problem("contradicts-environment", message).help("remove `cluster`: the environment sets it"));
    }
    let own = if text.starts_with("arn:") { text.rsplit('/').next().unwrap_or(text) } else { text };
    if let Some(given) = given
        && given != own
    {
        let name = &subject.environment.name;
        problems.push(
            place
                .problem(
                    "contradicts-environment",
                    format!("environment `{name}` has the cluster `{given}`, not `{own}`"),
                )
                .help("remove `cluster`: the environment sets it"),
        );
    }
    given.unwrap_or(own).to_owned()
}
