//! Building an application in each of its environments, from its own files alone.

use std::collections::{BTreeMap, BTreeSet};

use super::application::Application;
use super::candidate::{BuiltApplication, Candidate, Candidates};
use super::configuration::{ConfiguredEnvironment, nearest_environment};
use super::images::default_platform;
use super::layout::Directory;
use super::manifest::{self, Manifest};
use super::parsed_document::ParsedDocument;
use super::parsed_files::ParsedFiles;
use super::template::ReferenceScope;
use super::{FileTree, Lookup, ownership, rules};
use crate::document::Problem;
use crate::kind::Kind;
use crate::names::{ApplicationName, EnvironmentName};

/// Builds an application in all environments that it is in. Problems that its environments share are added to `problems`
/// once, and to each candidate.
pub(super) fn build_application(
    files: &FileTree,
    name: &ApplicationName,
    directory: Directory,
    environments: &BTreeMap<EnvironmentName, ConfiguredEnvironment>,
    candidates: &mut Candidates,
    problems: &mut Vec<Problem>,
) {
    let mut base = ParsedFiles::of(files, directory.base);
    base.problems.extend(directory.problems);
    let overlays: BTreeMap<EnvironmentName, ParsedFiles> =
        directory.overlays.into_iter().map(|(name, of)| (name, ParsedFiles::of(files, of))).collect();

    let known: Vec<&EnvironmentName> = environments.keys().collect();
    let only = base.manifest.as_ref().and_then(|node| manifest::environments(node, &known, &mut base.problems));
    let is_in = |environment: &EnvironmentName| only.as_ref().is_none_or(|only| only.contains(environment));
    for (overlay, parsed) in &overlays {
        let path = format!("{name}/environments/{overlay}");
        if !environments.contains_key(overlay) {
            let message = format!("`trueup.toml` has no environment `{overlay}`");
            let problem = Problem::of_file("unknown-environment", path, message);
            base.problems.push(problem.help(nearest_environment(overlay, &known)));
            base.problems.extend(parsed.problems.iter().cloned());
        } else if !is_in(overlay) {
            let message = format!("the application is not in environment `{overlay}`");
            let help = "add it to `environments` in `app.toml`, or remove the directory";
            base.problems.push(Problem::of_file("unknown-environment", path, message).help(help));
        }
    }
    problems.extend(base.problems.iter().cloned());

    let none = ParsedFiles::default();
    let mut built = Vec::with_capacity(environments.len());
    for (environment, configured) in environments.iter().filter(|(environment, _)| is_in(environment)) {
        let overlay = overlays.get(environment).unwrap_or(&none);
        let mut problems: Vec<Problem> = base.problems.iter().chain(&overlay.problems).cloned().collect();
        let application = build(name, configured, &base, overlay, &mut problems);
        built.push((environment, application, problems));
    }
    // An entry of `allow_plaintext` that one environment needs is not a mistake in the others: they share `app.toml`.
    let needed: BTreeSet<String> = built
        .iter()
        .flat_map(|(_, application, _)| &application.allowances)
        .filter(|(_, needed)| *needed)
        .map(|(problem, _)| problem.to_string())
        .collect();
    for (environment, application, mut problems) in built {
        let unused = application.allowances.iter().map(|(problem, _)| problem);
        problems.extend(unused.filter(|problem| !needed.contains(&problem.to_string())).cloned());
        candidates.insert((environment.clone(), name.clone()), Candidate { built: Some(application), problems });
    }
}

/// Builds one application in one environment.
fn build(
    name: &ApplicationName,
    configured: &ConfiguredEnvironment,
    base: &ParsedFiles,
    overlay: &ParsedFiles,
    problems: &mut Vec<Problem>,
) -> BuiltApplication {
    let environment = &configured.environment;
    let mut policy = configured.policy.clone();
    for node in base.manifest.iter().chain(&overlay.manifest) {
        manifest::policy(node, problems).apply(&mut policy);
    }
    let (documents, complete) = base.merge_documents(overlay);
    let manifest = match base.merge_manifest(overlay) {
        Some(node) => Manifest::read(node, environment, problems),
        None => Manifest::default(),
    };
    let mut documents = settle(documents, configured, &manifest, problems);
    if documents.is_empty() && complete {
        let message = "the application has no documents";
        let help = "add a `task-definition` and a `service`, `target-groups/` or `listener-rules/`";
        problems.push(Problem::of_file("no-documents", format!("{name}/{}", manifest::FILE), message).help(help));
    }
    let rules::Findings { cluster, allowances } = rules::check(
        &rules::ApplicationView::new(environment, configured.sound, &documents, complete, &manifest.allow_plaintext),
        problems,
    );
    // With a placeholder account and region, two environments would seem to declare the same resources.
    let claims = if configured.sound { ownership::claims(environment, &cluster, &documents) } else { Vec::new() };
    for document in documents.iter_mut().filter(|document| document.kind == Kind::Service) {
        document.remove_member("cluster");
    }
    let depends_on: BTreeSet<ApplicationName> = manifest.depends_on.keys().cloned().collect();
    let application = Application {
        name: name.clone(),
        environment: environment.name.clone(),
        cluster,
        policy,
        depends_on,
        documents: documents.into_iter().map(ParsedDocument::into_unresolved).collect(),
        allow_unknown: manifest.allow_unknown,
    };
    BuiltApplication { application, claims, allowances, dependencies: manifest.depends_on }
}

/// Settles the documents of an application and returns them in the order in which their resources are created.
fn settle(
    mut documents: Vec<ParsedDocument>,
    configured: &ConfiguredEnvironment,
    manifest: &Manifest,
    problems: &mut Vec<Problem>,
) -> Vec<ParsedDocument> {
    let platform = default_platform(&documents);
    let images: BTreeMap<String, Lookup> =
        manifest.images.iter().map(|(name, image)| (name.clone(), image.lookup(&platform))).collect();
    documents.sort_by_key(|document| Kind::ALL.iter().position(|kind| *kind == document.kind));
    let mut target_groups = BTreeMap::new();
    for document in &mut documents {
        let environment = &configured.environment;
        let scope = ReferenceScope { environment, images: &images, target_groups: &target_groups };
        document.settle(&scope, &manifest.allow_unknown, problems);
        if document.kind == Kind::TargetGroup {
            // Target groups come first, and the other kinds refer to them by their names in AWS. Target groups do not
            // refer to each other, so they can be added one by one.
            target_groups.insert(document.name.clone(), document.in_aws().map(str::to_owned));
        }
    }
    documents
}
