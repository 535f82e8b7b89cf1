//! Faults, throttling, several accounts, others who write, and that the same seed gives the same history.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Reached, Simulator};
use crate::ecs::model::ServiceKey;
use crate::faults::{Ending, Executed, Fault, FaultRule, Moment, What, When};
use crate::http::{Reply, Request};
use crate::recorder::{Effect, Fate};
use crate::time::Time;
use crate::wire::Api;
use crate::writers::{Deed, Writer};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";

fn simulator() -> Simulator {
    Simulator::new(ACCOUNT, REGION, 7)
}

fn at(seconds: u64) -> Time {
    Time::START + Duration::from_secs(seconds)
}

fn signed(key: &str, region: &str, service: &str) -> (String, String) {
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    ("authorization".to_owned(), value)
}

fn ecs_by(key: &str, region: &str, action: &str, input: &Value) -> Request {
    Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![
            signed(key, region, "ecs"),
            ("x-amz-target".to_owned(), format!("AmazonEC2ContainerServiceV20141113.{action}")),
            ("x-amz-date".to_owned(), "20260101T000000Z".to_owned()),
        ],
        body: input.to_string().into_bytes(),
    }
}

fn ecs(action: &str, input: &Value) -> Request {
    ecs_by("AKIATRUEUP", REGION, action, input)
}

fn elb(form: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![signed("AKIATRUEUP", REGION, "elasticloadbalancing")],
        body: format!("{form}&Version=2015-12-01").into_bytes(),
    }
}

fn register() -> Request {
    let container = json!({"name": "web", "image": "web:1", "memory": 128});
    ecs("RegisterTaskDefinition", &json!({"family": "web", "containerDefinitions": [container]}))
}

fn list() -> Request {
    ecs("ListTaskDefinitions", &json!({}))
}

/// Status and body.
fn answer(reply: Reply) -> (u16, String) {
    let Reply::Answer { response, .. } = reply else { panic!("no answer: {reply:?}") };
    (response.status, String::from_utf8(response.body).unwrap())
}

fn revisions(simulator: &Simulator) -> u64 {
    simulator.world().ecs.families.get("web").map_or(0, |family| family.newest)
}

#[test]
fn every_fault_of_a_mutating_call_has_its_effect_and_its_answer() {
    let late = Executed::Late(Duration::from_secs(30));
    // What the client gets; revisions at once, and a minute later.
    let cases = [
        (Fault::Throttled, Some((400, "ThrottlingException")), 0, 0),
        (Fault::ServerError { status: 500, executed: false }, Some((500, "ServerException")), 0, 0),
        (Fault::ServerError { status: 503, executed: true }, Some((503, "ServiceUnavailableException")), 1, 1),
        (Fault::ServerError { status: 502, executed: false }, Some((502, "<html>")), 0, 0),
        (Fault::ServerError { status: 504, executed: true }, Some((504, "<html>")), 1, 1),
        (Fault::Expired, Some((400, "ExpiredTokenException")), 0, 0),
        (Fault::Denied, Some((400, "AccessDeniedException")), 0, 0),
        (Fault::ClockSkew(600), Some((400, "InvalidSignatureException")), 0, 0),
        (Fault::ClockSkew(-600), Some((400, "InvalidSignatureException")), 0, 0),
        (Fault::ClockSkew(60), Some((200, "taskDefinitionArn")), 1, 1),
        (Fault::Slow(Duration::from_secs(90)), Some((200, "taskDefinitionArn")), 1, 1),
        (Fault::NoAnswer { executed: Executed::Never, ending: Ending::Reset }, None, 0, 0),
        (Fault::NoAnswer { executed: Executed::Never, ending: Ending::Silence }, None, 0, 0),
        (Fault::NoAnswer { executed: Executed::AtOnce, ending: Ending::Reset }, None, 1, 1),
        (Fault::NoAnswer { executed: Executed::AtOnce, ending: Ending::Silence }, None, 1, 1),
        (Fault::NoAnswer { executed: late, ending: Ending::Silence }, None, 0, 1),
        (Fault::Cut(Moment::BeforeSend), None, 0, 0),
        (Fault::Cut(Moment::AfterSend), None, 1, 1),
        (Fault::Cut(Moment::AfterAnswer), Some((200, "taskDefinitionArn")), 1, 1),
    ];
    for (fault, expected, at_once, later) in cases {
        let mut simulator = simulator();
        simulator.faults.add(FaultRule::mutation(0, fault));
        let (status, _) = answer(simulator.handle(at(0), &list()));
        assert_eq!(status, 200, "{fault:?}: a read is no mutating call");
        let reply = simulator.handle(at(0), &register());
        match (expected, reply) {
            (Some((status, part)), reply @ Reply::Answer { .. }) => {
                let (got, body) = answer(reply);
                assert_eq!(got, status, "{fault:?}");
                assert!(body.contains(part), "{fault:?}: {body}");
            }
            (None, Reply::Reset { .. } | Reply::Silence) => {}
            (_, reply) => panic!("{fault:?}: {reply:?}"),
        }
        assert_eq!(revisions(&simulator), at_once, "{fault:?}");
        simulator.advance(at(60));
        assert_eq!(revisions(&simulator), later, "{fault:?}");
        let record = simulator.recorder.mutations().next().unwrap();
        assert_eq!(record.outcome.as_ref().is_some_and(Result::is_ok), later == 1, "{fault:?}: {record}");
        assert_eq!(record.truth.as_ref().is_some_and(|truth| truth.changed), later == 1, "{fault:?}: {record}");
        assert_eq!(matches!(record.effect, Effect::Late(_)), at_once != later, "{fault:?}: {record}");
    }
}

