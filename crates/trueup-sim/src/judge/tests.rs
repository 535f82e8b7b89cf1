//! For every rule: what it must catch, and what it must let pass.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Canary, Commit, Facts, judge, leaks};
use crate::ecs::model::ServiceKey;
use crate::faults::Moment;
use crate::recorder::{Effect, Fate, Record, Recorder};
use crate::time::Time;
use crate::truth::{Deployed, Truth};
use crate::wire::{Api, ApiError, Call};

const OK: Fate = Fate::Answered { status: 200, after: Duration::ZERO, hash: 0 };
const SERVICE: &str = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web";

fn at(seconds: u64) -> Time {
    Time::START + Duration::from_secs(seconds)
}

fn web() -> ServiceKey {
    ServiceKey { cluster: "prod".to_owned(), name: "web".to_owned() }
}

fn facts() -> Facts {
    let commit = |id: &str, second, image: &str| Commit {
        id: id.to_owned(),
        at: at(second),
        images: [(web(), vec![image.to_owned()])].into(),
    };
    Facts {
        products: vec!["COPY1".to_owned(), "COPY2".to_owned()],
        commits: vec![commit("c1", 0, "web:1"), commit("c2", 100, "web:2"), commit("c3", 10_000, "web:1")],
        instances: ["trueup".to_owned()].into(),
        ..Facts::default()
    }
}

/// A history under construction.
#[derive(Default)]
struct Story(Recorder);

impl Story {
    /// A call on the service that succeeded and changed something.
    fn call(&mut self, second: u64, key: &str, service: Api, action: &str, input: Value) -> &mut Record {
        let (action, region) = (action.to_owned(), "eu-west-1".to_owned());
        let call = Call { service, action, access_key: key.to_owned(), region, input };
        let index = self.0.arrived(at(second), &format!("arn:aws:iam::123456789012:user/{key}"), "123456789012", call);
        let record = self.0.record(index);
        (record.outcome, record.fate, record.effect) = (Some(Ok(Value::Null)), OK, Effect::AtOnce);
        record.truth = record.mutation.map(|_| Truth { changed: true, ..Truth::default() });
        record
    }

    fn update(&mut self, second: u64, key: &str) -> &mut Record {
        self.call(second, key, Api::Ecs, "UpdateService", json!({"cluster": "prod", "service": "web"}))
    }

    fn useless(&mut self, second: u64, key: &str) -> &mut Record {
        let record = self.update(second, key);
        record.truth = Some(Truth::default());
        record
    }

    /// An update that began a deployment of an image.
    fn deploy(&mut self, second: u64, key: &str, image: &str) -> &mut Record {
        let content = crate::hash::hash(image.as_bytes());
        let deployed = Deployed {
            service: web(),
            id: second,
            task_definition: format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{second}"),
            content,
            change: content,
            images: vec![image.to_owned()],
            revision: None,
            known_bad: None,
        };
        let record = self.update(second, key);
        record.truth = Some(Truth { changed: true, deployments: vec![deployed], ..Truth::default() });
        record
    }
}

fn known_bad(record: &mut Record) {
    let since = at(700);
    record.truth.as_mut().unwrap().deployments[0].known_bad = Some(since);
}

/// Tells the story, and expects the rules that it breaks.
fn expect(name: &str, facts: &Facts, rules: &[&str], tell: impl FnOnce(&mut Story)) {
    let mut story = Story::default();
    tell(&mut story);
    let found = judge(&story.0, facts);
    let names: Vec<&str> = found.iter().map(|violation| violation.rule).collect();
    assert_eq!(names, rules, "{name}: {found:?}");
}

