//! `trueup diff`: drift between a document and an AWS answer, offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use trueup_core::document::{self, Problem, References, SourceFile, Validation};
use trueup_core::drift::{Change, Context};
use trueup_core::kind;
use trueup_core::kind::Kind;
use trueup_core::report;

use crate::args::Format;
use crate::terminal::Hinted;
use crate::{COULD_NOT_RUN, render, terminal};

/// Arguments of `trueup diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// The kind of document: `task-definition`, `service`, `target-group` or `listener-rule`
    #[arg(long, value_parser = parse_kind, value_name = "KIND", required_unless_present = "cases")]
    pub kind: Option<Kind>,
    /// The file with the document: an AWS request, in TOML or JSON
    #[arg(required_unless_present = "cases")]
    pub desired: Option<PathBuf>,
    /// The output of `aws ecs describe-…` or `aws elbv2 describe-…` for that one resource, with or without the envelope
    #[arg(required_unless_present = "cases")]
    pub live: Option<PathBuf>,
    /// A file with a JSON list of `{"id","kind","desired","live"}`; prints one JSON object per case, one per line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kind", "desired", "live", "format"])]
    pub cases: Option<PathBuf>,
    /// The format of the drift
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Parses the name of a kind of document.
fn parse_kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("write one of {}", names.join(", "))
    })
}

