//! Which commits may be applied, by their signatures.

use std::collections::BTreeMap;

use git2::Oid;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use trueup_core::names::{EnvironmentName, Revision};
use trueup_git::{Commits, Repository, Rule, Rules, Verification};
use trueup_ports::{NotVerified, Source as _, Verifier as _};
use trueup_verify::AllowedSigners;

use crate::world::{World, revision, tree};

/// A repository in which some commits are signed.
struct Signed {
    world: World,
    ada: PrivateKey,
    mallory: PrivateKey,
}

/// Who signs a commit.
#[derive(Clone, Copy)]
enum By {
    Ada,
    Mallory,
    Nobody,
}

impl Signed {
    fn new() -> Self {
        let key =
            |seed| PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").expect("a key");
        Self { world: World::new(), ada: key(1), mallory: key(2) }
    }

    fn signers(&self) -> AllowedSigners {
        let mut signers = AllowedSigners::default();
        let key = self.ada.public_key().to_openssh().expect("text");
        signers.add_ssh(&format!("ada@example.com namespaces=\"git\" {key}")).expect("a line");
        signers
    }

    /// A commit on top of `parents`, signed.
    fn commit(&self, by: By, parents: &[Oid]) -> Oid {
        let files = tree(&[("trueup.toml", &format!("# {}", parents.len()))]);
        let unsigned = self.world.commit(parents, &files, "change");
        let key = match by {
            By::Ada => &self.ada,
            By::Mallory => &self.mallory,
            By::Nobody => return unsigned,
        };
        let object = object(&self.world, unsigned);
        let signature = key.sign("git", HashAlg::Sha512, &object).expect("signs");
        let signature = signature.to_pem(LineEnding::LF).expect("text");
        let text = String::from_utf8(object).expect("the test's commits are text");
        self.world.git.commit_signed(&text, signature.trim_end(), None).expect("a commit")
    }

    /// Commits in a row on top of `parent`.
    fn row(&self, parent: Option<Oid>, by: &[By]) -> Vec<Oid> {
        let mut commits: Vec<Oid> = Vec::new();
        for by in by {
            let parents: Vec<Oid> = commits.last().copied().or(parent).into_iter().collect();
            commits.push(self.commit(*by, &parents));
        }
        commits
    }

    /// A process's rule for production.
    fn rules(commits: Commits, signers: AllowedSigners) -> Rules {
        Rules { environments: BTreeMap::from([(production(), Rule { commits, signers })]), others: None }
    }

    /// A process that has fetched `head`.
    async fn process(&self, head: Oid) -> Repository {
        self.world.set("main", head);
        let reader = self.world.reader();
        reader.poll().await.expect("it is there");
        reader
    }

    async fn verification(&self, head: Oid, commits: Commits) -> Verification {
        Verification::new(self.process(head).await, Self::rules(commits, self.signers()))
    }
}

/// A commit object as it is stored.
fn object(world: &World, id: Oid) -> Vec<u8> {
    let odb = world.git.odb().expect("a store");
    odb.read(id).expect("it was written").data().to_vec()
}

fn production() -> EnvironmentName {
    EnvironmentName::new("production")
}

/// The commit that is to blame, when there is one.
async fn blamed(verification: &Verification, head: Oid, verified: Option<Oid>) -> Option<Revision> {
    let verified = verified.map(revision);
    match verification.verify(&production(), &revision(head), verified.as_ref()).await {
        Ok(()) => None,
        Err(NotVerified::Refused(unverified)) => Some(unverified.commit),
        Err(NotVerified::Unknown(error)) => panic!("{error:?}"),
    }
}

const EVERY: Commits = Commits::Every { since: None };

#[tokio::test]
async fn the_head_must_be_signed_by_somebody_who_may() {
    let signed = Signed::new();
    for (by, is_taken) in [(By::Ada, true), (By::Mallory, false), (By::Nobody, false)] {
        let row = signed.row(None, &[By::Nobody, by]);
        let verification = signed.verification(row[1], Commits::Head).await;
        assert_eq!(blamed(&verification, row[1], None).await.is_none(), is_taken);
    }
}

