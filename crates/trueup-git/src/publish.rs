//! Creates a repository to follow where none exists: the sandbox's first step.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::Path;

use git2::build::{RepoBuilder, TreeUpdateBuilder};
use git2::{FileMode, Repository, RepositoryInitOptions, Signature};
use trueup_core::names::Revision;
use trueup_ports::SourceError;

/// Who commits.
const AUTHOR: (&str, &str) = ("trueup sandbox", "sandbox@localhost");

/// Creates a bare repository with one commit of `files` on `branch`. The repository appears complete or not at all,
/// even if this process ends at any moment.
///
/// Gives back the commit. Nothing is fetched and no git binary is needed.
///
/// # Errors
/// When it exists already or cannot be written.
pub fn publish(bare: &Path, branch: &str, files: &BTreeMap<&str, &str>) -> Result<Revision, SourceError> {
    let commit = whole(bare, |path| create(path, branch, files))?;
    Ok(Revision::new(commit.to_string()))
}

/// Clones a bare repository for people to work in. As with [`publish`], the clone appears complete or not at all;
/// pushing from it needs a git binary.
///
/// # Errors
/// When it exists already or cannot be written, or the bare repository cannot be read.
pub fn clone_to_work_in(bare: &Path, work: &Path, branch: &str) -> Result<(), SourceError> {
    whole(work, |path| {
        let clone = RepoBuilder::new().branch(branch).clone(&bare.to_string_lossy(), path)?;
        configure(&clone)
    })
}

/// Creates a directory under a temporary name, then renames it.
fn whole<T>(path: &Path, make: impl FnOnce(&Path) -> Result<T, git2::Error>) -> Result<T, SourceError> {
    let error =
        |message: String, hint: Option<&str>| SourceError { message, hint: hint.map(str::to_owned), transient: false };
    if path.exists() {
        let hint = "name another directory, or remove this one";
        return Err(error(format!("`{}` exists already", path.display()), Some(hint)));
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let unmade =
        |cause: &dyn Display| error(format!("cannot create the repository `{}`: {cause}", path.display()), None);
    if partial.exists() {
        // Of one that was killed.
        fs::remove_dir_all(partial).map_err(|error| unmade(&error))?;
    }
    let whole = make(partial).map_err(|error| unmade(&error.message()))?;
    fs::rename(partial, path).map_err(|error| unmade(&error))?;
    Ok(whole)
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

/// Commits a new version of one file to a branch of a bare repository, as a push would.
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

/// Configures the clone so that anyone can commit and push in it: people whose git has no name configured, signs with
/// a key, or does not push by default.
fn configure(clone: &Repository) -> Result<(), git2::Error> {
    let mut config = clone.config()?.open_level(git2::ConfigLevel::Local)?;
    config.set_str("user.name", AUTHOR.0)?;
    config.set_str("user.email", AUTHOR.1)?;
    config.set_bool("commit.gpgSign", false)?;
    config.set_str("push.default", "simple")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{amend_file, clone_to_work_in, publish};

    #[test]
    fn a_repository_and_a_clone_with_the_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let (bare, work) = (directory.path().join("site.git"), directory.path().join("site"));
        let files = BTreeMap::from([("desired-state/trueup.toml", "applications = []\n"), ("README.md", "Read me\n")]);
        // What one left that was killed is no obstacle.
        std::fs::create_dir_all(directory.path().join("site.git.partial/refs")).expect("it is made");
        let revision = publish(&bare, "main", &files).expect("it is made");
        clone_to_work_in(&bare, &work, "main").expect("it is cloned");
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
        let again = publish(&bare, "main", &BTreeMap::new()).expect_err("it is there already");
        assert!(again.message.contains("exists already"), "{again}");
        let again = clone_to_work_in(&bare, &work, "main").expect_err("it is there already");
        assert!(again.message.contains("exists already"), "{again}");
        let left = std::fs::read_dir(directory.path()).expect("a directory").count();
        assert_eq!(left, 2, "nothing is half made");
    }
}
