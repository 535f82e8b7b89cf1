//! The documentation is true about the project itself: links, dependencies, what each crate sees, what keeps each invariant.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Which of our crates each crate may see, as the table in `ARCHITECTURE.md` says it. The binary sees all.
const SEES: [(&str, &[&str]); 10] = [
    ("trueup-core", &[]),
    ("trueup-ports", &["trueup-core"]),
    ("trueup-engine", &["trueup-core", "trueup-ports"]),
    ("trueup-aws", &["trueup-core", "trueup-ports"]),
    ("trueup-git", &["trueup-core", "trueup-ports", "trueup-verify"]),
    ("trueup-http", &[]),
    ("trueup-report", &["trueup-core", "trueup-engine", "trueup-ports"]),
    ("trueup-verify", &[]),
    ("trueup-sim", &[]),
    ("trueup-fixture", &[]),
];

/// Other people's crates that only one of ours may name, by the beginning of their names.
const ADAPTED: [(&str, &str); 2] = [("aws-", "trueup-aws"), ("git2", "trueup-git")];

/// What the core must not be able to do: wait, reach the network, draw lots.
const NOT_IN_THE_CORE: [&str; 8] =
    ["async-trait", "fastrand", "futures", "hyper", "rand", "reqwest", "rustix", "tokio"];

/// The project's root.
fn root() -> PathBuf {
    trueup_e2e::workspace()
}

/// The files below a directory whose names end like this, without hidden directories and build output.
fn files(directory: &Path, ending: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot read `{}`", directory.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap_or_default());
        if entry.file_type()?.is_dir() && !name.starts_with('.') && name != "target" {
            files(&path, ending, found)?;
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    Ok(())
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let heading = |line: &str| {
        let text = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
    };
    page.lines().filter_map(heading).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() -> Result<()> {
    let mut pages = Vec::new();
    files(&root(), ".md", &mut pages)?;
    let mut wrong = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page)?;
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.contains(' ')) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.with_file_name("").join(path) };
            let has_anchor =
                || anchor.is_empty() || fs::read_to_string(&target).is_ok_and(|to| anchors(&to).contains(anchor));
            if !target.exists() || !has_anchor() {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(pages.len() > 10 && wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_direct_dependency_has_its_reason() -> Result<()> {
    let mut manifests = Vec::new();
    files(&root(), "Cargo.toml", &mut manifests)?;
    let mut used = BTreeSet::new();
    for manifest in &manifests {
        let table: toml::Table = fs::read_to_string(manifest)?.parse()?;
        let platforms = table.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
        for table in platforms.filter_map(toml::Value::as_table).chain([&table]) {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let names = table.get(kind).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
                used.extend(names.filter(|name| !name.starts_with("trueup-")).cloned());
            }
        }
    }
    let page = fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let (_, chapter) = page.split_once("\n## Direct dependencies, and why\n").context("the chapter is there")?;
    let (table, _) = chapter.split_once("\n## ").context("another one follows")?;
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).skip(1);
    // `git2 (vendored libgit2)` is about git2.
    let name = |cell: &str| cell.split_whitespace().next().unwrap_or_default().to_owned();
    let explained: BTreeSet<String> = rows.flat_map(|row| row.split(", ").map(name).collect::<Vec<_>>()).collect();
    let unexplained: Vec<&String> = used.difference(&explained).collect();
    assert!(used.len() > 30 && unexplained.is_empty(), "without a row in ARCHITECTURE.md: {unexplained:?}");
    let leftover: Vec<&String> = explained.difference(&used).filter(|name| !name.contains(['(', ')'])).collect();
    assert!(leftover.is_empty(), "in ARCHITECTURE.md, and not used: {leftover:?}");
    Ok(())
}

#[test]
fn crates_see_only_what_the_architecture_allows() -> Result<()> {
    let mut wrong = Vec::new();
    for (name, sees) in SEES {
        let manifest: toml::Table = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml"))?.parse()?;
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).context("it has some")?;
        for dependency in dependencies.keys() {
            let is_ours = dependency.starts_with("trueup-") && !sees.contains(&dependency.as_str());
            let is_adapted = |(beginning, only): &(&str, &str)| dependency.starts_with(beginning) && *only != name;
            let is_impure = name == "trueup-core" && NOT_IN_THE_CORE.contains(&dependency.as_str());
            if is_ours || is_impure || ADAPTED.iter().any(is_adapted) {
                wrong.push(format!("{name} sees {dependency}"));
            }
        }
    }
    let mut crates: Vec<String> = fs::read_dir(root().join("crates"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    crates.retain(|name| name.starts_with("trueup-") && SEES.iter().all(|(known, _)| known != name));
    assert!(wrong.is_empty() && crates.is_empty(), "{wrong:?}, and unknown: {crates:?}");
    Ok(())
}

#[test]
fn every_invariant_is_kept_by_a_test_or_a_lint_that_exists() -> Result<()> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let (_, list) = page.split_once("<!-- invariants: begin -->").context("the list of invariants begins")?;
    let (list, _) = list.split_once("<!-- invariants: end -->").context("the list of invariants ends")?;
    let mut paths = Vec::new();
    files(&root(), ".rs", &mut paths)?;
    let sources = paths.iter().map(fs::read_to_string).collect::<std::io::Result<Vec<_>>>()?;
    let settings = fs::read_to_string(root().join("Cargo.toml"))? + &fs::read_to_string(root().join("clippy.toml"))?;

    let exists = |name: &str| {
        // clippy.toml writes the names of lints with hyphens.
        let plain = name.trim_start_matches("clippy::");
        let keys = [format!("{plain} = "), format!("{} = ", plain.replace('_', "-"))];
        let is_lint = settings.lines().any(|line| keys.iter().any(|key| line.starts_with(key)));
        let function = format!("fn {name}(");
        let is_test = || sources.iter().any(|source| source.contains(&function) && source.contains("test]"));
        if name.contains('/') { root().join(name).exists() } else { is_lint || is_test() }
    };
    let mut missing = Vec::new();
    let mut number = 0;
    for row in list.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [at, _, keepers] = *cells else { anyhow::bail!("a row has three cells: {row}") };
        number += 1;
        assert_eq!(at, number.to_string(), "the invariants are numbered: {row}");
        let names: Vec<&str> = keepers.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing keeps invariant {number}");
        missing.extend(names.into_iter().filter(|name| !exists(name)).map(|name| format!("{number}: {name}")));
    }
    assert!(number > 20 && missing.is_empty(), "named in ARCHITECTURE.md and not there: {missing:#?}");
    Ok(())
}

#[test]
fn the_page_of_commands_has_those_of_the_handbook() -> Result<()> {
    // The handbook's are compared with the command line where that is written.
    let handbook = fs::read_to_string(root().join("docs/handbook.md"))?;
    let (_, chapter) = handbook.split_once("\n## Exit codes\n").context("the handbook has exit codes")?;
    let first = |line: &str| line.strip_prefix("| `")?.split('`').next().map(str::to_owned);
    let expected: BTreeSet<String> = chapter.lines().filter_map(first).collect();
    let page = fs::read_to_string(root().join("docs/commands.md"))?;
    let commands = page.lines().filter(|line| line.starts_with("| `trueup ")).flat_map(|line| {
        let cell = line.split(" | ").next().unwrap_or_default();
        cell.split("`trueup ").skip(1).filter_map(|rest| rest.split([' ', '`']).next()).map(str::to_owned)
    });
    assert_eq!(commands.collect::<BTreeSet<_>>(), expected);
    Ok(())
}
