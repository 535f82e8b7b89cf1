//! Plays a seeded history, and judges it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use trueup_core::names::ApplicationName;
use trueup_core::plan::{Health, Hold, Plan, Sync};
use trueup_sim::services::autoscaling;

use super::act::{Change, Hand, History};
use super::truth::{differences, is_bad};
use crate::account::CLUSTER;
use crate::ask::{ask, call, listener};
use crate::copy::Copy;
use crate::desired::{BlueGreen, Desired};
use crate::stage::{Scene, Stage};
use crate::surroundings::{self, autoscale, surroundings};
use crate::virtual_time::run;

/// The most copies at a time.
const COPIES_MAX: usize = 3;

/// How long nothing may be written at the end.
const QUIET: Duration = Duration::from_mins(20);

/// How long the end may take: breakers trip after many minutes, backoffs and the fuse reach their caps.
const PATIENCE: Duration = Duration::from_hours(6);

/// What was found of a history.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What was not as promised, in words; empty when all was.
    pub violations: Vec<String>,
    /// All calls, as the recorder prints them.
    pub calls: String,
    /// All that the copies emitted.
    pub told: Vec<String>,
}

/// Plays a history to its quiet end.
pub fn perform(history: &History) -> Verdict {
    run(history.seed, async {
        let stage = Stage::new(&Scene::new(surroundings(history.seed)));
        let mut company = Company { stage: &stage, copies: Vec::new(), started: 0, told: Vec::new() };
        let history = &placed(&stage, history);
        let mut desired = history.first.clone();
        stage.commit(&desired);
        company.start();
        sleep(Duration::from_secs(40)).await;
        for act in &history.acts {
            if let Change::Commit(next) = &act.what {
                desired = next.clone();
            }
            company.act(&act.what).await;
            sleep(Duration::from_secs(act.wait)).await;
        }
        stage.aws().faults.clear();
        stage.repository.set_dead(false);
        for name in desired.applications.keys() {
            company.resume(name).await;
        }
        let mut violations = company.end(&desired).await;
        violations.extend(differences(&mut stage.aws(), &desired));
        violations.extend(crate::judging::violations(&stage));
        let told = company.dismiss().await;
        Verdict { violations, calls: stage.aws().recorder.render(), told }
    })
}

/// The copies of trueup.
struct Company<'a> {
    stage: &'a Stage,
    copies: Vec<Copy>,
    started: u32,
    told: Vec<String>,
}

