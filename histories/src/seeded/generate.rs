//! From a seed to a history.

use trueup_sim::chance::Stream;

use super::act::{Act, Change, Hand, History, Trouble};
use super::choice::{DENIED, GOOD, NAMES, pick, small};
use super::owners::owners;
use crate::desired::{Application, Balanced, Desired, Style};
use crate::surroundings::BAD;

/// The history of a seed.
pub fn generate(seed: u64) -> History {
    let mut chance = Stream::named(seed, "history");
    let mut desired = Desired { prune: chance.percent(70), ..Desired::default() };
    let count = small(&mut chance, 1, 4);
    for (index, name) in NAMES.iter().enumerate().take(count) {
        desired.applications.insert((*name).to_owned(), application(&mut chance, index));
    }
    let first = desired.clone();
    let acts = (0..chance.between(3, 11))
        .map(|_| {
            let what = act(&mut chance, &mut desired);
            let wait = match chance.between(0, 4) {
                0 => chance.between(1, 10),
                1 => chance.between(10, 60),
                2 => chance.between(60, 300),
                _ => chance.between(300, 1200),
            };
            Act { what, wait }
        })
        .collect();
    let mut history = History { seed, first, acts };
    if seed % 4 == 1 {
        owners(&mut history);
    }
    history
}

fn application(chance: &mut Stream, index: usize) -> Application {
    let balanced = chance.percent(60).then(|| Balanced::at(10 + 10 * index as u64));
    Application {
        tag: pick(chance, &GOOD).to_owned(),
        count: chance.percent(80).then(|| chance.between(1, 4)),
        level: "info".to_owned(),
        percent: pick(chance, &[(100, 200), (50, 200), (0, 200), (75, 200)]),
        breaker: pick(chance, &[Some(true), Some(true), Some(true), Some(false), None]),
        balanced,
        blue_green: None,
        autoscaled: false,
        checked: chance.percent(30),
        depends_on: Vec::new(),
        style: Style::of(small(chance, 0, 32)),
    }
}

fn act(chance: &mut Stream, desired: &mut Desired) -> Change {
    match chance.between(0, 100) {
        0..40 => {
            change(chance, desired);
            Change::Commit(desired.clone())
        }
        40..60 => Change::Hand(hand(chance, desired)),
        60..80 => {
            let trouble = trouble(chance);
            Change::Trouble(trouble, chance.between(5, 400))
        }
        80..86 => Change::Start,
        86..89 => Change::Stop(small(chance, 0, 3)),
        89..94 => Change::Kill(small(chance, 0, 3)),
        94..96 => Change::LoseCache(small(chance, 0, 3)),
        _ => {
            let copy = chance.percent(60).then(|| small(chance, 0, 3));
            Change::GitOutage(copy, chance.between(30, 900))
        }
    }
}

/// One commit's worth.
fn change(chance: &mut Stream, desired: &mut Desired) {
    let names: Vec<String> = desired.applications.keys().cloned().collect();
    let choice = chance.between(0, 100);
    if choice < 8 || names.is_empty() {
        let missing = NAMES.iter().enumerate().find(|(_, name)| !desired.applications.contains_key(**name));
        if let Some((index, name)) = missing {
            desired.applications.insert((*name).to_owned(), application(chance, index));
            return;
        }
    }
    if choice < 14 && names.len() > 1 {
        let name = pick(chance, &names);
        desired.applications.remove(&name);
        return;
    }
    let Some(name) = chance.one_of(&names).cloned() else { return };
    let index = NAMES.iter().position(|known| *known == name).unwrap_or_default();
    let Some(application) = desired.applications.get_mut(&name) else { return };
    match choice {
        14..40 => application.tag = pick(chance, &GOOD).into(),
        40..58 => application.tag = pick(chance, &BAD).into(),
        58..68 => application.level = pick(chance, &["info", "debug", "warn"]).into(),
        68..75 => application.percent = pick(chance, &[(100, 200), (50, 200), (0, 200), (75, 200)]),
        75..82 => application.count = application.count.map(|_| chance.between(1, 5)),
        82..85 => application.breaker = pick(chance, &[Some(true), Some(false), None]),
        _ => match &mut application.balanced {
            Some(balanced) => match chance.between(0, 3) {
                0 => balanced.interval = pick(chance, &[6, 10, 15, 30]),
                1 => balanced.delay = pick(chance, &[0, 10, 20, 60]),
                _ => balanced.path = format!("/{index}-{}/*", chance.between(0, 3)),
            },
            None => application.checked = !application.checked,
        },
    }
}

fn hand(chance: &mut Stream, desired: &Desired) -> Hand {
    let names: Vec<String> = desired.applications.keys().cloned().collect();
    let name = chance.one_of(&names).cloned().unwrap_or_else(|| NAMES[0].to_owned());
    match chance.between(0, 20) {
        0..3 => Hand::Count(name, chance.between(1, 6)),
        3..6 => Hand::Percent(name, 50, 150),
        6..9 => Hand::Interval(name, chance.between(5, 60)),
        9..11 => Hand::Delay(name, chance.between(0, 100)),
        11..13 => Hand::StopTask(name),
        13..15 => Hand::Pipeline(name, pick(chance, &GOOD).to_owned()),
        15..16 => Hand::Force(name),
        16..17 => Hand::Delete(name),
        _ => Hand::Path(name, "/elsewhere/*".to_owned()),
    }
}

fn trouble(chance: &mut Stream) -> Trouble {
    let service = pick(chance, &["ecs", "elasticloadbalancing"]);
    let percent = pick(chance, &[10, 30, 60, 100]);
    match chance.between(0, 12) {
        0 | 1 => Trouble::Throttled(service, percent),
        2 => Trouble::Failing(percent),
        3 => Trouble::FailingAfter(percent),
        4 | 5 => Trouble::Lost(percent),
        6 => Trouble::Late(percent, chance.between(5, 45)),
        7 | 8 => Trouble::Stale(chance.between(1, 45)),
        9 => Trouble::Partial(percent),
        10 => Trouble::Outage(service),
        _ if chance.percent(50) => Trouble::Denied(pick(chance, &DENIED)),
        _ => Trouble::Expired,
    }
}
