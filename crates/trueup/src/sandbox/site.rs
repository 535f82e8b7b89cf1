//! The example's files as they stand in the sandbox's repository, and the images that its registry has.

use std::collections::BTreeMap;

/// The application of the example.
pub const APPLICATION: &str = "elearning";

/// The cluster of the example.
pub const CLUSTER: &str = "elearning-system-cluster";

/// The service of the example.
pub const SERVICE: &str = "elearning-system-service";

/// The file in which a person writes another tag.
pub const IMAGES: &str = "desired-state/elearning/app.toml";

/// Tags of the backend that come up.
pub const GOOD: [&str; 3] = ["latest", "1.1", "1.2"];

/// The tag of a backend that exits as soon as it starts.
pub const BROKEN: &str = "broken";

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        BTreeMap::from([$((concat!("desired-state/", $path), include_str!(concat!("../../../../desired-state/", $path)))),*])
    };
}

/// The files of the first commit.
pub fn files() -> BTreeMap<&'static str, &'static str> {
    files!(
        "trueup.toml",
        "elearning/app.toml",
        "elearning/task-definition.toml",
        "elearning/service.toml",
        "elearning/target-groups/backend.toml",
        "elearning/target-groups/frontend.toml",
        "elearning/listener-rules/api.toml",
        "elearning/listener-rules/frontend.toml",
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::files;

    #[test]
    fn all_files_of_the_example_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = Vec::new();
        let mut open = vec![root.join("desired-state")];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).expect("it is there") {
                let path = entry.expect("it can be read").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push(path.strip_prefix(&root).expect("it is below").to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        assert_eq!(found, files().into_keys().collect::<Vec<_>>());
    }
}
