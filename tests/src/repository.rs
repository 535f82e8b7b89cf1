//! The git repository of desired state: a bare one that trueup reads, and a clone that a person commits in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// A bare repository and a clone of it, with the branch `main`.
pub struct Repository {
    bare: PathBuf,
    clone: PathBuf,
}

impl Repository {
    /// Makes both in `directory`, with nothing in them.
    ///
    /// # Errors
    /// When git is not there.
    pub fn create(directory: &Path) -> Result<Self> {
        let repository = Self { bare: directory.join("desired-state.git"), clone: directory.join("clone") };
        for path in [&repository.bare, &repository.clone] {
            fs::create_dir_all(path)?;
        }
        git(&repository.bare, &["init", "--quiet", "--bare", "--initial-branch=main"])?;
        git(&repository.clone, &["init", "--quiet", "--initial-branch=main"])?;
        let bare = repository.bare.to_str().context("the directory's name is text")?;
        git(&repository.clone, &["remote", "add", "origin", bare])?;
        Ok(repository)
    }

    /// Both as they are there already.
    pub fn existing(bare: PathBuf, clone: PathBuf) -> Self {
        Self { bare, clone }
    }

    /// The bare repository: what `--repository` names.
    pub fn url(&self) -> &Path {
        &self.bare
    }

    /// The clone.
    pub fn clone_directory(&self) -> &Path {
        &self.clone
    }

    /// Copies a directory's files to `path` in the clone.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn copy(&self, from: &Path, path: &str) -> Result<()> {
        copy(from, &self.clone.join(path))
    }

    /// Writes a file in the clone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.clone.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a directory")?)?;
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Replaces `old`, which must be in the file exactly once, by `new`.
    ///
    /// # Errors
    /// When it does not.
    pub fn edit(&self, path: &str, old: &str, new: &str) -> Result<()> {
        let text = fs::read_to_string(self.clone.join(path)).with_context(|| format!("cannot read `{path}`"))?;
        let count = text.matches(old).count();
        if count != 1 {
            bail!("`{old}` occurs {count} times in `{path}`, so it is not clear what to change");
        }
        self.write(path, &text.replacen(old, new, 1))
    }

    /// Commits all of the clone and pushes it. Gives the commit's id.
    ///
    /// # Errors
    /// When there is nothing to commit.
    pub fn push(&self, message: &str) -> Result<String> {
        self.commit_and_push(&[], &["--message", message])
    }

    /// As [`Repository::push`], with the commit signed by this private key of SSH.
    ///
    /// # Errors
    /// When there is nothing to commit, or ssh-keygen cannot sign.
    pub fn push_signed(&self, message: &str, key: &Path) -> Result<String> {
        let key = format!("user.signingKey={}", key.display());
        self.commit_and_push(&["-c", "gpg.format=ssh", "-c", &key], &["-S", "--message", message])
    }

    /// Signs the last commit, which was pushed already, and pushes it again. Gives its new id.
    ///
    /// # Errors
    /// When ssh-keygen cannot sign.
    pub fn sign_last(&self, key: &Path) -> Result<String> {
        let key = format!("user.signingKey={}", key.display());
        self.commit_and_push(&["-c", "gpg.format=ssh", "-c", &key], &["-S", "--amend", "--no-edit"])
    }

    /// Takes the last commits off the branch in the clone, with what they changed.
    ///
    /// # Errors
    /// When there are not so many.
    pub fn drop_last(&self, commits: u32) -> Result<()> {
        git(&self.clone, &["reset", "--quiet", "--hard", &format!("HEAD~{commits}")]).map(drop)
    }

    fn commit_and_push(&self, configuration: &[&str], arguments: &[&str]) -> Result<String> {
        git(&self.clone, &["add", "--all"])?;
        git(&self.clone, &[configuration, &["commit", "--quiet"], arguments].concat())?;
        // What was signed again is another commit.
        git(&self.clone, &["push", "--quiet", "--force", "origin", "main"])?;
        Ok(git(&self.clone, &["rev-parse", "HEAD"])?.trim().to_owned())
    }
}

/// Runs git without any user's configuration.
fn git(directory: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(directory)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")]);
    let output = command.output().context("cannot start git, which the tests use to commit and push")?;
    if !output.status.success() {
        bail!("git {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read `{}`", from.display()))? {
        let (path, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
