//! Pruning.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::World;
use crate::desired::{DesiredApplication, Document, Mode, Policy};
use crate::kind::Kind;
use crate::live::{Live, Observed, OwnedResource};
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
use crate::planner::fixture::{LISTENER, group_arn, rule_arn, tags_of};
use crate::planner::{Prune, PruneInput, check, plan_prune};

/// What happened, how it changes the estate, and all that is pruned or held then.
type Row<'a> = (&'a str, fn(&mut Estate), &'a [&'a str]);

/// The first document of a kind, to be changed.
fn document(desired: &mut DesiredApplication, kind: Kind) -> &mut Document {
    desired.documents.iter_mut().find(|document| document.kind == kind).expect("there is one")
}

struct Estate {
    desired: Vec<DesiredApplication>,
    complete: bool,
    policy: Policy,
    known: BTreeSet<Revision>,
    live: Live,
}

impl Estate {
    /// Git has the e-learning site; AWS has a shop beside it, which trueup made once.
    fn new() -> Self {
        let owned = |arn: String, kind, document: &str, description| OwnedResource {
            arn: Arn::new(arn),
            kind,
            tags: tags_of(&[
                ("trueup:instance", "main"),
                ("trueup:environment", "production"),
                ("trueup:application", "shop"),
                ("trueup:document", document),
                ("trueup:revision", "old"),
            ]),
            description,
        };
        let group = group_arn("shop-tg");
        let inventory = vec![
            owned(
                group.clone(),
                Kind::TargetGroup,
                "target-groups/shop",
                json!({"TargetGroupName": "shop-tg", "LoadBalancerArns": ["lb"]}),
            ),
            owned(
                rule_arn(7),
                Kind::ListenerRule,
                "listener-rules/shop",
                json!({"Priority": "70", "Actions": [{"TargetGroupArn": group}]}),
            ),
            owned(
                "arn:aws:ecs:eu-west-1:123456789012:service/main/shop".to_owned(),
                Kind::Service,
                "service",
                json!({"serviceName": "shop", "status": "ACTIVE", "loadBalancers": [{"targetGroupArn": group}]}),
            ),
        ];
        Self {
            desired: vec![World::new().desired],
            complete: true,
            policy: Policy { prune: Mode::On, ..Policy::default() },
            known: BTreeSet::from([Revision::new("old")]),
            live: Live { inventory: Some(Observed::Present(inventory)), ..Live::default() },
        }
    }

    fn inventory(&mut self) -> &mut Vec<OwnedResource> {
        let Some(Observed::Present(inventory)) = &mut self.live.inventory else { panic!("no inventory") };
        inventory
    }

    fn prune(&self) -> BTreeMap<ApplicationName, Prune> {
        let desired: Vec<&DesiredApplication> = self.desired.iter().collect();
        let prunes = plan_prune(&PruneInput {
            environment: &EnvironmentName::new("production"),
            instance: &InstanceName::new("main"),
            desired: &desired,
            complete: self.complete,
            policy: &self.policy,
            known: &self.known,
            live: &self.live,
        });
        assert_eq!(check::check_prune("main", self.policy.prune_limit, &prunes), Vec::<String>::new());
        prunes
    }

    fn shown(&self) -> Vec<String> {
        let prunes = self.prune();
        let steps = prunes.values().flat_map(|prune| &prune.steps).map(|step| {
            let awaits = if step.awaits.is_empty() { "" } else { " awaits" };
            format!("{} {}{awaits}", step.call.operation.as_str(), step.subject.name())
        });
        let held = prunes.values().flat_map(|prune| &prune.held).map(|held| {
            let name = held.subject.resource().map_or("all", |resource| resource.name.as_str());
            format!("held {} {name}", held.reason.reason())
        });
        steps.chain(held).collect()
    }
}

