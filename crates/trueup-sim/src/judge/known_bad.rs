//! Never again what ECS failed or rolled back.

use super::history::{Begun, History, Violation, named};
use crate::recorder::Effect;
use crate::time::Time;

/// The product must not deploy content whose deployment ECS ended, nor an image that the harness knows to be bad twice; unless
/// a person asked for it since the last time. A second try of a bad image is allowed as long as ECS has not judged it: when the
/// first one's fate was unknown, when something else was deployed in between (a commit pre-empted it and another asks for it
/// again, or another writer deployed over it), and when the service had to be created again.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for deployments in history.deployments().into_values() {
        for (place, begun) in deployments.iter().enumerate() {
            if !history.is_product(begun.record) || matches!(begun.record.effect, Effect::Late(_)) {
                continue;
            }
            let earlier = &deployments[..place];
            let preempted = earlier.last().is_some_and(|last| last.deployed.content != begun.deployed.content);
            let mut own = earlier.iter().rev().filter(|earlier| history.is_product(earlier.record));
            let before = own.find(|earlier| earlier.deployed.content == begun.deployed.content);
            let made_anew = begun.record.call.action == "CreateService";
            let since = begun.deployed.known_bad.or(before.map(|before| before.at));
            if since.is_some_and(|since| retried(history, since, begun)) {
                continue;
            }
            let bad = begun.deployed.images.iter().find(|image| history.facts.bad_images.contains(*image));
            let text = match (begun.deployed.known_bad, bad, before) {
                (Some(_), ..) => format!("{} deploys again what ECS had failed or rolled back", named(begun.record)),
                (None, Some(image), Some(before))
                    if !(preempted || made_anew || history.fate_unknown(before.record))
                        && before.record.call.access_key == begun.record.call.access_key =>
                {
                    format!(
                        "{} deploys the bad image {image} again, after call {}",
                        named(begun.record),
                        before.record.index
                    )
                }
                _ => continue,
            };
            violations.push(Violation { rule: "known-bad revision", call: Some(begun.record.index), text });
        }
    }
    violations
}

/// Whether an operator requested a retry since it failed.
fn retried(history: &History, since: Time, begun: &Begun) -> bool {
    let mut retries = history.facts.retries.iter();
    retries.any(|(service, at)| *service == begun.deployed.service && since <= *at && *at <= begun.at)
}
