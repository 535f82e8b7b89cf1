//! Documents: files whose body is exactly one AWS API request, in TOML or JSON, with the place of every value.

pub mod node;
pub mod problem;
pub mod source;

pub use self::node::{Member, Node, NodeValue};
pub use self::problem::Problem;
pub use self::source::{SourceFile, Span};
