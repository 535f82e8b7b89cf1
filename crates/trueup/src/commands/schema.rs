//! `trueup schema`: JSON Schema for editors, and of events.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use trueup_core::document;
use trueup_core::kind::Kind;
use trueup_core::report::event_schema;

use crate::terminal;

/// Arguments of `trueup schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// The kind of file; `app` is app.toml, `trueup` is trueup.toml, `event` is what `run` prints
    #[arg(value_name = "KIND")]
    pub kind: SchemaKind,
}

/// The kinds of files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// `task-definition.toml` or `.json`
    TaskDefinition,
    /// `service.toml` or `.json`
    Service,
    /// `target-groups/*.toml` or `.json`
    TargetGroup,
    /// `listener-rules/*.toml` or `.json`
    ListenerRule,
    /// `app.toml`
    App,
    /// `trueup.toml`
    Trueup,
    /// The events that `trueup run` prints, one per line
    Event,
}

/// Prints the JSON Schema of a kind of file.
///
/// # Errors
/// When stdout cannot take it.
pub fn schema(args: &SchemaArgs) -> Result<ExitCode> {
    let schema = match args.kind {
        SchemaKind::TaskDefinition => document::json_schema(Kind::TaskDefinition),
        SchemaKind::Service => document::json_schema(Kind::Service),
        SchemaKind::TargetGroup => document::json_schema(Kind::TargetGroup),
        SchemaKind::ListenerRule => document::json_schema(Kind::ListenerRule),
        SchemaKind::App => document::json_schema_of_app(),
        SchemaKind::Trueup => document::json_schema_of_trueup(),
        SchemaKind::Event => event_schema(),
    };
    terminal::print_line(serde_json::to_string_pretty(&schema)?)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use trueup_core::kind::Kind;

    use super::SchemaKind;

    #[test]
    fn every_kind_of_document_has_a_schema_to_ask_for() {
        for kind in Kind::ALL {
            assert!(
                SchemaKind::from_str(kind.as_str(), false).is_ok(),
                "`SchemaKind` has no value for {}",
                kind.as_str()
            );
        }
    }
}