#[test]
fn needless_writes() {
    let facts = facts();
    let needless = &["needless write"][..];
    expect("a write that changes nothing", &facts, needless, |story| {
        story.useless(0, "COPY1");
    });
    expect("one that changes something", &facts, &[], |story| {
        story.update(0, "COPY1");
    });
    expect("somebody else's", &facts, &[], |story| {
        story.useless(0, "KIM");
    });
    expect("a refused one", &facts, &[], |story| {
        story.useless(0, "COPY1").outcome = Some(Err(ApiError::client("ClientException", "")));
    });
    expect("after a lost answer", &facts, &[], |story| {
        story.update(0, "COPY1").fate = Fate::Silence;
        story.useless(600, "COPY1");
    });
    expect("long after a lost answer", &facts, needless, |story| {
        story.update(0, "COPY1").fate = Fate::Silence;
        story.useless(1000, "COPY1");
    });
    expect("after a lost answer about something else", &facts, needless, |story| {
        let input = json!({"cluster": "prod", "service": "api"});
        story.call(0, "COPY1", Api::Ecs, "UpdateService", input).fate = Fate::Reset;
        story.useless(10, "COPY1");
    });
    expect("after a cut", &facts, &[], |story| {
        story.update(0, "COPY1").cut = Some(Moment::AfterAnswer);
        story.useless(10, "COPY1");
    });
    expect("after a stale read", &facts, &[], |story| {
        story.call(0, "COPY1", Api::Ecs, "DescribeServices", json!({})).faults = vec!["stale read"];
        story.useless(10, "COPY1");
    });
    expect("somebody else was faster", &facts, &[], |story| {
        story.update(5, "KIM");
        story.useless(10, "COPY1");
    });
    expect("the other copy was faster", &facts, &[], |story| {
        story.update(5, "COPY2");
        story.useless(10, "COPY1");
    });
    expect("right after its own write", &facts, needless, |story| {
        story.update(5, "COPY1");
        story.useless(10, "COPY1");
    });
    expect("carried out late, after it was repeated", &facts, &[], |story| {
        let late = story.useless(5, "COPY1");
        (late.effect, late.fate) = (Effect::Late(at(30)), Fate::Silence);
        story.update(25, "COPY1");
    });
    expect("registering what is there", &facts, needless, |story| {
        let record = story.call(0, "COPY1", Api::Ecs, "RegisterTaskDefinition", json!({"family": "web"}));
        record.truth.as_mut().unwrap().twin = Some("web:1".to_owned());
    });
}

#[test]
fn second_deployments() {
    let facts = facts();
    let second = &["second deployment"][..];
    expect("twice the same", &facts, second, |story| {
        story.deploy(0, "COPY1", "web:1");
        story.deploy(60, "COPY1", "web:1");
    });
    expect("two changes", &facts, &[], |story| {
        story.deploy(0, "COPY1", "web:1");
        story.deploy(160, "COPY1", "web:2");
    });
    expect("the answer was lost, once more", &facts, &[], |story| {
        story.deploy(0, "COPY1", "web:1").fate = Fate::Reset;
        story.deploy(60, "COPY1", "web:1");
    });
    expect("the answer was lost, twice more", &facts, second, |story| {
        story.deploy(0, "COPY1", "web:1").fate = Fate::Reset;
        story.deploy(60, "COPY1", "web:1");
        story.deploy(120, "COPY1", "web:1");
    });
    expect("two copies, one each", &facts, &[], |story| {
        story.deploy(0, "COPY1", "web:1");
        story.deploy(1, "COPY2", "web:1");
    });
    expect("two copies, three deployments", &facts, second, |story| {
        story.deploy(0, "COPY1", "web:1");
        story.deploy(1, "COPY2", "web:1");
        story.deploy(2, "COPY1", "web:1");
    });
    expect("somebody else changed it between", &facts, &[], |story| {
        story.deploy(0, "COPY1", "web:1");
        story.deploy(30, "KIM", "web:evil");
        story.deploy(60, "COPY1", "web:1");
    });
    let killed = Facts { kills: vec![at(10)], ..facts.clone() };
    expect("killed right after it", &killed, &[], |story| {
        story.deploy(0, "COPY1", "web:1");
        story.deploy(60, "COPY1", "web:1");
    });
}

