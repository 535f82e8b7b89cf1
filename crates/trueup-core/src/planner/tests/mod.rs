//! Tables of worlds and of the plans for them.

mod application;
mod behind;
mod checking;
mod disturbances;
mod governing;
mod ownership;
mod pruning;
mod rollouts;
mod rules;
mod services;
mod target_groups;
mod task_definitions;

use super::fixture::{World, shown};

/// Every row: what happened, how it changes a settled world, and the whole plan for it.
pub(super) type Row<'a> = (&'a str, fn(&mut World), &'a [&'a str]);

/// Checks a table, row by row.
pub(super) fn check_rows(rows: &[Row<'_>]) {
    for (what, change, expected) in rows {
        let mut world = World::settled();
        change(&mut world);
        assert_eq!(shown(&world.plan()), *expected, "{what}");
    }
}
