//! Checks across applications: dependencies between them, and two that declare the same resource.

use std::collections::BTreeMap;

use super::candidate::{BuiltApplication, CandidateKey, Candidates};
use super::ownership::OwnershipClaim;
use crate::document::{Problem, nearest};
use crate::names::ApplicationName;

/// Checks the applications against one another.
pub(super) fn check(applications: &mut Candidates) {
    let mut found: Vec<(CandidateKey, Problem)> = Vec::new();
    clashes(applications, &mut found);
    dependencies(applications, &mut found);
    for (key, problem) in found {
        let application = applications.get_mut(&key).expect("problems were found in applications that are there");
        application.problems.push(problem);
    }
}

/// The applications that could be built.
fn built(applications: &Candidates) -> impl Iterator<Item = (&CandidateKey, &BuiltApplication)> {
    applications.iter().filter_map(|(key, application)| Some((key, application.built.as_ref()?)))
}

/// Reports documents that declare the same resource: each would undo the other's repairs for ever.
fn clashes(applications: &Candidates, found: &mut Vec<(CandidateKey, Problem)>) {
    let mut claims: BTreeMap<&str, Vec<(&CandidateKey, &Problem)>> = BTreeMap::new();
    for (key, application) in built(applications) {
        for OwnershipClaim { resource, problem } in &application.claims {
            claims.entry(resource).or_default().push((key, problem));
        }
    }
    for claimants in claims.into_values().filter(|claimants| claimants.len() > 1) {
        for (index, &(key, problem)) in claimants.iter().enumerate() {
            let (other, elsewhere) = claimants[usize::from(index == 0)];
            let whose = match (other.1 == key.1, other.0 == key.0) {
                (true, true) => format!("`{}`", elsewhere.file),
                (true, false) => format!("environment `{}`, of the same account and region", other.0),
                (false, true) => format!("application `{}`", other.1),
                (false, false) => format!("application `{}` in environment `{}`", other.1, other.0),
            };
            let mut problem = problem.clone();
            problem.message = format!("{} is also declared by {whose}", problem.message);
            found.push((key.clone(), problem.help("declare it once, or choose another one here")));
        }
    }
}

/// Reports dependencies that do not exist in the same environment, and dependency cycles.
fn dependencies(applications: &Candidates, found: &mut Vec<(CandidateKey, Problem)>) {
    for (key, application) in built(applications) {
        for (name, problem) in &application.dependencies {
            let mut problem = problem.clone();
            if !applications.contains_key(&(key.0.clone(), name.clone())) {
                let known = || applications.keys().filter(|known| known.0 == key.0).map(|known| &known.1);
                problem.message = format!("there is no application `{name}` in environment `{}`", key.0);
                found.push((key.clone(), problem.help(nearest_application(name.as_str(), known()))));
            }
        }
    }
    let circles = circles(applications);
    for (key, application) in built(applications) {
        for (name, problem) in &application.dependencies {
            let mut problem = problem.clone();
            if *name == key.1 {
                "the application depends on itself".clone_into(&mut problem.message);
                found.push((key.clone(), problem.help("remove it")));
            } else if circles.get(&(key.0.clone(), name.clone())).is_some_and(|circle| circles.get(key) == Some(circle))
            {
                problem.message = format!("`{name}` depends on this application, too");
                found.push((key.clone(), problem.help("remove one of the dependencies between them")));
            }
        }
    }
}

/// A number for each application, the same for all applications of one dependency cycle (Kosaraju's algorithm). Linear.
fn circles(applications: &Candidates) -> BTreeMap<&CandidateKey, usize> {
    let keys: Vec<&CandidateKey> = applications.keys().collect();
    let index: BTreeMap<&CandidateKey, usize> = keys.iter().enumerate().map(|(index, key)| (*key, index)).collect();
    let mut forward = vec![Vec::new(); keys.len()];
    let mut backward = vec![Vec::new(); keys.len()];
    for (from, key) in keys.iter().enumerate() {
        for name in applications[*key].built.iter().flat_map(|built| built.dependencies.keys()) {
            if let Some(&to) = index.get(&(key.0.clone(), name.clone())) {
                forward[from].push(to);
                backward[to].push(from);
            }
        }
    }
    // The applications in post-order of a depth-first walk.
    let mut left = Vec::with_capacity(keys.len());
    let mut seen = vec![false; keys.len()];
    for start in 0..keys.len() {
        let mut walk = if std::mem::replace(&mut seen[start], true) { Vec::new() } else { vec![(start, 0)] };
        while let Some((node, next)) = walk.last_mut() {
            if let Some(&to) = forward[*node].get(*next) {
                *next += 1;
                if !std::mem::replace(&mut seen[to], true) {
                    walk.push((to, 0));
                }
            } else {
                left.push(*node);
                walk.pop();
            }
        }
    }
    let mut circle = vec![None; keys.len()];
    for &start in left.iter().rev() {
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            if circle[node].is_none() {
                circle[node] = Some(start);
                open.extend(&backward[node]);
            }
        }
    }
    keys.into_iter().zip(circle).filter_map(|(key, circle)| Some((key, circle?))).collect()
}

/// Help text that names the nearest application.
fn nearest_application<'a>(name: &str, known: impl Iterator<Item = &'a ApplicationName>) -> String {
    match nearest(name, known.map(ApplicationName::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name a directory with an `app.toml`, relative to the root".to_owned(),
    }
}
