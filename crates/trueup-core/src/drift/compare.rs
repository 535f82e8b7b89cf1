//! The comparison: a walk over the schema and both documents.
//!
//! Neither document is copied or rewritten. An absent field is compared by its default; the reported values are as
//! written.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::coerce::{Scalar, same_json, text};
use super::list_key::{ListKey, content};
use super::rule::{Fallback, Presence, Rule, Scope, Side, Undeclared};
use super::schema::{Field, Form, ListOrder};
use super::{Change, Context, Shown};
use crate::pointer::Pointer;

/// The values of a map are text, and `""` is one.
const MAP_VALUE: Rule = Rule::PLAIN.keep_empty();

/// The desired and the live value of one place.
type Both<'a> = [Option<&'a Value>; 2];

/// A comparison in progress.
pub(crate) struct Comparison<'a> {
    roots: [&'a Value; 2],
    context: &'a Context,
    path: Vec<Cow<'a, str>>,
    /// The structures around the current field, outermost first.
    ancestors: Vec<Both<'a>>,
    changes: Vec<Change>,
    /// Above 0, differences are counted but not recorded.
    probing: u32,
    found: usize,
}

impl<'a> Comparison<'a> {
    /// Compares two documents from their roots.
    pub fn run(root: &'static Field, desired: &'a Value, live: &'a Value, context: &'a Context) -> Vec<Change> {
        let mut comparison = Self {
            roots: [desired, live],
            context,
            path: Vec::new(),
            ancestors: Vec::new(),
            changes: Vec::new(),
            probing: 0,
            found: 0,
        };
        comparison.value(root, Some(desired), Some(live));
        let mut changes = comparison.changes;
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }

    /// The two documents, desired and live.
    pub fn roots(&self) -> [&'a Value; 2] {
        self.roots
    }

