//! A history that uses everything: references of all kinds, pruning, an environment in another account with an assumed
//! role, and a writer who undoes what trueup repairs.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::time::sleep;
use trueup_histories::{ACCOUNT, CLUSTER, Copy, LOAD_BALANCER, REGION, Scene, Stage, run, surroundings, well};
use trueup_ports::{Datum, Metrics as _, Sample, Unit};
use trueup_sim::ecs::model::ServiceKey;
use trueup_sim::services::ecr::{self, Build};
use trueup_sim::services::{parameters, secrets};
use trueup_sim::writers::{Deed, Writer};
use trueup_sim::{Simulator, setup};

/// The environment with a role.
pub const ABROAD: &str = "abroad";

/// Its account.
const ELSEWHERE: &str = "210987654321";

const SEED: u64 = 5;

/// Plays it, and reads its stage when it is over.
pub fn play<T>(look: impl FnOnce(&Stage, Vec<String>) -> T) -> T {
    run(SEED, async {
        let stage = Stage::new(&Scene::new(scenery()));
        let mut found = Vec::new();
        stage.commit_files(&files(&["other", "web"], "1", 10));
        let copy = stage.start("trueup-1");
        settle(&stage, &copy, &mut found).await;
        // Everything about `web` changes, and `other` has left git.
        stage.commit_files(&files(&["web"], "2", 20));
        settle(&stage, &copy, &mut found).await;
        for _ in 0..5 {
            quarrel(&stage);
            sleep(Duration::from_mins(2)).await;
        }
        settle(&stage, &copy, &mut found).await;
        report(&stage).await;
        look(&stage, found)
    })
}

/// Puts a metric, as a daemon does each minute.
async fn report(stage: &Stage) {
    let (time, unit, sample) = (Timestamp::UNIX_EPOCH, Unit::Count, Sample::One(1.0));
    let datum = Datum { name: "Held", dimensions: BTreeMap::new(), time, unit, sample };
    stage.metrics().put("Trueup", &[datum]).await.expect("the simulator takes metrics");
}

async fn settle(stage: &Stage, copy: &Copy, found: &mut Vec<String>) {
    let outcome = stage.settle(copy, well, Duration::from_mins(3), Duration::from_hours(1)).await;
    if let Err(unsettled) = outcome {
        found.push(format!("it does not settle: {:?}", unsettled.applications));
    }
}

/// Another writer undoes a setting of the service.
fn quarrel(stage: &Stage) {
    let configuration = json!({"minimumHealthyPercent": 0, "maximumPercent": 150});
    let members = json!({ "deploymentConfiguration": configuration });
    let deed = Deed::Edit {
        service: ServiceKey { cluster: CLUSTER.to_owned(), name: "web".to_owned() },
        members: members.as_object().expect("it is written as one").clone(),
    };
    let at = stage.now() + Duration::from_secs(1);
    stage.aws().script(at, &Writer::person(ACCOUNT, "person"), deed);
}

/// What references name, in both accounts.
fn scenery() -> Simulator {
    let mut aws = surroundings(SEED);
    let home = aws.world_mut();
    for tag in ["1", "2"] {
        ecr::push(home, "web", tag, &Build::of(tag));
    }
    secrets::create(home, "db");
    parameters::put(home, "/web/key");
    setup::stack(home, "net", &[("Subnet", "subnet-0a1b2c3d")], &[("Group", "AWS::EC2::SecurityGroup", "sg-0a1b2c3d")]);
    setup::cluster(aws.world_of(ELSEWHERE, REGION), CLUSTER);
    aws
}

/// A commit: these applications at home, one more abroad.
fn files(applications: &[&str], version: &str, priority: u32) -> BTreeMap<String, String> {
    let configuration = format!(
        "[policy]\nprune = \"on\"\n\
         [environments.production]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\ncluster = \"{CLUSTER}\"\n\
         [environments.{ABROAD}]\naccount = \"{ELSEWHERE}\"\nregion = \"{REGION}\"\ncluster = \"{CLUSTER}\"\n\
         role = \"arn:aws:iam::{ELSEWHERE}:role/trueup\"\n"
    );
    let mut files = BTreeMap::from([("trueup.toml".to_owned(), configuration)]);
    for (index, name) in applications.iter().enumerate() {
        let priority = priority + u32::try_from(index).expect("there are a few");
        files.extend(documents(name, version, priority).map(|(file, text)| (format!("{name}/{file}"), text)));
    }
    files.extend(away(version).map(|(file, text)| (format!("away/{file}"), text)));
    files
}

