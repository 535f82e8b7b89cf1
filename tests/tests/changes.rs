//! Each kind of change reaches AWS as exactly the calls it needs, with nothing in them that did not change.

use anyhow::{Context as _, Result, ensure};
use trueup_e2e::scenario::scenario;
use trueup_e2e::world::{Request, operations};

/// A commit, and what it must become.
struct Change {
    what: &'static str,
    file: &'static str,
    old: &'static str,
    new: &'static str,
    /// The mutating calls in order, each with the members that its request may have.
    calls: &'static [(&'static str, &'static [&'static str])],
}

const REGISTER: (&str, &[&str]) = (
    "ecs:RegisterTaskDefinition",
    &[
        "family",
        "requiresCompatibilities",
        "networkMode",
        "cpu",
        "memory",
        "executionRoleArn",
        "taskRoleArn",
        "runtimePlatform",
        "containerDefinitions",
        "tags",
    ],
);

/// What trueup remembers of what it applied is in tags.
const TAG_SERVICE: (&str, &[&str]) = ("ecs:TagResource", &["resourceArn", "tags"]);
const TAG_TARGET_GROUP: (&str, &[&str]) = ("elbv2:AddTags", &["ResourceArns", "Tags"]);

const CHANGES: &[Change] = &[
    Change {
        what: "an environment value",
        file: "elearning/task-definition.toml",
        old: "value = \"INFO\"",
        new: "value = \"DEBUG\"",
        calls: &[REGISTER, ("ecs:UpdateService", &["cluster", "service", "taskDefinition"]), TAG_SERVICE],
    },
    Change {
        what: "the target group's health-check interval",
        file: "elearning/target-groups/backend.toml",
        old: "HealthCheckIntervalSeconds = 60",
        new: "HealthCheckIntervalSeconds = 45",
        calls: &[("elbv2:ModifyTargetGroup", &["TargetGroupArn", "HealthCheckIntervalSeconds"]), TAG_TARGET_GROUP],
    },
    Change {
        what: "the circuit breaker",
        file: "elearning/service.toml",
        old: "rollback = true",
        new: "rollback = false",
        calls: &[("ecs:UpdateService", &["cluster", "service", "deploymentConfiguration"]), TAG_SERVICE],
    },
    Change {
        what: "the desired count",
        file: "elearning/service.toml",
        old: "desiredCount = 1",
        new: "desiredCount = 2",
        calls: &[("ecs:UpdateService", &["cluster", "service", "desiredCount"]), TAG_SERVICE],
    },
    Change {
        what: "a file that is not the application's",
        file: "README.md",
        old: "",
        new: "How we run the e-learning system.\n",
        calls: &[],
    },
    Change {
        what: "a comment",
        file: "elearning/service.toml",
        old: "# CreateService.",
        new: "# CreateService, for the one service we have.",
        calls: &[],
    },
];

#[test]
fn each_commit_becomes_the_calls_it_needs_and_no_other() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;
        for change in CHANGES {
            let mark = world.mark()?;
            let file = format!("desired-state/{}", change.file);
            if change.old.is_empty() {
                repository.write(&file, change.new)?;
            } else {
                repository.edit(&file, change.old, change.new)?;
            }
            let revision = repository.push(change.what)?;
            daemon.wait_for_revision("revision.accepted", &revision)?;
            world.wait_for_rest(world.mark()?).with_context(|| change.what)?;
            check(change.what, &world.mutations(mark)?, change.calls)?;
        }
        let service = world.service()?.context("there is no service")?;
        assert_eq!(service["desiredCount"], 2);
        assert_eq!(service["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"], false);
        assert_eq!(world.target_group("elearning-system-backend-tg")?["HealthCheckIntervalSeconds"], 45);
        Ok(())
    });
}

#[test]
fn a_new_image_under_the_same_tag_is_deployed_by_its_digest() {
    scenario(|scenario| {
        let world = &scenario.world;
        scenario.push_example()?;
        let _daemon = scenario.daemon_at_rest()?;
        let before = world.task_definition()?;
        let mark = world.mark()?;
        world.push_image("elearning-system-backend", "latest", "second")?;
        world.wait_for("UpdateService", mark, 1)?;
        world.wait_for_rest(mark)?;
        let calls = &[REGISTER, ("ecs:UpdateService", &["cluster", "service", "taskDefinition"][..]), TAG_SERVICE];
        check("a new image", &world.mutations(mark)?, calls)?;
        let after = world.task_definition()?;
        let image =
            |definition: &serde_json::Value, index: usize| definition["containerDefinitions"][index]["image"].clone();
        assert_ne!(image(&before, 0), image(&after, 0), "the backend has another image");
        assert_eq!(image(&before, 1), image(&after, 1), "the frontend has not");
        Ok(())
    });
}

fn check(what: &str, mutations: &[Request], expected: &[(&str, &[&str])]) -> Result<()> {
    let names: Vec<&str> = expected.iter().map(|(operation, _)| *operation).collect();
    ensure!(operations(mutations) == names, "{what}: expected {names:?}, got {mutations:?}");
    for (request, (operation, allowed)) in mutations.iter().zip(expected) {
        let members = request.input.as_object().with_context(|| format!("{operation} has members"))?;
        let other: Vec<_> = members.keys().filter(|member| !allowed.contains(&member.as_str())).collect();
        ensure!(other.is_empty(), "{what}: {operation} carries {other:?}, which did not change");
    }
    Ok(())
}
