//! `trueup.toml`: the applications, their environments and their policy.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::located::Located;
use super::reader::{PolicyPatch, TableReader, quoted};
use super::{Environment, Policy};
use crate::document::{Node, NodeValue, Problem, nearest};
use crate::names::EnvironmentName;

/// The file's name, at the root of the desired state.
pub(super) const FILE: &str = "trueup.toml";

/// The content of `trueup.toml`.
pub(super) struct Configuration {
    /// Globs over directories that have an `app.toml`, each with its place.
    pub applications: Vec<(GlobMatcher, Option<Problem>)>,
    /// The environments.
    pub environments: BTreeMap<EnvironmentName, ConfiguredEnvironment>,
}

/// An environment with its policy, before an application's own.
pub(super) struct ConfiguredEnvironment {
    /// The environment.
    pub environment: Environment,
    /// `[policy]` overridden by the environment's.
    pub policy: Policy,
    /// Whether its account and region could be read; placeholders are used otherwise, so that the documents can still be
    /// checked.
    pub sound: bool,
}

impl Configuration {
    /// Reads the file.
    pub fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let reader = &mut TableReader { problems };
        let root = Located::root(node);
        reader.table(&root, "`trueup.toml`", &["applications", "policy", "variables", "environments"]);

        let mut policy = Policy::default();
        if let Some(place) = root.get("policy") {
            PolicyPatch::read(&place, reader).apply(&mut policy);
        }
        let variables = root.get("variables").map(|place| read_variables(&place, reader)).unwrap_or_default();
        let mut environments = BTreeMap::new();
        match root.get("environments") {
            Some(place) => {
                let members = reader.open_table(&place, "`environments`").map(|table| table.members());
                for (name, place) in members.unwrap_or_default() {
                    if !is_name(name) {
                        reader.problems.push(
                            place
                                .key_problem("bad-name", format!("`{name}` cannot be the name of an environment"))
                                .help("use letters, digits, `-` and `_`"),
                        );
                    }
                    let environment = read_environment(name, &place, &policy, &variables, reader);
                    environments.insert(environment.environment.name.clone(), environment);
                }
                if environments.is_empty() {
                    reader.problems.push(no_environments(place.problem(NO_ENVIRONMENTS.0, NO_ENVIRONMENTS.1)));
                }
            }
            None => reader.problems.push(no_environments(Problem::of_file(NO_ENVIRONMENTS.0, FILE, NO_ENVIRONMENTS.1))),
        }
        Self { applications: read_globs(&root, reader), environments }
    }
}

const NO_ENVIRONMENTS: (&str, &str) = ("no-environments", "there is no environment");

fn no_environments(problem: Problem) -> Problem {
    problem.help("add `[environments.NAME]` with `account`, `region` and `cluster`")
}

fn read_globs(root: &Located<'_>, reader: &mut TableReader<'_>) -> Vec<(GlobMatcher, Option<Problem>)> {
    let Some(place) = root.get("applications") else {
        return vec![(glob("*").expect("`*` is a glob"), None)];
    };
    let mut globs = Vec::new();
    for (text, place) in reader.texts(&place, "`applications`") {
        match glob(&text) {
            Ok(matcher) => {
                let unmatched = place
                    .problem("no-applications", format!("no directory with an `app.toml` matches `{text}`"))
                    .help("`*` matches within one directory name, `**` over several");
                globs.push((matcher, Some(unmatched)));
            }
            Err(error) => reader
                .problems
                .push(place.problem("bad-glob", format!("`{text}` is not a glob")).help(error.kind().to_string())),
        }
    }
    globs
}

/// A glob over directories whose `*` does not match `/`.
fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(GlobBuilder::new(text.trim_end_matches('/')).literal_separator(true).build()?.compile_matcher())
}