/// The documents of an application at home.
fn documents(name: &str, version: &str, priority: u32) -> [(String, String); 5] {
    // A tag that the second commit takes away.
    let tag = if version == "1" { "team" } else { "cost" };
    [
        (
            "app.toml".to_owned(),
            format!("environments = [\"production\"]\n[images.web]\nrepository = \"web\"\ntag = \"{version}\"\n"),
        ),
        (
            "task-definition.toml".to_owned(),
            format!(
                "family = \"{name}\"\nnetworkMode = \"awsvpc\"\nrequiresCompatibilities = [\"FARGATE\"]\ncpu = \"256\"\n\
                 memory = \"512\"\nexecutionRoleArn = \"arn:aws:iam::${{account}}:role/execution\"\ntaskRoleArn = \"task\"\n\
                 [[containerDefinitions]]\nname = \"web\"\nimage = \"${{image.web}}\"\n\
                 portMappings = [{{ containerPort = 80 }}]\nsecrets = [\
                 {{ name = \"A\", valueFrom = \"${{secret.db}}\" }}, {{ name = \"B\", valueFrom = \"${{parameter./web/key}}\" }}]\n"
            ),
        ),
        (
            "service.toml".to_owned(),
            format!(
                "serviceName = \"{name}\"\nlaunchType = \"FARGATE\"\ndesiredCount = 2\nhealthCheckGracePeriodSeconds = 60\n\
                 tags = [{{ key = \"{tag}\", value = \"a\" }}]\n\
                 [deploymentConfiguration]\nminimumHealthyPercent = 100\nmaximumPercent = 200\n\
                 [networkConfiguration.awsvpcConfiguration]\nsubnets = [\"${{stack.net.output.Subnet}}\"]\n\
                 securityGroups = [\"${{stack.net.Group}}\"]\nassignPublicIp = \"ENABLED\"\n\
                 [[loadBalancers]]\ntargetGroupArn = \"${{target_group.{name}}}\"\ncontainerName = \"web\"\ncontainerPort = 80\n"
            ),
        ),
        (
            format!("target-groups/{name}.toml"),
            format!(
                "Name = \"{name}-tg\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-0a1b2c3d\"\nTargetType = \"ip\"\n\
                 HealthCheckIntervalSeconds = {priority}\nHealthCheckTimeoutSeconds = 5\n\
                 Tags = [{{ Key = \"{tag}\", Value = \"a\" }}]\n\
                 Attributes = [{{ Key = \"deregistration_delay.timeout_seconds\", Value = \"{priority}\" }}]\n"
            ),
        ),
        (
            format!("listener-rules/{name}.toml"),
            format!(
                "ListenerArn = \"${{listener.{LOAD_BALANCER}.80}}\"\nPriority = {priority}\n\
                 Conditions = [{{ Field = \"path-pattern\", PathPatternConfig = {{ Values = [\"/{name}/{version}\"] }} }}]\n\
                 Actions = [{{ Type = \"forward\", TargetGroupArn = \"${{target_group.{name}}}\" }}]\n"
            ),
        ),
    ]
}

/// The documents of the application abroad.
fn away(version: &str) -> [(&'static str, String); 3] {
    [
        ("app.toml", format!("environments = [\"{ABROAD}\"]\n")),
        (
            "task-definition.toml",
            format!(
                "family = \"away\"\nnetworkMode = \"awsvpc\"\nrequiresCompatibilities = [\"FARGATE\"]\ncpu = \"256\"\n\
                 memory = \"512\"\n[[containerDefinitions]]\nname = \"away\"\nimage = \"public.ecr.aws/x/away:{version}\"\n"
            ),
        ),
        (
            "service.toml",
            "serviceName = \"away\"\nlaunchType = \"FARGATE\"\ndesiredCount = 1\n\
             [networkConfiguration.awsvpcConfiguration]\nsubnets = [\"subnet-0a1b2c3d\"]\nassignPublicIp = \"ENABLED\"\n"
                .to_owned(),
        ),
    ]
}
