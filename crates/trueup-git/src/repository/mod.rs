//! A repository of desired state: the cache kept true to its branch, behind the port [`Source`].

mod find;
mod poll;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use git2::{Commit, ErrorCode, Oid};
use jiff::Timestamp;
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::report::steers;
use trueup_ports::{Head, Snapshot, Source, SourceError};

use crate::addresses::{self, Resolver};
use crate::cache::{self, ACCEPTED, Cache};
use crate::config::Config;
use crate::fault::{Fault, ended_by, lasting, one_line, passing};
use crate::history::{self, Answers};
use crate::location::{Location, Transport};
use crate::remote::Remote;
use crate::tree;

/// A commit's subject has this many characters at most; the rest is cut.
const SUBJECT_CHARACTERS_MAX: usize = 200;

/// How much longer than the fetch's own limit a poll may take, to read what was fetched.
const POLL_GRACE: Duration = Duration::from_mins(1);

/// One branch of one repository.
///
/// The first poll of a process gives `Movement::First`, or `Movement::Rewritten` where the branch no longer has the head
/// that a process before it saw.
///
/// Cheap to clone. Polls come one after the other; reading snapshots never waits for the network. Everything runs on
/// tokio's blocking threads, and a server that drips bytes may hold one of them after the poll has given up: end the
/// runtime with `shutdown_timeout`.
#[derive(Clone, Debug)]
pub struct Repository {
    inner: Arc<Inner>,
    network: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    location: Location,
    path: Option<String>,
    cache: Cache,
    resolve: Resolver,
    /// The head that the last poll of this process gave.
    seen: Mutex<Option<Oid>>,
    /// The applications' revisions that were worked out last; those of a later commit are worked out from them.
    answers: Mutex<Option<Answers>>,
    /// A read found objects missing: the next poll fetches the repository again.
    damaged: AtomicBool,
}

impl Repository {
    /// Opens the cache of a repository, without asking the remote: the repository need not exist yet.
    ///
    /// Touches the disk, briefly.
    ///
    /// # Errors
    /// When the URL, the branch or the path is none that can be, or the cache directory cannot be used.
    pub fn open(config: Config) -> Result<Self, SourceError> {
        Self::open_where(config, addresses::system)
    }

    /// Opens it where names are looked up by `resolve`.
    fn open_where(mut config: Config, resolve: Resolver) -> Result<Self, SourceError> {
        crate::timeouts::set();
        let location = Location::parse(&config.url)?;
        // From here on only the checked spelling is around.
        config.url.clone_from(&location.url);
        if !git2::Reference::is_valid_name(&branch_ref(&config.branch)) {
            return Err(lasting(
                format!("`{}` is not the name of a branch", one_line(&config.branch)),
                "give the branch's short name, such as `main`",
            ));
        }
        let path = config.path.as_deref().map(tree::normal_path).transpose()?;
        let cache = Cache::open(&config.cache_dir, &location.url, &config.branch)?;
        let inner = Inner {
            config,
            location,
            path,
            cache,
            resolve,
            seen: Mutex::default(),
            answers: Mutex::default(),
            damaged: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner), network: Arc::default() })
    }

    /// How it is reached.
    pub(crate) fn transport(&self) -> &Transport {
        &self.inner.location.transport
    }

    /// The commit that `text` means: the branch's name, a commit of the branch by all or at least seven of its digits,
    /// or a tag or branch of the remote. The remote is asked for what is not here yet.
    ///
    /// # Errors
    /// When there is no such commit, or there are several.
    pub async fn find(&self, text: &str) -> Result<Revision, SourceError> {
        let text = text.to_owned();
        self.over_the_network(move |inner| inner.find(&text)).await
    }

    /// Runs `work`, which talks to the server, after whatever else does, and for a bounded time.
    async fn over_the_network<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let limit = self.inner.config.bounds.fetch_time_max + POLL_GRACE;
        let late = |_| {
            passing(
                format!("`{}` did not answer within {} s", self.inner.location.url, limit.as_secs()),
                "the server or the network hangs; trueup asks again",
            )
        };
        let network = Arc::clone(&self.network);
        let turn = tokio::time::timeout(limit, network.lock_owned()).await.map_err(late)?;
        let work = self.blocking(move |inner| {
            let _turn = turn;
            work(inner)
        });
        tokio::time::timeout(limit, work).await.map_err(late)?
    }

    /// Reads the store, without the network.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&git2::Repository) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, SourceError> {
        self.blocking(move |inner| inner.cache.read(read).map_err(|fault| inner.refusal(fault))).await
    }

    /// Remembers across restarts that a commit was verified last in an environment.
    pub(crate) async fn remember_verified(
        &self,
        environment: &EnvironmentName,
        revision: &Revision,
    ) -> Result<(), SourceError> {
        let (environment, revision) = (environment.clone(), revision.clone());
        self.blocking(move |inner| inner.remember_verified(&environment, &revision)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.unwrap_or_else(|error| {
            Err(passing(
                format!("reading `{}` ended unexpectedly: {}", self.inner.location.url, ended_by(&error)),
                "this is a defect in trueup or libgit2: report it; trueup tries again",
            ))
        })
    }
}

