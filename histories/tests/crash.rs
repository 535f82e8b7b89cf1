//! Crash enumeration: in every base history, at every AWS call of the process, before it is sent, after it was sent and
//! after it was answered: the process is killed, another one is started, and the end must be that of the undisturbed
//! history. All points, not a sample.

use std::process::ExitCode;

use trueup_histories::{
    BaseHistory, Cut, Ending, Moment, Scene, base_histories, parallel, play, prepare, surroundings, tell_broken,
};

/// The seed of AWS's own chance: the same for all, so that ends can be compared.
const SEED: u64 = 1;

fn main() -> ExitCode {
    let mut points = 0;
    let mut failures = 0;
    for history in base_histories() {
        let scene = prepare(&history, surroundings(SEED), SEED);
        let undisturbed = play(&history, &scene, SEED, None, |_| {});
        let cuts: Vec<Cut> =
            (0..undisturbed.calls).flat_map(|call| Moment::ALL.map(|moment| Cut { call, moment })).collect();
        let broken = enumerate(&history, &scene, &undisturbed, &cuts);
        println!("crash: {}: {} calls, {} points, {broken} broken", history.name, undisturbed.calls, cuts.len());
        points += cuts.len();
        failures += broken + undisturbed.violations.len();
        for violation in &undisturbed.violations {
            println!("  undisturbed: {violation}");
        }
    }
    println!("crash: {points} points in all, {failures} broken");
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays all points; how many did not end as the undisturbed history.
fn enumerate(history: &BaseHistory, scene: &Scene, undisturbed: &Ending, cuts: &[Cut]) -> usize {
    let endings = parallel(cuts, |cut| play(history, scene, SEED, Some(*cut), |_| {}));
    tell_broken(undisturbed, cuts.iter().zip(&endings), |cut| {
        format!("{} cut at call {} {:?}", history.name, cut.call, cut.moment)
    })
}