/// Compares two files, or all cases of one.
///
/// # Errors
/// When a file cannot be read or is not what it should be.
pub fn diff(args: &DiffArgs) -> Result<ExitCode> {
    if let Some(cases) = &args.cases {
        return compare_cases(cases);
    }
    let (Some(kind), Some(desired), Some(live)) = (args.kind, &args.desired, &args.live) else {
        bail!("give a kind and two files");
    };
    let live = json_file(live)?;
    let file = source_file(desired)?;
    let changes = match compare(kind, &file, &live) {
        Ok(changes) => changes,
        Err(NotCompared::Document(problems)) => {
            let parent = desired.parent().unwrap_or(Path::new(""));
            terminal::tell(&render::problems::problems(parent, &problems));
            return Ok(ExitCode::from(COULD_NOT_RUN));
        }
        Err(NotCompared::Live(message)) => bail!("the AWS answer cannot be used: {message}"),
    };
    match args.format {
        Format::Json => terminal::print_line(report::json(&json!({ "changes": changes })))?,
        Format::Text => terminal::print(&render::changes::lines(&changes, 0))?,
    }
    Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Why two documents could not be compared.
enum NotCompared {
    /// The desired one is not a legal AWS request.
    Document(Vec<Problem>),
    /// The live one is not an AWS answer for one resource of that kind.
    Live(String),
}

impl NotCompared {
    /// One line.
    fn line(&self) -> String {
        match self {
            Self::Live(message) => format!("live: {message}"),
            Self::Document(problems) => {
                let lines = problems.iter().map(|problem| match &problem.field {
                    Some(field) => format!("desired{field}: {}", problem.message),
                    None => format!("desired: {}", problem.message),
                });
                lines.collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// Compares one document with one answer. The document is a plain AWS request, so it may contain what trueup sets itself.
fn compare(kind: Kind, desired: &Arc<SourceFile>, live: &Value) -> Result<Vec<Change>, NotCompared> {
    let node = document::parse(desired).map_err(NotCompared::Document)?;
    let as_sent = Validation { references: References::Resolved, ..Validation::default() };
    let mut problems = document::validate_document(&node, kind, &as_sent);
    let body = node.to_json();
    problems.retain(|problem| problem.code != "set-by-trueup" && !is_number_for_text(problem, &body));
    if !problems.is_empty() {
        return Err(NotCompared::Document(problems));
    }
    let live = kind::unwrap_envelope(kind, live).map_err(NotCompared::Live)?;
    Ok(kind::drift(kind, &body, &live, &Context::default()))
}

/// Whether the document has a bare number (or flag) where AWS wants its text: `cpu = 256`, `HealthCheckPort = 8080`.
///
/// Both are common, and the comparison coerces them. Other texts stay texts.
fn is_number_for_text(problem: &Problem, body: &Value) -> bool {
    let Some(field) = problem.field.as_ref().filter(|_| problem.code == "wrong-type") else { return false };
    let path: Vec<&str> = field.segments().iter().map(String::as_str).collect();
    let is_there = matches!(
        path[..],
        ["cpu" | "memory" | "HealthCheckPort"]
            | ["Matcher", "HttpCode" | "GrpcCode"]
            | ["Attributes", _, "Value"]
            | ["containerDefinitions", _, "resourceRequirements", _, "value"]
            | ["Actions", _, "FixedResponseConfig", "StatusCode"]
    );
    is_there && body.pointer(&field.to_string()).is_some_and(|value| value.is_number() || value.is_boolean())
}

/// Compares every case of a file, prints one object per case; exit 0 when all could be compared.
fn compare_cases(path: &Path) -> Result<ExitCode> {
    let cases = json_file(path)?;
    let Value::Array(cases) = cases else {
        bail!(Hinted::new(format!("`{}` is not a JSON list", path.display()), "write a list of cases"));
    };
    let mut all_compared = true;
    for (index, case) in cases.iter().enumerate() {
        let id = case.get("id").cloned().unwrap_or_else(|| json!(index));
        let line = match compare_case(case) {
            Ok(changes) => json!({ "id": id, "changes": changes }),
            Err(error) => {
                all_compared = false;
                json!({ "id": id, "error": error })
            }
        };
        terminal::print_line(report::json(&line))?;
    }
    Ok(if all_compared { ExitCode::SUCCESS } else { ExitCode::from(COULD_NOT_RUN) })
}

fn compare_case(case: &Value) -> Result<Vec<Change>, String> {
    let kind = case.get("kind").and_then(Value::as_str).ok_or("the case has no `kind`")?;
    let kind = Kind::parse(kind).ok_or_else(|| format!("`{kind}` is not a kind of document"))?;
    let desired = case.get("desired").ok_or("the case has no `desired`")?;
    let live = case.get("live").ok_or("the case has no `live`")?;
    let file = SourceFile::new("desired.json", desired.to_string());
    compare(kind, &file, live).map_err(|reason| reason.line())
}

/// Reads a document for its spans. Its path is the file name alone, so that problems use the name from the command
/// line.
fn source_file(path: &Path) -> Result<Arc<SourceFile>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    document::source_file(&name, &bytes).map_err(|problem| anyhow::anyhow!("{}: {}", path.display(), problem.message))
}

fn json_file(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::compare_case;

    #[test]
    fn a_number_is_compared_where_aws_wants_its_text_and_refused_elsewhere() {
        let group = |member: &str, value: serde_json::Value| {
            let mut group = json!({"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0123456789abcdef0"});
            group[member] = value;
            group
        };
        let attribute = |value: serde_json::Value| json!([{"Key": "stickiness.enabled", "Value": value}]);
        let table = [
            (group("HealthCheckPort", json!(8080)), group("HealthCheckPort", json!("8080")), Some(0)),
            (group("HealthCheckPort", json!(8081)), group("HealthCheckPort", json!("8080")), Some(1)),
            (group("Attributes", attribute(json!(false))), group("Attributes", attribute(json!("false"))), Some(0)),
            (group("HealthCheckPort", json!({})), group("HealthCheckPort", json!("8080")), None),
            (group("HealthCheckPath", json!(8080)), group("HealthCheckPath", json!("8080")), None),
        ];
        for (desired, live, changes) in table {
            let case = json!({"kind": "target-group", "desired": desired, "live": live});
            assert_eq!(compare_case(&case).ok().map(|changes| changes.len()), changes, "{case}");
        }
    }
}