#[test]
fn denials_and_throttles_use_the_words_of_the_service() {
    let mut simulator = simulator();
    let role = "arn:aws:sts::123456789012:assumed-role/trueup/copy-1";
    simulator.principals.add("AKIATRUEUP", ACCOUNT, role);
    simulator.faults.add(FaultRule::new(What::action(Api::Ecs, "UpdateService").on("/web"), Fault::Denied));
    simulator.faults.add(FaultRule::new(What::service(Api::ElasticLoadBalancing), Fault::Throttled));
    let update = |service: &str| ecs("UpdateService", &json!({"cluster": "prod", "service": service}));
    let (status, body) = answer(simulator.handle(at(0), &update("web")));
    assert_eq!(status, 400);
    assert_eq!(
        body,
        format!(
            r#"{{"__type":"AccessDeniedException","message":"User: {role} is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:eu-west-1:123456789012:service/prod/web because no identity-based policy allows the ecs:UpdateService action"}}"#
        )
    );
    let (_, body) = answer(simulator.handle(at(0), &update("api")));
    assert!(!body.contains("AccessDenied"), "another resource is not denied: {body}");
    let (status, body) = answer(simulator.handle(at(0), &elb("Action=DescribeRules")));
    assert_eq!(status, 400);
    assert!(body.contains("<Code>ThrottlingException</Code><Message>Rate exceeded</Message>"), "{body}");
}

#[test]
fn rules_hit_in_their_time_their_turn_and_their_share() {
    let throttled = |when, percent| {
        let mut simulator = simulator();
        simulator.buckets.enabled = false;
        simulator.faults.add(FaultRule::new(What::reads(), Fault::Throttled).when(when).percent(percent));
        let statuses: Vec<bool> =
            (0..100).map(|second| answer(simulator.handle(at(second), &list())).0 == 400).collect();
        statuses
    };
    let hits = |when| -> Vec<usize> {
        throttled(when, 100).into_iter().enumerate().filter_map(|(second, hit)| hit.then_some(second)).collect()
    };
    assert_eq!(hits(When::Between(at(10), at(13))), [10, 11, 12]);
    assert_eq!(hits(When::Nth(5)), [5]);
    assert_eq!(hits(When::Call(6)), [6]);
    assert_eq!(hits(When::Mutation(0)), [0; 0]);
    let half = throttled(When::Always, 50).into_iter().filter(|hit| *hit).count();
    assert!((30..70).contains(&half), "{half} of 100");
    assert_eq!(throttled(When::Always, 50), throttled(When::Always, 50), "the same seed, the same calls");
}

