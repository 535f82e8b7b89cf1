//! What the rules certainly know, and what they leave to AWS, on small documents of their own.

use std::fmt::Write as _;

use super::{ONE_ENVIRONMENT, tree};
use crate::desired::load;

/// Checks what is reported of an application with these files, each `PATH`, a line break, and its text: the code of each problem
/// and the text that it is about, up to the end of the line.
#[track_caller]
fn expect(files: &[(&str, &str)], expected: &[&str]) {
    let mut text = format!("{ONE_ENVIRONMENT}\n== a/app.toml\n");
    for (path, content) in files {
        write!(text, "== a/{path}\n{content}\n").unwrap();
    }
    let found: Vec<String> = load(&tree(&text))
        .problems
        .iter()
        .map(|problem| {
            let span = problem.span.as_ref().expect("rules are about a place");
            let about = span.file.text()[span.range.clone()].lines().next().unwrap_or_default();
            format!("{} at {about}", problem.code)
        })
        .collect();
    assert_eq!(found, expected, "{files:?}");
}

/// A target group with more in it.
fn target_group(protocol: &str, more: &str) -> String {
    format!("Name = \"x\"\nProtocol = \"{protocol}\"\nPort = 80\nVpcId = \"vpc-1\"\n{more}\n")
}

#[test]
fn a_health_check_ends_before_the_next_begins() {
    let table: [(&str, &str, &[&str]); 7] = [
        ("HTTP", "HealthCheckIntervalSeconds = 5", &["timeout-not-below-interval at 5"]),
        ("HTTP", "HealthCheckIntervalSeconds = 6", &[]),
        ("HTTP", "HealthCheckTimeoutSeconds = 30", &["timeout-not-below-interval at 30"]),
        ("HTTP", "HealthCheckIntervalSeconds = 5\nHealthCheckTimeoutSeconds = 4", &[]),
        ("TCP", "HealthCheckIntervalSeconds = 10\nHealthCheckTimeoutSeconds = 10", &[]),
        (
            "TCP",
            "HealthCheckIntervalSeconds = 10\nHealthCheckTimeoutSeconds = 11",
            &["timeout-not-below-interval at 11"],
        ),
        ("TCP", "HealthCheckIntervalSeconds = 5", &[]),
    ];
    for (protocol, more, codes) in table {
        expect(&[("target-groups/x.toml", &target_group(protocol, more))], codes);
    }
}