impl Company<'_> {
    fn start(&mut self) {
        self.started += 1;
        self.copies.push(self.stage.start(&format!("trueup-{}", self.started)));
    }

    /// Takes a copy out; another one comes in its place when it was the last.
    fn take(&mut self, index: usize) -> Copy {
        let copy = self.copies.remove(index % self.copies.len());
        self.told.extend(copy.lines().into_iter().map(|line| format!("{}: {line}", copy.name)));
        copy
    }

    fn never_none(&mut self) {
        if self.copies.is_empty() {
            self.start();
        }
    }

    async fn act(&mut self, change: &Change) {
        match change {
            Change::Commit(desired) => {
                self.stage.commit(desired);
            }
            Change::Hand(hand) => by_hand(self.stage, hand),
            Change::Retry(name) => self.retry(name).await,
            Change::Suspend(name) => {
                let command = self.stage.command(name);
                // Where there is nothing to suspend, the command says so.
                let _ = command.engine.suspend(&ApplicationName::new(name), "person", None).await;
            }
            Change::Resume(name) => self.resume(name).await,
            Change::Trouble(trouble, seconds) => super::trouble::begin(&mut self.stage.aws(), trouble, *seconds),
            Change::Start if self.copies.len() < COPIES_MAX => self.start(),
            Change::Start => {}
            Change::Stop(index) => {
                self.take(*index).stop().await;
                self.never_none();
            }
            Change::Kill(index) => {
                self.take(*index).kill().await;
                self.stage.facts().killed(self.stage.now());
                self.never_none();
            }
            Change::LoseCache(index) => {
                self.take(*index).kill().await;
                self.stage.facts().killed(self.stage.now());
                self.started += 1;
                self.copies.push(self.stage.start_without_cache(&format!("trueup-{}", self.started)));
            }
            Change::GitOutage(Some(index), seconds) => {
                self.copies[index % self.copies.len()].cut_off_git(Duration::from_secs(*seconds));
            }
            Change::GitOutage(None, seconds) => {
                self.stage.repository.set_dead(true);
                let repository = self.stage.repository.clone();
                let seconds = Duration::from_secs(*seconds);
                tokio::spawn(async move {
                    sleep(seconds).await;
                    repository.set_dead(false);
                });
            }
        }
    }

    async fn retry(&self, name: &str) {
        self.stage.facts().retried(name, self.stage.now());
        // Where nothing is held, or that is unknown, the command says so.
        let _ = self.stage.command(name).engine.retry_once().await;
    }

    async fn resume(&self, name: &str) {
        let _ = self.stage.command(name).engine.resume(&ApplicationName::new(name)).await;
    }

    /// Waits until all copies agree that everything is as it can be, and nothing is written any more. What a person stopped
    /// is held, and continues when it is asked for again.
    async fn end(&mut self, desired: &Desired) -> Vec<String> {
        let mut violations = Vec::new();
        let stopped = |plan: &Plan| is_at_rest(plan, desired) || is_held(plan);
        if let Some(copy) = self.copies.first()
            && self.stage.settle(copy, stopped, QUIET / 4, PATIENCE).await.is_ok()
        {
            let status = copy.engine.status();
            for status in status.applications.values().filter(|status| !is_at_rest(&status.plan, desired)) {
                self.retry(status.plan.application.as_str()).await;
            }
        }
        for copy in &self.copies {
            let acceptable = |plan: &Plan| is_at_rest(plan, desired);
            if let Err(unsettled) = self.stage.settle(copy, acceptable, QUIET, PATIENCE).await {
                violations.push(format!("{} does not come to rest: {:?}", copy.name, unsettled.applications));
            }
            self.stage.facts().quiet(self.stage.now());
        }
        violations
    }

    async fn dismiss(mut self) -> Vec<String> {
        while !self.copies.is_empty() {
            self.take(0).stop().await;
        }
        self.told
    }
}

/// Whether an application is where it can be: as git says, or held because its image does not come up.
fn is_at_rest(plan: &Plan, desired: &Desired) -> bool {
    let well = plan.sync == Sync::Synced && plan.health == Health::Healthy;
    let application = |name: &ApplicationName| desired.applications.get(name.as_str());
    let bad = application(&plan.application).is_some_and(is_bad);
    let held = is_held(plan);
    // Without a circuit breaker ECS tries for ever; then it is as git says, and not well.
    let trying = plan.steps.is_empty() && plan.health != Health::Healthy;
    if bad { held || trying } else { well }
}

/// Whether it is held because ECS failed its revision, or a person stopped it.
fn is_held(plan: &Plan) -> bool {
    plan.held.iter().any(|held| matches!(held.reason, Hold::RevisionFailed { .. }))
}

/// The history with what AWS has before the first commit: autoscalers, and the ARNs of what ECS shifts traffic between.
fn placed(stage: &Stage, history: &History) -> History {
    let mut placed = history.clone();
    let mut shifting: BTreeMap<String, BlueGreen> = BTreeMap::new();
    for desired in placed.states() {
        for (name, application) in &mut desired.applications {
            if application.autoscaled {
                autoscale(&mut stage.aws(), name);
            }
            if let Some(shifted) = &mut application.blue_green {
                let BlueGreen { priority, strategy, .. } = *shifted;
                let make = || surroundings::shifting(&mut stage.aws(), name, priority, strategy);
                *shifted = shifting.entry(name.clone()).or_insert_with(make).clone();
            }
        }
    }
    placed
}

