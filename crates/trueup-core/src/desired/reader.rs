//! Reading trueup's own files: unknown keys and wrong values become problems, all of them at once.

use jiff::SignedDuration;

use super::located::Located;
use super::{Ignore, Mode};
use crate::document::nearest;
use crate::document::{NodeValue, Problem};
use crate::kind::Kind;
use crate::pointer::Pointer;

/// Reads values and collects their problems.
pub(super) struct TableReader<'p> {
    /// The problems found so far.
    pub problems: &'p mut Vec<Problem>,
}

impl TableReader<'_> {
    /// Reads a table with these keys and no others. Anything else is reported and returns `None`.
    pub fn table<'a>(&mut self, place: &Located<'a>, what: &str, known: &[&str]) -> Option<Located<'a>> {
        let table = self.open_table(place, what)?;
        for (key, member) in table.members() {
            if !known.contains(&key) {
                let help = match nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "remove it".to_owned(),
                    None => format!("known here: {}", quoted(known.iter().copied())),
                };
                self.problems.push(member.key_problem("unknown-key", format!("{what} has no key `{key}`")).help(help));
            }
        }
        Some(table)
    }

    /// Reads a table whose keys the author chooses.
    pub fn open_table<'a>(&mut self, place: &Located<'a>, what: &str) -> Option<Located<'a>> {
        if matches!(place.node.value, NodeValue::Object(_)) {
            return Some(place.clone());
        }
        self.wrong(place, &format!("{what} must be a table"))
    }

    /// Text that is not empty.
    pub fn text(&mut self, place: &Located<'_>, what: &str) -> Option<String> {
        match place.node.as_str() {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => self.wrong(place, &format!("{what} must be text that is not empty")),
        }
    }

    /// A list of texts, each with its place.
    pub fn texts<'a>(&mut self, place: &Located<'a>, what: &str) -> Vec<(String, Located<'a>)> {
        if !matches!(place.node.value, NodeValue::List(_)) {
            self.wrong::<()>(place, &format!("{what} must be a list"));
        }
        place.items().filter_map(|item| Some((self.text(&item, &format!("each of {what}"))?, item))).collect()
    }

    /// `true` or `false`.
    pub fn flag(&mut self, place: &Located<'_>, what: &str) -> Option<bool> {
        place.node.as_bool().or_else(|| self.wrong(place, &format!("{what} must be `true` or `false`")))
    }

    /// A non-negative whole number.
    pub fn count(&mut self, place: &Located<'_>, what: &str) -> Option<u32> {
        match place.node.as_i64().and_then(|number| u32::try_from(number).ok()) {
            Some(count) => Some(count),
            None => self.wrong(place, &format!("{what} must be a whole number from 0 to {}", u32::MAX)),
        }
    }

    /// A duration like `"90s"`, `"45m"` or `"1h 30m"`, from a minute to a week.
    pub fn duration(&mut self, place: &Located<'_>, what: &str) -> Option<SignedDuration> {
        let total = place.node.as_str().and_then(|text| {
            text.split_whitespace().try_fold(0_i64, |total, part| {
                let unit = match part.chars().last()? {
                    's' => 1,
                    'm' => 60,
                    'h' => 3600,
                    'd' => 86_400,
                    _ => return None,
                };
                let number: u32 = part[..part.len() - 1].parse().ok()?;
                total.checked_add(i64::from(number) * unit)
            })
        });
        match total.filter(|seconds| (60..=7 * 86_400).contains(seconds)) {
            Some(seconds) => Some(SignedDuration::from_secs(seconds)),
            None => self
                .wrong(place, &format!("{what} must be a time from \"1m\" to \"7d\", such as \"45m\" or \"1h 30m\"")),
        }
    }

    /// `"on"`, `"report"` or `"off"`.
    pub fn mode(&mut self, place: &Located<'_>, what: &str) -> Option<Mode> {
        match place.node.as_str() {
            Some("on") => Some(Mode::On),
            Some("report") => Some(Mode::Report),
            Some("off") => Some(Mode::Off),
            _ => self.wrong(place, &format!("{what} must be \"on\", \"report\" or \"off\"")),
        }
    }

    /// A list of `KIND[/NAME]:POINTER` patterns.
    pub fn patterns(&mut self, place: &Located<'_>, what: &str) -> Vec<Ignore> {
        self.placed_patterns(place, what).into_iter().map(|(pattern, ..)| pattern).collect()
    }

    /// A list of `KIND[/NAME]:POINTER` patterns, each with its text and its place.
    pub fn placed_patterns<'a>(&mut self, place: &Located<'a>, what: &str) -> Vec<(Ignore, String, Located<'a>)> {
        let texts = self.texts(place, what);
        let mut patterns = Vec::with_capacity(texts.len());
        for (text, place) in texts {
            match text.parse::<Ignore>() {
                Ok(pattern) => patterns.push((pattern, text, place)),
                Err(help) => self.problems.push(
                    place.problem("bad-pattern", format!("`{text}` is not a pattern `KIND[/NAME]:POINTER`")).help(help),
                ),
            }
        }
        patterns
    }

    fn wrong<T>(&mut self, place: &Located<'_>, message: &str) -> Option<T> {
        self.problems.push(place.problem("wrong-value", message));
        None
    }
}

