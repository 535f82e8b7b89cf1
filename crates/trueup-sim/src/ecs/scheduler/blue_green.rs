//! The stages of a blue/green, linear or canary deployment (ECS developer guide, "Amazon ECS blue/green service deployments
//! workflow").
//!
//! `RECONCILE_SERVICE → PRE_SCALE_UP → SCALE_UP → POST_SCALE_UP → TEST_TRAFFIC_SHIFT → POST_TEST_TRAFFIC_SHIFT →
//! PRE_PRODUCTION_TRAFFIC_SHIFT → PRODUCTION_TRAFFIC_SHIFT → POST_PRODUCTION_TRAFFIC_SHIFT → BAKE_TIME → CLEAN_UP`;
//! `RECONCILE_SERVICE` only on top of an unfinished deployment; the two stages of production traffic once for each step of
//! a linear or canary deployment.

use std::time::Duration;

use super::configuration::{Configuration, Strategy};
use super::find::known;
use super::memory::{Shift, Stage};
use super::rollback::{self, Cause};
use super::seen::{Presence, Seen};
use super::{complete, hooks, replace, service_deployment, timing, traffic};
use crate::ecs::model::{Service, ServiceKey};
use crate::time::Time;
use crate::world::World;

/// A stage may last so long (ECS developer guide, "Amazon ECS blue/green service deployments workflow").
const STAGE_MAX: Duration = Duration::from_hours(24);

impl Shift {
    /// What a new deployment of the service begins with: none for a rolling one. `now` is when it begins.
    pub fn begin(service: &Service, deployment: u64, now: Time) -> Option<Self> {
        let configuration = Configuration::of(&service.settings);
        let (steps, step_bake) = match configuration.strategy {
            Strategy::Rolling => return None,
            Strategy::BlueGreen => (vec![1_000], Duration::ZERO),
            Strategy::Canary { share, bake } => (vec![share, 1_000], bake),
            Strategy::Linear { share, bake } => {
                ((1..).map(|n| (n * share).min(1_000)).take(steps(share)).collect(), bake)
            }
        };
        let completed = service.memory.completed;
        // Without a revision that serves there is nothing to shift traffic from.
        let steps = if completed.is_some() { steps } else { vec![1_000] };
        let unfinished = service.deployments.iter().any(|known| Some(known.id) != completed.map(|(id, _)| id));
        Some(Self {
            deployment,
            blue: completed.map(|(id, _)| id),
            stage: if unfinished { Stage::ReconcileService } else { Stage::PreScaleUp },
            since: now,
            ready_at: now + timing::STAGE_LEAST,
            routes: traffic::routes(service, completed.map(|(_, revision)| revision)),
            steps,
            step_bake,
            step: 0,
            pause: None,
        })
    }

    /// When the stage has lasted too long.
    pub fn too_long_at(&self) -> Time {
        self.since + STAGE_MAX
    }
}

/// How many steps of this share it takes to everything.
fn steps(share: u64) -> usize {
    usize::try_from(1_000_u64.div_ceil(share.max(1))).unwrap_or(1)
}

/// Why the deployment has to fail now, if it has to.
pub(super) fn broken(world: &World, service: &ServiceKey) -> Option<Cause> {
    let shift = known(world, service)?.memory.shift.as_ref()?;
    let stage = shift.stage.name();
    if let Some(pause) = &shift.pause {
        return pause.broken(world.now, stage);
    }
    (shift.stage != Stage::BakeTime && shift.too_long_at() <= world.now)
        .then(|| Cause::Shift(format!("{stage} timed out.")))
}

/// Starts, stops and shifts what is due. Whether anything changed.
pub(super) fn act(world: &mut World, service: &ServiceKey, seen: &[Seen]) -> bool {
    let Some(found) = known(world, service) else { return false };
    let (Some(shift), desired) = (found.memory.shift.clone(), found.desired_count) else { return false };
    let deployments: Vec<u64> = found.deployments.iter().map(|known| known.id).collect();
    let mut acted = false;
    for id in deployments {
        let wanted = if id == shift.deployment {
            if shift.stage >= Stage::ScaleUp { desired } else { 0 }
        } else if Some(id) == shift.blue && shift.stage < Stage::CleanUp {
            desired
        } else {
            0
        };
        acted |= keep(world, service, seen, id, wanted);
        // The PRIMARY says what it will want, not what it wants yet.
        let shown = if id == shift.deployment { desired } else { wanted };
        if let Some(found) = world.ecs.services.get_mut(service)
            && let Some(deployment) = found.deployments.iter_mut().find(|known| known.id == id)
        {
            deployment.desired_count = shown;
        }
    }
    if !acted && ends(world, &shift, seen, desired) {
        leave(world, service, shift);
        return true;
    }
    acted
}

