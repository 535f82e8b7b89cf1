//! The dialects of tags: one per API.
//!
//! ECS has `tags` of `{key, value}` and takes one ARN at a time; Elastic Load Balancing has `Tags` of `{Key, Value}` and
//! takes a list of ARNs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::names::Arn;
use crate::operation::Operation;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// How one API represents tags, and the operations that set and remove them.
#[derive(Debug)]
pub struct Tagging {
    /// The member of requests and responses that contains them.
    pub member: &'static str,
    /// The member of an entry that contains its key.
    pub key: &'static str,
    /// The member of an entry that contains its value.
    pub value: &'static str,
    /// The operation that sets tags.
    pub set: Operation,
    /// The operation that removes tags by key.
    pub remove: Operation,
    /// The member of [`Tagging::remove`]'s request that contains the keys.
    pub keys: &'static str,
    /// How the requests name their resources.
    pub target: TagTarget,
}

/// How a tagging request names its resources.
#[derive(Clone, Copy, Debug)]
pub enum TagTarget {
    /// One ARN in this member.
    One(&'static str),
    /// A list of ARNs in this member.
    List(&'static str),
}

/// `TagResource` and `UntagResource` of ECS.
pub static ECS: Tagging = Tagging {
    member: "tags",
    key: "key",
    value: "value",
    set: Operation::TagResource,
    remove: Operation::UntagResource,
    keys: "tagKeys",
    target: TagTarget::One("resourceArn"),
};

/// `AddTags` and `RemoveTags` of Elastic Load Balancing.
pub static ELBV2: Tagging = Tagging {
    member: "Tags",
    key: "Key",
    value: "Value",
    set: Operation::AddTags,
    remove: Operation::RemoveTags,
    keys: "TagKeys",
    target: TagTarget::List("ResourceArns"),
};

/// The dialect that an operation sets or removes tags in.
///
/// # Panics
/// When the operation does neither.
pub fn of(operation: Operation) -> &'static Tagging {
    let dialect = [&ECS, &ELBV2].into_iter().find(|tagging| tagging.set == operation || tagging.remove == operation);
    dialect.unwrap_or_else(|| panic!("{operation:?} neither sets nor removes tags"))
}

impl Tagging {
    /// The tags of a document, request or response; an entry without a value has an empty one.
    pub fn read(&self, body: &Value) -> Tags {
        let text = |tag: &Value, name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        let items = body.get(self.member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|tag| Some((text(tag, self.key)?, text(tag, self.value).unwrap_or_default()))).collect()
    }

    /// Tags as a list in this dialect.
    pub fn list(&self, tags: &Tags) -> Value {
        tags.iter().map(|(key, value)| json!({ self.key: key, self.value: value })).collect()
    }

    /// The request that sets tags on a resource.
    pub fn set(&self, arn: &Arn, tags: &Tags) -> (Operation, Value) {
        let (member, target) = self.targeted(arn);
        (self.set, json!({ member: target, self.member: self.list(tags) }))
    }

    /// The request that removes tags from a resource by their keys.
    pub fn remove<K: AsRef<str>>(&self, arn: &Arn, keys: &[K]) -> (Operation, Value) {
        let (member, target) = self.targeted(arn);
        let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        (self.remove, json!({ member: target, self.keys: keys }))
    }

    /// The ARNs that a request of [`Tagging::set`] or [`Tagging::remove`] acts on.
    pub fn targets(&self, request: &Value) -> Vec<String> {
        let texts = match self.target {
            TagTarget::One(member) => request.get(member).map(std::slice::from_ref),
            TagTarget::List(member) => request.get(member).and_then(Value::as_array).map(Vec::as_slice),
        };
        texts.unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The keys that a request of [`Tagging::remove`] removes.
    pub fn removed(&self, request: &Value) -> Vec<String> {
        let keys = request.get(self.keys).and_then(Value::as_array).into_iter().flatten();
        keys.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn targeted(&self, arn: &Arn) -> (&'static str, Value) {
        match self.target {
            TagTarget::One(member) => (member, json!(arn)),
            TagTarget::List(member) => (member, json!([arn])),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ECS, ELBV2, Tags};
    use crate::names::Arn;

    #[test]
    fn each_api_gets_tags_in_its_own_spelling() {
        let (arn, tags) = (Arn::new("arn"), Tags::from([("team".to_owned(), "web".to_owned())]));
        let ecs = json!({"resourceArn": "arn", "tags": [{"key": "team", "value": "web"}]});
        let elb = json!({"ResourceArns": ["arn"], "Tags": [{"Key": "team", "Value": "web"}]});
        for (tagging, set, remove) in [
            (&ECS, ecs, json!({"resourceArn": "arn", "tagKeys": ["team"]})),
            (&ELBV2, elb, json!({"ResourceArns": ["arn"], "TagKeys": ["team"]})),
        ] {
            assert_eq!(tagging.set(&arn, &tags), (tagging.set, set.clone()));
            assert_eq!(tagging.remove(&arn, &["team"]), (tagging.remove, remove.clone()));
            assert_eq!((tagging.read(&set), tagging.targets(&set)), (tags.clone(), vec!["arn".to_owned()]));
            assert_eq!(
                (tagging.removed(&remove), tagging.targets(&remove)),
                (vec!["team".to_owned()], vec!["arn".to_owned()])
            );
        }
    }
}
