//! Source text without the values of environment variables and other secrets, so that a printed line never shows one.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use trueup_core::desired::hints_at_secret;
use trueup_core::document::{self, Node, NodeValue, Problem, SourceFile};
use trueup_core::model::{Api, Model, Shape};

/// The file's text with the values of environment variables, and of what was meant to be one, blotted out byte for
/// byte, and with what `problems` call a secret in it.
pub fn masked(file: &Arc<SourceFile>, problems: &[Problem]) -> String {
    let text = file.text();
    let secrets = problems.iter().filter(|problem| problem.code == "plaintext-secret");
    let spans = secrets.filter_map(|problem| problem.span.as_ref());
    let mut ranges: Vec<_> =
        spans.filter(|span| Arc::ptr_eq(&span.file, file)).map(|span| span.range.clone()).collect();
    // In these two no member is a container's environment, but variables are put into such.
    let is_configuration = matches!(file.path().rsplit('/').next(), Some("trueup.toml" | "app.toml"));
    match document::parse(file) {
        Ok(node) if is_configuration => find_variables(&node, &mut ranges),
        Ok(node) => find(&node, &mut ranges),
        Err(_) if is_configuration => {}
        Err(_) => ranges.extend(guess(text)),
    }
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        let quoted = range.len() >= 2 && matches!(bytes[range.start], b'"' | b'\'');
        let inner = if quoted { range.start + 1..range.end - 1 } else { range };
        bytes[inner].iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
    }
    String::from_utf8(bytes).expect("whole characters were replaced by ASCII")
}

/// Finds what may hold environment values, however it is spelled: `environment`, `Environment`, `enviroment`, `env`.
fn called() -> &'static Regex {
    static CALLED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\benv").expect("a constant expression"));
    &CALLED
}

/// Collects the places of everything in `environment` except the names of variables, wherever that member occurs, and
/// in all other pairs of name and value.
fn find(node: &Node, ranges: &mut Vec<Range<usize>>) {
    match &node.value {
        NodeValue::Object(members)
            if ["name", "value"].iter().all(|half| members.keys().any(|name| name.eq_ignore_ascii_case(half))) =>
        {
            blot(node, ranges);
        }
        NodeValue::Object(members) => {
            for (name, member) in members {
                if called().is_match(name) || is_misplaced(name, &member.node) {
                    blot(&member.node, ranges);
                } else {
                    find(&member.node, ranges);
                }
            }
        }
        NodeValue::List(items) => items.iter().for_each(|item| find(item, ranges)),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {}
    }
}

/// Whether a value may be a secret in a place for its ARN, its name or a reference, because it is none of the three.
fn is_misplaced(name: &str, node: &Node) -> bool {
    let NodeValue::String(text) = &node.value else { return false };
    name.eq_ignore_ascii_case("valueFrom") && !["arn:", "/", "${"].iter().any(|begin| text.starts_with(begin))
}

/// Collects the places of the values of variables.
fn find_variables(node: &Node, ranges: &mut Vec<Range<usize>>) {
    let NodeValue::Object(members) = &node.value else { return };
    for (name, member) in members {
        if name == "variables" {
            blot(&member.node, ranges);
        } else {
            find_variables(&member.node, ranges);
        }
    }
}

/// Collects the places of all values in an `environment`, but for the members that tell a variable's name.
fn blot(node: &Node, ranges: &mut Vec<Range<usize>>) {
    match &node.value {
        NodeValue::Object(members) => {
            let values = members.iter().filter(|(name, _)| !matches!(name.as_str(), "name" | "Name" | "key" | "Key"));
            values.for_each(|(_, member)| blot(&member.node, ranges));
        }
        NodeValue::List(items) => items.iter().for_each(|item| blot(item, ranges)),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {
            ranges.push(node.span.range.clone());
        }
    }
}

/// For a file that cannot be parsed, where anything may be a value: from the first word that may name an environment, or
/// the first line that names a secret or holds one, all words but those of AWS's API model.
fn guess(text: &str) -> Vec<Range<usize>> {
    static WORD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"[^\s\[\]{}(),:="'#\\]+"#).expect("a constant expression"));
    let mut lines =
        text.split_inclusive('\n').scan(0, |at, line| Some((std::mem::replace(at, *at + line.len()), line)));
    let secret = lines.find(|(_, line)| hints_at_secret(line)).map(|(at, _)| at);
    let first = called().find(text).map(|first| first.start()).into_iter().chain(secret).min();
    let Some(first) = first else { return Vec::new() };
    let words = WORD.find_iter(text).filter(|word| word.end() > first);
    words
        .filter(|word| word.as_str().split('.').any(|part| !words_of_aws().contains(part)))
        .map(|word| word.range())
        .collect()
}