/// Keeps a deployment at so many tasks. Whether any started or stopped.
fn keep(world: &mut World, service: &ServiceKey, seen: &[Seen], deployment: u64, wanted: u64) -> bool {
    let mut up: Vec<&Seen> = seen.iter().filter(|task| task.up() && task.deployment == deployment).collect();
    up.sort_by(|a, b| (a.healthy, b.created_at, &a.arn).cmp(&(b.healthy, a.created_at, &b.arn)));
    let (unwell, well): (Vec<&Seen>, Vec<&Seen>) = up.into_iter().partition(|task| task.unwell.is_some());
    let surplus = well.len().saturating_sub(usize::try_from(wanted).unwrap_or(usize::MAX));
    let mut stops: Vec<String> = well.iter().take(surplus).map(|task| task.arn.clone()).collect();
    let mut acted = false;
    if wanted == 0 {
        stops.extend(unwell.iter().map(|task| task.arn.clone()));
    } else if let Some(task) = unwell.first()
        && !seen.iter().any(|task| task.presence == Presence::Failing)
    {
        acted |= replace::stop_for_being_unwell(world, service, task);
    }
    replace::scale_in(world, service, &stops);
    let failing =
        seen.iter().filter(|task| task.deployment == deployment && task.presence == Presence::Failing).count();
    let there = (well.len() + failing) as u64;
    acted |= replace::start(world, service, deployment, wanted.saturating_sub(there)) > 0;
    acted || !stops.is_empty()
}

/// Whether the stage is over.
fn ends(world: &World, shift: &Shift, seen: &[Seen], desired: u64) -> bool {
    if shift.ready_at > world.now || shift.pause.as_ref().is_some_and(|pause| !pause.is_over(world.now)) {
        return false;
    }
    let is_green = |task: &&Seen| task.deployment == shift.deployment;
    match shift.stage {
        Stage::ReconcileService => !seen
            .iter()
            .any(|task| task.there() && task.deployment != shift.deployment && Some(task.deployment) != shift.blue),
        Stage::ScaleUp => seen.iter().filter(is_green).filter(|task| task.healthy).count() as u64 == desired,
        Stage::CleanUp => !seen.iter().any(|task| task.there() && !is_green(&task)),
        Stage::PreScaleUp
        | Stage::PostScaleUp
        | Stage::TestTrafficShift
        | Stage::PostTestTrafficShift
        | Stage::PreProductionTrafficShift
        | Stage::ProductionTrafficShift
        | Stage::PostProductionTrafficShift
        | Stage::BakeTime => true,
    }
}

/// One stage is over: the next begins, or the deployment is complete.
fn leave(world: &mut World, service: &ServiceKey, mut shift: Shift) {
    let mut step = shift.step;
    let next = match shift.stage {
        Stage::ReconcileService => Stage::PreScaleUp,
        Stage::PreScaleUp => Stage::ScaleUp,
        Stage::ScaleUp => Stage::PostScaleUp,
        Stage::PostScaleUp => Stage::TestTrafficShift,
        Stage::TestTrafficShift => Stage::PostTestTrafficShift,
        Stage::PostTestTrafficShift => Stage::PreProductionTrafficShift,
        Stage::PreProductionTrafficShift => Stage::ProductionTrafficShift,
        Stage::ProductionTrafficShift if step + 1 < shift.steps.len() => {
            step += 1;
            Stage::PreProductionTrafficShift
        }
        Stage::ProductionTrafficShift => Stage::PostProductionTrafficShift,
        Stage::PostProductionTrafficShift => Stage::BakeTime,
        Stage::BakeTime => Stage::CleanUp,
        Stage::CleanUp => {
            if let Some(found) = world.ecs.services.get_mut(service) {
                found.memory.shift = None;
            }
            return complete::finish(world, service);
        }
    };
    shift.step = step;
    if next == Stage::ScaleUp
        && let Some(wrong) = traffic::wrong(world, &shift.routes)
    {
        let cause = Cause::Shift(format!("of invalid networking configuration. {wrong}"));
        return rollback::fail(world, service, &cause, true);
    }
    enter(world, service, shift, next);
}

/// A stage begins.
pub(super) fn enter(world: &mut World, service: &ServiceKey, mut shift: Shift, stage: Stage) {
    let now = world.now;
    let configuration = known(world, service).map(|found| Configuration::of(&found.settings));
    let mut lasts = timing::STAGE.draw(world);
    match stage {
        Stage::TestTrafficShift => traffic::shift_test(world, &shift.routes),
        Stage::ProductionTrafficShift => {
            let share = shift.steps.get(shift.step).copied().unwrap_or(1_000);
            traffic::shift_production(world, &shift.routes, share);
            if shift.step + 1 < shift.steps.len() {
                lasts += shift.step_bake;
            }
        }
        Stage::BakeTime => lasts = configuration.and_then(|known| known.bake).unwrap_or_default(),
        Stage::ReconcileService
        | Stage::PreScaleUp
        | Stage::ScaleUp
        | Stage::PostScaleUp
        | Stage::PostTestTrafficShift
        | Stage::PreProductionTrafficShift
        | Stage::PostProductionTrafficShift
        | Stage::CleanUp => {}
    }
    // A stage of zero duration would never be checked again.
    let lasts = lasts.max(timing::STAGE_LEAST);
    (shift.stage, shift.since, shift.ready_at) = (stage, now, now + lasts);
    shift.pause = hooks::pause(world, service, stage.name());
    let failed = hooks::failed(world, service, stage.name());
    let record =
        known(world, service).and_then(|found| found.deployments.first()).map(|found| found.service_deployment.clone());
    if let Some(found) = world.ecs.services.get_mut(service) {
        found.memory.shift = Some(shift);
    }
    service_deployment::change(world, service, &record.unwrap_or_default(), |record| {
        record.lifecycle_stage = Some(stage.name().to_owned());
    });
    if let Some(words) = failed {
        rollback::fail(world, service, &Cause::Shift(words), true);
    }
}
