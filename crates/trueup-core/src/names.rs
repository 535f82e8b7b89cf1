//! Names, each with a type of its own, so that the compiler keeps them apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares a name: a string with its own type. Its `Display` is the string.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a string that the caller has checked.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name, such as `production`, of an environment: an AWS account, a region and a default cluster.
    EnvironmentName
}
name! {
    /// A directory with an `app.toml`, relative to the root of the desired state, such as `elearning`.
    ApplicationName
}
name! {
    /// A git commit id, 40 lower-case hexadecimal digits.
    Revision
}
name! {
    /// The installation of trueup that owns a resource: the value of the tag `trueup:instance`.
    InstanceName
}
name! {
    /// An Amazon Resource Name.
    Arn
}

/// An ECS service by cluster name and service name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceId {
    /// The cluster's short name, never its ARN.
    pub cluster: String,
    /// The service's name.
    pub name: String,
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.name)
    }
}
