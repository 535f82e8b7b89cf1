//! Bounds, and that shared problems are not multiplied.

use std::sync::Arc;

use super::{ONE_ENVIRONMENT, tree};
use crate::desired::{FILES_MAX, load};

#[test]
fn a_tree_with_too_many_files_is_refused_as_a_whole() {
    let mut files = tree(ONE_ENVIRONMENT);
    for index in 0..FILES_MAX {
        files.insert(format!("notes/{index}.md"), Arc::from(&b""[..]));
    }
    let loaded = load(&files);
    assert!(!loaded.configuration_valid);
    let told: Vec<_> = loaded.problems.iter().map(super::show).collect();
    assert_eq!(
        told,
        [
            "trueup.toml: too-many: the desired state has 60001 files, more than 60000\n  help: split the desired state into several repositories"
        ]
    );
}

#[test]
fn an_application_with_too_many_documents_has_a_problem_and_the_others_do_not() {
    let mut files = tree(super::example::ELEARNING);
    files.insert("many/app.toml".to_owned(), Arc::from(&b""[..]));
    for index in 0..=crate::desired::DOCUMENTS_PER_APPLICATION_MAX {
        let text =
            format!("Name = \"g{index}\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-1\"\nTargetType = \"ip\"\n");
        files.insert(format!("many/target-groups/g{index}.toml"), Arc::from(text.as_bytes()));
    }
    let loaded = load(&files);
    let told: Vec<_> = loaded.problems.iter().map(super::show).collect();
    assert_eq!(
        told,
        [
            "many/target-groups/g99.toml: too-many: the application has more than 200 documents\n  help: split the application"
        ]
    );
    assert_eq!(loaded.applications.values().filter(|application| application.is_ok()).count(), 2);
}
