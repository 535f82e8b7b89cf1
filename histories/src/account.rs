//! The names that all histories share: the account, its cluster and load balancer, and the mark of what is secret.

/// The account of all histories.
pub const ACCOUNT: &str = "123456789012";

/// The region of all histories.
pub const REGION: &str = "eu-west-1";

/// The cluster of all histories.
pub const CLUSTER: &str = "main";

/// The load balancer of all histories.
pub const LOAD_BALANCER: &str = "edge";

/// What every value of an environment variable begins with: it is seen where a task definition is registered, and nowhere
/// else.
pub const SECRET: &str = "canary7d1fenvironment";