#[test]
fn only_what_trueup_made_and_git_no_longer_has_is_deleted() {
    let rows: [Row<'_>; 15] = [
        ("the shop left git", |_| {}, &["DeleteService service", "DeleteRule shop", "DeleteTargetGroup shop awaits"]),
        ("pruning is off", |e| e.policy.prune = Mode::Off, &[]),
        (
            "pruning is reported",
            |e| e.policy.prune = Mode::Report,
            &["held ReportOnly service", "held ReportOnly shop", "held ReportOnly shop"],
        ),
        (
            "a person suspended it, by a mark on any of its resources",
            |e| drop(e.inventory()[0].tags.insert("trueup:suspended".to_owned(), "by alice".to_owned())),
            &["held Suspended service", "held Suspended shop", "held Suspended shop"],
        ),
        (
            "another application is suspended",
            |e| {
                let mut other = e.inventory()[0].clone();
                other.arn = Arn::new(group_arn("other-tg"));
                other.tags.insert("trueup:application".to_owned(), "elearning".to_owned());
                other.tags.insert("trueup:suspended".to_owned(), "by alice".to_owned());
                e.inventory().push(other);
            },
            &["DeleteService service", "DeleteRule shop", "DeleteTargetGroup shop awaits"],
        ),
        ("git could not be read as a whole", |e| e.complete = false, &[]),
        ("git has nothing at all", |e| e.desired.clear(), &[]),
        ("nobody listed what there is", |e| e.live.inventory = None, &[]),
        (
            "the listing failed",
            |e| e.live.inventory = Some(Observed::Unknown(crate::plan::builder::not_asked("tag:GetResources"))),
            &[],
        ),
        (
            "more than the limit",
            |e| e.policy.prune_limit = 2,
            &["held PruneLimit service", "held PruneLimit shop", "held PruneLimit shop"],
        ),
        (
            "a commit that is not this repository's",
            |e| e.known.clear(),
            &["held UnknownRevision service", "held UnknownRevision shop", "held UnknownRevision shop"],
        ),
        (
            "another installation's, another environment's, nobody's",
            |e| {
                e.inventory()[0].tags.insert("trueup:instance".into(), "other".into());
                e.inventory()[1].tags.insert("trueup:environment".into(), "staging".into());
                e.inventory()[2].tags.remove("trueup:document");
            },
            &[],
        ),
        (
            "git has them under another name",
            |e| {
                let desired = &mut e.desired[0];
                document(desired, Kind::TargetGroup).body["Name"] = json!("shop-tg");
                document(desired, Kind::Service).body["serviceName"] = json!("shop");
                document(desired, Kind::ListenerRule).body["Priority"] = json!(70);
                document(desired, Kind::ListenerRule).body["ListenerArn"] = json!(LISTENER);
            },
            &[],
        ),
        (
            "a rule of somebody else still forwards to the group",
            |e| {
                let description =
                    json!({"RuleArn": rule_arn(99), "Actions": [{"TargetGroupArn": group_arn("shop-tg")}]});
                let rule = crate::live::LiveRule { description: description.into(), tags: Observed::Absent };
                e.live.rules.insert(Arn::new(LISTENER), Observed::Present(vec![rule]));
            },
            &["DeleteService service", "DeleteRule shop", "held TargetGroupInUse shop"],
        ),
        (
            "a stack's",
            |e| {
                for resource in e.inventory() {
                    resource.tags.insert("aws:cloudformation:stack-name".into(), "infra".into());
                }
            },
            &["held OwnedByStack service", "held OwnedByStack shop", "held OwnedByStack shop"],
        ),
    ];
    for (what, change, expected) in rows {
        let mut estate = Estate::new();
        change(&mut estate);
        assert_eq!(estate.shown(), expected, "{what}");
    }
}

#[test]
fn what_is_used_goes_after_what_uses_it() {
    let mut estate = Estate::new();
    let mut operations = Vec::new();
    while let Some(step) = estate.prune().into_values().flat_map(|p| p.steps).find(|step| step.awaits.is_empty()) {
        operations.push(step.call.operation.as_str());
        estate.live.absorb(&step.call, &json!({}));
    }
    assert_eq!(operations, ["DeleteService", "DeleteRule"]);
    // Until a new reading shows that no load balancer uses it.
    assert_eq!(estate.shown(), ["held TargetGroupInUse shop"]);
    estate.inventory()[0].description["LoadBalancerArns"] = json!([]);
    assert_eq!(estate.shown(), ["DeleteTargetGroup shop"]);
}