#[tokio::test]
async fn only_environments_with_a_rule_are_judged() {
    let signed = Signed::new();
    let head = signed.row(None, &[By::Nobody])[0];
    let verification = signed.verification(head, Commits::Head).await;
    let staging = EnvironmentName::new("staging");
    assert!(verification.demands(&production()) && !verification.demands(&staging));
    assert_eq!(verification.verify(&staging, &revision(head), None).await, Ok(()));
    assert_eq!(verification.named().into_iter().collect::<Vec<_>>(), [production()]);

    let others = Some(Rule { commits: Commits::Head, signers: signed.signers() });
    let rules = Rules { environments: BTreeMap::new(), others };
    let verification = Verification::new(signed.process(head).await, rules);
    assert!(verification.demands(&staging) && verification.named().is_empty());
    assert!(verification.verify(&staging, &revision(head), None).await.is_err());
}

#[tokio::test]
async fn every_commit_since_the_one_that_was_verified_last_must_be_signed() {
    let signed = Signed::new();
    let row = signed.row(None, &[By::Nobody, By::Ada, By::Ada, By::Nobody, By::Ada]);
    let verification = signed.verification(row[4], EVERY).await;
    // what was verified last | the head | who is to blame
    let table = [
        (Some(1), 2, None),
        (Some(2), 4, Some(3)),
        // What is said to be verified, and is not: it counts from the one before that is.
        (Some(3), 4, Some(3)),
        (Some(1), 3, Some(3)),
        // The branch was set back: what it is set back to must be signed itself.
        (Some(4), 2, None),
        (Some(4), 0, Some(0)),
    ];
    for (verified, head, expected) in table {
        let blamed = blamed(&verification, row[head], verified.map(|at| row[at])).await;
        assert_eq!(blamed, expected.map(|at| revision(row[at])), "{verified:?} {head}");
    }
}

#[tokio::test]
async fn merged_branches_must_be_signed_too() {
    let signed = Signed::new();
    let base = signed.row(None, &[By::Ada])[0];
    let side = signed.row(Some(base), &[By::Nobody, By::Ada]);
    let main = signed.row(Some(base), &[By::Ada])[0];
    let merge = signed.commit(By::Ada, &[main, side[1]]);
    let every = signed.verification(merge, EVERY).await;
    assert_eq!(blamed(&every, merge, Some(base)).await, Some(revision(side[0])));
    let head = signed.verification(merge, Commits::Head).await;
    assert_eq!(blamed(&head, merge, Some(base)).await, None);
}

#[tokio::test]
async fn what_the_operator_trusts_need_not_be_signed_and_what_comes_after_must() {
    let signed = Signed::new();
    let row = signed.row(None, &[By::Nobody, By::Nobody, By::Ada, By::Nobody]);
    // since | the head | who is to blame
    let table = [(1, 1, None), (1, 2, None), (0, 2, Some(1)), (1, 3, Some(3)), (3, 3, None)];
    for (since, head, expected) in table {
        let verification = signed.verification(row[3], Commits::Every { since: Some(revision(row[since])) }).await;
        let blamed = blamed(&verification, row[head], Some(row[since])).await;
        assert_eq!(blamed, expected.map(|at| revision(row[at])), "{since} {head}");
    }
    let elsewhere = Revision::new("0123456789012345678901234567890123456789");
    let verification = signed.verification(row[3], Commits::Every { since: Some(elsewhere) }).await;
    let refused = verification.verify(&production(), &revision(row[2]), None).await.expect_err("nothing to begin with");
    assert!(format!("{refused:?}").contains("does not have the commit `0123456789012345678901234567890123456789`"));
    assert_eq!(verification.last_verified(&production(), &revision(row[3])).await, Ok(None));
}

#[tokio::test]
async fn a_later_process_goes_on_from_what_was_verified() {
    let signed = Signed::new();
    let row = signed.row(None, &[By::Nobody, By::Ada, By::Nobody, By::Ada]);
    let first = signed.verification(row[1], EVERY).await;
    assert_eq!(blamed(&first, row[1], None).await, None);
    first.remember(&production(), &revision(row[1])).await;
    let second = signed.verification(row[3], EVERY).await;
    assert_eq!(blamed(&second, row[3], None).await, Some(revision(row[2])));
    // Without memory there is nothing to begin with but the head.
    std::fs::remove_dir_all(signed.world.cache()).expect("a cache");
    let third = signed.verification(row[3], EVERY).await;
    assert_eq!(blamed(&third, row[3], None).await, None);
}