#[test]
fn actions_say_what_they_do_and_conditions_name_a_field() {
    let rule = |actions: &str, field: &str| {
        format!(
            "ListenerArn = \"${{listener.alb.443}}\"\nPriority = 1\nActions = [{actions}]\n\
             Conditions = [{{ Field = \"{field}\", Values = [\"x\"] }}]\n"
        )
    };
    let redirect = r#"{ Type = "redirect", RedirectConfig = { StatusCode = "HTTP_301" } }"#;
    let table: [(&str, &str, &[&str]); 6] = [
        (redirect, "path-pattern", &[]),
        (redirect, "path-patern", &["illegal-value at \"path-patern\""]),
        (redirect, "something-new", &[]),
        (r#"{ Type = "redirect" }"#, "path-pattern", &[r#"missing-member at { Type = "redirect" }"#]),
        (r#"{ Type = "fixed-response" }"#, "path-pattern", &[r#"missing-member at { Type = "fixed-response" }"#]),
        (r#"{ Type = "fixed-response", FixedResponseConfig = { StatusCode = "404" } }"#, "host-header", &[]),
    ];
    for (actions, field, codes) in table {
        expect(&[("listener-rules/x.toml", &rule(actions, field))], codes);
    }
}

/// A task definition of one container with more in it, and more beside it.
fn task(outside: &str, inside: &str) -> String {
    format!(
        "family = \"x\"\n{outside}\n[[containerDefinitions]]\nname = \"web\"\nimage = \"i\"\nmemory = 64\n{inside}\n"
    )
}

#[test]
fn in_host_mode_the_hosts_port_is_the_containers() {
    let other = "portMappings = [{ containerPort = 80, hostPort = 8080 }]";
    let table: [(&str, &str, &[&str]); 3] = [
        (r#"networkMode = "host""#, other, &["host-port at 8080"]),
        (r#"networkMode = "host""#, "portMappings = [{ containerPort = 80, hostPort = 80 }]", &[]),
        ("", other, &[]),
    ];
    for (outside, inside, codes) in table {
        expect(&[("task-definition.toml", &task(outside, inside))], codes);
    }
}

#[test]
fn two_accelerators_are_no_repetition() {
    let inside = r#"resourceRequirements = [
        { type = "InferenceAccelerator", value = "a" },
        { type = "InferenceAccelerator", value = "b" },
    ]"#;
    expect(&[("task-definition.toml", &task("", inside))], &[]);
}

#[test]
fn names_alone_do_not_make_a_secret() {
    let table: [(&str, &str, &[&str]); 9] = [
        ("MYSQL_ALLOW_EMPTY_PASSWORD", "1", &[]),
        ("DB_SECRET", "elearning/prod/database", &[]),
        ("DB_PASSWORD", "file:///run/secrets/db", &[]),
        ("DB_SECRET", "hunter2", &["plaintext-secret at \"hunter2\""]),
        ("DB_PASSWORD", "aB3/xY9/kQ", &["plaintext-secret at \"aB3/xY9/kQ\""]),
        ("PGPASSWORD", "hunter2", &["plaintext-secret at \"hunter2\""]),
        ("MYSQL_PWD", "hunter2", &["plaintext-secret at \"hunter2\""]),
        ("SECRET_KEY_BASE", "0a1b2c", &["plaintext-secret at \"0a1b2c\""]),
        ("COMPASSWORD", "x", &[]),
    ];
    for (name, value, codes) in table {
        let inside = format!("environment = [{{ name = \"{name}\", value = \"{value}\" }}]");
        expect(&[("task-definition.toml", &task("", &inside))], codes);
    }
}

#[test]
fn a_service_that_runs_nothing_is_not_stuck() {
    let service = |count: u32| {
        format!(
            "serviceName = \"x\"\ndesiredCount = {count}\n\
             deploymentConfiguration = {{ maximumPercent = 100, minimumHealthyPercent = 100 }}\n"
        )
    };
    for (count, codes) in
        [(0, &[][..]), (1, &["deployment-deadlock at { maximumPercent = 100, minimumHealthyPercent = 100 }"][..])]
    {
        expect(&[("task-definition.toml", &task("", "")), ("service.toml", &service(count))], codes);
    }
}

#[test]
fn a_cluster_given_by_its_arn_is_of_the_environments_account_and_region() {
    let table: [(&str, &[&str]); 5] = [
        ("arn:aws:ecs:eu-central-1:210987654321:cluster/main", &[]),
        ("arn:aws:ecs:${region}:${account}:cluster/${cluster}", &[]),
        (
            "arn:aws:ecs:eu-central-1:210987654329:cluster/main",
            &["contradicts-environment at \"arn:aws:ecs:eu-central-1:210987654329:cluster/main\""],
        ),
        (
            "arn:aws:ecs:eu-west-1:210987654321:cluster/main",
            &["contradicts-environment at \"arn:aws:ecs:eu-west-1:210987654321:cluster/main\""],
        ),
        ("other", &["contradicts-environment at \"other\""]),
    ];
    for (cluster, codes) in table {
        let service = format!("serviceName = \"x\"\ncluster = \"{cluster}\"\n");
        expect(&[("task-definition.toml", &task("", "")), ("service.toml", &service)], codes);
    }
}

#[test]
fn only_fargate_gives_public_addresses() {
    let service = |launch_type: &str| {
        format!(
            "serviceName = \"x\"\nlaunchType = \"{launch_type}\"\n[networkConfiguration.awsvpcConfiguration]\n\
             subnets = [\"subnet-1\"]\nassignPublicIp = \"ENABLED\"\n"
        )
    };
    let fargate = task("networkMode = \"awsvpc\"\ncpu = \"256\"\nmemory = \"512\"", "");
    for (launch_type, codes) in [("FARGATE", &[][..]), ("EC2", &["public-address at \"ENABLED\""][..])] {
        expect(&[("task-definition.toml", &fargate), ("service.toml", &service(launch_type))], codes);
    }
}

#[test]
fn of_one_file_only_the_first_problems_are_reported() {
    let references = "{ name = \"A\", value = \"${acount}\" },".repeat(2_000);
    let text = format!("{ONE_ENVIRONMENT}\n== a/app.toml\n== a/task-definition.toml\n{}", {
        task("", &format!("environment = [{references}]"))
    });
    assert_eq!(super::load(&super::tree(&text)).problems.len(), 300);
}