fn read_environment(
    name: &str,
    place: &Located<'_>,
    policy: &Policy,
    variables: &BTreeMap<String, String>,
    reader: &mut TableReader<'_>,
) -> ConfiguredEnvironment {
    let mut configured = ConfiguredEnvironment {
        environment: Environment {
            name: EnvironmentName::new(name),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            cluster: None,
            role: None,
            variables: variables.clone(),
        },
        policy: policy.clone(),
        sound: false,
    };
    let known = ["account", "region", "cluster", "role", "variables", "policy"];
    let Some(table) = reader.table(place, &format!("environment `{name}`"), &known) else { return configured };
    let environment = &mut configured.environment;

    let account = checked(&table, "account", true, reader, "twelve digits in quotes", is_account);
    let region = checked(&table, "region", true, reader, "a region such as \"eu-central-1\"", is_region);
    configured.sound = account.is_some() && region.is_some();
    if let (Some(account), Some(region)) = (account, region) {
        environment.account = account;
        environment.region = region;
    }
    let form = "the cluster's short name, not its ARN: letters, digits, `-` and `_`, at most 255";
    let cluster = checked(&table, "cluster", false, reader, form, |text| is_name(text) && text.len() <= 255);
    // An invalid name is reported here once, and not again at each use.
    environment.cluster =
        cluster.or_else(|| table.get("cluster")?.node.as_str()?.rsplit('/').next().map(str::to_owned));
    environment.role =
        checked(&table, "role", false, reader, "the ARN of a role, `arn:aws:iam::ACCOUNT:role/NAME`", |text| {
            text.starts_with("arn:") && text.contains(":iam::") && text.contains(":role/")
        });
    if let (Some(role), Some(place), true) = (&environment.role, table.get("role"), configured.sound)
        && role.split(':').nth(4) != Some(&environment.account)
    {
        reader.problems.push(
            place
                .problem("role-of-other-account", format!("the role is not of account `{}`", environment.account))
                .help("the role must be of the environment's account: any other account is refused"),
        );
    }
    if let Some(place) = table.get("variables") {
        environment.variables.extend(read_variables(&place, reader));
    }
    if let Some(place) = table.get("policy") {
        PolicyPatch::read(&place, reader).apply(&mut configured.policy);
    }
    configured
}

/// A text of a table, with its form checked.
fn checked(
    table: &Located<'_>,
    key: &str,
    required: bool,
    reader: &mut TableReader<'_>,
    form: &str,
    is_good: impl Fn(&str) -> bool,
) -> Option<String> {
    let Some(place) = table.get(key) else {
        if required {
            reader.problems.push(
                table.key_problem("missing-key", format!("`{key}` is missing")).help(format!("add `{key}`: {form}")),
            );
        }
        return None;
    };
    match place.node.as_str() {
        Some(text) if is_good(text) => Some(text.to_owned()),
        _ => {
            reader.problems.push(place.problem("wrong-value", format!("`{key}` must be {form}")));
            None
        }
    }
}

fn read_variables(place: &Located<'_>, reader: &mut TableReader<'_>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let Some(table) = reader.open_table(place, "`variables`") else { return variables };
    for (name, place) in table.members() {
        if !is_name(name) {
            reader.problems.push(
                place
                    .key_problem("bad-name", format!("`{name}` cannot be the name of a variable"))
                    .help("use letters, digits, `-` and `_`"),
            );
        }
        let value = match &place.node.value {
            NodeValue::String(text) => text.clone(),
            NodeValue::Number(number) => number.to_string(),
            NodeValue::Bool(flag) => flag.to_string(),
            NodeValue::Null | NodeValue::List(_) | NodeValue::Object(_) => {
                reader.problems.push(
                    place
                        .problem("wrong-value", format!("variable `{name}` must be text, a number, `true` or `false`")),
                );
                String::new()
            }
        };
        if value.contains("${") {
            reader.problems.push(
                place
                    .problem("reference-in-variable", format!("variable `{name}` holds a reference"))
                    .help("write the reference in the documents"),
            );
        }
        variables.insert(name.to_owned(), value);
    }
    variables
}

/// Help text for an environment that does not exist.
pub(super) fn nearest_environment(name: &EnvironmentName, known: &[&EnvironmentName]) -> String {
    match nearest(name.as_str(), known.iter().map(|known| known.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add `[environments.{name}]` to `trueup.toml`; there are {}", {
            quoted(known.iter().map(|known| known.as_str()))
        }),
    }
}

/// Letters, digits, `-` and `_`: what is allowed in a reference, a path and a tag.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// Two letters, one or more words and a number, separated by `-`: `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, words @ .., number] = &parts[..] else { return false };
    let lower = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    first.len() >= 2
        && lower(first)
        && !words.is_empty()
        && words.iter().all(lower)
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
}
