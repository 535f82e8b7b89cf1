//! Makes a failing history shorter.

use super::act::History;

/// Leaves out acts, and shortens waits, for as long as `fails` says that what remains still fails. At most `tries` are
/// played.
pub fn reduce(history: &History, tries: usize, fails: impl Fn(&History) -> bool) -> History {
    let mut shortest = history.clone();
    let mut left = tries;
    // From big pieces to single acts.
    let mut piece = shortest.acts.len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        while start < shortest.acts.len() && left > 0 {
            let mut candidate = shortest.clone();
            let end = (start + piece).min(candidate.acts.len());
            candidate.acts.drain(start..end);
            left -= 1;
            if fails(&candidate) {
                shortest = candidate;
            } else {
                start += piece;
            }
        }
        if piece == 1 || left == 0 {
            return shortest;
        }
        piece = piece.div_ceil(2);
    }
}

#[cfg(test)]
mod tests {
    use super::reduce;
    use crate::seeded::{Act, Change, History};

    #[test]
    fn what_does_not_matter_is_left_out() {
        let acts = (0..20).map(|wait| Act { what: Change::Start, wait }).collect();
        let history = History { seed: 1, first: crate::Desired::default(), acts };
        let needs = |history: &History| [3, 17].iter().all(|wanted| history.acts.iter().any(|act| act.wait == *wanted));
        let waits: Vec<u64> = reduce(&history, 200, needs).acts.iter().map(|act| act.wait).collect();
        assert_eq!(waits, [3, 17]);
    }
}
