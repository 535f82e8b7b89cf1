//! Killed in the middle, trueup carries on where it was.

use trueup_e2e::scenario::scenario;
use trueup_e2e::world::{Fault, operations};

#[test]
fn killed_between_register_and_update_it_registers_nothing_twice() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;

        let mark = world.mark()?;
        world.inject("UpdateService", Fault::Stall)?;
        repository.edit("desired-state/elearning/task-definition.toml", "\"INFO\"", "\"DEBUG\"")?;
        repository.push("Log more")?;
        world.wait_until_stalled("UpdateService")?;
        daemon.kill()?;
        world.drop_stalled("UpdateService")?;
        assert_eq!(operations(&world.mutations(mark)?), ["ecs:RegisterTaskDefinition", "ecs:UpdateService"]);
        assert_eq!(world.task_definition()?["revision"], 1, "the update did not reach AWS");

        let mark = world.mark()?;
        let _second = scenario.daemon(&[])?;
        world.wait_for("UpdateService", mark, 1)?;
        world.wait_for_rest(mark)?;
        assert_eq!(operations(&world.mutations(mark)?), ["ecs:UpdateService", "ecs:TagResource"]);
        assert_eq!(world.task_definition()?["revision"], 2, "the revision registered before the kill");
        Ok(())
    });
}

#[test]
fn an_update_that_aws_fails_is_tried_again_until_it_is_there() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        let _daemon = scenario.daemon_at_rest()?;

        let mark = world.mark()?;
        // More often than the SDK tries by itself.
        world.inject("UpdateService", Fault::Fail { times: 4, status: 503 })?;
        repository.edit("desired-state/elearning/service.toml", "desiredCount = 1", "desiredCount = 2")?;
        repository.push("Two tasks")?;
        world.wait_for("UpdateService", mark, 5)?;
        world.wait_for_rest(mark)?;
        assert_eq!(world.service()?.map(|service| service["desiredCount"].clone()), Some(2.into()));
        Ok(())
    });
}