#[test]
fn stale_reads_answer_exactly_as_it_was_and_monotonic_ones_never_go_back() {
    for monotonic in [false, true] {
        let mut simulator = simulator();
        let stale = Fault::Stale { up_to: Duration::from_mins(1), monotonic };
        simulator.faults.add(FaultRule::new(What::reads(), stale));
        let mut counts = Vec::new();
        for second in 0..120 {
            if second % 10 == 0 {
                assert_eq!(answer(simulator.handle(at(second), &register())).0, 200);
            }
            let (_, body) = answer(simulator.handle(at(second), &list()));
            let body: Value = serde_json::from_str(&body).unwrap();
            let seen = body["taskDefinitionArns"].as_array().unwrap().len() as u64;
            let true_count = second / 10 + 1;
            assert!(seen <= true_count && seen + 7 >= true_count, "{seen} of {true_count} at {second}");
            counts.push(seen);
        }
        assert!(counts.windows(2).any(|pair| pair[0] < pair[1]));
        assert_eq!(counts.is_sorted(), monotonic, "{counts:?}");
        simulator.faults.clear();
        let (_, body) = answer(simulator.handle(at(120), &list()));
        assert_eq!(body.matches("task-definition/web:").count(), 12, "the fault is over");
    }
}

#[test]
fn batch_answers_lose_entries_with_and_without_telling() {
    for told in [true, false] {
        let mut simulator = simulator();
        assert_eq!(answer(simulator.handle(at(0), &ecs("CreateCluster", &json!({"clusterName": "prod"})))).0, 200);
        let partial = Fault::Partial { percent: 100, told };
        simulator.faults.add(FaultRule::new(What::action(Api::Ecs, "Describe*"), partial));
        let (status, body) = answer(simulator.handle(at(0), &ecs("DescribeClusters", &json!({"clusters": ["prod"]}))));
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["clusters"]), (200, &json!([])));
        assert_eq!(body["failures"].as_array().map_or(0, Vec::len), usize::from(told), "{body}");
    }
}

#[test]
fn short_pages_still_lead_to_everything() {
    let mut simulator = simulator();
    for second in 0..5 {
        simulator.handle(at(second), &register());
    }
    for name in ["one", "two", "three"] {
        let form = format!("Action=CreateTargetGroup&Name={name}&Protocol=HTTP&Port=80&VpcId=vpc-1&TargetType=ip");
        assert_eq!(answer(simulator.handle(at(9), &elb(&form))).0, 200);
    }
    simulator.faults.add(FaultRule::new(What::reads(), Fault::ShortPages(2)));
    let mut pages = Vec::new();
    let mut token = json!({});
    loop {
        let (_, body) = answer(simulator.handle(at(10), &ecs("ListTaskDefinitions", &token)));
        let body: Value = serde_json::from_str(&body).unwrap();
        pages.push(body["taskDefinitionArns"].as_array().unwrap().len());
        let Some(next) = body.get("nextToken").filter(|next| !next.is_null()) else { break };
        token = json!({"nextToken": next});
    }
    assert_eq!(pages, [2, 2, 1]);
    let (_, body) = answer(simulator.handle(at(10), &elb("Action=DescribeTargetGroups")));
    assert_eq!((body.matches("<TargetGroupName>").count(), body.contains("<NextMarker>")), (2, true), "{body}");
    let (_, body) = answer(simulator.handle(at(10), &elb("Action=DescribeTargetGroups&Names.member.1=one")));
    assert_eq!(body.matches("<TargetGroupName>").count(), 1, "{body}");
}

#[test]
fn an_outage_is_over_when_its_time_is() {
    let mut simulator = simulator();
    simulator.faults.add(FaultRule::outage(Api::Ecs, at(10), at(70)));
    for (second, status) in [(9, 200), (10, 503), (69, 503), (70, 200)] {
        assert_eq!(answer(simulator.handle(at(second), &list())).0, status, "at {second}");
    }
}

