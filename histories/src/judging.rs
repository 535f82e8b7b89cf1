//! What trueup promises never to do, judged by what AWS saw and what the player of the history did.

use trueup_sim::judge::{judge, leaks};

use crate::stage::Stage;

/// Everything that was not as promised, in words.
pub fn violations(stage: &Stage) -> Vec<String> {
    let facts = stage.facts().facts();
    let mut found = judge(&stage.aws().recorder, &facts);
    found.extend(stage.told().iter().flat_map(|line| leaks(&facts, "an event", line)));
    found.iter().map(ToString::to_string).collect()
}
