//! Merges AWS's answers about target groups into live state.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kind::Kind;
use crate::live::{Live, LiveTargetGroup, Observed, Tags};
use crate::resources::answer::{first, forget_if, retag_observed, text};

pub(in crate::resources) fn absorb(live: &mut Live, input: &Value, answer: &Value) {
    let Some(description) = first(answer, "TargetGroups") else { return };
    let Some(name) = text(description, "TargetGroupName").or_else(|| text(input, "Name")) else { return };
    let (attributes, tags) = match live.target_groups.get(name).and_then(Observed::present) {
        Some(group) => (group.attributes.clone(), group.tags.clone()),
        // A new one has every attribute's default, which need not be known to set those that git declares.
        None => (Observed::Present(BTreeMap::new()), Observed::Present(Kind::TargetGroup.facts().tagging.read(input))),
    };
    let group = LiveTargetGroup { description: description.clone().into(), attributes, tags };
    live.target_groups.insert(name.to_owned(), Observed::Present(group));
}

pub(in crate::resources) fn absorb_attributes(live: &mut Live, input: &Value, answer: &Value) {
    let arn = text(input, "TargetGroupArn");
    let mut set = attributes(input);
    set.extend(attributes(answer));
    for group in live.target_groups.values_mut() {
        if let Observed::Present(group) = group
            && text(&group.description, "TargetGroupArn") == arn
        {
            match &mut group.attributes {
                Observed::Present(attributes) => attributes.extend(set.clone()),
                Observed::Absent | Observed::Unknown(_) => group.attributes = Observed::Present(set.clone()),
            }
        }
    }
}

pub(in crate::resources) fn absorb_deletion(live: &mut Live, input: &Value) {
    let arn = text(input, "TargetGroupArn").unwrap_or_default();
    for group in live.target_groups.values_mut() {
        if group.present().is_some_and(|g| text(&g.description, "TargetGroupArn") == Some(arn)) {
            *group = Observed::Absent;
        }
    }
    forget_if(live, |other| other == arn);
}

/// Changes the tags of the target group with this ARN.
pub(in crate::resources) fn retag(live: &mut Live, arn: &str, change: &dyn Fn(&mut Tags)) {
    for group in live.target_groups.values_mut() {
        if let Observed::Present(group) = group
            && text(&group.description, "TargetGroupArn") == Some(arn)
        {
            retag_observed(&mut group.tags, change);
        }
    }
}

fn attributes(body: &Value) -> BTreeMap<String, String> {
    let pair = |item: &Value| Some((text(item, "Key")?.to_owned(), text(item, "Value").unwrap_or_default().to_owned()));
    body.get("Attributes").and_then(Value::as_array).into_iter().flatten().filter_map(pair).collect()
}
