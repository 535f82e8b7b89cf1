//! Plans as Markdown for a comment on a pull request, in GitHub's and GitLab's dialect: a table per application.

use std::fmt::Write as _;

use trueup_core::drift::Change;
use trueup_core::plan::{Cause, Held, Plan, Step};
use trueup_core::report::{printable, subject_title};

use super::plan::{Symbol, Totals, held_name, why};

/// The first line of a comment, by which a bot that posts it finds and replaces the previous one.
const MARK: &str = "<!-- trueup plan -->";

/// How large the text gets, in bytes. GitHub refuses comments of more than 65,536 characters; the rest is for what a
/// workflow adds. What does not fit is counted.
const BYTES_MAX: usize = 60_000;

/// How many changes of one step are listed; a longer table is not readable.
const CHANGES_MAX: usize = 20;

/// How many characters of a value, or of a sentence, are shown.
const TEXT_CHARS_MAX: usize = 300;

/// All plans with their totals. Applications with nothing to tell are only counted. Values of environment variables are
/// redacted as they are everywhere, and no foreign text can become markup, mention anybody or link anywhere.
pub fn plans(plans: &[Plan]) -> String {
    let totals = Totals::of(plans);
    let (told, quiet): (Vec<_>, Vec<_>) =
        plans.iter().partition(|plan| !plan.steps.is_empty() || !plan.held.is_empty());
    let applications = |count: usize| format!("{count} application{}", if count == 1 { "" } else { "s" });
    let mut out = format!("{MARK}\n");
    if told.is_empty() {
        let _ = writeln!(out, "### trueup: nothing to do\n\n{} as git wants them.", applications(quiet.len()));
        return out;
    }
    let _ = writeln!(out, "### trueup: {totals}");
    for (index, one) in told.iter().enumerate() {
        let table = table(one);
        if out.len() + table.len() > BYTES_MAX {
            let rest = applications(told.len() - index);
            let _ = writeln!(out, "\n**{rest} more**: too much for a comment, `trueup plan` shows everything.");
            break;
        }
        out.push_str(&table);
    }
    if !quiet.is_empty() {
        let _ = writeln!(out, "\n{} unchanged.", applications(quiet.len()));
    }
    out
}

/// One application: a heading, and a row for each step and each hold.
fn table(plan: &Plan) -> String {
    let revision: String = plan.revision.as_str().chars().take(8).collect();
    let name = code(&format!("{}/{}", plan.environment, plan.application));
    let mut out = format!("\n#### {name}\n\n{:?}, {:?}, at {}\n\n", plan.sync, plan.health, code(&revision));
    out.push_str("| | resource | call | why | changes |\n|---|---|---|---|---|\n");
    for one in &plan.steps {
        row(&mut out, &step(one));
    }
    for one in &plan.held {
        row(&mut out, &held(one));
    }
    out
}

