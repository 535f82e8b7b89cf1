//! Listener rules: desired against live.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::find::{Found, arn, find, listener, priority};
use crate::desired::{Document, Mode};
use crate::drift::{Change, Context, Shown};
use crate::kind::Kind;
use crate::live::{LiveRule, Observed, Tags};
use crate::names::Arn;
use crate::operation::Operation;
use crate::plan::builder::{Marks, PlanBuilder, Settling, Work, not_asked};
use crate::plan::keep_live::keep_live;
use crate::plan::tags::Claim;
use crate::plan::three_way::{Basis, Sorted, top};
use crate::plan::{Awaited, Call, Cause, Hold, Input, Resource};
use crate::pointer::Pointer;
use crate::resources::service::is_delegated;

/// An existing rule, with what is to be done about it.
struct PresentRule<'a> {
    work: Work<'a>,
    live: &'a LiveRule,
    tags: Tags,
    sorted: Sorted,
    arn: Arn,
    complete: bool,
}

/// A rule that changes its priority.
struct Move {
    rule: Arn,
    resource: Resource,
    priority: String,
    cause: Cause,
    change: Change,
}

pub(in crate::resources) fn plan(input: &Input<'_>, builder: &mut PlanBuilder) {
    let mut absent = Vec::new();
    let mut there = Vec::new();
    let mut moves: BTreeMap<Arn, Vec<Move>> = BTreeMap::new();
    for document in input.desired.of(Kind::ListenerRule) {
        let listener = listener(document);
        match find(input, document, &listener) {
            Found::NotObserved(failure) => builder.not_observed(&Work::new(input, document, None).resource, &failure),
            Found::Nowhere => absent.push((Work::new(input, document, None), listener)),
            Found::Taken(rule) => {
                let work = Work::new(input, document, None);
                let priority = priority(&document.body).unwrap_or_default();
                builder.hold(&work.resource, work.whole(), Hold::PriorityTaken { listener, priority, rule });
            }
            Found::Elsewhere(arn) => {
                let work = Work::new(input, document, Some(arn));
                let path = Pointer::from_iter(["ListenerArn"]);
                let desired = Shown::at(&path, &json!(listener));
                let change = Change { path, live: Shown::absent(), desired };
                let fields = vec!["ListenerArn".to_owned()];
                builder.hold(&work.resource, vec![change], Hold::Immutable { kind: Kind::ListenerRule, fields });
            }
            Found::Rule(live, tags) => {
                if let Some(mut present) = compare(input, document, live, tags, builder) {
                    moves.entry(listener).or_default().extend(moved(&mut present));
                    there.push(present);
                }
            }
        }
    }
    let leaving = set_priorities(input, moves, builder);
    for (work, listener) in absent {
        create(&work, listener, &leaving, builder);
    }
    for present in there {
        modify(present, builder);
    }
}

fn compare<'a>(
    input: &'a Input<'a>,
    document: &'a Document,
    live: &'a LiveRule,
    tags: Tags,
    builder: &mut PlanBuilder,
) -> Option<PresentRule<'a>> {
    let work = Work::new(input, document, arn(live));
    let Some(arn) = work.resource.arn.clone() else {
        builder.not_observed(&work.resource, &not_asked("elasticloadbalancing:DescribeRules"));
        return None;
    };
    let mut context = Context { ignore: work.ignored(), ..Context::default() };
    let mut changes = work.changes(&document.body, &live.description, &tags, &context);
    // Delegation only removes changes of weights. So the services are searched only when there are changes of actions.
    if changes.iter().any(|change| top(&change.path) == "Actions") && is_delegated(input.live, &live.description) {
        context.delegated_weights = true;
        changes = work.changes(&document.body, &live.description, &tags, &context);
    }
    // It was found on the listener: descriptions do not repeat it.
    changes.retain(|change| top(&change.path) != "ListenerArn");
    if let Claim::Held(hold) = work.claim(&tags) {
        builder.hold(&work.resource, changes, hold);
        return None;
    }
    let basis = Basis::of(&tags, &work.digest, document, work.last());
    let sorted = work.sort(changes, &basis);
    builder.report(&work.resource, &sorted);
    let complete = !sorted.keeps_pending();
    Some(PresentRule { work, live, tags, sorted, arn, complete })
}

fn moved(present: &mut PresentRule<'_>) -> Option<Move> {
    let (cause, change) = present.sorted.take(|change| top(&change.path) == "Priority").pop()?;
    let priority = priority(&present.work.document.body)?;
    Some(Move { rule: present.arn.clone(), resource: present.work.resource.clone(), priority, cause, change })
}

/// One `SetRulePriorities` per listener, so that rules can trade places. Returns the rules that move.
fn set_priorities(input: &Input<'_>, moves: BTreeMap<Arn, Vec<Move>>, builder: &mut PlanBuilder) -> BTreeSet<Arn> {
    let mut leaving = BTreeSet::new();
    for (listener, mut moves) in moves {
        let rules = input.live.rules.get(&listener).and_then(Observed::present).map(Vec::as_slice).unwrap_or_default();
        // A blocked move keeps its priority, and may block another move.
        while let Some((index, rule)) = moves.iter().enumerate().find_map(|(index, m)| {
            let occupant = rules.iter().find(|rule| priority(&rule.description).as_ref() == Some(&m.priority))?;
            let rule = arn(occupant)?;
            let moves_away = moves.iter().any(|other| other.rule == rule);
            (!moves_away).then_some((index, rule))
        }) {
            let blocked = moves.remove(index);
            let hold = Hold::PriorityTaken { listener: listener.clone(), priority: blocked.priority, rule };
            builder.hold(&blocked.resource, vec![blocked.change], hold);
        }
        let Some(first) = moves.first() else { continue };
        let names: Vec<&str> = moves.iter().map(|m| m.resource.name.as_str()).collect();
        let resource = Resource { name: names.join(", "), ..first.resource.clone() };
        let list: Vec<Value> = moves.iter().map(|m| json!({"RuleArn": m.rule, "Priority": m.priority})).collect();
        leaving.extend(moves.iter().map(|m| m.rule.clone()));
        let changes: Vec<(Cause, Change)> = moves.into_iter().map(|m| (m.cause, m.change)).collect();
        let call = Call::new(Operation::SetRulePriorities, json!({"RulePriorities": list}));
        builder.sorted_step(&resource, changes, call, Vec::new());
    }
    leaving
}

