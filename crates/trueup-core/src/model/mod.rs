//! The part of AWS's API model that trueup's documents use: the shapes that requests must have.
//!
//! Derived from AWS's published service models by `crates/derive-api-model`; `aws.json` in this directory is its
//! output. Shapes are looked up by reference, so a walk over a document never copies the model.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

/// An AWS API that documents are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Amazon ECS, JSON protocol, camelCase.
    Ecs,
    /// Elastic Load Balancing v2, query protocol, `PascalCase`.
    Elbv2,
}

impl Api {
    /// The prefix of its actions in IAM policies, and of its calls in messages: `ecs`.
    pub fn iam_prefix(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Elbv2 => "elasticloadbalancing",
        }
    }
}

/// The API model.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// Which release of AWS's models it was derived from, such as `botocore 1.44.5`.
    pub source: String,
    apis: BTreeMap<Api, ApiModel>,
}

#[derive(Debug, Deserialize)]
struct ApiModel {
    /// Operation name to the name of its input shape.
    operations: BTreeMap<String, String>,
    shapes: BTreeMap<String, Shape>,
}

impl Model {
    /// The model that this build carries.
    pub fn aws() -> &'static Self {
        static MODEL: LazyLock<Model> = LazyLock::new(|| {
            serde_json::from_str(include_str!("aws.json")).expect("the committed model is what its program wrote")
        });
        &MODEL
    }

    /// The shape of an operation's request.
    ///
    /// # Panics
    /// When the model does not carry the operation: which ones it carries is fixed at build time.
    pub fn input(&self, api: Api, operation: &str) -> &Structure {
        self.find_input(api, operation).unwrap_or_else(|| unreachable!("the model carries the input of {operation}"))
    }

    /// The shape of an operation's request, where the model carries it: documents are written for it.
    pub fn find_input(&self, api: Api, operation: &str) -> Option<&Structure> {
        let Shape::Structure(structure) = self.shape(api, self.apis[&api].operations.get(operation)?) else {
            unreachable!("the input of {operation} is a structure");
        };
        Some(structure)
    }

    /// A shape by name. Names come from the model itself ([`Member::shape`], [`List::member`], …).
    ///
    /// # Panics
    /// When the model has no such shape.
    pub fn shape(&self, api: Api, name: &str) -> &Shape {
        &self.apis[&api].shapes[name]
    }

    /// All shapes with their APIs, in unspecified order.
    pub fn shapes(&self) -> impl Iterator<Item = (Api, &Shape)> {
        self.apis.iter().flat_map(|(api, model)| model.shapes.values().map(|shape| (*api, shape)))
    }
}

/// One shape of the model.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Shape {
    /// An object with fixed members.
    Structure(Structure),
    /// An array.
    List(List),
    /// An object with free keys.
    Map(MapShape),
    /// Text.
    String(StringShape),
    /// A 32-bit whole number.
    Integer(Range),
    /// A 64-bit whole number.
    Long(Range),
    /// A 32-bit floating-point number.
    Float(Range),
    /// A 64-bit floating-point number.
    Double(Range),
    /// `true` or `false`.
    Boolean {},
    /// Seconds since 1970, only in responses.
    Timestamp {},
    /// Bytes, only in responses.
    Blob {},
}

/// A structure of the model.
#[derive(Debug, Deserialize)]
pub struct Structure {
    /// Members in the model's order.
    #[serde(default)]
    pub members: IndexMap<String, Member>,
    /// The members that a request must have.
    #[serde(default)]
    pub required: Vec<String>,
    /// AWS's description, one sentence.
    #[serde(default)]
    pub doc: Option<String>,
    /// Whether the model leaves its content free (any JSON).
    #[serde(default)]
    pub document: bool,
}

/// A member of a structure.
#[derive(Debug, Deserialize)]
pub struct Member {
    /// The name of its shape.
    pub shape: String,
    /// AWS's description, one sentence.
    #[serde(default)]
    pub doc: Option<String>,
    /// AWS marks it as deprecated.
    #[serde(default)]
    pub deprecated: bool,
}

/// A list of the model.
#[derive(Debug, Deserialize)]
pub struct List {
    /// The name of the members' shape.
    pub member: String,
    /// The minimum number of members.
    #[serde(default)]
    pub min: Option<u64>,
    /// The maximum number of members.
    #[serde(default)]
    pub max: Option<u64>,
}

/// A map of the model.
#[derive(Debug, Deserialize)]
pub struct MapShape {
    /// The name of the keys' shape.
    pub key: String,
    /// The name of the values' shape.
    pub value: String,
}

/// A string of the model.
#[derive(Debug, Deserialize)]
pub struct StringShape {
    /// The legal values, when they are listed.
    #[serde(rename = "enum", default)]
    pub values: Vec<String>,
    /// The minimum number of characters.
    #[serde(default)]
    pub min: Option<u64>,
    /// The maximum number of characters.
    #[serde(default)]
    pub max: Option<u64>,
    /// A regular expression for the whole value.
    #[serde(default)]
    pub pattern: Option<String>,
    /// The API treats it as a secret.
    #[serde(default)]
    pub sensitive: bool,
}

/// The bounds of a number of the model.
#[derive(Debug, Deserialize)]
pub struct Range {
    /// The minimum value.
    #[serde(default, deserialize_with = "bound")]
    pub min: Option<f64>,
    /// The maximum value.
    #[serde(default, deserialize_with = "bound")]
    pub max: Option<f64>,
}

/// Reads a bound. `#[serde(tag)]` buffers its content, where `f64` does not accept a number of arbitrary precision.
fn bound<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(deserializer)?;
    Ok(number.and_then(|number| number.as_f64()))
}

#[cfg(test)]
mod tests {
    use super::{Api, Model, Shape};

    #[test]
    fn every_reference_has_a_shape() {
        let model = Model::aws();
        for (api, api_model) in &model.apis {
            for shape in api_model.shapes.values() {
                let parts: Vec<&String> = match shape {
                    Shape::Structure(structure) => structure.members.values().map(|member| &member.shape).collect(),
                    Shape::List(list) => vec![&list.member],
                    Shape::Map(map) => vec![&map.key, &map.value],
                    Shape::String(_) | Shape::Integer(_) | Shape::Long(_) | Shape::Float(_) | Shape::Double(_) => {
                        Vec::new()
                    }
                    Shape::Boolean {} | Shape::Timestamp {} | Shape::Blob {} => Vec::new(),
                };
                for part in parts {
                    assert!(model.apis[api].shapes.contains_key(part), "{part}");
                }
            }
        }
    }

    #[test]
    fn bounds_enumerations_and_patterns_come_through() {
        let Shape::Integer(range) = Model::aws().shape(Api::Elbv2, "HealthCheckIntervalSeconds") else { panic!() };
        assert_eq!((range.min, range.max), (Some(5.0), Some(300.0)));
        let Shape::String(strategy) = Model::aws().shape(Api::Ecs, "DeploymentStrategy") else { panic!() };
        assert!(strategy.values.contains(&"BLUE_GREEN".to_owned()));
        let Shape::String(key) = Model::aws().shape(Api::Ecs, "TagKey") else { panic!() };
        assert!(key.pattern.is_some());
    }
}
