//! A commit as an operator names it: some of its digits, a tag or a branch.

use git2::{ErrorCode, Oid};
use trueup_core::names::Revision;
use trueup_ports::SourceError;

use super::{Inner, branch_ref, revision};
use crate::cache::{self, HEAD, NAMED};
use crate::fault::{Fault, lasting, one_line};

/// Fewer digits than git itself shows could mean too many commits.
const PREFIX_DIGITS_MIN: usize = 7;

impl Inner {
    /// The commit, from the cache where it is there, else from the remote.
    pub fn find(&self, text: &str) -> Result<Revision, SourceError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let here = |store: &git2::Repository| {
            if text == self.config.branch {
                return Ok(cache::get(store, HEAD));
            }
            if !digits || !(PREFIX_DIGITS_MIN..=40).contains(&text.len()) {
                return Ok(None);
            }
            match store.find_commit_by_prefix(text) {
                Ok(commit) => Ok(Some(commit.id()).filter(|id| leads_to(store, *id))),
                Err(error) if error.code() == ErrorCode::Ambiguous => Err(Fault::Refused(lasting(
                    format!("several commits or files begin with `{text}`"),
                    "give more of the commit's digits",
                ))),
                Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
                Err(error) => Err(Fault::Damaged(error)),
            }
        };
        if let Some(id) = self.cache.read(here).map_err(|fault| self.refusal(fault))? {
            return Ok(revision(id));
        }
        // A commit of the branch may be one that was never fetched here, or not yet.
        if digits || text == self.config.branch {
            self.poll()?;
            if let Some(id) = self.cache.read(here).map_err(|fault| self.refusal(fault))? {
                return Ok(revision(id));
            }
        }
        let absent = || {
            lasting(
                format!("`{}` has no `{}`", self.location.url, one_line(text)),
                format!(
                    "give a commit of branch `{}` (at least {PREFIX_DIGITS_MIN} of its digits), a tag or a branch",
                    self.config.branch
                ),
            )
        };
        // A name that is no ref's could be a pattern in a refspec.
        if !git2::Reference::is_valid_name(&branch_ref(text)) {
            return Err(absent());
        }
        let turn = self.cache.turn()?;
        let named = self.cache.with_turn(&turn).map_err(Fault::from).and_then(|store| {
            self.remote().visit(&store, |refs| {
                let candidates = [format!("refs/tags/{text}"), branch_ref(text)];
                let name = candidates.into_iter().find(|name| refs.contains_key(name)).ok_or_else(absent)?;
                // An annotated tag is an object of its own; the commit behind it is listed separately.
                let id = *refs.get(&format!("{name}^{{}}")).unwrap_or(&refs[&name]);
                Ok((id, vec![format!("+{name}:{NAMED}")]))
            })
        });
        named
            .and_then(|id| {
                self.cache.write(|store| {
                    store.find_commit(id).map_err(|_| absent())?;
                    cache::set(store, NAMED, id)?;
                    Ok(revision(id))
                })
            })
            .map_err(|fault| self.refusal(fault))
    }
}

/// Whether a ref of ours is this commit or descends from it.
pub(super) fn leads_to(store: &git2::Repository, id: Oid) -> bool {
    cache::refs(store).into_iter().any(|(_, tip)| tip == id || store.graph_descendant_of(tip, id).unwrap_or(false))
}
