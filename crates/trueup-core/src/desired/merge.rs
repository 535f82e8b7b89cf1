//! Merging of an environment's file over the base file.
//!
//! A JSON merge patch (RFC 7396: objects merge, `null` removes a member, everything else replaces), except that keyed
//! sets merge by key: an element whose key is in the base is merged into that element, other elements are appended.
//! TOML has no `null`: an overlay that removes something is written in JSON. Every value keeps the place that it came
//! from, so a problem in an overlay points into the overlay.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::document::{Node, NodeMember, NodeValue};
use crate::drift::list_key::ListKey;
use crate::kind::Kind;

/// Merges `overlay` over `base`. Without a kind, all lists are replaced.
pub(super) fn merge(kind: Option<Kind>, base: &Node, overlay: &Node) -> Node {
    merge_at(kind, &mut Vec::new(), base, overlay)
}

fn merge_at<'a>(kind: Option<Kind>, path: &mut Vec<&'a str>, base: &'a Node, overlay: &'a Node) -> Node {
    // A merged object keeps the place of the base's: that is where a missing member is missing.
    let base_span = base.span.clone();
    match (&base.value, &overlay.value) {
        (NodeValue::Object(base), NodeValue::Object(over)) => {
            Node { value: NodeValue::Object(merge_members(kind, path, base, over)), span: base_span }
        }
        (NodeValue::List(base), NodeValue::List(over)) => match kind.and_then(|kind| kind.list_key(&path[..])) {
            // `[]` means an empty list.
            Some(key) if !over.is_empty() => {
                let items = merge_items(kind, path, key, base, over);
                Node { value: NodeValue::List(items), span: base_span }
            }
            _ => overlay.clone(),
        },
        _ => overlay.clone(),
    }
}

fn merge_members<'a>(
    kind: Option<Kind>,
    path: &mut Vec<&'a str>,
    base: &'a IndexMap<String, NodeMember>,
    over: &'a IndexMap<String, NodeMember>,
) -> IndexMap<String, NodeMember> {
    let mut merged = IndexMap::with_capacity(base.len() + over.len());
    for (name, member) in base {
        let node = match over.get(name) {
            None => member.node.clone(),
            Some(member) if member.node.value == NodeValue::Null => continue,
            Some(member_over) => {
                path.push(name);
                let node = merge_at(kind, path, &member.node, &member_over.node);
                path.pop();
                node
            }
        };
        let key = over.get(name).map_or(&member.key, |member| &member.key).clone();
        merged.insert(name.clone(), NodeMember { key, node });
    }
    for (name, member) in over {
        if !base.contains_key(name) && member.node.value != NodeValue::Null {
            merged.insert(name.clone(), member.clone());
        }
    }
    merged
}

fn merge_items<'a>(
    kind: Option<Kind>,
    path: &mut Vec<&'a str>,
    key: &ListKey,
    base: &'a [Node],
    over: &'a [Node],
) -> Vec<Node> {
    let mut merged: Vec<Node> = base.to_vec();
    // Where several elements of one list share a key (a port with two protocols), more of their members are part of the
    // key.
    let repeated: BTreeSet<Cow<'_, str>> = [base, over].into_iter().flat_map(|items| repeated(key, items)).collect();
    let key_of = |item: &'a Node| -> Option<Cow<'a, str>> {
        let short = key_of(key, item)?;
        if !repeated.contains(&short) {
            return Some(short);
        }
        key.of_repeated(&item.to_json()).map(|long| Cow::Owned(long.into_owned()))
    };
    // Position by key. A duplicate key in the base keeps its first position; validation reports the second.
    let mut positions = BTreeMap::new();
    for (position, item) in base.iter().enumerate() {
        if let Some(key) = key_of(item) {
            positions.entry(key).or_insert(position);
        }
    }
    for item in over {
        match key_of(item).and_then(|key| positions.get(&key)) {
            Some(&position) => {
                path.push("*");
                merged[position] = merge_at(kind, path, &base[position], item);
                path.pop();
            }
            None => merged.push(item.clone()),
        }
    }
    merged
}

/// The keys that more than one element of a list has.
fn repeated<'a>(key: &ListKey, items: &'a [Node]) -> BTreeSet<Cow<'a, str>> {
    let mut seen = BTreeSet::new();
    items.iter().filter_map(|item| key_of(key, item)).filter(|key| !seen.insert(key.clone())).collect()
}

/// The key of an element of a keyed set.
pub(super) fn key_of<'a>(key: &ListKey, element: &'a Node) -> Option<Cow<'a, str>> {
    key.of(|name| match &element.get(name)?.value {
        NodeValue::String(text) => Some(Cow::Borrowed(text.as_str())),
        NodeValue::Number(number) => Some(Cow::Owned(number.to_string())),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::List(_) | NodeValue::Object(_) => None,
    })
}
