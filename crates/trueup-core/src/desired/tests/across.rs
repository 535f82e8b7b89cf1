//! Applications beside one another.

use super::{ONE_ENVIRONMENT, check, tree};
use crate::desired::load;

const GROUP: &str = "Name = \"shared\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-1\"\n";

fn rule(priority: u32) -> String {
    format!(
        "ListenerArn = \"${{listener.alb.443}}\"\nPriority = {priority}\n\
         Conditions = [{{ Field = \"path-pattern\", Values = [\"/\"] }}]\n\
         Actions = [{{ Type = \"fixed-response\", FixedResponseConfig = {{ StatusCode = \"200\" }} }}]\n"
    )
}

#[test]
fn two_that_declare_the_same_resource_are_told_of_each_other() {
    let text = format!(
        "{ONE_ENVIRONMENT}\n== a/app.toml\n== b/app.toml\n== c/app.toml\n\
         == a/target-groups/one.toml\n{GROUP}== b/target-groups/two.toml\n{GROUP}\
         == a/listener-rules/x.toml\n{}== a/listener-rules/y.toml\n{}== c/listener-rules/z.toml\n{}",
        rule(1),
        rule(1),
        rule(2)
    );
    check(
        &text,
        "
        a/listener-rules/x.toml:2:12: declared-twice: priority 1 on listener `${listener.alb.443}` is also declared by `a/listener-rules/y.toml`
          help: declare it once, or choose another one here
        a/listener-rules/y.toml:2:12: declared-twice: priority 1 on listener `${listener.alb.443}` is also declared by `a/listener-rules/x.toml`
          help: declare it once, or choose another one here
        a/target-groups/one.toml:1:8: declared-twice: target group `shared` is also declared by application `b`
          help: declare it once, or choose another one here
        b/target-groups/two.toml:1:8: declared-twice: target group `shared` is also declared by application `a`
          help: declare it once, or choose another one here
        ",
    );
    let loaded = load(&tree(&text));
    let broken: Vec<_> =
        loaded.applications.iter().filter(|(_, one)| one.is_err()).map(|((_, name), _)| name.as_str()).collect();
    assert_eq!(broken, ["a", "b"]);
}

#[test]
fn two_environments_of_one_account_and_region_may_not_share_a_resource() {
    let environment = |name: &str, region: &str| {
        format!("[environments.{name}]\naccount = \"210987654321\"\nregion = \"{region}\"\n")
    };
    let text = |region: &str| {
        format!(
            "== trueup.toml\n{}{}== a/app.toml\n== a/target-groups/one.toml\n{GROUP}",
            environment("production", "eu-central-1"),
            environment("staging", region)
        )
    };
    check(&text("eu-west-1"), "");
    check(
        &text("eu-central-1"),
        "
        a/target-groups/one.toml:1:8: declared-twice: target group `shared` is also declared by environment `production`, of the same account and region
          help: declare it once, or choose another one here
        a/target-groups/one.toml:1:8: declared-twice: target group `shared` is also declared by environment `staging`, of the same account and region
          help: declare it once, or choose another one here
        ",
    );
}

#[test]
fn dependencies_exist_and_do_not_go_round() {
    let application = |name: &str, depends_on: &str| {
        format!(
            "== {name}/app.toml\ndepends_on = [{depends_on}]\n== {name}/target-groups/g.toml\n{}",
            GROUP.replace("shared", name)
        )
    };
    let text = |others: &[(&str, &str)]| {
        others.iter().fold(ONE_ENVIRONMENT.to_owned(), |text, (name, on)| text + &application(name, on))
    };
    check(&text(&[("api", "\"base\""), ("web", "\"api\", \"base\""), ("base", "")]), "");
    check(
        &text(&[("api", "\"web\""), ("web", "\"db\""), ("db", "\"api\", \"base\""), ("base", ""), ("top", "\"api\"")]),
        "
        api/app.toml:1:15: bad-dependency: `web` depends on this application, too
          help: remove one of the dependencies between them
        db/app.toml:1:15: bad-dependency: `api` depends on this application, too
          help: remove one of the dependencies between them
        web/app.toml:1:15: bad-dependency: `db` depends on this application, too
          help: remove one of the dependencies between them
        ",
    );
    check(
        &text(&[("api", "\"apu\"")]),
        "
        api/app.toml:1:15: bad-dependency: there is no application `apu` in environment `production`
          help: did you mean `api`?
        ",
    );
}