/// Another writer does something.
fn by_hand(stage: &Stage, hand: &Hand) {
    const PERSON: &str = "person";
    let aws = &mut *stage.aws();
    let mut ecs = |action: &str, input: Value| call(aws, PERSON, "ecs", action, &input);
    match hand {
        Hand::Count(name, count) => {
            ecs("UpdateService", json!({"cluster": CLUSTER, "service": name, "desiredCount": count}));
        }
        Hand::Percent(name, minimum, maximum) => {
            let configuration = json!({"minimumHealthyPercent": minimum, "maximumPercent": maximum});
            ecs(
                "UpdateService",
                json!({"cluster": CLUSTER, "service": name, "deploymentConfiguration": configuration}),
            );
        }
        Hand::StopRollout(name) => {
            let list = ecs("ListServiceDeployments", json!({"cluster": CLUSTER, "service": name}));
            if let Some(newest) = list["serviceDeployments"].get(0) {
                ecs("StopServiceDeployment", json!({"serviceDeploymentArn": newest["serviceDeploymentArn"]}));
            }
        }
        Hand::Scale(name, count) => autoscaling::scale(aws.world_mut(), CLUSTER, name, *count),
        Hand::Force(name) => {
            ecs("UpdateService", json!({"cluster": CLUSTER, "service": name, "forceNewDeployment": true}));
        }
        Hand::Delete(name) => {
            ecs("DeleteService", json!({"cluster": CLUSTER, "service": name, "force": true}));
        }
        Hand::StopTask(name) => {
            let tasks = ecs("ListTasks", json!({"cluster": CLUSTER, "serviceName": name}));
            if let Some(task) = tasks["taskArns"].get(0) {
                ecs("StopTask", json!({"cluster": CLUSTER, "task": task, "reason": "by hand"}));
            }
        }
        Hand::Pipeline(name, tag) => {
            let found = ecs("DescribeTaskDefinition", json!({"taskDefinition": name}));
            let Some(mut definition) = found.get("taskDefinition").cloned() else { return };
            let Some(members) = definition.as_object_mut() else { return };
            let wanted = ["family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn"];
            members.retain(|member, _| wanted.contains(&member.as_str()) || member == "containerDefinitions");
            if let Some(image) = definition.pointer_mut("/containerDefinitions/0/image") {
                let repository =
                    image.as_str().and_then(|image| image.rsplit_once(':')).map(|(name, _)| name.to_owned());
                *image = json!(format!("{}:{tag}", repository.unwrap_or_default()));
            }
            let registered = ecs("RegisterTaskDefinition", definition);
            let revision = &registered["taskDefinition"]["taskDefinitionArn"];
            ecs("UpdateService", json!({"cluster": CLUSTER, "service": name, "taskDefinition": revision}));
        }
        Hand::Interval(name, seconds) => {
            let Some(group) = target_group(aws, name) else { return };
            let input = json!({"TargetGroupArn": group, "HealthCheckIntervalSeconds": seconds.to_string()});
            call(aws, PERSON, "elasticloadbalancing", "ModifyTargetGroup", &input);
        }
        Hand::Delay(name, seconds) => {
            let Some(group) = target_group(aws, name) else { return };
            let delay = json!({"Key": "deregistration_delay.timeout_seconds", "Value": seconds.to_string()});
            let input = json!({"TargetGroupArn": group, "Attributes": [delay]});
            call(aws, PERSON, "elasticloadbalancing", "ModifyTargetGroupAttributes", &input);
        }
        Hand::Path(name, path) => {
            let Some(group) = target_group(aws, name) else { return };
            let Some(rule) = rule_to(aws, &group) else { return };
            let conditions = json!([{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}]);
            let input = json!({"RuleArn": rule, "Conditions": conditions});
            call(aws, PERSON, "elasticloadbalancing", "ModifyRule", &input);
        }
    }
}

fn target_group(aws: &mut trueup_sim::Simulator, name: &str) -> Option<Value> {
    let input = json!({"Names": [format!("{name}-tg")]});
    let found = ask(aws, "elasticloadbalancing", "DescribeTargetGroups", &input);
    found["TargetGroups"].get(0).map(|group| group["TargetGroupArn"].clone())
}

fn rule_to(aws: &mut trueup_sim::Simulator, group: &Value) -> Option<Value> {
    let listener = listener(aws);
    let found = ask(aws, "elasticloadbalancing", "DescribeRules", &json!({"ListenerArn": listener}));
    let rules = found["Rules"].as_array()?;
    let rule = rules.iter().find(|rule| rule["Priority"] != "default" && rule.to_string().contains(&group.to_string()));
    rule.map(|rule| rule["RuleArn"].clone())
}
