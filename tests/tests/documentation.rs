//! What the documentation says of the project itself is true: links lead somewhere, and every dependency has its reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The project's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace").to_owned()
}

/// The files below a directory whose names end like this, without what is built or hidden.
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
    assert!(leftover.is_empty(), "in ARCHITECTURE.md, and used by nobody: {leftover:?}");
    Ok(())
}
