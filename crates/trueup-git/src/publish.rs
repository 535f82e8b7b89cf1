//! Makes a repository to follow, where there is none: what the sandbox begins with.

use std::collections::BTreeMap;
use std::path::Path;

use git2::build::{RepoBuilder, TreeUpdateBuilder};
use git2::{FileMode, Repository, RepositoryInitOptions, Signature};
use trueup_core::names::Revision;
use trueup_ports::SourceError;

/// Who commits.
const AUTHOR: (&str, &str) = ("trueup sandbox", "sandbox@localhost");

/// Makes a bare repository with one commit on `branch`, of `files` by their paths, and a clone of it to work in.
///
/// Gives back the commit. Nothing is fetched and no git binary is needed; pushing from the clone needs one.
///
/// # Errors
/// When one of the directories exists already or cannot be written.
pub fn publish(bare: &Path, work: &Path, branch: &str, files: &BTreeMap<&str, &str>) -> Result<Revision, SourceError> {
    if let Some(taken) = [bare, work].into_iter().find(|path| path.exists()) {
        return Err(SourceError {
            message: format!("`{}` exists already", taken.display()),
            hint: Some("name another directory, or remove this one".to_owned()),
            transient: false,
        });
    }
    let failed = |error: &git2::Error| SourceError {
        message: format!("cannot make the repository `{}`: {}", bare.display(), error.message()),
        hint: None,
        transient: false,
    };
    let commit = create(bare, branch, files).map_err(|error| failed(&error))?;
    let cloned = RepoBuilder::new().branch(branch).clone(&bare.to_string_lossy(), work);
    let cloned = cloned.and_then(|clone| identify(&clone));
    cloned.map_err(|error| failed(&error))?;
    Ok(Revision::new(commit.to_string()))
}

fn create(bare: &Path, branch: &str, files: &BTreeMap<&str, &str>) -> Result<git2::Oid, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).initial_head(branch).mkpath(true);
    let repository = Repository::init_opts(bare, &options)?;
    let mut update = TreeUpdateBuilder::new();
    for (path, text) in files {
        update.upsert(*path, repository.blob(text.as_bytes())?, FileMode::Blob);
    }
    let empty = repository.find_tree(repository.treebuilder(None)?.write()?)?;
    let tree = repository.find_tree(update.create_updated(&repository, &empty)?)?;
    let author = Signature::now(AUTHOR.0, AUTHOR.1)?;
    repository.commit(Some(&format!("refs/heads/{branch}")), &author, &author, "The e-learning site", &tree, &[])
}

/// Commits one file anew to a branch of a bare repository, as a push would.
///
/// # Errors
/// When the repository or the branch cannot be read or written.
pub fn amend_file(bare: &Path, branch: &str, path: &str, text: &str, message: &str) -> Result<Revision, SourceError> {
    let commit = || {
        let repository = Repository::open_bare(bare)?;
        let name = format!("refs/heads/{branch}");
        let parent = repository.find_reference(&name)?.peel_to_commit()?;
        let mut update = TreeUpdateBuilder::new();
        update.upsert(path, repository.blob(text.as_bytes())?, FileMode::Blob);
        let tree = repository.find_tree(update.create_updated(&repository, &parent.tree()?)?)?;
        let author = Signature::now(AUTHOR.0, AUTHOR.1)?;
        repository.commit(Some(&name), &author, &author, message, &tree, &[&parent])
    };
    let committed = commit().map_err(|error: git2::Error| SourceError {
        message: format!("cannot commit to `{}`: {}", bare.display(), error.message()),
        hint: None,
        transient: false,
    })?;
    Ok(Revision::new(committed.to_string()))
}

/// Lets people commit in the clone who have never told git their name.
fn identify(clone: &Repository) -> Result<(), git2::Error> {
    let mut config = clone.config()?.open_level(git2::ConfigLevel::Local)?;
    config.set_str("user.name", AUTHOR.0)?;
    config.set_str("user.email", AUTHOR.1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{amend_file, publish};

    #[test]
    fn a_repository_and_a_clone_with_the_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let (bare, work) = (directory.path().join("site.git"), directory.path().join("site"));
        let files = BTreeMap::from([("desired-state/trueup.toml", "applications = []\n"), ("README.md", "Read me\n")]);
        let revision = publish(&bare, &work, "main", &files).expect("it is made");
        for (path, text) in files {
            assert_eq!(std::fs::read_to_string(work.join(path)).expect("it is there"), text);
        }
        let head = git2::Repository::open(&bare).expect("a repository");
        let head = head.head().expect("a head").target().expect("a commit").to_string();
        assert_eq!(head, revision.as_str());
        let next = amend_file(&bare, "main", "README.md", "Read it\n", "Another word").expect("it is committed");
        let repository = git2::Repository::open(&bare).expect("a repository");
        let head = repository.head().expect("a head").peel_to_commit().expect("a commit");
        assert_eq!((head.id().to_string().as_str(), head.parent_count()), (next.as_str(), 1));
        let again = publish(&bare, &work, "main", &BTreeMap::new()).expect_err("it is there already");
        assert!(again.message.contains("exists already"), "{again}");
    }
}