#[tokio::test]
async fn the_newest_commit_that_may_be_applied_is_found_along_first_parents() {
    let signed = Signed::new();
    let row = signed.row(None, &[By::Ada, By::Ada, By::Nobody, By::Ada, By::Nobody]);
    let side = signed.row(Some(row[4]), &[By::Ada])[0];
    let head = signed.commit(By::Nobody, &[row[4], side]);
    // the rule | what was verified last | what is found
    let table = [
        (Commits::Head, None, Some(3)),
        (EVERY, None, Some(3)),
        (Commits::Every { since: Some(revision(row[0])) }, Some(0), Some(1)),
        (Commits::Every { since: Some(revision(row[2])) }, Some(2), Some(3)),
    ];
    for (commits, verified, expected) in table {
        std::fs::remove_dir_all(signed.world.cache()).ok();
        let verification = signed.verification(head, commits.clone()).await;
        assert!(blamed(&verification, head, verified.map(|at| row[at])).await.is_some(), "{commits:?}");
        let found = verification.last_verified(&production(), &revision(head)).await;
        assert_eq!(found, Ok(expected.map(|at| revision(row[at]))), "{commits:?}");
    }
    let unsigned = signed.row(None, &[By::Nobody, By::Mallory, By::Nobody]);
    let verification = signed.verification(unsigned[2], Commits::Head).await;
    assert_eq!(verification.last_verified(&production(), &revision(unsigned[2])).await, Ok(None));
}

#[tokio::test]
async fn what_was_verified_by_somebody_who_was_struck_off_is_trusted_no_longer() {
    let signed = Signed::new();
    let row = signed.row(None, &[By::Ada, By::Mallory, By::Ada]);
    let mut both = signed.signers();
    let key = signed.mallory.public_key().to_openssh().expect("text");
    both.add_ssh(&format!("mallory@example.com {key}")).expect("a line");
    let first = Verification::new(signed.process(row[1]).await, Signed::rules(EVERY, both));
    assert_eq!(blamed(&first, row[1], None).await, None);
    first.remember(&production(), &revision(row[1])).await;
    // Whichever commit it meets first, and however often it is started.
    for _ in 0..2 {
        let later = signed.verification(row[2], EVERY).await;
        assert_eq!(blamed(&later, row[1], None).await, Some(revision(row[1])));
        assert_eq!(blamed(&later, row[2], None).await, Some(revision(row[1])));
        let found = later.last_verified(&production(), &revision(row[2])).await;
        assert_eq!(found, Ok(Some(revision(row[0]))));
        later.remember(&production(), &revision(row[0])).await;
    }
}

#[tokio::test]
async fn where_nothing_that_was_verified_counts_any_more_nothing_is_trusted() {
    let signed = Signed::new();
    let row = signed.row(None, &[By::Mallory, By::Mallory, By::Ada]);
    let first = signed.verification(row[1], EVERY).await;
    first.remember(&production(), &revision(row[1])).await;
    let later = signed.verification(row[2], EVERY).await;
    assert_eq!(blamed(&later, row[2], None).await, Some(revision(row[0])), "the head alone is not enough");
    assert_eq!(later.last_verified(&production(), &revision(row[2])).await, Ok(None));
}

#[tokio::test]
async fn first_parents_lead_no_further_back_than_what_was_verified_last() {
    let signed = Signed::new();
    let row = signed.row(None, &[By::Ada, By::Ada]);
    for commits in [Commits::Head, EVERY, Commits::Every { since: Some(revision(row[1])) }] {
        std::fs::remove_dir_all(signed.world.cache()).ok();
        let first = signed.verification(row[1], commits.clone()).await;
        first.remember(&production(), &revision(row[1])).await;
        // A merge whose first parent is the older commit.
        let merge = signed.commit(By::Nobody, &[row[0], row[1]]);
        let later = signed.verification(merge, commits.clone()).await;
        assert!(blamed(&later, merge, None).await.is_some());
        let found = later.last_verified(&production(), &revision(merge)).await;
        assert_eq!(found, Ok(Some(revision(row[1]))), "{commits:?}");
    }
}

#[tokio::test]
async fn a_signature_in_the_message_is_none() {
    let signed = Signed::new();
    let good = signed.row(None, &[By::Ada])[0];
    let text = String::from_utf8(object(&signed.world, good)).expect("text");
    let (header, message) = text.split_once("\n\n").expect("a commit");
    let (before, signature) = header.split_once("\ngpgsig ").expect("signed");
    // What libgit2 would take out of the message, and what is left is what Ada signed.
    let forged = format!("{before}\n\ngpgsig {signature}\n{message}");
    let odb = signed.world.git.odb().expect("a store");
    let forged = odb.write(git2::ObjectType::Commit, forged.as_bytes()).expect("written");
    let verification = signed.verification(forged, Commits::Head).await;
    assert_eq!(blamed(&verification, forged, None).await, Some(revision(forged)));
}
