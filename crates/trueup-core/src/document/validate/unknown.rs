//! Members that the model does not know, and what the author probably meant.

use std::collections::{BTreeSet, VecDeque};

use super::{PROBLEMS_MAX, PathStep, Walk};
use crate::document::source::Span;
use crate::model::{Shape, Structure};
use crate::pointer::Pointer;

/// How far below a structure a misplaced member is searched: `assignPublicIp` is two structures below a service.
const LEVELS_BELOW_MAX: usize = 3;

impl<'a> Walk<'a> {
    /// Reports the member at the end of the path, unless it is accepted.
    pub(super) fn unknown_member(&mut self, name: &str, key: &Span, shape: &'a Structure) {
        if self.problems.len() >= PROBLEMS_MAX
            || self.options.allow_unknown.iter().any(|allowed| self.is_allowed(allowed))
        {
            return;
        }
        let extra = self.extra.filter(|_| self.path.len() == 1).map(|(extra, _)| extra);
        let known = || shape.members.keys().map(String::as_str).chain(extra);
        let help = if let Some(same) = known().find(|known| is_alike(known, name)) {
            format!("AWS spells it `{same}`")
        } else if let Some(place) = self.elsewhere(name, shape) {
            place
        } else if let Some(near) = nearest(name, known()) {
            format!("did you mean `{near}`?")
        } else {
            // `app.toml` names fields as `KIND:POINTER`.
            let kind = self.kind.map(|kind| format!("{}:", kind.as_str())).unwrap_or_default();
            format!("if AWS has it, put `\"{kind}{}\"` into `allow_unknown` in `app.toml`", self.pointer())
        };
        self.report("unknown-member", key, format!("`{name}` is not known here"), help);
    }

    /// Whether a pointer of `allow_unknown` covers the member at the end of the path.
    fn is_allowed(&self, allowed: &Pointer) -> bool {
        let allowed = allowed.segments();
        allowed.len() <= self.path.len()
            && allowed.iter().zip(&self.path).all(|(allowed, step)| match step {
                _ if allowed == "*" => true,
                PathStep::Member(name) => allowed == name,
                PathStep::Item(index, node) => {
                    let name = node.get("name").and_then(|name| name.as_str());
                    allowed.parse() == Ok(*index) || name == Some(allowed)
                }
            })
    }

    /// Where else a member of this name belongs: in a structure around this one, or in one inside it.
    fn elsewhere(&self, name: &str, shape: &'a Structure) -> Option<String> {
        let mut outer = self.within.iter().rev().skip(1);
        if let Some((name, depth)) = outer.find_map(|(outer, depth)| Some((member_like(outer, name)?, *depth))) {
            return Some(match self.pointer().segments().get(..depth) {
                Some(home @ [_, ..]) => {
                    format!("`{name}` belongs further out, in `{}`", home.iter().cloned().collect::<Pointer>())
                }
                _ => format!("`{name}` belongs to the outermost object"),
            });
        }
        let (name, inner) = self.path_below(name, shape)?;
        Some(format!("`{name}` belongs in `{inner}`"))
    }

    /// The name of that member, with the way down to the nearest structure that has it
    /// (`networkConfiguration.awsvpcConfiguration`).
    fn path_below(&self, name: &str, shape: &'a Structure) -> Option<(&'a str, String)> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut queue = VecDeque::from([(shape, String::new(), 0)]);
        while let Some((structure, path, level)) = queue.pop_front() {
            if level > 0
                && let Some(name) = member_like(structure, name)
            {
                return Some((name, path));
            }
            if level == LEVELS_BELOW_MAX {
                continue;
            }
            for (member, reference) in &structure.members {
                let mut shape = &reference.shape;
                if let Shape::List(list) = self.model.shape(self.api, shape) {
                    shape = &list.member;
                }
                if let Shape::Structure(inner) = self.model.shape(self.api, shape)
                    && seen.insert(shape)
                {
                    let path = if path.is_empty() { member.clone() } else { format!("{path}.{member}") };
                    queue.push_back((inner, path, level + 1));
                }
            }
        }
        None
    }
}

/// The member of a structure that differs from a name only in case or separators.
fn member_like<'s>(structure: &'s Structure, name: &str) -> Option<&'s str> {
    structure.members.keys().map(String::as_str).find(|known| is_alike(known, name))
}

fn is_alike(known: &str, name: &str) -> bool {
    known.eq_ignore_ascii_case(name) || folded(known) == folded(name)
}

/// A name in lower case, without the characters between words.
fn folded(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The known name that a wrong one was most likely meant to be; `None` when none is close.
pub(crate) fn nearest<'n>(wrong: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wrong = folded(wrong);
    // A third of the characters may be wrong; short names leave no room for guesses.
    let distance_max = (wrong.chars().count() / 3).min(4);
    known
        .map(|name| (strsim::osa_distance(&folded(name), &wrong), name))
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