    /// The input of the comparison in addition to the two documents.
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// Compares one field.
    pub fn value(&mut self, field: &'static Field, desired: Option<&'a Value>, live: Option<&'a Value>) {
        let present = |value: Option<&'a Value>| {
            value.filter(|value| match value {
                Value::Null => false,
                // `{}` equals absence, except for a structure whose presence has a meaning.
                Value::Object(members) => field.rule.presence == Presence::Marked || !says_nothing(members),
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
            })
        };
        let (desired, live) = (present(desired), present(live));
        if desired.is_none() && live.is_none() {
            return;
        }
        if let Some(compare) = field.rule.compare {
            return compare(self, field, desired, live);
        }
        if desired.is_none() {
            match field.rule.undeclared {
                Undeclared::Default => {}
                Undeclared::Anything => return,
                Undeclared::These(accepts) => {
                    if live.is_some_and(|live| accepts(&self.scope(), live)) {
                        return;
                    }
                }
            }
        }
        if field.rule.equal.is_some_and(|equal| equal(&self.scope(), desired, live)) {
            return;
        }
        self.by_form(field, desired, live);
    }

    /// Compares one field by its form alone, without its rule's own comparison.
    pub fn by_form(&mut self, field: &'static Field, desired: Option<&'a Value>, live: Option<&'a Value>) {
        match &field.form {
            Form::Structure(members) => self.structure(&field.rule, members, desired, live),
            Form::List(item, ListOrder::Keyed(key)) => self.keyed(&field.rule, item, key, desired, live),
            Form::List(item, ListOrder::Set) => self.whole_list(&field.rule, item, true, desired, live),
            Form::List(item, ListOrder::Ordered) => self.whole_list(&field.rule, item, false, desired, live),
            Form::Map => self.map(desired, live),
            Form::Text | Form::Integer | Form::Real | Form::Flag => self.scalar(field, desired, live),
            Form::Free => {
                if !same_json(desired.unwrap_or(&Value::Null), live.unwrap_or(&Value::Null)) {
                    self.report(desired, live);
                }
            }
        }
    }

    /// Compares inside a member or an element.
    pub fn within(&mut self, segment: impl Into<Cow<'a, str>>, compare: impl FnOnce(&mut Self)) {
        self.path.push(segment.into());
        compare(self);
        self.path.pop();
    }

    /// Whether `compare` finds any difference. None is recorded.
    pub fn differs(&mut self, compare: impl FnOnce(&mut Self)) -> bool {
        let before = self.found;
        self.probing += 1;
        compare(self);
        self.probing -= 1;
        let differs = self.found > before;
        self.found = before;
        differs
    }

    /// Reports the current place, unless it is ignored.
    pub fn report(&mut self, desired: Option<&Value>, live: Option<&Value>) {
        let ignored = self.context.ignore.iter().any(|pattern| {
            let pattern = pattern.segments();
            pattern.len() <= self.path.len()
                && pattern.iter().zip(&self.path).all(|(part, segment)| part == "*" || part == segment)
        });
        if ignored {
            return;
        }
        self.found += 1;
        if self.probing > 0 {
            return;
        }
        let path: Pointer = self.path.iter().map(|segment| segment.as_ref().to_owned()).collect();
        let shown = |value: Option<&Value>| value.map_or_else(Shown::absent, |value| Shown::at(&path, value));
        self.changes.push(Change { live: shown(live), desired: shown(desired), path: path.clone() });
    }

    fn scope(&self) -> Scope<'_> {
        let nth = |back: usize| {
            let index = self.ancestors.len().checked_sub(back)?;
            self.ancestors.get(index).copied()
        };
        let [desired, live] = nth(1).unwrap_or_default();
        Scope {
            desired: Side { root: self.roots[0], parent: desired },
            live: Side { root: self.roots[1], parent: live },
            grandparents: nth(2).unwrap_or_default(),
            context: self.context,
        }
    }

    fn structure(
        &mut self,
        rule: &Rule,
        members: &'static IndexMap<String, Field>,
        desired: Option<&'a Value>,
        live: Option<&'a Value>,
    ) {
        if let Some(not_object) = [desired, live].into_iter().flatten().find(|value| !value.is_object()) {
            if desired.is_none() || live.is_none() || !same_json(not_object, desired.or(live).unwrap_or(not_object)) {
                self.report(desired, live);
            }
            return;
        }
        let one_lacks_it = desired.is_none() || live.is_none();
        if let Some(gate) = rule.gate {
            let is_on = |value: Option<&Value>| {
                value.and_then(|value| value.get(gate)).is_some_and(|on| text(on).as_deref() == Some("true"))
            };
            match (is_on(desired), is_on(live)) {
                (false, false) => return,
                (true, true) => {}
                _ if one_lacks_it && rule.presence != Presence::Always => return self.report(desired, live),
                _ => {
                    let off = Value::Bool(false);
                    let shown = |value: Option<&'a Value>| value.and_then(|value| value.get(gate));
                    let (desired, live) = (shown(desired), shown(live));
                    self.within(gate, |c| c.report(desired.or(Some(&off)), live.or(Some(&off))));
                    return;
                }
            }
        }
        match rule.presence {
            Presence::Optional if one_lacks_it => {
                if self.differs(|c| c.members(members, desired, live)) {
                    self.report(desired, live);
                }
            }
            Presence::Marked if one_lacks_it => {
                let is_empty = |value: &Value| value.as_object().is_some_and(says_nothing);
                if !desired.or(live).is_some_and(is_empty) {
                    self.report(desired, live);
                }
            }
            Presence::Always | Presence::Optional | Presence::Marked => self.members(members, desired, live),
        }
    }

    /// Compares all members of a structure. A member that is newer than the model is compared when it is declared.
    pub fn members(
        &mut self,
        members: &'static IndexMap<String, Field>,
        desired: Option<&'a Value>,
        live: Option<&'a Value>,
    ) {
        let object = |value: Option<&'a Value>| value.and_then(Value::as_object);
        let (desired_members, live_members) = (object(desired), object(live));
        self.ancestors.push([desired, live]);
        for (name, field) in members {
            let in_desired = desired_members.and_then(|members| members.get(name));
            let in_live = match field.rule.live {
                None => live_members.and_then(|members| members.get(name)),
                Some(read) => live.and_then(read),
            };
            self.path.push(Cow::Borrowed(name));
            self.value(field, in_desired, in_live);
            self.path.pop();
        }
        for (name, value) in desired_members.into_iter().flatten().filter(|(name, _)| !members.contains_key(*name)) {
            let in_live = live_members.and_then(|members| members.get(name)).unwrap_or(&Value::Null);
            if !same_json(value, in_live) {
                self.within(name.as_str(), |c| c.report(Some(value), Some(in_live)));
            }
        }
        self.ancestors.pop();
    }

    fn keyed(
        &mut self,
        rule: &Rule,
        item: &'static Field,
        key: &ListKey,
        desired: Option<&'a Value>,
        live: Option<&'a Value>,
    ) {
        if live.is_none() && rule.unread_when_absent {
            return;
        }
        let Some([desired, live]) = Keyed::both(key, rule.skip, desired, live) else {
            return self.whole_list(rule, item, false, desired, live);
        };
        let (mut desired, mut live) = (desired.into_iter().peekable(), live.into_iter().peekable());
        loop {
            let order = match (desired.peek(), live.peek()) {
                (None, None) => return,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(desired), Some(live)) => desired.0.cmp(&live.0),
            };
            // `next` is called on a side exactly when it was peeked at with `Some`.
            let desired = if order.is_le() { desired.next() } else { None };
            let live = if order.is_ge() { live.next() } else { None };
            if desired.is_none() && rule.only_declared {
                continue;
            }
            let (key, desired, live) = match (desired, live) {
                (Some((key, desired)), Some((_, live))) => (key, Some(desired), Some(live)),
                (Some((key, desired)), None) => (key, Some(desired), None),
                (None, Some((key, live))) => (key, None, Some(live)),
                (None, None) => return,
            };
            self.path.push(key);
            self.element(rule, item, desired, live);
            self.path.pop();
        }
    }

    fn element(&mut self, rule: &Rule, item: &'static Field, desired: Option<&'a Value>, live: Option<&'a Value>) {
        let one_lacks_it = desired.is_none() || live.is_none();
        // Most pairs are identical. This does not hold for larger elements: their default ports depend on the whole
        // document.
        if rule.pair.is_some() && desired == live {
            return;
        }
        match rule.pair {
            None if one_lacks_it => self.report(desired, live),
            None => self.value(item, desired, live),
            Some(value) => {
                if one_lacks_it || self.differs(|c| c.value(item, desired, live)) {
                    let shown =
                        |element: Option<&'a Value>| element.map(|element| element.get(value).unwrap_or(element));
                    self.report(shown(desired), shown(live));
                }
            }
        }
    }

    /// Compares a list as one value: a difference is reported for the whole list.
    fn whole_list(
        &mut self,
        rule: &Rule,
        item: &'static Field,
        is_set: bool,
        desired: Option<&'a Value>,
        live: Option<&'a Value>,
    ) {
        let equal = match (items(desired), items(live)) {
            (Some(desired), Some(live)) => match item.form {
                Form::Structure(_) | Form::List(..) | Form::Map | Form::Free => {
                    self.same_elements(item, is_set, desired, live)
                }
                Form::Text | Form::Integer | Form::Real | Form::Flag => {
                    scalars(rule, item, is_set, desired) == scalars(rule, item, is_set, live)
                }
            },
            // Not a list, contrary to the model: compared as plain JSON.
            _ => same_json(desired.unwrap_or(&Value::Null), live.unwrap_or(&Value::Null)),
        };
        if !equal {
            self.report(desired, live);
        }
    }

    fn same_elements(&mut self, item: &'static Field, is_set: bool, desired: &'a [Value], live: &'a [Value]) -> bool {
        if desired.len() != live.len() {
            return false;
        }
        if !is_set {
            return desired
                .iter()
                .zip(live)
                .all(|(desired, live)| !self.differs(|c| c.value(item, Some(desired), Some(live))));
        }
        let mut rest: Vec<&'a Value> = live.iter().collect();
        desired.iter().all(|desired| {
            let same = rest.iter().position(|live| !self.differs(|c| c.value(item, Some(desired), Some(live))));
            same.map(|index| rest.swap_remove(index)).is_some()
        })
    }

    fn map(&mut self, desired: Option<&'a Value>, live: Option<&'a Value>) {
        let entries = |value: Option<&'a Value>| match value {
            None => Some(None),
            Some(value) => value.as_object().map(Some),
        };
        let (Some(in_desired), Some(in_live)) = (entries(desired), entries(live)) else {
            if !same_json(desired.unwrap_or(&Value::Null), live.unwrap_or(&Value::Null)) {
                self.report(desired, live);
            }
            return;
        };
        let read = |value: Option<&'a Value>| value.and_then(|value| Scalar::read(&Form::Text, &MAP_VALUE, value));
        let get = |map: Option<&'a Map<String, Value>>, key: &str| map.and_then(|map| map.get(key));
        for (key, desired) in in_desired.into_iter().flatten() {
            let live = get(in_live, key);
            if read(Some(desired)) != read(live) {
                self.within(key.as_str(), |c| c.report(Some(desired), live));
            }
        }
        for (key, live) in in_live.into_iter().flatten() {
            if get(in_desired, key).is_none() && !live.is_null() {
                self.within(key.as_str(), |c| c.report(None, Some(live)));
            }
        }
    }

    fn scalar(&mut self, field: &'static Field, desired: Option<&'a Value>, live: Option<&'a Value>) {
        let Field { form, rule } = field;
        // `""` equals absence for most texts; then the default replaces it as well.
        let read = |value: Option<&'a Value>| value.and_then(|value| Scalar::read(form, rule, value));
        let (in_desired, in_live) = (read(desired), read(live));
        if in_desired == in_live && in_desired.is_some() {
            return;
        }
        let computed = |side: Side<'_>| match rule.default {
            Fallback::By(default) => default(side),
            Fallback::Absent | Fallback::Text(_) | Fallback::Texts(_) | Fallback::Int(_) | Fallback::Flag(_) => None,
        };
        let scope = self.scope();
        let (desired_default, live_default) = (
            if in_desired.is_none() { computed(scope.desired) } else { None },
            if in_live.is_none() { computed(scope.live) } else { None },
        );
        let or_default = |scalar: Option<Scalar<'a>>, default: Option<&Value>| {
            scalar
                .or_else(|| default.and_then(|value| Scalar::read(form, rule, value)).map(Scalar::into_owned))
                .or_else(|| rule.default.scalar(form))
        };
        let (a, b) = (or_default(in_desired, desired_default.as_ref()), or_default(in_live, live_default.as_ref()));
        if a != b {
            let shown = |written: Option<&Value>, scalar: Option<&Scalar<'_>>| match (written, scalar) {
                (Some(written), Some(_)) if text(written).is_some_and(|text| !text.is_empty()) => Some(written.clone()),
                (_, Some(default)) => Some(default.to_json()),
                (written, None) => written.cloned(),
            };
            let (desired, live) = (shown(desired, a.as_ref()), shown(live, b.as_ref()));
            self.report(desired.as_ref(), live.as_ref());
        }
    }
}

