//! An application with a target group and a rule: what depends on what.

use crate::world::{World, application, files, tree};

/// `web` behind a load balancer.
fn balanced(tag: &str) -> Vec<(String, String)> {
    let mut application = application("web", tag);
    application[1].1.push_str(
        "[[loadBalancers]]\ntargetGroupArn = \"${target_group.web}\"\ncontainerName = \"web\"\ncontainerPort = 80\n",
    );
    application[2].1 = application[2]
        .1
        .replace("\"memory\": 128,", "\"memory\": 128, \"portMappings\": [{\"containerPort\": 80, \"hostPort\": 80}],");
    let group = "Name = \"web-tg\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-0a1b2c3d\"\nTargetType = \"instance\"\n\
                 [[Attributes]]\nKey = \"deregistration_delay.timeout_seconds\"\nValue = \"30\"\n";
    let rule = "ListenerArn = \"${listener.main.80}\"\nPriority = 10\n\
                [[Conditions]]\nField = \"path-pattern\"\nPathPatternConfig = { Values = [\"/api/*\"] }\n\
                [[Actions]]\nType = \"forward\"\nTargetGroupArn = \"${target_group.web}\"\n";
    application.push(("web/target-groups/web.toml".to_owned(), group.to_owned()));
    application.push(("web/listener-rules/api.toml".to_owned(), rule.to_owned()));
    application
}

#[tokio::test(start_paused = true)]
async fn what_serves_is_made_before_what_sends_to_it_in_one_pass() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[balanced("1")])));
    world.settle().await;
    assert_eq!(
        world.cloud.take_calls(),
        [
            "CreateTargetGroup web-tg",
            "ModifyTargetGroupAttributes web-tg",
            "AddTags web-tg",
            "CreateRule main",
            "RegisterTaskDefinition web",
            "CreateService web"
        ],
        "{}",
        world.prints()
    );
    let service = world.cloud.service("web").expect("it was created");
    let arn = service["loadBalancers"][0]["targetGroupArn"].as_str().expect("it has a target group");
    assert!(arn.starts_with("arn:aws:elasticloadbalancing:") && arn.contains("targetgroup/web-tg/"), "{arn}");
    let events = world.take_events();
    assert_eq!(events.iter().filter(|event| *event == "plan.made web").count(), 1, "{events:?}");
    world.pass(600).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new(), "{}", world.prints());
    assert_eq!(world.take_events(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn own_target_groups_are_observed_and_not_looked_up() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[balanced("1")])));
    world.settle().await;
    world.pass(300).await;
    let lookups = world.cloud.take_lookups();
    assert!(!lookups.is_empty());
    for lookup in lookups {
        assert!(matches!(lookup, trueup_core::desired::Lookup::Listener { .. }), "{lookup:?}");
    }
}
