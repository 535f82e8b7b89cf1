//! The base histories: small changes that every kind of trouble is laid over.

use crate::desired::{Application, Balanced, Desired};

/// A change of the desired state, and what is current before it.
#[derive(Clone, Debug)]
pub struct BaseHistory {
    /// Its name.
    pub name: &'static str,
    /// What git and AWS have before; nothing for a creation.
    pub before: Desired,
    /// The commit.
    pub after: Desired,
}

/// All base histories.
pub fn base_histories() -> Vec<BaseHistory> {
    let web = Application { balanced: Some(Balanced::at(10)), ..Application::default() };
    let one = Desired { prune: true, ..Desired::of([("web", web.clone())]) };
    let two = Desired { prune: true, ..Desired::of([("web", web.clone()), ("api", Application::default())]) };
    let history = |name, before: &Desired, after| BaseHistory { name, before: before.clone(), after };
    vec![
        history("create with a target group", &Desired::default(), one.clone()),
        history("new image", &one, one.with("web", |web| web.tag = "2".into())),
        history(
            "health check",
            &one,
            one.with("web", |web| *web.balanced_mut() = Balanced { interval: 15, ..Balanced::at(10) }),
        ),
        history("deployment configuration", &one, one.with("web", |web| web.percent = (50, 150))),
        history("delete", &two, two.without("web")),
        history(
            "two services in one commit",
            &two,
            two.with("web", |web| web.tag = "2".into()).with("api", |api| api.level = "debug".into()),
        ),
    ]
}