#[async_trait]
impl Source for Repository {
    async fn poll(&self) -> Result<Head, SourceError> {
        self.over_the_network(Inner::poll).await
    }

    async fn snapshot(&self, revision: &Revision) -> Result<Snapshot, SourceError> {
        let revision = revision.clone();
        self.blocking(move |inner| inner.snapshot(&revision)).await
    }

    async fn knows(&self, revision: &Revision) -> bool {
        let revision = revision.clone();
        self.blocking(move |inner| inner.knows(&revision)).await.unwrap_or(false)
    }

    async fn contains(&self, head: &Revision, revision: &Revision) -> bool {
        let (head, revision) = (head.clone(), revision.clone());
        self.blocking(move |inner| inner.contains(&head, &revision)).await.unwrap_or(false)
    }

    async fn accept(&self, revision: &Revision) -> Result<(), SourceError> {
        let revision = revision.clone();
        self.blocking(move |inner| inner.accept(&revision)).await
    }

    async fn accepted(&self) -> Option<Revision> {
        self.blocking(|inner| Ok(inner.accepted())).await.ok().flatten()
    }
}

impl Inner {
    fn remote(&self) -> Remote<'_> {
        Remote {
            location: &self.location,
            credentials: &self.config.credentials,
            bounds: &self.config.bounds,
            resolve: self.resolve,
        }
    }

    fn snapshot(&self, wanted: &Revision) -> Result<Snapshot, SourceError> {
        self.cache
            .read(|store| {
                let commit = self.commit(store, wanted)?;
                let (path, root) = tree::root(store, commit.tree()?, self.path.as_deref())?;
                let files = tree::read(store, &root, &self.config.bounds)?;
                Ok(Snapshot {
                    revision: wanted.clone(),
                    committed: Timestamp::from_second(commit.time().seconds()).unwrap_or(Timestamp::UNIX_EPOCH),
                    subject: subject(&commit),
                    application_revisions: self.application_revisions(store, &commit, &path, &files.applications)?,
                    files: files.files,
                })
            })
            .map_err(|fault| self.refusal(fault))
    }

    fn application_revisions(
        &self,
        store: &git2::Repository,
        commit: &Commit<'_>,
        path: &str,
        applications: &BTreeMap<String, Oid>,
    ) -> Result<BTreeMap<ApplicationName, Revision>, Fault> {
        let known = { self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone() };
        let commits_max = self.config.bounds.commits_max;
        let answers = history::answers(store, commit.id(), path, applications, known.as_ref(), commits_max)?;
        let revisions = answers.changed_by().map(|(name, id)| (ApplicationName::new(name), revision(id))).collect();
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
        Ok(revisions)
    }

    /// The commit of a revision, which must be in the store.
    fn commit<'s>(&self, store: &'s git2::Repository, wanted: &Revision) -> Result<Commit<'s>, Fault> {
        let absent = || {
            lasting(
                format!("`{}` has no commit `{}`", self.location.url, one_line(wanted.as_str())),
                "it was never on the branch, or the branch was rewritten since",
            )
        };
        let id = Oid::from_str(wanted.as_str()).map_err(|_| absent())?;
        match store.find_commit(id) {
            Ok(commit) => Ok(commit),
            // A ref of ours leads to it, so it has been here.
            Err(error) if cache::refs(store).iter().any(|(_, kept)| *kept == id) => Err(Fault::Damaged(error)),
            Err(error) if error.code() == ErrorCode::NotFound => Err(Fault::Refused(absent())),
            Err(error) => Err(Fault::Damaged(error)),
        }
    }

    fn knows(&self, wanted: &Revision) -> Result<bool, SourceError> {
        self.cache
            .read(|store| {
                let Ok(id) = Oid::from_str(wanted.as_str()) else { return Ok(false) };
                Ok(store.find_commit(id).is_ok() && find::leads_to(store, id))
            })
            .map_err(|fault| self.refusal(fault))
    }

    fn contains(&self, head: &Revision, wanted: &Revision) -> Result<bool, SourceError> {
        self.cache
            .read(|store| {
                let commit = |revision: &Revision| {
                    Oid::from_str(revision.as_str()).ok().filter(|id| store.find_commit(*id).is_ok())
                };
                let (Some(head), Some(id)) = (commit(head), commit(wanted)) else { return Ok(false) };
                Ok(head == id || store.graph_descendant_of(head, id).unwrap_or(false))
            })
            .map_err(|fault| self.refusal(fault))
    }

    fn accept(&self, wanted: &Revision) -> Result<(), SourceError> {
        self.cache
            .write(|store| {
                let id = self.commit(store, wanted)?.id();
                let before = cache::get(store, ACCEPTED);
                if before == Some(id) {
                    return Ok(());
                }
                if let Some(old) = before
                    && store.find_commit(old).is_ok()
                    && !store.graph_descendant_of(id, old).unwrap_or(false)
                {
                    cache::keep_former(store, old)?;
                }
                Ok(cache::set(store, ACCEPTED, id)?)
            })
            .map_err(|fault| self.refusal(fault))
    }

    fn remember_verified(&self, environment: &EnvironmentName, wanted: &Revision) -> Result<(), SourceError> {
        let name = environment.as_str();
        let is_remembered = |store: &git2::Repository| {
            Ok(cache::verified(store, name).is_some_and(|id| id.to_string() == wanted.as_str()))
        };
        let remember = |store: &git2::Repository| {
            let id = self.commit(store, wanted)?.id();
            Ok(cache::set_verified(store, name, id)?)
        };
        let remembered = self.cache.read(is_remembered);
        let done = remembered.and_then(|done| if done { Ok(()) } else { self.cache.write(remember) });
        done.map_err(|fault| self.refusal(fault))
    }

    fn accepted(&self) -> Option<Revision> {
        let read = self.cache.read(|store| {
            let accepted = cache::get(store, ACCEPTED);
            Ok(accepted.map(|id| store.find_commit(id)).transpose()?.map(|commit| revision(commit.id())))
        });
        read.unwrap_or_else(|fault| {
            self.note(&fault);
            None
        })
    }

    /// Remembers damage for the next poll.
    fn note(&self, fault: &Fault) {
        if let Fault::Damaged(error) = fault {
            let error = one_line(error.message());
            tracing::warn!(
                error,
                repository = self.location.url,
                "The git cache is damaged; the repository will be fetched again."
            );
            self.damaged.store(true, Ordering::Relaxed);
        }
    }

    fn refusal(&self, fault: Fault) -> SourceError {
        self.note(&fault);
        match fault {
            Fault::Refused(error) => error,
            Fault::Damaged(error) => passing(
                format!("the cache of `{}` is damaged: {}", self.location.url, one_line(error.message())),
                "the next poll fetches the repository again",
            ),
        }
    }
}

fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// A commit id as a revision.
pub(crate) fn revision(id: Oid) -> Revision {
    Revision::new(id.to_string())
}

/// The first line of a commit's message that is not empty, fit for a terminal and a log.
fn subject(commit: &Commit<'_>) -> String {
    let message = String::from_utf8_lossy(commit.message_bytes());
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(SUBJECT_CHARACTERS_MAX).map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_poll_does_not_connect_where_a_name_leads_to_metadata() {
        // Whoever answers for the name adds the instance's metadata to its addresses.
        let rebound: Resolver = |_, _| Ok(vec![[127, 0, 0, 1].into(), [169, 254, 169, 254].into()]);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let urls = ["http://localhost:PORT/state", "https://localhost:PORT/state", "ssh://git@localhost:PORT/state"];
        for url in urls.map(|url| url.replace("PORT", &port.to_string())) {
            let cache = tempfile::TempDir::new().unwrap();
            let mut config = Config::new(&url, "main", cache.path());
            config.credentials.https_token = Some(crate::Token::Value(crate::Secret::new("s3cret")));
            let error = Repository::open_where(config, rebound).unwrap().poll().await.unwrap_err();
            assert!(error.message.contains("leads to 169.254.169.254"), "{url}: {error:?}");
            assert!(error.hint.is_some() && !error.transient, "{url}: {error:?}");
            assert!(listener.accept().is_err(), "{url}: somebody connected");
        }
    }

    #[tokio::test]
    async fn a_panic_is_told_without_its_message() {
        let directory = tempfile::tempdir().unwrap();
        let repository = directory.path().join("state.git");
        let config = Config::new(repository.to_string_lossy(), "main", directory.path().join("cache"));
        let canary = "canary-77a0-of-a-panic".to_owned();
        let error = Repository::open(config).unwrap().blocking::<()>(move |_| panic!("{canary}")).await.unwrap_err();
        assert!(error.message.ends_with("ended unexpectedly: it panicked"), "{error:?}");
    }
}
