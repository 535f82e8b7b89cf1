//! A commit that is wrong changes nothing, names its fault, and delays no other.

use trueup_e2e::scenario::scenario;
use trueup_e2e::world::operations;

/// An application next to the e-learning system: a target group and nothing more.
const COURSES_APP: &str = "# Lists of courses, still without a service.\n";
const COURSES_GROUP: &str = r#"
Name = "courses-tg"
Protocol = "HTTP"
Port = 8080
VpcId = "${stack.elearning-system-infrastructure.VPC}"
TargetType = "ip"
HealthCheckIntervalSeconds = 30
"#;

#[test]
fn a_broken_document_changes_nothing_and_the_next_good_commit_is_applied() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;

        let mark = world.mark()?;
        let service = "desired-state/elearning/service.toml";
        repository.edit(
            service,
            "launchType = \"FARGATE\"\ndesiredCount = 1",
            "launchType = \"FARGAT\"\ndesiredCount = 4",
        )?;
        repository.push("A typing mistake")?;
        let held = daemon
            .wait_for("the hold", |event| event["event"] == "hold.started" && event["reason"] == "InvalidDocument")?;
        assert_eq!(held["application"], "elearning");
        let problems = held["problems"].to_string();
        for part in ["elearning/service.toml:4:", "launchType", "FARGAT"] {
            assert!(problems.contains(part), "`{part}` is not named in {problems}");
        }
        world.wait_for_rest(world.mark()?)?;
        assert_eq!(operations(&world.mutations(mark)?), [""; 0]);

        repository.edit(service, "\"FARGAT\"", "\"FARGATE\"")?;
        repository.push("Correct it")?;
        daemon.wait_for("the end of the hold", |event| {
            event["event"] == "hold.ended" && event["reason"] == "InvalidDocument"
        })?;
        world.wait_for("UpdateService", mark, 1)?;
        world.wait_for_rest(mark)?;
        assert_eq!(world.service()?.map(|service| service["desiredCount"].clone()), Some(4.into()));
        Ok(())
    });
}

#[test]
fn a_broken_trueup_toml_is_rejected_as_a_whole() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;

        let mark = world.mark()?;
        repository.edit("desired-state/trueup.toml", "heal = \"on\"", "heel = \"on\"")?;
        repository.edit("desired-state/elearning/service.toml", "desiredCount = 1", "desiredCount = 2")?;
        let revision = repository.push("Two changes, one of them wrong")?;
        let rejected = daemon.wait_for_revision("revision.rejected", &revision)?;
        let problems = rejected["problems"].to_string();
        for part in ["trueup.toml", "heel", "heal"] {
            assert!(problems.contains(part), "`{part}` is not named in {problems}");
        }
        world.wait_for_rest(world.mark()?)?;
        assert_eq!(operations(&world.mutations(mark)?), [""; 0]);

        repository.edit("desired-state/trueup.toml", "heel = \"on\"", "heal = \"on\"")?;
        let revision = repository.push("Correct it")?;
        daemon.wait_for_revision("revision.accepted", &revision)?;
        world.wait_for("UpdateService", mark, 1)?;
        world.wait_for_rest(mark)?;
        assert_eq!(world.service()?.map(|service| service["desiredCount"].clone()), Some(2.into()));
        Ok(())
    });
}

#[test]
fn an_application_that_is_broken_delays_no_other() {
    // Wrong offline, and wrong only when AWS is asked.
    let faults = [
        ("InvalidDocument", "HealthCheckIntervalSeconds = 30", "HealthCheckIntervalSeconds = 3"),
        ("Unresolved", "elearning-system-infrastructure.VPC", "elearning-system-infrastructure.NoSuchThing"),
    ];
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        repository.write("desired-state/courses/app.toml", COURSES_APP)?;
        repository.write("desired-state/courses/target-groups/web.toml", COURSES_GROUP)?;
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;
        world.wait_for("CreateTargetGroup", 0, 3)?;

        for (count, (reason, good, bad)) in (2..).zip(faults) {
            let mark = world.mark()?;
            repository.edit("desired-state/courses/target-groups/web.toml", good, bad)?;
            let old = format!("desiredCount = {}", count - 1);
            repository.edit("desired-state/elearning/service.toml", &old, &format!("desiredCount = {count}"))?;
            repository.push("One application right, one wrong")?;
            daemon.wait_for(reason, |event| {
                event["event"] == "hold.started" && event["reason"] == reason && event["application"] == "courses"
            })?;
            world.wait_for("UpdateService", mark, 1)?;
            world.wait_for_rest(mark)?;
            assert_eq!(operations(&world.mutations(mark)?), ["ecs:UpdateService", "ecs:TagResource"], "{reason}");
            repository.edit("desired-state/courses/target-groups/web.toml", bad, good)?;
        }
        Ok(())
    });
}
