//! Inputs of the benchmarks: many applications in the manner of the example, a large task definition, and a fleet of
//! services together with an AWS that has it.

pub mod aws;
pub mod fleet;
pub mod measure;

mod answers;
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

/// Where the example of the repository is.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../desired-state");

/// The example's files below `elearning/`, by path relative to it, and its `trueup.toml`.
///
/// # Panics
/// When the example cannot be read.
fn example() -> (BTreeMap<String, String>, String) {
    fn walk(directory: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).expect("the example is in the repository") {
            let entry = entry.expect("the example is in the repository");
            let name = entry.file_name().into_string().expect("its names are ASCII");
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if entry.path().is_dir() {
                walk(&entry.path(), &path, files);
            } else {
                files.insert(path, fs::read_to_string(entry.path()).expect("the example is text"));
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(&Path::new(EXAMPLE).join("elearning"), "", &mut files);
    let configuration = fs::read_to_string(Path::new(EXAMPLE).join("trueup.toml")).expect("the example has one");
    (files, configuration)
}

/// A tree of `count` applications like the example's, each with names of its own.
pub fn applications(count: usize) -> BTreeMap<String, Arc<[u8]>> {
    let (files, configuration) = example();
    let mut tree = BTreeMap::new();
    tree.insert("trueup.toml".to_owned(), Arc::from(configuration.into_bytes()));
    for number in 0..count {
        for (path, text) in &files {
            // Names that must be unique in an account, and a listener of its own for each hundred applications.
            let text = text
                .replace("elearning-system-service", &format!("service-{number}"))
                .replace("elearning-system-backend-tg", &format!("backend-{number}"))
                .replace("elearning-system-frontend-tg", &format!("frontend-{number}"))
                .replace("family = \"elearning-system\"", &format!("family = \"family-{number}\""))
                .replace("listener.elearning-system-alb.80", &format!("listener.alb-{number}.80"));
            tree.insert(format!("app-{number}/{path}"), Arc::from(text.into_bytes()));
        }
    }
    tree
}

/// A task definition with `containers` containers of `variables` environment variables each, as an author writes it
/// and as AWS gives it back (defaults completed, sets in another order).
pub fn task_definition(containers: usize, variables: usize) -> (Value, Value) {
    let environment = |container: usize| -> Vec<Value> {
        (0..variables)
            .map(|n| json!({ "name": format!("VARIABLE_{n}"), "value": format!("value {container}.{n}") }))
            .collect()
    };
    let desired: Vec<Value> = (0..containers)
        .map(|n| {
            json!({
                "name": format!("container-{n}"),
                "image": format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/image-{n}:1.0"),
                "environment": environment(n),
                "portMappings": [{ "containerPort": 8000 + n }],
                "healthCheck": { "command": ["CMD-SHELL", "curl -f http://localhost/"] },
            })
        })
        .collect();
    let live: Vec<Value> = (0..containers)
        .rev()
        .map(|n| {
            let mut environment = environment(n);
            environment.reverse();
            json!({
                "name": format!("container-{n}"),
                "image": format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/image-{n}:1.0"),
                "cpu": 0,
                "essential": true,
                "environment": environment,
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
                "portMappings": [{ "containerPort": 8000 + n, "hostPort": 8000 + n, "protocol": "tcp" }],
                "healthCheck": {
                    "command": ["CMD-SHELL", "curl -f http://localhost/"], "interval": 30, "timeout": 5, "retries": 3
                },
            })
        })
        .collect();
    let head = json!({ "family": "large", "networkMode": "awsvpc", "cpu": "4096", "memory": "16384" });
    let with = |containers: Vec<Value>| {
        let mut document = head.clone();
        document["containerDefinitions"] = Value::Array(containers);
        document
    };
    (with(desired), with(live))
}
