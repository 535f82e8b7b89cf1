//! Actions of listener rules: their order, and the two notations of a forward.
//!
//! A forward to one group may be written as `TargetGroupArn`, or as `ForwardConfig` with one group; AWS returns both.
//! With one group its weight has no effect.

use std::borrow::Cow;

use serde_json::Value;

use crate::drift::coerce::integer;
use crate::drift::compare::Comparison;
use crate::drift::schema::{Field, Form};

/// Compares `Actions`: by position after sorting by `Order`.
pub(super) fn compare<'a>(
    comparison: &mut Comparison<'a>,
    field: &'static Field,
    desired: Option<&'a Value>,
    live: Option<&'a Value>,
) {
    let Form::List(action, _) = &field.form else { return };
    let (desired, live) = (sorted(desired), sorted(live));
    for position in 0..desired.len().max(live.len()) {
        let (desired, live) = (desired.get(position).copied(), live.get(position).copied());
        comparison.within(position.to_string(), |c| {
            if desired.is_none() || live.is_none() {
                return c.report(desired, live);
            }
            c.value(action, desired, live);
            forward(c, action, desired, live);
        });
    }
}

/// The actions in the order of execution: by `Order`, or else as listed.
fn sorted(actions: Option<&Value>) -> Vec<&Value> {
    let list = actions.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut actions: Vec<_> = list.iter().enumerate().collect();
    actions.sort_by_key(|(index, action)| {
        (
            action
                .get("Order")
                .and_then(integer)
                .unwrap_or(i64::try_from(*index).unwrap_or(i64::MAX).saturating_add(1)),
            *index,
        )
    });
    actions.into_iter().map(|(_, action)| action).collect()
}

/// The target groups of a forward.
struct Forward<'a> {
    /// The groups and their weights, sorted by ARN.
    groups: Vec<(&'a str, Group<'a>)>,
    stickiness: Option<&'a Value>,
    /// It is written as `TargetGroupArn`.
    is_short: bool,
}

/// One group of a forward.
#[derive(Clone, Copy)]
struct Group<'a> {
    /// The element as written; `None` if the short form has no such element.
    written: Option<&'a Value>,
    weight: Option<&'a Value>,
    /// The effective weight: any but 0 is 1 where there is only one group.
    counts: i64,
}

impl<'a> Forward<'a> {
    fn read(action: Option<&'a Value>) -> Option<Self> {
        let action = action?;
        let config = action.get("ForwardConfig").filter(|config| config.is_object());
        let list = config.and_then(|config| config.get("TargetGroups")).and_then(Value::as_array);
        let short = action.get("TargetGroupArn").and_then(Value::as_str).filter(|arn| !arn.is_empty());
        let mut groups: Vec<_> = list
            .into_iter()
            .flatten()
            .filter_map(|group| {
                let weight = group.get("Weight").filter(|weight| !weight.is_null());
                let counts = weight.and_then(integer).unwrap_or(1);
                Some((group.get("TargetGroupArn")?.as_str()?, Group { written: Some(group), weight, counts }))
            })
            .collect();
        if groups.is_empty() {
            groups.extend(short.map(|arn| (arn, Group { written: None, weight: None, counts: 1 })));
        }
        if let [(_, group)] = &mut groups[..] {
            group.counts = group.counts.signum();
        }
        groups.sort_by_key(|(arn, _)| *arn);
        let stickiness = config.and_then(|config| config.get("TargetGroupStickinessConfig"));
        (!groups.is_empty() || config.is_some()).then_some(Self { groups, stickiness, is_short: short.is_some() })
    }
}

/// Compares the two notations of a forward with each other.
fn forward<'a>(c: &mut Comparison<'a>, action: &'static Field, desired: Option<&'a Value>, live: Option<&'a Value>) {
    let (desired_forward, live_forward) = match (Forward::read(desired), Forward::read(live)) {
        (None, None) => return,
        (Some(desired), Some(live)) => (desired, live),
        // Only one side forwards: the member that it has is reported.
        (in_desired, in_live) => {
            let is_short = in_desired.or(in_live).is_some_and(|forward| forward.is_short);
            let member = if is_short { "TargetGroupArn" } else { "ForwardConfig" };
            let get = |action: Option<&'a Value>| action.and_then(|action| action.get(member));
            return c.within(member, |c| c.report(get(desired), get(live)));
        }
    };
    if let ([(wanted, a)], [(found, b)], true) =
        (&desired_forward.groups[..], &live_forward.groups[..], desired_forward.is_short)
    {
        if wanted != found && !c.context().delegated_weights {
            let (wanted, found) = (Value::from(*wanted), Value::from(*found));
            c.within("TargetGroupArn", |c| c.report(Some(&wanted), Some(&found)));
        } else if wanted == found && a.counts != b.counts {
            groups(c, &desired_forward, &live_forward);
        }
    } else {
        groups(c, &desired_forward, &live_forward);
    }
    let Form::Structure(members) = &action.form else { return };
    let Some(Form::Structure(config)) = members.get("ForwardConfig").map(|field| &field.form) else { return };
    if let Some((name, field)) = config.get_key_value("TargetGroupStickinessConfig") {
        c.within("ForwardConfig", |c| {
            c.within(name.as_str(), |c| c.value(field, desired_forward.stickiness, live_forward.stickiness));
        });
    }
}

/// Compares groups by ARN.
///
/// Where ECS shifts traffic by the rule, it adds the other group of the pair and moves the weights; then only the
/// presence of the groups that git names is checked.
fn groups<'a>(c: &mut Comparison<'a>, desired: &Forward<'a>, live: &Forward<'a>) {
    let is_delegated = c.context().delegated_weights;
    c.within("ForwardConfig", |c| {
        c.within("TargetGroups", |c| {
            for (arn, wanted) in &desired.groups {
                match live.groups.iter().find(|(found, _)| found == arn) {
                    None => {
                        let arn_alone = Value::from(*arn);
                        c.within(Cow::Borrowed(*arn), |c| c.report(wanted.written.or(Some(&arn_alone)), None));
                    }
                    Some((_, found)) if wanted.counts != found.counts && !is_delegated => {
                        let one = Value::from(1);
                        let (wanted, found) = (wanted.weight.unwrap_or(&one), found.weight.unwrap_or(&one));
                        c.within(Cow::Borrowed(*arn), |c| {
                            c.within("Weight", |c| c.report(Some(wanted), Some(found)));
                        });
                    }
                    Some(_) => {}
                }
            }
            for (arn, found) in &live.groups {
                if !is_delegated && !desired.groups.iter().any(|(wanted, _)| wanted == arn) {
                    let arn_alone = Value::from(*arn);
                    c.within(Cow::Borrowed(*arn), |c| c.report(None, found.written.or(Some(&arn_alone))));
                }
            }
        });
    });
}