fn create(work: &Work<'_>, listener: Arn, leaving: &BTreeSet<Arn>, builder: &mut PlanBuilder) {
    match work.creation() {
        Mode::Off => return,
        Mode::Report => return builder.hold(&work.resource, work.whole(), Hold::ReportOnly { cause: Cause::Create }),
        Mode::On => {}
    }
    let mut awaits: Vec<Awaited> = work.awaits();
    let rules = work.input.live.rules.get(&listener).and_then(Observed::present).map(Vec::as_slice).unwrap_or_default();
    let wanted = priority(&work.document.body).unwrap_or_default();
    let occupant = rules.iter().find(|rule| priority(&rule.description).as_ref() == Some(&wanted));
    if let Some(rule) = occupant.and_then(arn) {
        if !leaving.contains(&rule) {
            let hold = Hold::PriorityTaken { listener, priority: wanted, rule };
            return builder.hold(&work.resource, work.whole(), hold);
        }
        awaits.push(Awaited::Priority(wanted.clone()));
    }
    let mut body = work.document.body.clone();
    if let Value::Object(members) = &mut body {
        members.insert("Tags".to_owned(), work.creation_tags(true));
    }
    builder.step_after(&work.resource, Cause::Create, work.whole(), Call::new(Operation::CreateRule, body), awaits);
}

fn modify(mut present: PresentRule<'_>, builder: &mut PlanBuilder) {
    let work = &present.work;
    let changes = present.sorted.take(|change| top(&change.path) != "Tags");
    let settled = changes.is_empty();
    if !settled {
        let mut effective = work.document.body.clone();
        for pointer in present.sorted.kept().chain(&work.ignored()) {
            keep_live(work.kind(), &mut effective, &present.live.description, pointer);
        }
        if is_delegated(work.input.live, &present.live.description) {
            carry_weights(&mut effective, &present.live.description);
        }
        let mut input = Map::from_iter([("RuleArn".to_owned(), json!(present.arn))]);
        for (_, change) in &changes {
            let name = top(&change.path);
            match effective.get(name) {
                // AWS replaces a list as a whole, but treats an empty list of transforms as unchanged.
                Some(value) if name != "Transforms" || value.as_array().is_some_and(|list| !list.is_empty()) => {
                    input.insert(name.to_owned(), value.clone());
                }
                Some(_) | None if name == "Transforms" => {
                    input.insert("ResetTransforms".to_owned(), json!(true));
                }
                Some(_) | None => {}
            }
        }
        let awaits = work.awaits();
        let call = Call::new(Operation::ModifyRule, Value::Object(input));
        builder.sorted_step(&work.resource, changes, call, awaits);
    }
    // A rule that moves has its own step, and is settled after it.
    let moves = priority(&work.document.body) != priority(&present.live.description)
        && !work.ignored().contains(&Pointer::from_iter(["Priority"]));
    let settled = settled && !moves;
    let (arn, live, complete) = (&present.arn, &present.tags, present.complete);
    work.tag(builder, present.sorted, Settling { arn, live, settled, complete, marks: Marks::default() });
}

/// Gives the forward actions the weights that ECS left in them: all of its groups where git names no other, else the
/// weights of those that both name.
fn carry_weights(desired: &mut Value, live: &Value) {
    let is_forward = |action: &Value| action.get("Type").and_then(Value::as_str) == Some("forward");
    let actions = live.get("Actions").and_then(Value::as_array).into_iter().flatten();
    let Some(shifted) = actions.filter(|action| is_forward(action)).find_map(groups) else { return };
    let arn = |group: &Value| group.get("TargetGroupArn").and_then(Value::as_str).map(str::to_owned);
    let Some(actions) = desired.get_mut("Actions").and_then(Value::as_array_mut) else { return };
    for action in actions.iter_mut().filter(|action| is_forward(action)) {
        let own = groups(action).unwrap_or_else(|| vec![json!({"TargetGroupArn": arn(action)})]);
        let seen = |group: &Value| shifted.iter().find(|other| arn(other) == arn(group));
        let carried = if own.iter().all(|group| seen(group).is_some()) {
            shifted.clone()
        } else {
            own.iter().map(|group| seen(group).unwrap_or(group).clone()).collect()
        };
        if let Value::Object(members) = action {
            members.shift_remove("TargetGroupArn");
            if let Value::Object(config) = members.entry("ForwardConfig").or_insert_with(|| json!({})) {
                config.insert("TargetGroups".to_owned(), Value::Array(carried));
            }
        }
    }
}

/// The groups of a forward action in its long form.
fn groups(action: &Value) -> Option<Vec<Value>> {
    action.pointer("/ForwardConfig/TargetGroups").and_then(Value::as_array).filter(|groups| !groups.is_empty()).cloned()
}
