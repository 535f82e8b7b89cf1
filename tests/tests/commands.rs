//! The commands that observe once: their exit codes, and what they print.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use trueup_e2e::scenario::{Finished, scenario};
use trueup_e2e::world::operations;

#[test]
fn check_is_silent_on_the_example() {
    scenario(|scenario| {
        let directory = trueup_e2e::example();
        let finished = scenario.run_offline(&["check", directory.to_str().context("a path is text")?])?;
        assert_eq!((finished.code, finished.stdout.as_str(), finished.stderr.as_str()), (Some(0), "", ""));
        Ok(())
    });
}

#[test]
fn check_shows_every_problem_with_its_line_and_what_to_write_instead() {
    scenario(|scenario| {
        let repository = &scenario.repository;
        repository.copy(&trueup_e2e::example(), "")?;
        repository.edit("elearning/service.toml", "desiredCount = 1", "desiredCuont = 1")?;
        repository.edit("elearning/target-groups/backend.toml", "TimeoutSeconds = 30", "TimeoutSeconds = 61")?;
        let directory = repository.clone_directory().to_str().context("a path is text")?;

        let text = scenario.run_offline(&["check", directory])?;
        assert_eq!(text.code, Some(1), "{text:?}");
        for part in ["elearning/service.toml:5:1", "desiredCuont", "desiredCount", "^", "backend.toml:11:"] {
            assert!(text.stdout.contains(part), "`{part}` is missing in\n{}", text.stdout);
        }

        let json = scenario.run_offline(&["check", directory, "--format", "json"])?;
        assert_eq!(json.code, Some(1));
        let problems: Value = serde_json::from_str(&json.stdout).with_context(|| json.stdout.clone())?;
        let problems = problems["problems"].as_array().context("there is a list of problems")?;
        let places: Vec<_> =
            problems.iter().map(|problem| (problem["file"].as_str(), problem["line"].as_u64())).collect();
        assert!(places.contains(&(Some("elearning/service.toml"), Some(5))), "{places:?}");
        assert!(places.contains(&(Some("elearning/target-groups/backend.toml"), Some(11))), "{places:?}");

        let nowhere = scenario.run_offline(&["check", "no/such/directory"])?;
        assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
        Ok(())
    });
}

#[test]
fn plan_apply_and_status_say_by_exit_code_how_it_stands() {
    scenario(|scenario| {
        let world = &scenario.world;
        scenario.push_example()?;
        expect(&scenario.run("status", &[])?, 1, &["elearning", "OutOfSync"])?;
        let plan = scenario.run("plan", &[])?;
        expect(
            &plan,
            1,
            &["target-group backend", "target-group frontend", "CreateRule", "RegisterTaskDefinition", "CreateService"],
        )?;
        assert_eq!(operations(&world.mutations(0)?), [""; 0], "a plan only looks");

        let steps = ["cause", "changes to make: CreateTargetGroup", "remedy", "trueup apply"];
        expect(&scenario.run("why", &["elearning"])?, 0, &steps)?;

        expect(&scenario.run("apply", &[])?, 0, &[])?;
        assert!(world.service()?.is_some());
        let mark = world.mark()?;
        expect(&scenario.run("plan", &[])?, 0, &[])?;
        expect(&scenario.run("status", &[])?, 0, &["elearning", "Synced", "Healthy"])?;
        expect(&scenario.run("why", &["elearning"])?, 0, &["nothing is wrong: Synced and Healthy", "nothing to do"])?;
        let why = scenario.run("why", &["elearning", "--format", "json"])?;
        let why: Value = serde_json::from_str(&why.stdout).with_context(|| why.stdout.clone())?;
        assert_eq!(why["applications"][0]["explanations"][0]["reason"], "Synced");
        assert_eq!(scenario.run("why", &["no-such-application"])?.code, Some(2));
        expect(&scenario.run("apply", &[])?, 0, &[])?;
        assert_eq!(operations(&world.mutations(mark)?), [""; 0]);

        let unknown = scenario.run("plan", &["no-such-application"])?;
        assert_eq!(unknown.code, Some(2), "{unknown:?}");
        Ok(())
    });
}

#[test]
fn one_pass_of_the_daemon_is_enough_to_bring_a_change_in() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        scenario.daemon_at_rest()?.terminate()?;
        let file = "desired-state/elearning/target-groups/backend.toml";
        repository.edit(file, "HealthCheckIntervalSeconds = 60", "HealthCheckIntervalSeconds = 45")?;
        repository.push("Check more often")?;
        let mark = world.mark()?;
        let mut daemon = scenario.daemon(&["--once"])?;
        assert_eq!(daemon.wait()?, Some(0), "{}", daemon.last_words());
        assert_eq!(operations(&world.mutations(mark)?), ["elbv2:ModifyTargetGroup", "elbv2:AddTags"]);

        // An environment that git does not have is waited for, and said.
        let mut mistyped = scenario.daemon(&["--environment", "productoin"])?;
        mistyped.wait_for("the revision", |event| event["event"] == "revision.accepted")?;
        mistyped.terminate()?;
        ensure!(mistyped.last_words().contains("productoin"), "{}", mistyped.last_words());
        Ok(())
    });
}

fn expect(finished: &Finished, code: i32, parts: &[&str]) -> Result<()> {
    ensure!(finished.code == Some(code), "expected exit code {code}: {finished:?}");
    for part in parts {
        ensure!(finished.stdout.contains(part), "`{part}` is missing in\n{}", finished.stdout);
    }
    Ok(())
}