/// Names in backticks, separated by commas.
pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Reads `KIND[/NAME]:POINTER`; the error is the help text.
impl std::str::FromStr for Ignore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "write for example `service:/tags/CostCentre`";
        let (document, pointer) = text.split_once(':').ok_or_else(|| example.to_owned())?;
        let (kind, name) = match document.split_once('/') {
            Some((kind, name)) => (kind, Some(name.to_owned())),
            None => (document, None),
        };
        let kind = Kind::parse(kind).ok_or_else(|| match nearest(kind, Kind::ALL.into_iter().map(Kind::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("kinds are {}", quoted(Kind::ALL.into_iter().map(Kind::as_str))),
        })?;
        let pointer = Pointer::parse(pointer).ok_or("the field begins with `/`")?;
        if pointer.segments().iter().any(String::is_empty) || pointer == Pointer::root() {
            return Err(format!("name a field after the `:`; {example}"));
        }
        let first = pointer.segments()[0].as_str();
        let members = kind.shape().members.keys().map(String::as_str).chain(["Attributes", "*"]);
        // Only likely typos: AWS may have added a member since.
        if !members.clone().any(|member| member == first)
            && let Some(near) = nearest(first, members)
        {
            return Err(format!("did you mean `/{near}`?"));
        }
        Ok(Self { kind, name, pointer })
    }
}

/// The settings of a `[policy]` table; `None` where one is absent.
#[derive(Clone, Debug, Default)]
pub(super) struct PolicyPatch {
    follow: Option<Mode>,
    heal: Option<Mode>,
    prune: Option<Mode>,
    prune_limit: Option<u32>,
    manage_stack_resources: Option<bool>,
    rollout_timeout: Option<SignedDuration>,
    ignore: Vec<Ignore>,
}

impl PolicyPatch {
    /// Reads a `[policy]` table.
    pub fn read(place: &Located<'_>, reader: &mut TableReader<'_>) -> Self {
        let known = ["follow", "heal", "prune", "prune_limit", "manage_stack_resources", "rollout_timeout", "ignore"];
        let Some(table) = reader.table(place, "`policy`", &known) else { return Self::default() };
        Self {
            follow: table.get("follow").and_then(|place| reader.mode(&place, "`follow`")),
            heal: table.get("heal").and_then(|place| reader.mode(&place, "`heal`")),
            prune: table.get("prune").and_then(|place| reader.mode(&place, "`prune`")),
            prune_limit: table.get("prune_limit").and_then(|place| reader.count(&place, "`prune_limit`")),
            manage_stack_resources: table
                .get("manage_stack_resources")
                .and_then(|place| reader.flag(&place, "`manage_stack_resources`")),
            rollout_timeout: table
                .get("rollout_timeout")
                .and_then(|place| reader.duration(&place, "`rollout_timeout`")),
            ignore: table.get("ignore").map(|place| reader.patterns(&place, "`ignore`")).unwrap_or_default(),
        }
    }

    /// Overrides a policy with the settings that are present; `ignore` patterns are appended.
    pub fn apply(&self, policy: &mut super::Policy) {
        let Self { follow, heal, prune, prune_limit, manage_stack_resources, rollout_timeout, ignore } = self;
        policy.follow = follow.unwrap_or(policy.follow);
        policy.heal = heal.unwrap_or(policy.heal);
        policy.prune = prune.unwrap_or(policy.prune);
        policy.prune_limit = prune_limit.unwrap_or(policy.prune_limit);
        policy.rollout_timeout = rollout_timeout.unwrap_or(policy.rollout_timeout);
        policy.manage_stack_resources = manage_stack_resources.unwrap_or(policy.manage_stack_resources);
        for pattern in ignore {
            if !policy.ignore.contains(pattern) {
                policy.ignore.push(pattern.clone());
            }
        }
    }
}
