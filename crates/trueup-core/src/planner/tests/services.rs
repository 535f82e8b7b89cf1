//! Services.

use serde_json::{Value, json};

use super::{Row, World, check_rows, shown};
use crate::desired::Ignore;
use crate::kind::Kind;
use crate::live::Observed;
use crate::plan::Health;
use crate::planner::fixture::{revision_arn, service_id};
use crate::pointer::Pointer;

fn service(world: &mut World, change: fn(&mut Value)) {
    world.commit(Kind::Service, "service", change);
}

#[test]
fn fields_that_no_call_changes_are_held_and_the_others_go_on() {
    let rows: [Row<'_>; 4] = [
        (
            "launch type",
            |w| service(w, |body| body["launchType"] = json!("EC2")),
            &["held Immutable service /launchType"],
        ),
        (
            "scheduling strategy, beside a change that can be made",
            |w| {
                service(w, |body| {
                    body["schedulingStrategy"] = json!("DAEMON");
                    body["enableExecuteCommand"] = json!(true);
                });
            },
            &["UpdateService service pending /enableExecuteCommand", "held Immutable service /schedulingStrategy"],
        ),
        (
            "deployment controller",
            |w| service(w, |body| body["deploymentController"] = json!({"type": "EXTERNAL"})),
            &["held Immutable service /deploymentController/type"],
        ),
        (
            "it is being deleted",
            |w| w.edit_service(|live| live["status"] = json!("DRAINING")),
            &["held ServiceDraining service /"],
        ),
    ];
    let mut found = Vec::new();
    for (what, change, expected) in rows {
        let mut world = World::settled();
        change(&mut world);
        // Which level of a structure a change names is the comparison's business.
        let lines = shown(&world.plan());
        let same = lines.iter().zip(expected).all(|(line, expected)| {
            line == expected || expected.starts_with(line.as_str()) || line.starts_with(expected)
        });
        if !same || lines.len() != expected.len() {
            found.push(format!("{what}: {lines:?}"));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn an_update_sends_whole_members_and_only_those_that_changed() {
    let mut world = World::settled();
    world.edit_service(|live| live["deploymentConfiguration"]["maximumPercent"] = json!(150));
    let plan = world.plan();
    assert_eq!(
        plan.steps[0].call.input,
        json!({"cluster": "main", "service": "elearning", "deploymentConfiguration":
            {"maximumPercent": 200, "minimumHealthyPercent": 100,
             "deploymentCircuitBreaker": {"enable": true, "rollback": true}}})
    );

    // A masked field inside of it keeps what it has.
    let pointer = Pointer::parse("/deploymentConfiguration/minimumHealthyPercent").expect("a pointer");
    world.desired.policy.ignore = vec![Ignore { kind: Kind::Service, name: None, pointer }];
    world.edit_service(|live| live["deploymentConfiguration"]["minimumHealthyPercent"] = json!(50));
    let plan = world.plan();
    assert_eq!(plan.steps[0].call.input["deploymentConfiguration"]["minimumHealthyPercent"], 50);
}

#[test]
fn a_removal_is_said_and_then_it_rests() {
    // What git says nothing of, what AWS has there, and what is sent.
    let cases = [
        ("/healthCheckGracePeriodSeconds", json!(60), json!(0)),
        ("/placementConstraints", json!([{"type": "distinctInstance"}]), json!([])),
        ("/placementStrategy", json!([{"type": "random"}]), json!([])),
        ("/serviceRegistries", json!([{"registryArn": "arn:aws:servicediscovery:1"}]), json!([])),
        ("/enableExecuteCommand", json!(true), json!(false)),
        ("/enableECSManagedTags", json!(true), json!(false)),
        ("/propagateTags", json!("SERVICE"), json!("NONE")),
        ("/deploymentConfiguration/strategy", json!("BLUE_GREEN"), json!("ROLLING")),
        (
            "/deploymentConfiguration/alarms",
            json!({"alarmNames": ["errors"], "enable": true, "rollback": true}),
            json!({"alarmNames": [], "enable": false, "rollback": false}),
        ),
        ("/networkConfiguration/awsvpcConfiguration/securityGroups", json!(["sg-1"]), json!([])),
        (
            "/deployments/0/serviceConnectConfiguration",
            json!({"enabled": true, "namespace": "main"}),
            json!({"enabled": false}),
        ),
        (
            "/deployments/0/vpcLatticeConfigurations",
            json!([{"roleArn": "r", "targetGroupArn": "t", "portName": "p"}]),
            json!([]),
        ),
    ];
    for (place, live, sent) in cases {
        let mut world = World::settled();
        world.edit_service(|service| {
            let (parent, name) = place.rsplit_once('/').expect("a pointer");
            service.pointer_mut(parent).expect("a parent")[name] = live;
        });
        let plan = world.plan();
        assert_eq!(plan.steps.len(), 1, "{place}: {:?}", shown(&plan));
        let input = &plan.steps[0].call.input;
        assert_eq!(input.pointer(&place.replace("/deployments/0", "")), Some(&sent), "{place}");
        world.converge();
        assert_eq!(shown(&world.plan()), Vec::<String>::new(), "{place}");
    }
}

#[test]
fn another_capacity_strategy_forces_a_deployment() {
    let mut world = World::settled();
    world.commit(Kind::Service, "service", |body| {
        body["capacityProviderStrategy"] = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    });
    let plan = world.plan();
    let input = &plan.steps[0].call.input;
    assert_eq!(input["forceNewDeployment"], json!(true));
    assert_eq!(input["capacityProviderStrategy"], json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]));
}

#[test]
fn the_number_of_tasks_is_sent_only_where_it_is_git_s() {
    let drifted = |world: &mut World| world.edit_service(|live| live["desiredCount"] = json!(7));
    let mut world = World::settled();
    drifted(&mut world);
    assert_eq!(shown(&world.plan()), ["UpdateService service drift /desiredCount"]);
    world.live.autoscaled.insert(service_id(), Observed::Present(()));
    assert_eq!(shown(&world.plan()), Vec::<String>::new(), "autoscaled");

    let mut world = World::new();
    world.commit(Kind::Service, "service", |body| drop(body.as_object_mut().map(|m| m.shift_remove("desiredCount"))));
    let mut last = None;
    while let Some(step) = world.step() {
        last = Some(step);
    }
    assert_eq!(last.expect("CreateService").call.input["desiredCount"], 1, "AWS wants one for a new service");
    drifted(&mut world);
    assert_eq!(shown(&world.plan()), Vec::<String>::new(), "git does not say how many");
}

#[test]
fn a_repeated_creation_is_recognised_and_a_later_one_is_another() {
    let token = |world: &World| {
        let plan = world.plan();
        plan.steps.last().expect("CreateService").call.input["clientToken"].as_str().expect("text").to_owned()
    };
    let mut world = World::new();
    let first = token(&world);
    assert!(first.len() <= 36 && first.is_ascii());
    world.later(30);
    assert_eq!(token(&world), first, "a retry");
    world.later(3600);
    assert_ne!(token(&world), first, "somebody deleted it meanwhile");
}

#[test]
fn what_other_controllers_own_is_neither_compared_nor_written() {
    // The controller, what differs, whether it is written.
    let cases = [
        ("CODE_DEPLOY", "platformVersion", json!("1.3.0"), false),
        ("CODE_DEPLOY", "desiredCount", json!(3), true),
        ("EXTERNAL", "networkConfiguration", json!({}), false),
        ("EXTERNAL", "desiredCount", json!(3), true),
    ];
    for (controller, name, live, written) in cases {
        let mut world = World::settled();
        let controller = json!({"type": controller});
        let body = &mut world.document(Kind::Service, "service").body;
        body["deploymentController"] = controller.clone();
        body["platformVersion"] = json!("1.4.0");
        world.edit_service(|service| {
            service["deploymentController"] = controller.clone();
            service["platformVersion"] = json!("1.4.0");
            service["taskDefinition"] = json!(revision_arn(99));
            service[name] = live;
        });
        let lines = shown(&world.plan());
        let updates = lines.iter().filter(|line| line.starts_with("UpdateService")).count();
        assert_eq!(updates, usize::from(written), "{controller} {name}: {lines:?}");
    }
}

#[test]
fn a_deleted_service_is_made_again() {
    let mut world = World::settled();
    world.live.services.insert(service_id(), Observed::Absent);
    let plan = world.plan();
    assert_eq!(shown(&plan), ["CreateService service drift /"], "with the revision that is registered");
    assert_eq!(plan.health, Health::Missing);
    world.desired.policy.heal = crate::desired::Mode::Report;
    assert_eq!(shown(&world.plan()), ["held ReportOnly service /"], "somebody took it away: that is drift");
}

#[test]
fn the_service_runs_the_revision_that_git_wants() {
    let rows: [Row<'_>; 2] = [
        (
            "somebody sent it to another revision by hand",
            |w| {
                let other = json!(revision_arn(90));
                w.edit_service(|live| live["taskDefinition"] = other);
                let mut revision =
                    w.live.task_definitions.values().next().and_then(Observed::present).expect("one").clone();
                revision.description["taskDefinitionArn"] = json!(revision_arn(90));
                revision.description["cpu"] = json!("256");
                revision.tags.clear();
                w.live.task_definitions.insert(crate::names::Arn::new(revision_arn(90)), Observed::Present(revision));
            },
            &["UpdateService service drift /taskDefinition"],
        ),
        (
            "AWS names the revision by its short name",
            |w| {
                w.edit_service(|live| {
                    let arn = live["taskDefinition"].as_str().expect("text").to_owned();
                    live["taskDefinition"] = json!(arn.rsplit('/').next());
                });
            },
            &[],
        ),
    ];
    check_rows(&rows);
}