#[test]
fn older_commits() {
    let facts = facts();
    expect("back to the old image", &facts, &["older commit"], |story| {
        story.deploy(160, "COPY1", "web:2");
        story.deploy(200, "COPY2", "web:1");
    });
    expect("a revert is a newer commit", &facts, &[], |story| {
        story.deploy(0, "COPY1", "web:1");
        story.deploy(160, "COPY1", "web:2");
        story.deploy(10_060, "COPY1", "web:1");
    });
    expect("an older call that AWS applied late", &facts, &[], |story| {
        story.deploy(90, "COPY1", "web:1").effect = Effect::Late(at(200));
        story.deploy(160, "COPY1", "web:2");
    });
    let untold = Facts {
        commits: facts.commits.iter().cloned().map(|commit| Commit { images: [].into(), ..commit }).collect(),
        ..facts.clone()
    };
    expect("by the task definition's tag", &untold, &["older commit"], |story| {
        for (second, commit) in [(160, "c2"), (200, "c1")] {
            let record = story.deploy(second, "COPY1", commit);
            record.truth.as_mut().unwrap().deployments[0].revision = Some(commit.to_owned());
        }
    });
    for (old, new, rules) in [("c2", "c1", &["older commit"][..]), ("c1", "c2", &[]), ("unknown", "c1", &[])] {
        expect("the service's tag", &facts, rules, |story| {
            let truth = story.update(0, "COPY1").truth.as_mut().unwrap();
            truth.revisions = vec![(web(), Some(old.to_owned()), new.to_owned())];
        });
    }
}

#[test]
fn known_bad_revisions() {
    let facts = Facts { bad_images: ["web:2".to_owned()].into(), ..facts() };
    let bad = &["known-bad revision"][..];
    let bad_twice = |story: &mut Story, key: &str| {
        story.deploy(160, "COPY1", "web:2");
        // ECS rolls back on its own, without a call.
        known_bad(story.deploy(900, key, "web:2"));
    };
    expect("what ECS rolled back", &facts, bad, |story| bad_twice(story, "COPY1"));
    expect("by another copy", &facts, bad, |story| bad_twice(story, "COPY2"));
    expect("by a person", &facts, &[], |story| bad_twice(story, "KIM"));
    let retried = Facts { retries: vec![(web(), at(800))], ..facts.clone() };
    expect("a person asked for it", &retried, &[], |story| bad_twice(story, "COPY1"));
    let asked_before = Facts { retries: vec![(web(), at(100))], ..facts.clone() };
    expect("a person had asked for the first one", &asked_before, bad, |story| bad_twice(story, "COPY1"));
    expect("somebody deployed over what a person had asked for", &retried, &[], |story| {
        story.deploy(160, "COPY1", "web:2");
        known_bad(story.deploy(850, "COPY1", "web:2"));
        story.deploy(860, "KIM", "web:evil");
        known_bad(story.deploy(870, "COPY1", "web:2"));
    });
    expect("a bad image twice", &facts, &["second deployment", "known-bad revision"], |story| {
        story.deploy(160, "COPY1", "web:2");
        story.deploy(180, "COPY1", "web:2");
    });
    expect("a bad image that somebody deployed over before ECS had judged it", &facts, &[], |story| {
        story.deploy(160, "COPY1", "web:2");
        story.deploy(170, "KIM", "web:evil");
        story.deploy(180, "COPY1", "web:2");
    });
    expect("a bad image that somebody deployed over when ECS had judged it", &facts, bad, |story| {
        story.deploy(160, "COPY1", "web:2");
        story.deploy(900, "KIM", "web:evil");
        known_bad(story.deploy(910, "COPY1", "web:2"));
    });
    expect("a bad image that another commit pre-empted, and a third one asks for again", &facts, &[], |story| {
        story.deploy(160, "COPY1", "web:2");
        story.deploy(170, "COPY1", "web:3");
        story.deploy(180, "COPY1", "web:2");
    });
    expect("a bad image whose first answer was lost", &facts, &[], |story| {
        story.deploy(160, "COPY1", "web:2").fate = Fate::Silence;
        story.deploy(180, "COPY1", "web:2");
    });
}

