//! Troubles as faults of the simulated AWS.

use std::time::Duration;

use trueup_sim::Simulator;
use trueup_sim::faults::{Ending, Executed, Fault, FaultRule, What, When};
use trueup_sim::wire::Api;

use super::act::Trouble;

/// Begins a trouble that ends on its own.
pub fn begin(aws: &mut Simulator, trouble: &Trouble, seconds: u64) {
    let when = When::Between(aws.now(), aws.now() + Duration::from_secs(seconds));
    let no_answer = |executed, ending| Fault::NoAnswer { executed, ending };
    let (what, percent, fault) = match trouble {
        Trouble::Throttled(service, percent) => (What::service(named(service)), *percent, Fault::Throttled),
        Trouble::Failing(percent) => (What::default(), *percent, Fault::ServerError { status: 503, executed: false }),
        Trouble::FailingAfter(percent) => {
            (What::mutations(), *percent, Fault::ServerError { status: 500, executed: true })
        }
        Trouble::Lost(percent) => (What::mutations(), *percent, no_answer(Executed::AtOnce, Ending::Reset)),
        Trouble::Late(percent, delay) => {
            let late = Executed::Late(Duration::from_secs(*delay));
            (What::mutations(), *percent, no_answer(late, Ending::Silence))
        }
        Trouble::Stale(age) => {
            let fault = Fault::Stale { up_to: Duration::from_secs(*age), monotonic: age % 2 == 0 };
            (What::reads(), 100, fault)
        }
        Trouble::Partial(percent) => {
            (What::reads(), 100, Fault::Partial { percent: *percent, told: percent % 20 == 10 })
        }
        Trouble::Outage(service) => (What::service(named(service)), 100, no_answer(Executed::Never, Ending::Silence)),
        Trouble::Denied(action) => {
            let (service, action) = action.split_once(':').unwrap_or(("ecs", action));
            (What::action(named(service), action), 100, Fault::Denied)
        }
        Trouble::DeniedOn(action, name) => {
            let (service, action) = action.split_once(':').unwrap_or(("ecs", action));
            (What::action(named(service), action).on(name), 100, Fault::Denied)
        }
        Trouble::ShortPages => (What::reads(), 100, Fault::ShortPages(1)),
        Trouble::Skew(seconds) => (What::default(), 100, Fault::ClockSkew(*seconds)),
        Trouble::Expired => (What::default().by("trueup-"), 100, Fault::Expired),
    };
    aws.faults.add(FaultRule::new(what, fault).when(when).percent(percent));
}

fn named(service: &str) -> Api {
    if service == "ecs" { Api::Ecs } else { Api::ElasticLoadBalancing }
}
