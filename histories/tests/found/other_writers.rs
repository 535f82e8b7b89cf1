//! People and pipelines that write in the middle of a rollout.

use trueup_histories::seeded::{Change, Hand};
use trueup_histories::{Application, Desired};

use crate::{act, for_some_seeds};

fn one() -> Desired {
    Desired::of([("web", Application { count: Some(1), ..Application::default() })])
}

#[test]
fn a_bad_image_that_a_pipeline_deployed_over_is_judged_by_ecs_once() {
    for_some_seeds(
        &one(),
        &[
            act(Change::Commit(one().with("web", |web| web.tag = "deaf".into())), 45),
            act(Change::Hand(Hand::Pipeline("web".into(), "2".into())), 1800),
        ],
    );
}
