//! A poll: the cache is brought up to the branch's head, and where that cannot be done, replaced.

use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use git2::{ErrorCode, Oid, RepositoryOpenFlags};
use trueup_ports::{Head, Movement, SourceError};

use super::{Inner, branch_ref, revision};
use crate::cache::{self, HEAD, Turn};
use crate::fault::{Fault, lasting, one_line, passing};
use crate::location::Transport;
use crate::remote::{Reason, Refs};
use crate::tree;

impl Inner {
    /// Asks the remote for the head of the branch and has its objects.
    pub fn poll(&self) -> Result<Head, SourceError> {
        let turn = self.cache.turn()?;
        let stored = self.cache.read(|store| Ok(cache::get(store, HEAD))).unwrap_or_else(|fault| {
            self.note(&fault);
            None
        });
        let head = self.advance(&turn, stored)?;
        let before = { *self.seen.lock().unwrap_or_else(PoisonError::into_inner) };
        let movement = self
            .cache
            .write(|store| {
                // An unrelated history has no common ancestor, which makes it a rewritten one.
                let follows = |old| old == head || store.graph_descendant_of(head, old).unwrap_or(false);
                if let Some(old) = stored.filter(|old| !follows(*old) && store.find_commit(*old).is_ok()) {
                    cache::keep_former(store, old)?;
                }
                if stored != Some(head) {
                    cache::set(store, HEAD, head)?;
                }
                Ok(match before.or(stored) {
                    Some(old) if !follows(old) => Movement::Rewritten,
                    Some(_) | None if before.is_none() => Movement::First,
                    Some(old) if old == head => Movement::Still,
                    Some(_) | None => Movement::Forward,
                })
            })
            .map_err(|fault| self.refusal(fault))?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
        if let Err(fault) = self.cache.compact(&turn) {
            // The store works as it is; the next poll tries again.
            tracing::warn!(error = %self.refusal(fault), "The git cache could not be compacted.");
        }
        Ok(Head { revision: revision(head), movement })
    }

    /// Brings the store up to the branch's head and returns that head. Changes no refs.
    fn advance(&self, turn: &Turn, stored: Option<Oid>) -> Result<Oid, SourceError> {
        let whole = !self.damaged.load(Ordering::Relaxed);
        if whole {
            if let (Transport::Path(path), Some(stored)) = (&self.location.transport, stored)
                && self.head_of_path(path)? == Some(stored)
            {
                return Ok(stored);
            }
            let advanced = self.cache.with_turn(turn).map_err(Fault::from).and_then(|store| {
                let head = self.fetch(&store, stored)?;
                if Some(head) != stored {
                    self.look_at(&store, head)?;
                }
                Ok(head)
            });
            match advanced {
                Ok(head) => return Ok(head),
                Err(Fault::Refused(error)) => return Err(error),
                Err(fault @ Fault::Damaged(_)) => self.note(&fault),
            }
        }
        let replaced = self.cache.replace(turn, |fresh| {
            let head = self.fetch(fresh, None)?;
            self.look_at(fresh, head)?;
            // Readers of the new store find its head at once.
            cache::set(fresh, HEAD, head)?;
            Ok(head)
        });
        match replaced {
            Ok(head) => {
                self.damaged.store(false, Ordering::Relaxed);
                Ok(head)
            }
            Err(Fault::Refused(error)) => Err(error),
            Err(Fault::Damaged(error)) => Err(passing(
                format!("`{}` sent objects that do not fit together: {}", self.location.url, one_line(error.message())),
                "run `git fsck` in the repository; trueup asks again",
            )),
        }
    }

    /// Downloads the branch's head unless it is the stored one.
    fn fetch(&self, store: &git2::Repository, stored: Option<Oid>) -> Result<Oid, Fault> {
        if let Transport::Path(path) = &self.location.transport {
            // For its better words about what is not there.
            self.head_of_path(path)?;
        }
        let name = branch_ref(&self.config.branch);
        self.remote().visit(store, |refs| {
            let head = *refs.get(&name).ok_or_else(|| self.no_branch(refs))?;
            // The destination is for the negotiation only: a download writes no refs.
            let wanted = if stored == Some(head) { Vec::new() } else { vec![format!("+{name}:{HEAD}")] };
            Ok((head, wanted))
        })
    }

    /// Reads what a snapshot would read, so that a store with holes is found while the remote is there to fill them.
    fn look_at(&self, store: &git2::Repository, head: Oid) -> Result<(), Fault> {
        let tree = store.find_commit(head)?.tree()?;
        let read = tree::root(store, tree, self.path.as_deref())
            .and_then(|(_, root)| tree::read(store, &root, &self.config.bounds));
        match read {
            // What is refused in it is the snapshot's to tell: this head is known and the branch may move on.
            Ok(_) | Err(Fault::Refused(_)) => Ok(()),
            Err(fault @ Fault::Damaged(_)) => Err(fault),
        }
    }

    /// The branch's head in a repository on this machine, read without a conversation.
    fn head_of_path(&self, path: &Path) -> Result<Option<Oid>, SourceError> {
        let explain = |error: &git2::Error| self.remote().explain(error, &Reason::default());
        let none = std::iter::empty::<&std::ffi::OsStr>();
        let source =
            git2::Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none).map_err(|error| explain(&error))?;
        if source.is_shallow() {
            return Err(lasting(
                format!("`{}` is a shallow clone", self.location.url),
                "which commit changed an application is in the history: run `git fetch --unshallow` there",
            ));
        }
        match source.refname_to_id(&branch_ref(&self.config.branch)) {
            Ok(id) => Ok(Some(id)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(explain(&error)),
        }
    }

    fn no_branch(&self, refs: &Refs) -> SourceError {
        let place = &self.location.url;
        let branches: Vec<_> =
            refs.keys().filter_map(|name| name.strip_prefix("refs/heads/")).take(20).map(one_line).collect();
        if branches.is_empty() {
            return passing(
                format!("`{place}` has no branches yet"),
                format!("push the desired state to branch `{}`", self.config.branch),
            );
        }
        lasting(
            format!("`{place}` has no branch `{}`", self.config.branch),
            format!("choose one with `--branch`; there are: {}", branches.join(", ")),
        )
    }
}