fn row(out: &mut String, cells: &[String; 5]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn step(step: &Step) -> [String; 5] {
    let mut reason = why(step.cause).to_owned();
    if !step.awaits.is_empty() {
        let _ = write!(reason, "; after {}", step.awaited());
    }
    // What is made anew is in the pull request itself, line by line.
    let changes = if step.cause == Cause::Create { String::new() } else { changes(&step.changes) };
    let name = code(&subject_title(&step.subject));
    [code(&Symbol::of(step).draw().1.to_string()), name, code(step.call.operation.as_str()), prose(&reason), changes]
}

fn held(held: &Held) -> [String; 5] {
    let reason = format!("{}<br>*{}*", prose(&held.reason.message()), prose(held.reason.remedy()));
    let call = format!("held: {}", code(held.reason.reason()));
    [code("!"), code(&held_name(held)), call, reason, changes(&held.changes)]
}

/// One change a line, with before and after.
fn changes(changes: &[Change]) -> String {
    let mut lines: Vec<String> = changes.iter().take(CHANGES_MAX).map(change).collect();
    if changes.len() > CHANGES_MAX {
        lines.push(format!("and {} more", changes.len() - CHANGES_MAX));
    }
    lines.join("<br>")
}

fn change(change: &Change) -> String {
    let path = match change.path.to_string() {
        root if root.is_empty() => "(everything)".to_owned(),
        path => code(&path),
    };
    let [live, desired] = [&change.live, &change.desired].map(|value| code(&value.to_string()));
    match (change.live.is_absent(), change.desired.is_absent()) {
        (true, _) => format!("{path} + {desired}"),
        (false, true) => format!("{path} − {live}"),
        (false, false) => format!("{path} {live} → {desired}"),
    }
}

/// A text as code, in which nothing is markup: a fence that is longer than any run of backticks in it. A table would
/// still take a bar for the end of a cell.
fn code(text: &str) -> String {
    let text = one_line(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", text.replace('|', "\\|"))
}

/// A sentence of ours, which marks names as code and may have foreign text in it.
fn prose(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd one out is no pair: then none is believed.
    if parts.len().is_multiple_of(2) {
        return escaped(&text);
    }
    let parts = parts.iter().enumerate();
    parts.map(|(index, part)| if index % 2 == 1 && !part.is_empty() { code(part) } else { escaped(part) }).collect()
}

/// Text in which nothing is markup. `@` and `#` are kept from mentioning people and issues, `:` and `.` from becoming
/// links, by a character without width behind them, which an escape does not do.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '@' | '#' => out.extend([c, '\u{200b}']),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

/// A foreign text on one line, without what steers a terminal, and not longer than anybody reads.
fn one_line(text: &str) -> String {
    let cleaned = printable(text);
    match cleaned.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &cleaned[..end]),
        None => cleaned.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use trueup_core::drift::Shown;
    use trueup_core::kind::Kind;
    use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
    use trueup_core::plan::{Awaited, Call, Hold, Operation, Resource, Sync};
    use trueup_core::pointer::Pointer;

    fn changed(path: &str, live: Option<Value>, desired: Option<Value>) -> Change {
        let path = Pointer::parse(path).expect("the tests write legal pointers");
        let shown = |value: Option<Value>| value.map_or_else(Shown::absent, |value| Shown::at(&path, &value));
        Change { live: shown(live), desired: shown(desired), path: path.clone() }
    }

    fn step(kind: Kind, name: &str, operation: Operation, cause: Cause, changes: Vec<Change>) -> Step {
        let resource = Resource { kind, name: name.to_owned(), arn: None };
        let call = Call::new(operation, json!({}));
        Step { subject: resource.into(), cause, changes, drift: Vec::new(), awaits: Vec::new(), call }
    }

    fn plan(application: &str, steps: Vec<Step>, held: Vec<Held>) -> Plan {
        let sync = if steps.is_empty() && held.is_empty() { Sync::Synced } else { Sync::OutOfSync };
        let revision = Revision::new("a737a3d6b1f0");
        let settled = Plan::settled(EnvironmentName::new("production"), ApplicationName::new(application), revision);
        Plan { sync, steps, held, ..settled }
    }

    fn elearning() -> Plan {
        let variable = "/containerDefinitions/backend/environment/LOG_LEVEL";
        let mut update = step(
            Kind::Service,
            "service",
            Operation::UpdateService,
            Cause::Pending,
            vec![changed("/taskDefinition", Some(json!("elearning-system:1")), Some(json!("(new)")))],
        );
        update.awaits = vec![Awaited::Created(Kind::TaskDefinition, "task-definition".to_owned())];
        let port = Hold::Immutable { kind: Kind::TargetGroup, fields: vec!["Port".to_owned()] };
        let held = Held {
            subject: Resource { kind: Kind::TargetGroup, name: "backend".to_owned(), arn: None }.into(),
            reason: port,
            changes: vec![changed("/Port", Some(json!(8000)), Some(json!(8001)))],
        };
        let root = changed("", None, Some(json!({"Name": "frontend"})));
        plan(
            "elearning",
            vec![
                step(Kind::TargetGroup, "frontend", Operation::CreateTargetGroup, Cause::Create, vec![root]),
                step(
                    Kind::TargetGroup,
                    "backend",
                    Operation::ModifyTargetGroup,
                    Cause::Drift,
                    vec![
                        changed("/HealthCheckIntervalSeconds", Some(json!(60)), Some(json!(45))),
                        changed("/HealthCheckPath", None, Some(json!("/health|`x`"))),
                        changed("/Matcher/HttpCode", Some(json!("200")), None),
                    ],
                ),
                step(
                    Kind::TaskDefinition,
                    "task-definition",
                    Operation::RegisterTaskDefinition,
                    Cause::Pending,
                    vec![changed(variable, Some(json!("t0p-s3cret")), Some(json!("n3w-s3cret")))],
                ),
                update,
            ],
            vec![held],
        )
    }

    #[test]
    fn a_plan_is_a_table_of_steps_and_holds_with_values_redacted() {
        let text = plans(&[elearning(), plan("shared", vec![], vec![])]);
        assert!(!text.contains("s3cret"), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn nothing_to_do_is_one_sentence() {
        insta::assert_snapshot!(plans(&[plan("shared", vec![], vec![])]), @r"
        <!-- trueup plan -->
        ### trueup: nothing to do

        1 application as git wants them.
        ");
    }

    #[test]
    fn foreign_text_is_no_markup() {
        let table = [
            (code("a|b"), "`a\\|b`"),
            (code("a``b"), "```a``b```"),
            (code("`a`"), "`` `a` ``"),
            (code("a\u{1b}[2J\nb"), "`a\u{fffd}[2J b`"),
            (prose("cannot change `Port` of a | b"), "cannot change `Port` of a \\| b"),
            (prose("one ` only, <b>, ![x](y)"), "one \\` only, &lt;b>, \\!\\[x\\](y)"),
            (
                prose("@team see #1, https://x and `@team`"),
                "@\u{200b}team see #\u{200b}1, https:\u{200b}//x and `@team`",
            ),
        ];
        for (written, expected) in table {
            assert_eq!(written, expected);
        }
        assert_eq!(prose(&"é".repeat(301)), format!("{}…", "é".repeat(300)));
    }

    #[test]
    fn a_comment_has_room_for_it_and_what_is_left_out_is_counted() {
        let wide = |index: usize| {
            let path = |field: usize| format!("/field{field}/{}", "x".repeat(250));
            let changes = (0..30).map(|field| changed(&path(field), Some(json!(1)), Some(json!(2)))).collect();
            plan(
                &format!("app{index:02}"),
                vec![step(Kind::Service, "service", Operation::UpdateService, Cause::Drift, changes)],
                vec![],
            )
        };
        let text = plans(&(0..40).map(wide).collect::<Vec<_>>());
        assert!(text.len() <= BYTES_MAX + 200, "{}", text.len());
        let shown = text.matches("#### ").count();
        assert!(text.contains(&format!("**{} applications more**", 40 - shown)), "{text}");
        assert_eq!(text.matches("and 10 more").count(), shown);
    }
}
