//! Several copies of trueup, of which some lag behind: none writes an older commit over a newer one.

use trueup_histories::seeded::{Act, Change};
use trueup_histories::{Application, Balanced, Desired};

use crate::{act, for_some_seeds};

fn one() -> Desired {
    let web = Application { balanced: Some(Balanced::at(10)), ..Application::default() };
    Desired::of([("web", web)])
}

fn tagged(tag: &str) -> Desired {
    one().with("web", |web| web.tag = tag.into())
}

fn keeps_its_promises(acts: &[Act]) {
    for_some_seeds(&one(), acts);
}

#[test]
fn a_copy_that_has_not_asked_git_yet_does_not_undo_the_commit_that_another_one_applied() {
    keeps_its_promises(&[
        act(Change::Start, 47),
        act(Change::Start, 61),
        act(Change::Commit(tagged("2")), 290),
        act(Change::Commit(tagged("3")), 13),
        act(Change::Commit(tagged("1")), 290),
    ]);
}

#[test]
fn a_copy_that_cannot_reach_git_does_not_undo_the_commit_that_another_one_applied() {
    keeps_its_promises(&[
        act(Change::Start, 60),
        act(Change::GitOutage(Some(1), 900), 1),
        act(Change::Commit(tagged("2")), 400),
        act(Change::Commit(tagged("1")), 700),
    ]);
}

#[test]
fn a_copy_that_comes_back_while_git_is_away_does_not_undo_what_it_missed() {
    keeps_its_promises(&[
        act(Change::Start, 60),
        act(Change::GitOutage(Some(1), 600), 1),
        act(Change::Commit(tagged("2")), 200),
        act(Change::GitOutage(None, 600), 1),
        act(Change::Kill(0), 1),
        act(Change::Start, 700),
    ]);
}

#[test]
fn settings_of_the_load_balancer_do_not_go_back_either() {
    let slower = one().with("web", |web| web.balanced.get_or_insert(Balanced::at(10)).interval = 30);
    keeps_its_promises(&[
        act(Change::Start, 60),
        act(Change::GitOutage(Some(1), 600), 1),
        act(Change::Commit(slower), 700),
    ]);
}

#[test]
fn a_copy_that_cannot_reach_git_does_not_make_again_what_a_newer_commit_took_away() {
    let mut both = one();
    both.prune = true;
    both.applications.insert("jobs".to_owned(), Application::default());
    let acts = [
        act(Change::Start, 60),
        act(Change::GitOutage(Some(1), 900), 1),
        act(Change::Commit(both.without("jobs").with("web", |web| web.tag = "2".into())), 1200),
    ];
    for_some_seeds(&both, &acts);
}