#[test]
fn a_cut_client_is_not_heard_until_it_is_revived() {
    for moment in [Moment::BeforeSend, Moment::AfterSend, Moment::AfterAnswer] {
        let mut simulator = simulator();
        let told: Arc<Mutex<Vec<Reached>>> = Arc::default();
        let hook = Arc::clone(&told);
        simulator.on_cut(move |reached| hook.lock().unwrap().push(reached.clone()));
        simulator.faults.add(FaultRule::cut(1, moment));
        simulator.handle(at(0), &list());
        assert_eq!(simulator.cuts(), []);
        simulator.handle(at(1), &register());
        assert_eq!(*told.lock().unwrap(), simulator.cuts());
        let reached = &simulator.cuts()[0];
        assert_eq!((reached.call, reached.moment, reached.access_key.as_str()), (1, moment, "AKIATRUEUP"));
        assert_eq!(reached.answered_at.is_some(), moment == Moment::AfterAnswer);
        assert_eq!(simulator.handle(at(2), &register()), Reply::Silence, "it is dead");
        let other = ecs_by("AKIAOTHER", REGION, "ListClusters", &json!({}));
        assert_eq!(answer(simulator.handle(at(2), &other)).0, 200, "others live");
        simulator.revive("AKIATRUEUP");
        assert_eq!(answer(simulator.handle(at(3), &register())).0, 200);
        assert_eq!(revisions(&simulator), 1 + u64::from(moment != Moment::BeforeSend), "{moment:?}");
    }
}

