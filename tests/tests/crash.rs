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
fn an_update_that_aws_fails_is_read_back_and_tried_again() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        scenario.push_example()?;
        let mut daemon = scenario.daemon_at_rest()?;

        let mark = world.mark()?;
        world.inject("UpdateService", Fault::Fail { times: 1, status: 503 })?;
        repository.edit("desired-state/elearning/service.toml", "desiredCount = 1", "desiredCount = 2")?;
        let revision = repository.push("Two tasks")?;
        let failed = daemon.wait_for_revision("step.failed", &revision)?;
        assert_eq!((&failed["operation"], &failed["effect_unknown"]), (&"UpdateService".into(), &true.into()));
        // A write whose effect is unknown is assumed to be on its way for a minute.
        world.wait_for("UpdateService", mark, 2)?;
        world.wait_for_rest(mark)?;
        let expected = ["ecs:UpdateService", "ecs:UpdateService", "ecs:TagResource"];
        assert_eq!(operations(&world.mutations(mark)?), expected);
        assert_eq!(world.service()?.map(|service| service["desiredCount"].clone()), Some(2.into()));
        Ok(())
    });
}
