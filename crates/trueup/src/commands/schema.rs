//! `trueup schema`: JSON Schema for editors, and of events.

use std::process::ExitCode;

use anyhow::Result;
use trueup_core::document;
use trueup_core::kind::Kind;
use trueup_core::report::event_schema;

use crate::cli::{SchemaArgs, SchemaKind};
use crate::terminal;

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