/// The names of all members that ECS's requests have.
fn words_of_aws() -> &'static BTreeSet<&'static str> {
    static WORDS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        let structures = Model::aws().shapes().filter_map(|(api, shape)| {
            if let Shape::Structure(structure) = shape { Some(structure).filter(|_| api == Api::Ecs) } else { None }
        });
        structures.flat_map(|structure| structure.members.keys().map(String::as_str)).collect()
    });
    &WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_an_environment_variable_is_shown_however_wrong_the_file_is() {
        let toml = [
            r#"environment = [{ name = "A", value = "s3cret" }]"#,
            r#"environment = [{ name = "A", value = "s3cret", valu = "s3cret" }]"#,
            r#"environment = [{ name = "A", value = s3cret }]"#,
            r#"environment = [{ name = "A", value "s3cret" }]"#,
            r#"environment = [{ name = "A", value = "s3cret== }]"#,
            r#"environment = [{ name = "A", Value = "s3cret" }]"#,
            r#"environment = [{ Key = "A", Value = "s3cret" }]"#,
            r#"environment = [{ name = "A", value = 3 }, "A=s3cret"]"#,
            r#"environment = { A = "s3cret" }"#,
            r#"environment.A = "s3cret""#,
            r#"enviroment = [{ name = "A", value = "s3cret" }]"#,
            r#"evnironment = [{ name = "A", value = "s3cret" }]"#,
            r#"secrets = [{ name = "A", valueFrom = "x", value = "s3cret" }]"#,
            r#"secrets = [{ name = "A", valueFrom = "s3cret" }]"#,
            "environment = [{ name = 'A', value = '''s3cret\ns3cret s3cret''' } x]",
            "environment = [{ name = \"A\", value = \"\"\"s3cret\n s3cret\"\"\" }]",
            "command = [\"serve\", \"--db-password=s3cret]",
            "command = [\"--db-password\",\n\"s3cret\"",
            "dockerLabels = { DB_PASSWORD = s3cret }",
        ];
        for text in toml {
            let shown = masked(&SourceFile::new("a/task-definition.toml", text), &[]);
            assert!(!shown.contains("s3cret"), "{shown}");
            assert_eq!(shown.len(), text.len());
        }
        let json = [
            r#"{"environment":[{"name":"A","value":"s3cret"}]}"#,
            r#"{"environment":[{"name":"A","value":s3cret}]}"#,
            r#"{"environment":[{"name":"A","value" "s3cret"}]}"#,
            r#"{"environment":{"A":"s3cret"}}"#,
            r"{'environment':[{'name':'A','value':'s3cret'}]}",
            r#"{"environment":[{"name":"A","value":"s3cret"#,
        ];
        for text in json {
            let shown = masked(&SourceFile::new("a/task-definition.json", text), &[]);
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_environment_stays_readable() {
        let broken = "family = \"web\n[[containerDefinitions]]\nenvironment = [{ name = \"A\", value = 1 }]\n";
        let table = [
            (
                "a/task-definition.toml",
                broken,
                "family = \"web\n[[containerDefinitions]]\nenvironment = [{ name = \"*\", value = * }]\n",
            ),
            ("a/task-definition.toml", "cpu = \"1\" # environment\n", "cpu = \"1\" # environment\n"),
            ("trueup.toml", "[environments.x]\naccount = 1\n", "[environments.x]\naccount = 1\n"),
            (
                "trueup.toml",
                "[environments.x.variables]\ndomain = [\"s3cret\"]\n",
                "[environments.x.variables]\ndomain = [\"******\"]\n",
            ),
            (
                "a/task-definition.toml",
                "secrets = [{ name = \"A\", valueFrom = \"${secret.a}\" }]\n",
                "secrets = [{ name = \"A\", valueFrom = \"${secret.a}\" }]\n",
            ),
            (
                "a/service.json",
                r#"{"tags": [{"key": "a", "value": "b"}]}"#,
                r#"{"tags": [{"key": "a", "value": "b"}]}"#,
            ),
        ];
        for (path, text, shown) in table {
            assert_eq!(masked(&SourceFile::new(path, text), &[]), shown);
        }
    }
}