/// Whether an object is `{}`, or a husk of `null` members.
fn says_nothing(members: &Map<String, Value>) -> bool {
    members.values().all(Value::is_null)
}

/// The elements of a list; none when it is absent. `None` when it is not a list.
fn items(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None => Some(&[]),
        Some(value) => value.as_array().map(Vec::as_slice),
    }
}

/// The canonical elements of a list of scalars. An empty list has the rule's default.
fn scalars<'a>(rule: &Rule, item: &Field, is_set: bool, list: &'a [Value]) -> Vec<Scalar<'a>> {
    // Elements are verbatim: an empty argument of a command is an argument.
    let item_rule = Rule { keep_empty: true, spelling: item.rule.spelling.or(rule.spelling), ..item.rule };
    let mut scalars: Vec<_> = list.iter().filter_map(|value| Scalar::read(&item.form, &item_rule, value)).collect();
    if let (Fallback::Texts(default), true) = (rule.default, scalars.is_empty()) {
        scalars = default.iter().map(|text| Scalar::Text(Cow::Borrowed(*text))).collect();
    }
    if is_set {
        scalars.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        scalars.dedup();
    }
    scalars
}

/// Elements of a list with their keys.
type Elements<'a> = Vec<(Cow<'a, str>, &'a Value)>;