#[test]
fn fields_of_other_owners() {
    let facts = Facts { foreign_counts: [web()].into(), ..facts() };
    let foreign = &["field of another owner"][..];
    let count = json!({"cluster": "prod", "service": SERVICE, "desiredCount": 2});
    expect("the count of an autoscaled service", &facts, foreign, |story| {
        story.call(0, "COPY1", Api::Ecs, "UpdateService", count.clone());
    });
    expect("by the autoscaler", &facts, &[], |story| {
        story.call(0, "AUTOSCALING", Api::Ecs, "UpdateService", count.clone());
    });
    expect("the count of another service", &Facts { foreign_counts: [].into(), ..facts.clone() }, &[], |story| {
        story.call(0, "COPY1", Api::Ecs, "UpdateService", count.clone());
    });
    expect("targets", &facts, foreign, |story| {
        story.call(0, "COPY1", Api::ElasticLoadBalancing, "DeregisterTargets", json!({"TargetGroupArn": "tg"}));
    });
    expect("weights", &facts, foreign, |story| {
        let record = story.call(0, "COPY1", Api::ElasticLoadBalancing, "ModifyRule", json!({"RuleArn": "rule"}));
        record.truth.as_mut().unwrap().shifted_rules = vec!["rule".to_owned()];
    });
}

#[test]
fn deletions() {
    let delete = |instance: &'static str| {
        move |story: &mut Story| {
            let record =
                story.call(0, "COPY1", Api::Ecs, "DeleteService", json!({"cluster": "prod", "service": "web"}));
            let tags = vec![("trueup:instance".to_owned(), instance.to_owned())];
            record.truth.as_mut().unwrap().tags_before = vec![(SERVICE.to_owned(), tags)];
        }
    };
    let off = facts();
    let on = Facts { may_prune: true, ..facts() };
    let wanted = Facts { wanted: ["service/prod/web".to_owned()].into(), ..on.clone() };
    expect("pruning is off", &off, &["deletion"], delete("trueup"));
    expect("pruning is on", &on, &[], delete("trueup"));
    expect("another installation's", &on, &["deletion"], delete("other"));
    expect("what git wants", &wanted, &["deletion"], delete("trueup"));
    expect("a refused one", &off, &[], |story| {
        delete("trueup")(story);
        story.0.record(0).outcome = Some(Err(ApiError::client("ClientException", "")));
    });
}

#[test]
fn canaries_and_rest() {
    let belongs = vec![(Api::Ecs, "RegisterTaskDefinition".to_owned())];
    let canaries = vec![Canary { text: "CANARY123".to_owned(), belongs }];
    let facts = Facts { canaries, ..facts() };
    let carry = |action: &'static str| {
        move |story: &mut Story| {
            story.call(0, "COPY1", Api::Ecs, action, json!({"family": "web", "x": ["CANARY123"]}));
        }
    };
    expect("where it belongs", &facts, &[], carry("RegisterTaskDefinition"));
    expect("where it does not", &facts, &["canary"], carry("TagResource"));
    assert_eq!(leaks(&facts, "log", "a CANARY123 b").len(), 1);
    assert_eq!(leaks(&facts, "log", "nothing"), []);

    let quiet = Facts { quiet_since: Some(at(100)), ..facts };
    expect("before the quiet", &quiet, &[], |story| {
        story.update(99, "COPY1");
    });
    expect("a read in the quiet", &quiet, &[], |story| {
        story.call(100, "COPY1", Api::Ecs, "DescribeServices", json!({}));
    });
    expect("a write in the quiet, even a refused one", &quiet, &["write at rest"], |story| {
        story.update(100, "COPY2").outcome = Some(Err(ApiError::client("ClientException", "")));
    });
}
