//! The mutating AWS operations that trueup calls, in a single list.
//!
//! Everything that needs the whole list (the adapter, the token buckets, the printed IAM policy, the tests) reads it
//! here, so that a new operation is added in one place.

use serde::{Deserialize, Serialize};

use crate::model::Api;

/// Declares [`Operation`] with one row per operation: API, wire name, and AWS's own token bucket.
macro_rules! operations {
    ($($name:ident: $api:ident, $bucket:ident;)*) => {
        /// A mutating operation. Serializes as its name in its API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Operation {
            $(
                #[doc = concat!("`", stringify!($name), "` of ", stringify!($api))]
                $name,
            )*
        }

        impl Operation {
            /// All operations, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The operation's name in its API, such as `UpdateService`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The API that it belongs to.
            pub fn api(self) -> Api {
                match self {
                    $(Self::$name => Api::$api,)*
                }
            }

            /// The token bucket that AWS counts it in.
            pub fn bucket(self) -> WriteBucket {
                match self {
                    $(Self::$name => WriteBucket::$bucket,)*
                }
            }
        }
    };
}

operations! {
    RegisterTaskDefinition: Ecs, TaskDefinitionModify;
    CreateService: Ecs, ServiceModify;
    UpdateService: Ecs, ServiceModify;
    DeleteService: Ecs, ServiceModify;
    TagResource: Ecs, TagModify;
    UntagResource: Ecs, TagModify;
    CreateTargetGroup: Elbv2, ElbModify;
    ModifyTargetGroup: Elbv2, ElbModify;
    ModifyTargetGroupAttributes: Elbv2, ElbModify;
    DeleteTargetGroup: Elbv2, ElbModify;
    CreateRule: Elbv2, ElbModify;
    ModifyRule: Elbv2, ElbModify;
    SetRulePriorities: Elbv2, ElbModify;
    DeleteRule: Elbv2, ElbModify;
    AddTags: Elbv2, ElbModify;
    RemoveTags: Elbv2, ElbModify;
}

/// The token buckets in which AWS counts mutating calls.
///
/// Source: Amazon ECS developer guide, "Request throttling for the Amazon ECS API"; Elastic Load Balancing, "Request
/// throttling for the API".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteBucket {
    /// ECS: service modify actions.
    ServiceModify,
    /// ECS: task definition modify actions.
    TaskDefinitionModify,
    /// ECS: resource tag modify actions.
    TagModify,
    /// Elastic Load Balancing: mutating actions.
    ElbModify,
}

impl Operation {
    /// The operation with its IAM prefix, such as `ecs:UpdateService`: how holds, logs and IAM policies name it.
    pub fn action(self) -> String {
        format!("{}:{}", self.api().iam_prefix(), self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Operation;
    use crate::kind::Kind;

    #[test]
    fn the_request_of_every_kind_is_an_operation_of_its_api() {
        for kind in Kind::ALL {
            let (api, name) = kind.request();
            assert!(Operation::ALL.iter().any(|one| one.api() == api && one.as_str() == name), "{name}");
        }
    }

    #[test]
    fn an_action_carries_the_prefix_of_its_api() {
        assert_eq!(Operation::UpdateService.action(), "ecs:UpdateService");
        assert_eq!(Operation::AddTags.action(), "elasticloadbalancing:AddTags");
    }
}