#[test]
fn buckets_are_shared_by_all_who_call() {
    let mut simulator = simulator();
    for call in 0..21 {
        let request = if call % 2 == 0 {
            register()
        } else {
            ecs_by("AKIAOTHER", REGION, "DeregisterTaskDefinition", &json!({}))
        };
        let (_, body) = answer(simulator.handle(at(0), &request));
        assert_eq!(
            body.contains(r#""ThrottlingException","message":"Rate exceeded""#),
            call == 20,
            "call {call}: {body}"
        );
    }
}

#[test]
fn accounts_and_regions_see_their_own_resources_only() {
    let mut simulator = simulator();
    simulator.principals.add("AKIASTAGING", "210987654321", "arn:aws:iam::210987654321:user/ci");
    let create = |key, region| ecs_by(key, region, "CreateCluster", &json!({"clusterName": "prod"}));
    let arns = [("AKIATRUEUP", "eu-west-1"), ("AKIASTAGING", "eu-west-1"), ("AKIATRUEUP", "eu-west-2")].map(
        |(key, region)| {
            let (_, body) = answer(simulator.handle(at(0), &create(key, region)));
            let (_, listed) = answer(simulator.handle(at(0), &ecs_by(key, region, "ListClusters", &json!({}))));
            assert_eq!(listed.matches("cluster/prod").count(), 1);
            serde_json::from_str::<Value>(&body).unwrap()["cluster"]["clusterArn"].as_str().unwrap().to_owned()
        },
    );
    assert_eq!(
        arns,
        [
            "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
            "arn:aws:ecs:eu-west-1:210987654321:cluster/prod",
            "arn:aws:ecs:eu-west-2:123456789012:cluster/prod"
        ]
    );
}

#[test]
fn an_assumed_role_acts_in_its_account_until_its_credentials_are_over() {
    let mut simulator = simulator();
    let form = "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A210987654321%3Arole%2Fdeploy&RoleSessionName=copy-1\
                &DurationSeconds=900&Version=2011-06-15";
    let assume = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![signed("AKIATRUEUP", REGION, "sts")],
        body: form.as_bytes().to_vec(),
    };
    let (status, body) = answer(simulator.handle(at(0), &assume));
    assert_eq!(status, 200, "{body}");
    let key = body.split("<AccessKeyId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    let create = ecs_by(&key, REGION, "CreateCluster", &json!({"clusterName": "prod"}));
    let (_, body) = answer(simulator.handle(at(899), &create));
    assert!(body.contains("arn:aws:ecs:eu-west-1:210987654321:cluster/prod"), "{body}");
    let caller = &simulator.recorder.records()[1].caller;
    assert_eq!(caller, "arn:aws:sts::210987654321:assumed-role/deploy/copy-1");
    let (_, body) = answer(simulator.handle(at(900), &create));
    assert!(body.contains("ExpiredTokenException"), "{body}");
}

#[test]
fn others_write_at_their_time_under_their_own_name() {
    let mut simulator = simulator();
    let person = Writer::person(ACCOUNT, "kim");
    let cluster = json!({"clusterName": "by-hand"});
    let create = Deed::Call { service: Api::Ecs, action: "CreateCluster".to_owned(), input: cluster };
    simulator.script(at(10), &person, create);
    let gone = ServiceKey { cluster: "by-hand".to_owned(), name: "gone".to_owned() };
    simulator.script(at(20), &Writer::autoscaler(ACCOUNT), Deed::Scale { service: gone.clone(), desired_count: 3 });
    simulator.script(at(20), &Writer::pipeline(ACCOUNT), Deed::StopTask { service: gone });
    assert_eq!(simulator.next(), Some(at(10)));
    simulator.advance(at(9));
    assert_eq!(simulator.recorder.records().len(), 0);
    simulator.advance(at(30));
    let records = simulator.recorder.records();
    assert_eq!(records.len(), 2, "there is no task to stop");
    assert_eq!((records[0].at, &records[0].caller), (at(10), &person.arn));
    assert!(records[0].truth.as_ref().is_some_and(|truth| truth.changed));
    assert!(matches!(records[1].fate, Fate::Answered { status: 400, .. }), "{}", records[1]);
    assert_eq!(records[1].resources, ["arn:aws:ecs:eu-west-1:123456789012:service/by-hand/gone"]);
}

#[test]
fn others_can_write_between_a_read_and_the_write_after_it() {
    let mut simulator = simulator();
    let input = json!({"clusterName": "by-hand"});
    let create = Deed::Call { service: Api::Ecs, action: "CreateCluster".to_owned(), input };
    simulator.script_after(1, &Writer::person(ACCOUNT, "kim"), create);
    for _ in 0..3 {
        simulator.handle(at(0), &list());
    }
    let actions: Vec<&str> = simulator.recorder.records().iter().map(|record| record.call.action.as_str()).collect();
    assert_eq!(actions, ["ListTaskDefinitions", "ListTaskDefinitions", "CreateCluster", "ListTaskDefinitions"]);
}

#[test]
fn the_same_seed_and_inputs_give_the_same_history_to_the_byte() {
    let history = |seed, faults: bool| {
        let mut simulator = Simulator::new(ACCOUNT, REGION, seed);
        if faults {
            let lost = Fault::NoAnswer { executed: Executed::AtOnce, ending: Ending::Reset };
            simulator.faults.add(FaultRule::new(What::mutations(), lost).percent(30));
            let stale = Fault::Stale { up_to: Duration::from_mins(1), monotonic: false };
            simulator.faults.add(FaultRule::new(What::reads(), stale).percent(50));
        }
        let replies: Vec<Reply> = (0..60)
            .map(|second| simulator.handle(at(second), &if second % 3 == 0 { register() } else { list() }))
            .collect();
        (simulator.recorder.render(), replies)
    };
    assert_eq!(history(1, true), history(1, true));
    assert_ne!(history(1, true), history(2, true));
    assert_ne!(history(1, true), history(1, false));
}

#[test]
fn histories_do_not_show_environment_values() {
    let mut simulator = simulator();
    let environment = json!([{"name": "KEY", "value": "hunter2secret"}]);
    let container = json!({"name": "web", "image": "web:1", "memory": 128, "environment": environment});
    let input = json!({"family": "web", "containerDefinitions": [container]});
    simulator.handle(at(0), &ecs("RegisterTaskDefinition", &input));
    let text = simulator.recorder.render();
    assert!(text.contains("KEY") && !text.contains("hunter2secret"), "{text}");
}
