//! Putting AWS's answers into documents.

use std::collections::BTreeMap;

use super::example::ELEARNING;
use super::{application, tree};
use crate::desired::{DesiredApplication, Lookup, load};
use crate::kind::Kind;
use crate::live::{FailureKind, Observed, ReadFailure};
use crate::names::Revision;

/// Resolves the example, with an answer for every lookup but those that `answer` changes.
fn resolve(answer: impl Fn(&Lookup) -> Option<Observed<String>>) -> DesiredApplication {
    let loaded = load(&tree(ELEARNING));
    let application = application(&loaded, "production", "elearning");
    let found: BTreeMap<_, _> = application
        .lookups()
        .into_iter()
        .map(|lookup| {
            let text = match &lookup {
                Lookup::Secret(_) => {
                    "arn:aws:secretsmanager:ap-northeast-1:210987654321:secret:elearning/database-AbCdEf"
                }
                Lookup::Parameter(_) => "arn:aws:ssm:ap-northeast-1:210987654321:parameter/elearning/redis",
                Lookup::Image { .. } => "210987654321.dkr.ecr.ap-northeast-1.amazonaws.com/backend@sha256:00",
                Lookup::TargetGroup(_)
                | Lookup::Listener { .. }
                | Lookup::StackResource { .. }
                | Lookup::StackOutput { .. } => "arn:aws:some:thing",
            };
            let answer = answer(&lookup).unwrap_or_else(|| Observed::Present(text.to_owned()));
            (lookup, answer)
        })
        .collect();
    application.resolve(&Revision::new("0123"), &found)
}

fn unresolved(desired: &DesiredApplication) -> Vec<String> {
    let line = |one: &crate::desired::Unresolved| {
        format!("{} {}: {}{}", one.location, one.reference, one.reason, if one.transient { " (transient)" } else { "" })
    };
    desired.unresolved.iter().map(line).collect()
}

#[test]
fn every_answer_arrives_in_its_document() {
    let desired = resolve(|_| None);
    assert_eq!(unresolved(&desired), [""; 0]);
    assert!(
        desired
            .documents
            .iter()
            .all(|document| document.awaits.is_empty() && !document.body.to_string().contains("${s"))
    );
    let service = &desired.single(Kind::Service).unwrap().body;
    assert_eq!(service["loadBalancers"][0]["targetGroupArn"], "arn:aws:some:thing");
    let task = &desired.single(Kind::TaskDefinition).unwrap().body;
    assert_eq!(task["containerDefinitions"][0]["environment"][1]["value"], "${HOME}");
}

#[test]
fn a_target_group_that_is_still_to_be_made_is_awaited() {
    let is_backend = |lookup: &Lookup| *lookup == Lookup::TargetGroup("elearning-system-backend-tg".to_owned());
    let desired = resolve(|lookup| is_backend(lookup).then_some(Observed::Absent));
    assert_eq!(unresolved(&desired), [""; 0]);
    let awaiting: Vec<_> = desired
        .documents
        .iter()
        .filter(|one| one.awaits.contains(&(Kind::TargetGroup, "backend".to_owned())))
        .map(|one| &one.name)
        .collect();
    assert_eq!(awaiting, ["api", "service"]);
    let service = &desired.single(Kind::Service).unwrap().body;
    assert_eq!(service["loadBalancers"][0]["targetGroupArn"], "${target_group.backend}");
    assert_eq!(service["loadBalancers"][1]["targetGroupArn"], "arn:aws:some:thing");
}

#[test]
fn what_is_absent_unread_or_illegal_is_unresolved_with_its_reason() {
    let desired = resolve(|lookup| match lookup {
        Lookup::Secret(_) => Some(Observed::Absent),
        Lookup::Parameter(_) => Some(Observed::Unknown(ReadFailure {
            operation: "ssm:GetParameter".to_owned(),
            kind: FailureKind::Throttled,
            message: "Rate exceeded".to_owned(),
        })),
        Lookup::StackResource { logical_id, .. } if logical_id == "ECSSecurityGroup" => Some(Observed::Absent),
        Lookup::Image { .. }
        | Lookup::TargetGroup(_)
        | Lookup::Listener { .. }
        | Lookup::StackResource { .. }
        | Lookup::StackOutput { .. } => None,
    });
    assert_eq!(unresolved(&desired), EXPECTED);
}

const EXPECTED: [&str; 3] = [
    "elearning/task-definition.json:19:48 ${secret.elearning/database}: AWS has no secret `elearning/database`",
    "elearning/task-definition.json:20:45 ${parameter./elearning/redis}: ssm:GetParameter was throttled: Rate exceeded (transient)",
    "elearning/service.toml:21:19 ${stack.elearning-system-infrastructure.ECSSecurityGroup}: AWS has no resource `ECSSecurityGroup` in stack `elearning-system-infrastructure`",
];

#[test]
fn an_answer_that_the_api_would_refuse_is_unresolved() {
    let text = r#"
== trueup.toml
[environments.production]
account = "210987654321"
region = "eu-central-1"
== web/app.toml
== web/target-groups/web.toml
Name = "web"
Protocol = "HTTP"
Port = "${stack.infra.output.Port}"
VpcId = "vpc-1"
"#;
    let loaded = load(&tree(text));
    let application = application(&loaded, "production", "web");
    let port = |answer: &str| {
        let lookup = Lookup::StackOutput { stack: "infra".to_owned(), key: "Port".to_owned() };
        let found = BTreeMap::from([(lookup, Observed::Present(answer.to_owned()))]);
        application.resolve(&Revision::new("0123"), &found)
    };
    let group = |desired: &DesiredApplication| desired.of(Kind::TargetGroup).next().expect("a target group").clone();
    assert_eq!(group(&port("8080")).body["Port"], 8080);
    assert_eq!(unresolved(&port("8080")), [""; 0]);
    assert_eq!(unresolved(&port("99999")).len(), 1, "{:?}", unresolved(&port("99999")));
    assert_eq!(unresolved(&port("eighty")).len(), 1);
    assert_ne!(group(&port("8080")).digest, group(&port("8081")).digest);
}

#[test]
fn a_lookup_that_nobody_made_is_not_taken_for_absent() {
    let loaded = load(&tree(ELEARNING));
    let application = application(&loaded, "production", "elearning");
    let desired = application.resolve(&Revision::new("0123"), &BTreeMap::new());
    assert!(desired.documents.iter().all(|document| document.awaits.is_empty()));
    assert!(desired.unresolved.iter().all(|one| one.transient && one.reason == "it was not looked up"));
    assert_eq!(desired.unresolved.len(), 14);
}