/// The elements of a keyed set, sorted by key.
pub(crate) struct Keyed;

impl Keyed {
    /// Keys both sides, so that elements which share a key on either side are distinguished on both.
    ///
    /// `None` when an element of either has no key.
    pub fn both<'a>(
        key: &ListKey,
        skip: Option<fn(&Value) -> bool>,
        desired: Option<&'a Value>,
        live: Option<&'a Value>,
    ) -> Option<[Elements<'a>; 2]> {
        let read = |list: Option<&'a Value>| -> Option<Elements<'a>> {
            items(list)?
                .iter()
                .filter(|element| !element.is_null() && !skip.is_some_and(|skip| skip(element)))
                .map(|element| Some((key.of_json(element)?, element)))
                .collect()
        };
        let mut sides = [read(desired)?, read(live)?];
        for side in &mut sides {
            side.sort_by(|a, b| a.0.cmp(&b.0));
        }
        let repeated: Vec<Cow<'a, str>> = sides
            .iter()
            .flat_map(|side| side.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0.clone()))
            .collect();
        if repeated.is_empty() {
            return Some(sides);
        }
        for side in &mut sides {
            for (name, element) in side.iter_mut().filter(|(name, _)| repeated.contains(name)) {
                *name = key.of_repeated(element)?;
            }
            // Indistinguishable elements are numbered, equal ones alike on both sides.
            side.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| content(a.1).cmp(&content(b.1))));
            for index in (1..side.len()).rev() {
                let same = side[..index].iter().rev().take_while(|(name, _)| *name == side[index].0).count();
                if same > 0 {
                    side[index].0 = Cow::Owned(format!("{}#{}", side[index].0, same + 1));
                }
            }
            side.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Some(sides)
    }
}
