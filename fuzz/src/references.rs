//! References in string values.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use trueup_core::desired::{FileTree, load};
use trueup_core::kind::Kind;
use trueup_core::live::Observed;
use trueup_core::names::Revision;

const CONFIGURATION: &str = "applications = [\"*\"]\n[environments.production]\naccount = \"123456789012\"\n\
                             region = \"eu-central-1\"\ncluster = \"main\"\n[environments.production.variables]\nx = \"y\"\n";

/// The bytes are the value of a label and of a variable. Where they are accepted, all references in them resolve once every
/// lookup was answered, and text without `${` is unchanged.
pub fn references(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let task = json!({
        "family": "web",
        "containerDefinitions": [{
            "name": "web", "image": "registry.example.com/web:1", "memory": 128,
            "dockerLabels": { "label": text },
            "environment": [{ "name": "VALUE", "value": text }],
        }],
    });
    let file = |text: String| Arc::<[u8]>::from(text.into_bytes());
    let files: FileTree = BTreeMap::from([
        ("trueup.toml".to_owned(), file(CONFIGURATION.to_owned())),
        ("web/app.toml".to_owned(), file("allow_plaintext = [\"task-definition\"]\n".to_owned())),
        ("web/task-definition.json".to_owned(), file(task.to_string())),
    ]);
    for application in load(&files).applications.values().flatten() {
        let found: BTreeMap<_, _> = application
            .lookups()
            .into_iter()
            .map(|lookup| (lookup, Observed::Present("arn:aws:x".to_owned())))
            .collect();
        let desired = application.resolve(&Revision::new("0".repeat(40)), &found);
        assert!(desired.unresolved.is_empty(), "{text:?}: {:?}", desired.unresolved);
        let task = desired.single(Kind::TaskDefinition).expect("it has one");
        let label = &task.body["containerDefinitions"][0]["dockerLabels"]["label"];
        if !text.contains("${") {
            assert_eq!(label, &json!(text), "text without references is unchanged");
        }
    }
}
