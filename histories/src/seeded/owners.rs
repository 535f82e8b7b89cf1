//! What a history has in addition to commits and troubles: traffic that ECS shifts, autoscalers, people with trueup's commands.
//!
//! It has a stream of chance of its own: a history without it stays as it is.

use trueup_sim::chance::Stream;

use super::act::{Act, Change, Hand, History, Trouble};
use super::choice::{DENIED, NAMES, pick, small};
use crate::desired::{Application, BlueGreen, Strategy};
use crate::surroundings::BAD;

/// Adds them to a history.
pub(super) fn owners(history: &mut History) {
    let mut chance = Stream::named(history.seed, "owners");
    for (index, name) in NAMES.iter().enumerate() {
        if chance.percent(30) {
            let strategy = pick(&mut chance, &[Strategy::BlueGreen, Strategy::Linear, Strategy::Canary]);
            let shifted = BlueGreen { priority: 10 + 10 * index as u64, strategy, ..BlueGreen::default() };
            shift(history, name, &shifted);
        } else if chance.percent(25) {
            for desired in history.states() {
                desired.applications.entry((*name).to_owned()).and_modify(|application| application.autoscaled = true);
            }
        }
    }
    let names: Vec<String> = history.first.applications.keys().cloned().collect();
    if chance.percent(25)
        && let Some(name) = chance.one_of(&names)
        && let Some(application) = history.first.applications.get_mut(name)
    {
        application.tag = pick(&mut chance, &BAD).into();
    }
    for _ in 0..chance.between(2, 6) {
        let name = pick(&mut chance, &NAMES).to_owned();
        let what = act(&mut chance, name);
        let wait = chance.between(1, 300);
        let at = small(&mut chance, 0, history.acts.len() as u64 + 1);
        history.acts.insert(at, Act { what, wait });
    }
}

fn act(chance: &mut Stream, name: String) -> Change {
    match chance.between(0, 14) {
        0 | 1 => Change::Retry(name),
        2 => Change::Suspend(name),
        3 => Change::Resume(name),
        4..7 => Change::Hand(Hand::StopRollout(name)),
        7..10 => Change::Hand(Hand::Scale(name, chance.between(1, 12))),
        10 | 11 => Change::Trouble(Trouble::DeniedOn(pick(chance, &DENIED), name), chance.between(30, 600)),
        12 => Change::Trouble(Trouble::ShortPages, chance.between(300, 3_600)),
        _ => Change::Trouble(Trouble::Skew(pick(chance, &[-900, -200, 200, 900])), chance.between(30, 900)),
    }
}

/// Has ECS shift the traffic of an application in all of a history. Its rule must stay, so it is never taken out of git.
fn shift(history: &mut History, name: &str, shifted: &BlueGreen) {
    let mut last: Option<Application> = None;
    for desired in history.states() {
        let Some(application) = desired.applications.get(name).cloned().or(last) else {
            last = None;
            continue;
        };
        let application = Application { balanced: None, blue_green: Some(shifted.clone()), ..application };
        desired.applications.insert(name.to_owned(), application.clone());
        last = Some(application);
    }
}
