//! Answer-loss enumeration: in every base history, every mutating call of trueup gets its answer lost after the effect,
//! its effect late, a 5xx before and a 5xx after the effect; the end must be that of the undisturbed history.

use std::process::ExitCode;
use std::time::Duration;

use trueup_histories::{
    BaseHistory, Ending, Scene, base_histories, parallel, play, prepare, surroundings, tell_broken,
};
use trueup_sim::faults::{Ending as Fate, Executed, Fault, FaultRule};

/// The seed of AWS's own chance: the same for all, so that ends can be compared.
const SEED: u64 = 1;

/// How long after the client gave up a late effect comes.
const LATE: Duration = Duration::from_secs(25);

/// What happens to a call.
const LOSSES: [(&str, Fault); 4] = [
    ("lost answer", Fault::NoAnswer { executed: Executed::AtOnce, ending: Fate::Reset }),
    ("late effect", Fault::NoAnswer { executed: Executed::Late(LATE), ending: Fate::Silence }),
    ("5xx before", Fault::ServerError { status: 503, executed: false }),
    ("5xx after", Fault::ServerError { status: 500, executed: true }),
];

fn main() -> ExitCode {
    let mut points = 0;
    let mut failures = 0;
    for history in base_histories() {
        let scene = prepare(&history, surroundings(SEED), SEED);
        let before = scene.mutations();
        let undisturbed = play(&history, &scene, SEED, None, |_| {});
        let losses: Vec<(u64, usize)> = (before..before + undisturbed.mutations)
            .flat_map(|mutation| (0..LOSSES.len()).map(move |loss| (mutation, loss)))
            .collect();
        let broken = enumerate(&history, &scene, &undisturbed, &losses);
        println!(
            "lost answers: {}: {} mutating calls, {} points, {broken} broken",
            history.name,
            undisturbed.mutations,
            losses.len()
        );
        points += losses.len();
        failures += broken;
    }
    println!("lost answers: {points} points in all, {failures} broken");
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays all points; how many did not end as the undisturbed history.
fn enumerate(history: &BaseHistory, scene: &Scene, undisturbed: &Ending, losses: &[(u64, usize)]) -> usize {
    let endings = parallel(losses, |(mutation, loss)| {
        let rule = FaultRule::mutation(*mutation, LOSSES[*loss].1);
        play(history, scene, SEED, None, |stage| {
            stage.aws().faults.add(rule);
        })
    });
    tell_broken(undisturbed, losses.iter().zip(&endings), |(mutation, loss)| {
        format!("{}: {} at mutating call {mutation}", history.name, LOSSES[*loss].0)
    })
}
