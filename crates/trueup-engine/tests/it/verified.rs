//! Environments in which commits must be signed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use trueup_core::names::{EnvironmentName, Revision};
use trueup_core::plan::{Health, Sync};
use trueup_engine::OnceError;
use trueup_ports::{NotVerified, SourceError, Unverified, Verifier};

use crate::cloud::FakeCloud;
use crate::source::FakeSource;
use crate::world::{CONFIGURATION, World, application, files, tree};

/// Takes commits for signed but for some; clones share it.
#[derive(Clone, Debug, Default)]
struct Signatures(Arc<Mutex<State>>);

/// The one environment with a rule, unless a test says otherwise.
const RULED: &str = "production";

#[derive(Debug, Default)]
struct State {
    /// The environments with a rule, where there are others.
    ruled: Vec<&'static str>,
    /// Commits that no rule accepts.
    unsigned: BTreeSet<Revision>,
    /// Commits that are not good enough by the rule of an environment.
    weak: BTreeSet<(EnvironmentName, Revision)>,
    unreadable: bool,
    asked: Vec<(Revision, Option<Revision>)>,
}

impl Signatures {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().expect("no test panics while it holds the lock"))
    }

    fn rules(&self) -> BTreeSet<EnvironmentName> {
        let ruled = self.with(|state| state.ruled.clone());
        let ruled = if ruled.is_empty() { vec![RULED] } else { ruled };
        ruled.into_iter().map(EnvironmentName::new).collect()
    }

    fn refuse(&self, revision: &Revision) {
        self.with(|state| state.unsigned.insert(revision.clone()));
    }
}

#[async_trait]
impl Verifier for Signatures {
    fn demands(&self, environment: &EnvironmentName) -> bool {
        self.rules().contains(environment)
    }

    fn named(&self) -> BTreeSet<EnvironmentName> {
        self.rules()
    }

    async fn verify(
        &self,
        rule: &EnvironmentName,
        revision: &Revision,
        verified: Option<&Revision>,
    ) -> Result<(), NotVerified> {
        assert!(self.rules().contains(rule), "no other environment has a rule");
        self.with(|state| {
            state.asked.push((revision.clone(), verified.cloned()));
            if state.unreadable {
                let message = "the store is away".to_owned();
                return Err(NotVerified::Unknown(SourceError { message, hint: None, transient: true }));
            }
            if state.unsigned.contains(revision) || state.weak.contains(&(rule.clone(), revision.clone())) {
                let (message, cure) = ("nobody signed it".to_owned(), "sign it".to_owned());
                return Err(NotVerified::Refused(Unverified { commit: revision.clone(), message, cure }));
            }
            Ok(())
        })
    }

    async fn last_verified(
        &self,
        rule: &EnvironmentName,
        revision: &Revision,
    ) -> Result<Option<Revision>, SourceError> {
        let number = u64::from_str_radix(revision.as_str(), 16).expect("the fake source counts");
        let mut before = (1..number).rev().map(|number| Revision::new(format!("{number:040x}")));
        let may = |state: &State, revision: &Revision| {
            !state.unsigned.contains(revision) && !state.weak.contains(&(rule.clone(), revision.clone()))
        };
        Ok(self.with(|state| before.find(|revision| may(state, revision))))
    }

    async fn remember(&self, _: &EnvironmentName, _: &Revision) {}
}

/// Production and staging in one file, staging in another account.
fn configuration(staging_account: &str) -> Vec<(String, String)> {
    let staging = format!(
        "[environments.staging]\naccount = \"{staging_account}\"\nregion = \"eu-central-1\"\ncluster = \"staging\"\n"
    );
    vec![("trueup.toml".to_owned(), format!("{CONFIGURATION}{staging}"))]
}

fn begin(cloud: FakeCloud, source: FakeSource, signatures: &Signatures) -> World {
    World::with(cloud, source, |options| options.verifier = Some(Arc::new(signatures.clone())))
}

/// One application at rest, of a signed commit.
async fn signed() -> (World, Signatures) {
    let signatures = Signatures::default();
    let mut world = begin(FakeCloud::new(), FakeSource::new(), &signatures);
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    world.pass(120).await;
    world.take_events();
    world.cloud.take_calls();
    (world, signatures)
}

/// A commit without a signature.
async fn push_unsigned(world: &World, signatures: &Signatures, tree: &[(String, String)]) {
    let revision = world.source.commit(&files(tree));
    signatures.refuse(&revision);
    world.engine.trigger().commit();
    world.pass(60).await;
}

const HELD: (Sync, Health, [&str; 1]) = (Sync::Synced, Health::Healthy, ["Unverified"]);

#[track_caller]
fn assert_status(world: &World, expected: (Sync, Health, [&str; 1])) {
    let (sync, health, holds) = world.standing("web");
    assert_eq!((sync, health, holds.as_slice()), (expected.0, expected.1, expected.2.as_slice()));
}

