//! Two environments in two accounts, each with a role of its own, kept by one process: what goes wrong in one account is
//! nothing to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::sleep;
use trueup_core::plan::{Health, Hold, Plan, Sync};
use trueup_histories::{CLUSTER, Copy, REGION, Scene, Stage, run, surroundings, well};
use trueup_sim::faults::{Fault, FaultRule, What, When};
use trueup_sim::{Simulator, setup};

/// The environments, their accounts and roles. The process itself is at home in a third account.
const PLACES: [(&str, &str, &str); 2] = [
    ("production", "111111111111", "arn:aws:iam::111111111111:role/keeper"),
    ("staging", "222222222222", "arn:aws:iam::222222222222:role/keeper-of-staging"),
];
const ROLE_OF_STAGING: &str = PLACES[1].2;

/// How long the trouble lasts: longer than credentials of a role live.
const TROUBLE: Duration = Duration::from_hours(3);

fn scenery(seed: u64) -> Simulator {
    let mut aws = surroundings(seed);
    for (_, account, _) in PLACES {
        setup::cluster(aws.world_of(account, REGION), CLUSTER);
    }
    aws
}

/// A commit: two applications, in both environments.
fn files(tag: &str) -> BTreeMap<String, String> {
    let environment = |(name, account, role): (&str, &str, &str)| {
        format!(
            "[environments.{name}]\naccount = \"{account}\"\nregion = \"{REGION}\"\ncluster = \"{CLUSTER}\"\nrole = \"{role}\"\n"
        )
    };
    let mut files = BTreeMap::from([("trueup.toml".to_owned(), PLACES.map(environment).concat())]);
    for name in ["shop", "mail"] {
        files.insert(format!("{name}/app.toml"), String::new());
        files.insert(
            format!("{name}/task-definition.toml"),
            format!(
                "family = \"{name}\"\nnetworkMode = \"awsvpc\"\nrequiresCompatibilities = [\"FARGATE\"]\ncpu = \"256\"\n\
                 memory = \"512\"\n[[containerDefinitions]]\nname = \"{name}\"\nimage = \"public.ecr.aws/x/{name}:{tag}\"\n"
            ),
        );
        files.insert(
            format!("{name}/service.toml"),
            format!(
                "serviceName = \"{name}\"\nlaunchType = \"FARGATE\"\ndesiredCount = 1\n\
                 [networkConfiguration.awsvpcConfiguration]\nsubnets = [\"subnet-0a1b2c3d\"]\nassignPublicIp = \"ENABLED\"\n"
            ),
        );
    }
    files
}

async fn settle(stage: &Stage, copy: &Copy, what: &str) {
    let outcome = stage.settle(copy, well, Duration::from_mins(3), Duration::from_mins(30)).await;
    outcome.unwrap_or_else(|unsettled| panic!("{what}: {unsettled:#?}\n{}", copy.lines().join("\n")));
}

/// The plans of an environment.
fn plans(copy: &Copy, environment: &str) -> Vec<Plan> {
    let status = copy.engine.status().applications;
    let plans: Vec<Plan> = status
        .into_values()
        .map(|status| Plan::clone(&status.plan))
        .filter(|plan| plan.environment.as_str() == environment)
        .collect();
    assert_eq!(plans.len(), 2, "{environment}");
    plans
}

/// The images that an account's services run.
fn images(stage: &Stage, account: &str) -> BTreeSet<String> {
    let mut aws = stage.aws();
    let tasks = aws.world_of(account, REGION).ecs.tasks.values();
    let running = tasks.filter(|task| task.last_status == trueup_sim::ecs::model::TaskStatus::Running && !task.to_stop);
    running.filter_map(|task| task.containers[0].image.rsplit(':').next().map(str::to_owned)).collect()
}

/// The troubles, and the part of the reason that an operator reads.
const TROUBLES: [(&str, &str); 3] = [
    ("the role may no longer be assumed", "sts:AssumeRole"),
    ("the role may no longer do anything", "not authorized"),
    ("its region does not answer", "ServiceUnavailable"),
];

/// Begins a trouble in staging's account.
fn begin(stage: &Stage, trouble: usize) {
    let from = stage.now();
    let during = When::Between(from, from + TROUBLE);
    let theirs = What::default().by("assumed-role/keeper-of-staging");
    let mut aws = stage.aws();
    let fault = match trouble {
        0 => {
            aws.world_mut().refused_roles.insert(ROLE_OF_STAGING.to_owned());
            // What was assumed before is over.
            Fault::Expired
        }
        1 => Fault::Denied,
        _ => Fault::ServerError { status: 503, executed: false },
    };
    aws.faults.add(FaultRule::new(theirs, fault).when(during));
}

#[test]
fn what_goes_wrong_in_one_account_holds_its_environment_alone_and_passes_by_itself() {
    for (trouble, (what, reason)) in TROUBLES.iter().enumerate() {
        run(50 + trouble as u64, async {
            let stage = Stage::new(&Scene::new(scenery(50)));
            stage.commit_files(&files("1"));
            let copy = stage.start("trueup-1");
            settle(&stage, &copy, what).await;
            let told_before = copy.told().len();

            begin(&stage, trouble);
            sleep(Duration::from_mins(2)).await;
            stage.commit_files(&files("2"));
            sleep(Duration::from_mins(10)).await;
            assert_eq!(images(&stage, PLACES[0].1), BTreeSet::from(["2".to_owned()]), "{what}: production goes on");
            assert!(plans(&copy, "production").iter().all(well), "{what}");
            for plan in plans(&copy, "staging") {
                assert_eq!((plan.sync, plan.health), (Sync::Unknown, Health::Unknown), "{what}: {plan:#?}");
                let reasons: BTreeSet<String> = plan.held.iter().map(|held| kind(&held.reason)).collect();
                assert_eq!(reasons.len(), 1, "{what}: one reason, not {:#?}", plan.held);
                let told = format!("{:?}", plan.held);
                assert!(told.contains(reason), "{what}: `{reason}` is not in {told}");
            }
            sleep(TROUBLE.checked_sub(Duration::from_mins(14)).expect("it is shorter")).await;
            assert_eq!(images(&stage, PLACES[1].1), BTreeSet::from(["1".to_owned()]), "{what}: staging stays as it is");
            let told = copy.told().split_off(told_before);
            let of_staging: Vec<_> = told
                .iter()
                .filter(|event| event.what.name() == "hold.started")
                .filter(|event| event.environment.as_ref().is_some_and(|environment| environment.as_str() == "staging"))
                .collect();
            // The call that was refused, and then that there are no credentials: not one for each application.
            assert!((1..=2).contains(&of_staging.len()), "{what}: it is told once, not {of_staging:#?}");
            assert!(of_staging.iter().all(|event| event.application.is_none()), "{what}: {of_staging:#?}");

            sleep(Duration::from_mins(3)).await;
            stage.aws().world_mut().refused_roles.clear();
            settle(&stage, &copy, what).await;
            assert_eq!(images(&stage, PLACES[1].1), BTreeSet::from(["2".to_owned()]), "{what}: it recovers by itself");
            copy.stop().await;
        });
    }
}

/// The kind of a reason, as it is called in reports.
fn kind(hold: &Hold) -> String {
    let name = format!("{hold:?}");
    name.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
