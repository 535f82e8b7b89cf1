//! The scenarios that notice bugs find none in the product as it is.

use trueup_histories::parallel;
use trueup_histories::scenarios::scenarios;

#[test]
fn no_scenario_accuses_the_product() {
    let scenarios = scenarios();
    let found = parallel(&scenarios, |scenario| (scenario.name, scenario.play()));
    let accused: Vec<_> = found.into_iter().filter(|(_, found)| !found.is_empty()).collect();
    assert!(accused.is_empty(), "{accused:#?}");
}