#[tokio::test(start_paused = true)]
async fn an_unsigned_commit_is_not_applied_and_told_once_until_a_signed_one_comes() {
    let (world, signatures) = signed().await;
    push_unsigned(&world, &signatures, &tree(&[application("web", "2")])).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.take_events(), ["revision.accepted", "revision.unverified", "hold.started"]);
    assert_status(&world, HELD);
    world.pass(600).await;
    assert_eq!(world.take_events(), Vec::<String>::new());
    world.push(&files(&tree(&[application("web", "3")]))).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert!(world.take_events().contains(&"hold.ended".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_to_what_was_verified_last() {
    let (world, signatures) = signed().await;
    push_unsigned(&world, &signatures, &tree(&[application("web", "2")])).await;
    world.take_events();
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
    assert_status(&world, HELD);
    let events = world.take_events();
    assert!(!events.iter().any(|event| event.starts_with("hold.")), "it never ended: {events:?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_invalid_commit_left_in_force_is_repaired_without_a_word_about_the_hold() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    let mut broken = application("web", "1");
    broken[1].1 = "serviceName = 1".to_owned();
    world.push(&files(&tree(&[broken]))).await;
    world.take_events();
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(120).await;
    let events = world.take_events();
    assert!(events.contains(&"step.applied web".to_owned()), "{events:?}");
    assert!(!events.iter().any(|event| event.starts_with("hold.")), "it never ended: {events:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unsigned_commit_takes_nothing_away() {
    let (world, signatures) = signed().await;
    let prune =
        |text: &str| text.replace("[environments.production]", "[policy]\nprune = \"on\"\n[environments.production]");
    let mut next = tree(&[application("web", "1")]);
    next[0].1 = prune(&next[0].1);
    world.push(&files(&next)).await;
    world.cloud.take_calls();
    // Without the application, without the environment, and with another account for it.
    for configuration in [
        prune(CONFIGURATION),
        prune(CONFIGURATION).replace("production", "other"),
        prune(CONFIGURATION).replace("123456789012", "210987654321"),
    ] {
        let others = [vec![("trueup.toml".to_owned(), configuration.clone())], application("other", "1")].concat();
        push_unsigned(&world, &signatures, &others).await;
        world.pass(900).await;
        assert_eq!(world.cloud.take_calls(), Vec::<String>::new(), "{configuration}");
        assert_eq!(world.standing("web").2, ["Unverified"], "{configuration}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_accounts_follow_the_branch_and_other_names_of_the_same_account_do_not() {
    let (world, signatures) = signed().await;
    let both = |account: &str, tag: &str| [configuration(account), application("web", tag)].concat();
    push_unsigned(&world, &signatures, &both("210987654321", "2")).await;
    let names = |world: &World| {
        let status = world.engine.status();
        status.applications.keys().map(|(environment, _)| environment.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&world), ["production", "staging"]);
    assert_status(&world, HELD);
    let (world, signatures) = signed().await;
    push_unsigned(&world, &signatures, &both("123456789012", "2")).await;
    assert_eq!(names(&world), ["production"], "an unsigned environment, on the account of one that demands signatures");
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_restart_begins_with_the_newest_commit_that_is_signed() {
    let (mut world, signatures) = signed().await;
    push_unsigned(&world, &signatures, &tree(&[application("web", "2")])).await;
    world.stop().await;
    let mut world = begin(world.cloud.clone(), world.source.restarted(), &signatures);
    world.settle().await;
    assert_status(&world, HELD);
    world.cloud.take_calls();
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
}

#[tokio::test(start_paused = true)]
async fn a_process_without_memory_follows_no_unsigned_commit_that_calls_the_environment_otherwise() {
    // Alone, and with another environment of that account.
    let renamed = CONFIGURATION.replace("production", "other");
    let elsewhere =
        "[environments.elsewhere]\naccount = \"123456789012\"\nregion = \"eu-west-1\"\ncluster = \"main\"\n";
    for configuration in [renamed.clone(), format!("{renamed}{elsewhere}")] {
        let (mut world, signatures) = signed().await;
        let others = [vec![("trueup.toml".to_owned(), configuration.clone())], application("web", "2")].concat();
        push_unsigned(&world, &signatures, &others).await;
        world.stop().await;
        world.cloud.take_calls();
        let mut world = begin(world.cloud.clone(), world.source.elsewhere(), &signatures);
        world.settle().await;
        world.pass(120).await;
        assert_eq!(world.cloud.take_calls(), Vec::<String>::new(), "{configuration}");
        assert_status(&world, HELD);
        // What was verified last is kept true.
        world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
        world.pass(120).await;
        assert_eq!(world.cloud.take_calls(), ["UpdateService web"], "{configuration}");
    }
}

/// An environment on production's account, in place of a production that is said to be elsewhere.
fn intruder() -> Vec<(String, String)> {
    let moved = CONFIGURATION.replace("123456789012", "999999999999");
    let intruder = "[environments.evil]\naccount = \"123456789012\"\nregion = \"eu-central-1\"\ncluster = \"main\"\n";
    [vec![("trueup.toml".to_owned(), format!("{moved}{intruder}"))], application("web", "2")].concat()
}

#[tokio::test(start_paused = true)]
async fn what_an_unsigned_commit_says_of_accounts_counts_for_nothing() {
    // No signed commit at all, and one whose configuration is broken after one that is right.
    for has_signed in [false, true] {
        let signatures = Signatures::default();
        let source = FakeSource::new();
        if has_signed {
            source.commit(&files(&tree(&[application("web", "1")])));
            source.commit(&[("trueup.toml", "applications = 1\n")]);
        }
        signatures.refuse(&source.commit(&files(&intruder())));
        let mut world = begin(FakeCloud::new(), source, &signatures);
        world.settle().await;
        world.pass(120).await;
        let environments: BTreeSet<String> =
            world.engine.status().applications.keys().map(|(environment, _)| environment.to_string()).collect();
        let expected: BTreeSet<String> = has_signed.then(|| RULED.to_owned()).into_iter().collect();
        assert_eq!(environments, expected, "what is signed alone is there");
        let calls = world.cloud.take_calls();
        assert_eq!(calls.is_empty(), !has_signed, "{calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_enters_an_account_goes_by_the_rules_about_it_as_well() {
    for restarts in [false, true] {
        let signatures = Signatures::default();
        signatures.with(|state| state.ruled = vec!["production", "staging"]);
        let mut world = begin(FakeCloud::new(), FakeSource::new(), &signatures);
        let both = |account: &str, tag: &str| [configuration(account), application("web", tag)].concat();
        world.source.commit(&files(&both("210987654321", "1")));
        world.settle().await;
        world.pass(120).await;
        world.cloud.take_calls();
        // Good enough for staging, which it moves into production's account.
        let revision = world.source.commit(&files(&both("123456789012", "2")));
        signatures.with(|state| state.weak.insert((EnvironmentName::new("production"), revision)));
        if restarts {
            world.stop().await;
            world = begin(world.cloud.clone(), world.source.elsewhere(), &signatures);
            world.settle().await;
        } else {
            world.engine.trigger().commit();
        }
        world.pass(120).await;
        assert_eq!(world.cloud.take_calls(), Vec::<String>::new(), "{restarts}");
        let status = world.engine.status();
        for ((environment, _), application) in &status.applications {
            let reasons: Vec<&str> = application.plan.held.iter().map(|held| held.reason.reason()).collect();
            assert!(reasons.contains(&"Unverified"), "{restarts} {environment}: {reasons:?}");
        }
        assert_eq!(status.applications.len(), 2, "{restarts}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_an_environment_that_no_commit_has_is_everybodys() {
    let signatures = Signatures::default();
    signatures.with(|state| state.ruled = vec!["prodcution"]);
    let mut world = begin(FakeCloud::new(), FakeSource::new(), &signatures);
    let mut made = false;
    for (tag, signed) in [("1", true), ("2", false), ("3", true)] {
        let revision = world.source.commit(&files(&tree(&[application("web", tag)])));
        if !signed {
            signatures.refuse(&revision);
        }
        if made {
            world.engine.trigger().commit();
        } else {
            world.settle().await;
        }
        world.pass(120).await;
        assert_eq!(world.cloud.take_calls().is_empty(), !signed, "{tag}");
        assert_eq!(world.standing("web").2.contains(&"Unverified"), !signed, "{tag}");
        made = true;
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_signed_commit_nothing_is_done() {
    let signatures = Signatures::default();
    let mut world = begin(FakeCloud::new(), FakeSource::new(), &signatures);
    signatures.refuse(&world.source.commit(&files(&tree(&[application("web", "1")]))));
    world.settle().await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.take_events(), ["daemon.started", "revision.accepted", "revision.unverified"]);
    assert!(world.engine.status().applications.is_empty());
    let asked = World::with(world.cloud.clone(), world.source.restarted(), |options| {
        options.verifier = Some(Arc::new(signatures.clone()));
    });
    let error = asked.engine.plan_once().await.expect_err("nothing is verified");
    assert!(
        matches!(&error, OnceError::Unverified { environment, .. } if environment.as_str() == "production"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_leaves_everything_where_it_is_until_it_can() {
    let (world, signatures) = signed().await;
    signatures.with(|state| state.unreadable = true);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.take_events(), ["source.failed"]);
    signatures.with(|state| state.unreadable = false);
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert!(world.take_events().contains(&"source.recovered".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_was_verified_is_not_looked_at_again() {
    let (world, signatures) = signed().await;
    let second = world.push(&files(&tree(&[application("web", "2")]))).await;
    let third = world.push(&files(&tree(&[application("web", "3")]))).await;
    let asked = signatures.with(|state| std::mem::take(&mut state.asked));
    assert_eq!(asked.last(), Some(&(third, Some(second))));
}
