//! Documents made from the API's shapes, by chance.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trueup_core::kind::Kind;
use trueup_core::model::{Api, Model, Shape};

use super::places::key_of;
use super::rules;

/// Chance, as a list of numbers that proptest can shrink: all zeros make the smallest document.
#[derive(Debug)]
pub(super) struct Chance {
    pub(super) numbers: Vec<u32>,
    pub(super) next: usize,
}

impl Chance {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let number = self.numbers.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        usize::try_from(number).unwrap_or(0) % bound
    }

    pub(super) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == bound - 1
    }
}

pub(super) fn chance() -> impl Strategy<Value = Chance> {
    proptest::collection::vec(any::<u32>(), 0..600).prop_map(|numbers| Chance { numbers, next: 0 })
}

/// Members that no answer has, that another field governs, or that the comparison gives to another writer.
const LEFT_OUT: [&str; 12] = [
    "clientToken",
    "monitoring",
    "gatewayConnectors",
    "role",
    "cluster",
    "taskDefinition",
    "deploymentController",
    "schedulingStrategy",
    "linearConfiguration",
    "canaryConfiguration",
    "containerPortRange",
    "fsxWindowsFileServerVolumeConfiguration",
];

/// A document of `shape`, which stands in `name`.
fn generate(api: Api, shape: &str, name: &str, depth: u32, chance: &mut Chance) -> Value {
    match Model::aws().shape(api, shape) {
        Shape::Structure(structure) if structure.document => json!({"free": chance.below(3)}),
        Shape::Structure(structure) => {
            let mut object = Map::new();
            let is_key = |member: &str| key_of(name).contains(&member) || (name == "environment" && member == "value");
            for (member, found) in &structure.members {
                let needed = structure.required.contains(member) || is_key(member);
                if !LEFT_OUT.contains(&member.as_str()) && (needed || (depth < 6 && chance.one_in(3))) {
                    object.insert(member.clone(), generate(api, &found.shape, member, depth + 1, chance));
                }
            }
            Value::Object(object)
        }
        Shape::List(list) => {
            let mut elements: Vec<Value> = Vec::new();
            for _ in 0..chance.below(4) {
                let element = generate(api, &list.member, name, depth, chance);
                let is_same = |other: &Value| key_of(name).iter().all(|key| other[*key] == element[*key]);
                if key_of(name).is_empty() || !elements.iter().any(is_same) {
                    elements.push(element);
                }
            }
            Value::Array(elements)
        }
        Shape::Map(_) => {
            let entries =
                (0..chance.below(3)).map(|index| (format!("k{index}"), json!(format!("v{}", chance.below(9)))));
            Value::Object(entries.collect())
        }
        Shape::String(_) if name == "cpu" => json!(["256", ".5 vCPU", "1 vcpu"][chance.below(3)]),
        Shape::String(_) if name == "memory" => json!(["512", "1GB", "2 GB"][chance.below(3)]),
        Shape::String(text) if !text.values.is_empty() => json!(text.values[chance.below(text.values.len())]),
        Shape::String(_) => json!(format!("t{}", chance.below(20))),
        // Switches of whole structures are on, so that what is inside counts.
        Shape::Boolean {} => json!(name == "enabled" || name == "enable" || chance.one_in(2)),
        Shape::Integer(range) | Shape::Long(range) | Shape::Float(range) | Shape::Double(range) => {
            #[expect(clippy::cast_possible_truncation, reason = "the model's bounds are whole and small")]
            let least = range.min.unwrap_or(0.0) as i64;
            json!(least + i64::try_from(chance.below(50)).unwrap_or(0))
        }
        Shape::Timestamp {} | Shape::Blob {} => Value::Null,
    }
}

pub(super) fn document(kind: Kind, chance: &mut Chance) -> Value {
    if kind == Kind::ListenerRule {
        return rules::document(chance);
    }
    let (api, _) = kind.request();
    let mut object = Map::new();
    let shape = kind.shape();
    for (member, found) in &shape.members {
        if !LEFT_OUT.contains(&member.as_str()) && (shape.required.contains(member) || chance.one_in(2)) {
            object.insert(member.clone(), generate(api, &found.shape, member, 0, chance));
        }
    }
    if kind == Kind::TargetGroup {
        object.insert("Attributes".to_owned(), generate(api, "TargetGroupAttributes", "Attributes", 0, chance));
    }
    Value::Object(object)
}
