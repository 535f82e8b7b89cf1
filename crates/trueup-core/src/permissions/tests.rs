//! The policy of a small tree, and the table of actions against what operators read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::{ACTIONS, Access, Answers, Grant, IamPolicy, Request, lookups, policy};
use crate::desired::{Loaded, Lookup, load};
use crate::live::Observed;
use crate::names::{EnvironmentName, InstanceName};

const CONFIGURATION: &str = r#"
[environments.production]
account = "210987654321"
region = "eu-central-1"
cluster = "main"

[environments.abroad]
account = "109876543210"
region = "cn-north-1"
cluster = "main"
role = "arn:aws-cn:iam::109876543210:role/trueup"
"#;

const TASK_DEFINITION: &str = r#"
family = "web"
executionRoleArn = "arn:aws:iam::${account}:role/path/execution"
taskRoleArn = "task"
[[containerDefinitions]]
name = "web"
image = "${image.web}"
memory = 64
portMappings = [{ containerPort = 80 }]
secrets = [
  { name = "A", valueFrom = "${secret.prod/db}" },
  { name = "B", valueFrom = "${parameter.b}" },
]
"#;

const SERVICE: &str = r#"
serviceName = "web"
desiredCount = 2
[[loadBalancers]]
targetGroupArn = "${target_group.web}"
containerName = "web"
containerPort = 80
[loadBalancers.advancedConfiguration]
alternateTargetGroupArn = "${stack.edge.Green}"
productionListenerRule = "${stack.edge.output.Rule}"
roleArn = "arn:aws:iam::${account}:role/shift"
"#;

const TARGET_GROUP: &str =
    "Name = \"web-tg\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-1\"\nTargetType = \"instance\"\n";

const RULE: &str = r#"
ListenerArn = "${listener.edge.443}"
Priority = 1
Conditions = [{ Field = "path-pattern", Values = ["/"] }]
Actions = [{ Type = "forward", TargetGroupArn = "${target_group.web}" }]
"#;

fn loaded(files: &[(&str, &str)]) -> Loaded {
    let tree: BTreeMap<String, Arc<[u8]>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect();
    let loaded = load(&tree);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    loaded
}

/// One application that needs everything but pruning, in `production` alone.
fn whole(app: &str) -> Loaded {
    let app = format!("environments = [\"production\"]\n[images.web]\nrepository = \"web\"\ntag = \"1\"\n{app}");
    loaded(&[
        ("trueup.toml", CONFIGURATION),
        ("web/app.toml", &app),
        ("web/task-definition.toml", TASK_DEFINITION),
        ("web/service.toml", SERVICE),
        ("web/target-groups/web.toml", TARGET_GROUP),
        ("web/listener-rules/web.toml", RULE),
    ])
}

fn ask(environments: &[&str], read_only: bool) -> Request {
    Request {
        environments: environments.iter().map(|&name| EnvironmentName::new(name)).collect(),
        instance: InstanceName::new("trueup"),
        read_only,
    }
}

/// A statement in one line: what it is for, its actions without their service, resources, conditions.
fn show(policy: &IamPolicy) -> String {
    let mut shown = String::new();
    for statement in &policy.statement {
        assert_eq!(statement.effect, "Allow");
        let joined = |texts: &mut dyn Iterator<Item = &str>| texts.collect::<Vec<_>>().join(" ");
        let actions = joined(&mut statement.action.iter().copied());
        let resources = joined(&mut statement.resource.iter().map(String::as_str));
        write!(shown, "{}: {actions} | {resources}", statement.sid).unwrap();
        for (operator, keys) in &statement.condition {
            for (key, values) in keys {
                write!(shown, " | {operator} {key} {}", joined(&mut values.iter().map(String::as_str))).unwrap();
            }
        }
        shown.push('\n');
    }
    shown
}

#[track_caller]
fn check(loaded: &Loaded, request: &Request, expected: &str) {
    let told = show(&policy(loaded, &Answers::new(), request));
    let expected: String =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).fold(String::new(), |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        });
    let expected = expected
        .replace("ECS", "arn:aws:ecs:eu-central-1:210987654321")
        .replace("ELB", "arn:aws:elasticloadbalancing:eu-central-1:210987654321");
    assert_eq!(told, expected, "\n{told}");
}

const READ: &str = "
    ReadServices: ecs:DescribeServices ecs:ListServiceDeployments | ECS:service/main/web
    ReadServiceDeployments: ecs:DescribeServiceDeployments ecs:DescribeServiceRevisions | ECS:service-deployment/main/web/* ECS:service-revision/main/web/*
    ReadTasks: ecs:DescribeTasks | ECS:task/main/*
    ListInClusters: ecs:ListTasks | * | ArnEquals ecs:cluster ECS:cluster/main
    UnscopedReadTaskDefinitions: ecs:DescribeTaskDefinition ecs:ListTaskDefinitions | *
    UnscopedReadLoadBalancing: elasticloadbalancing:DescribeListeners elasticloadbalancing:DescribeLoadBalancers elasticloadbalancing:DescribeRules elasticloadbalancing:DescribeTags elasticloadbalancing:DescribeTargetGroupAttributes elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetHealth | *
    UnscopedReadAutoscaling: application-autoscaling:DescribeScalableTargets | *
    UnscopedReadTrail: cloudtrail:LookupEvents | *
    UnscopedReadParameterNames: ssm:DescribeParameters | *
    ReadSecretNames: secretsmanager:DescribeSecret | arn:aws:secretsmanager:eu-central-1:210987654321:secret:prod/db-??????
    ReadStacks: cloudformation:DescribeStacks cloudformation:ListStackResources | arn:aws:cloudformation:eu-central-1:210987654321:stack/edge/*
    ReadImages: ecr:BatchGetImage | arn:aws:ecr:eu-central-1:210987654321:repository/web
    UnscopedWriteMetrics: cloudwatch:PutMetricData | * | StringEquals cloudwatch:namespace Trueup
";

const ASSUME: &str = "
    AssumeRoles: sts:AssumeRole | arn:aws-cn:iam::109876543210:role/trueup
";

const WRITE: &str = "
    PassTaskRoles: iam:PassRole | arn:aws:iam::210987654321:role/path/execution arn:aws:iam::210987654321:role/task | StringEquals iam:PassedToService ecs-tasks.amazonaws.com
    PassServiceRoles: iam:PassRole | arn:aws:iam::210987654321:role/shift | StringEquals iam:PassedToService ecs.amazonaws.com
    UnscopedRegisterTaskDefinitions: ecs:RegisterTaskDefinition | * | StringEquals aws:RequestTag/trueup:instance trueup
    CreateServices: ecs:CreateService | ECS:service/main/web | StringEquals aws:RequestTag/trueup:instance trueup
    UpdateServices: ecs:UpdateService | ECS:service/main/web
    TagEcs: ecs:TagResource ecs:UntagResource | ECS:service/main/web ECS:task-definition/web:*
    CreateTargetGroups: elasticloadbalancing:CreateTargetGroup | ELB:targetgroup/web-tg/* | StringEquals aws:RequestTag/trueup:instance trueup
    ChangeTargetGroups: elasticloadbalancing:ModifyTargetGroup elasticloadbalancing:ModifyTargetGroupAttributes | ELB:targetgroup/web-tg/*
    CreateRules: elasticloadbalancing:CreateRule | ELB:listener/app/edge/* | StringEquals aws:RequestTag/trueup:instance trueup
    ChangeRules: elasticloadbalancing:ModifyRule elasticloadbalancing:SetRulePriorities | ELB:listener-rule/app/edge/*
    TagLoadBalancing: elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags | ELB:listener-rule/app/edge/* ELB:targetgroup/web-tg/*
";

#[test]
fn a_policy_allows_what_the_documents_name() {
    check(&whole(""), &ask(&[], false), &format!("{READ}{ASSUME}{WRITE}"));
}

#[test]
fn a_read_only_policy_only_looks() {
    check(&whole(""), &ask(&[], true), &format!("{READ}{ASSUME}"));
}

#[test]
fn the_policy_of_an_environments_role_assumes_none() {
    check(&whole(""), &ask(&["production"], false), &format!("{READ}{WRITE}"));
    check(
        &whole(""),
        &ask(&["abroad"], false),
        "UnscopedWriteMetrics: cloudwatch:PutMetricData | * | StringEquals cloudwatch:namespace Trueup",
    );
}

#[test]
fn only_pruning_deletes_and_only_what_carries_the_tag() {
    let told = |mode: &str| {
        show(&policy(&whole(&format!("[policy]\nprune = \"{mode}\"\n")), &Answers::new(), &ask(&[], false)))
    };
    let (on, report, off) = (told("on"), told("report"), told("off"));
    assert!(!off.contains("Delete") && !report.contains("Delete"), "{report}");
    assert!(!off.contains("ListServices ") && !off.contains("service/main/*"), "{off}");
    for text in [&on, &report] {
        assert!(text.contains("ListInClusters: ecs:ListServices ecs:ListTasks |"), "{text}");
        assert!(
            text.contains("ecs:ListServiceDeployments | arn:aws:ecs:eu-central-1:210987654321:service/main/* "),
            "{text}"
        );
    }
    for (prune, resources) in [
        ("PruneServices: ecs:DeleteService |", "ECS:service/main/*"),
        (
            "PruneLoadBalancing: elasticloadbalancing:DeleteRule elasticloadbalancing:DeleteTargetGroup |",
            "ELB:listener-rule/app/* ELB:targetgroup/*",
        ),
    ] {
        let line = format!("{prune} {resources} | StringEquals aws:ResourceTag/trueup:instance trueup")
            .replace("ECS", "arn:aws:ecs:eu-central-1:210987654321")
            .replace("ELB", "arn:aws:elasticloadbalancing:eu-central-1:210987654321");
        assert!(on.lines().any(|told| told == line), "{line}\n{on}");
    }
}

#[test]
fn what_only_aws_knows_is_a_pattern() {
    let rule =
        |listener: &str| RULE.replace("${listener.edge.443}", listener).replace("${target_group.web}", "${stack.s.T}");
    let table = [
        ("${listener.edge.443}", "ELB:listener/app/edge/*", "ELB:listener-rule/app/edge/*"),
        ("${stack.edge.Listener}", "ELB:listener/app/*", "ELB:listener-rule/app/*"),
        (
            "arn:aws:elasticloadbalancing:eu-central-1:210987654321:listener/app/edge/1/2",
            "ELB:listener/app/edge/1/2",
            "ELB:listener-rule/app/edge/1/2/*",
        ),
    ];
    for (listener, listeners, rules) in table {
        let loaded = loaded(&[
            ("trueup.toml", CONFIGURATION),
            ("web/app.toml", "environments = [\"production\"]\n"),
            ("web/listener-rules/web.toml", &rule(listener)),
        ]);
        let told = show(&policy(&loaded, &Answers::new(), &ask(&["production"], false)));
        let short = told.replace("arn:aws:elasticloadbalancing:eu-central-1:210987654321", "ELB");
        assert!(short.contains(&format!("CreateRule | {listeners} |")), "{short}");
        assert!(short.contains(&format!("SetRulePriorities | {rules}\n")), "{short}");
    }
}

#[test]
fn a_role_that_only_aws_knows_is_any_of_the_account() {
    let with = |role: &str| {
        let definition = TASK_DEFINITION.replace("\"task\"", &format!("\"{role}\""));
        let app = "environments = [\"production\"]\n[images.web]\nrepository = \"web\"\ntag = \"1\"\n";
        let files = [("trueup.toml", CONFIGURATION), ("web/app.toml", app), ("web/task-definition.toml", &definition)];
        policy(&loaded(&files), &Answers::new(), &ask(&["production"], false))
    };
    let policy = with("${stack.s.output.Role}");
    assert!(show(&policy).contains(" arn:aws:iam::210987654321:role/path/execution |"), "{}", show(&policy));
    assert!(show(&policy).contains("PassRole | arn:aws:iam::210987654321:role/* "), "{}", show(&policy));
    assert!(policy.passes_any_role());
    assert!(!with("task").passes_any_role());
}

#[test]
fn a_role_that_aws_was_asked_for_is_that_role() {
    let definition = TASK_DEFINITION.replace("\"task\"", "\"${stack.s.Role}\"");
    let app = "environments = [\"production\"]\n[images.web]\nrepository = \"web\"\ntag = \"1\"\n";
    let files = [("trueup.toml", CONFIGURATION), ("web/app.toml", app), ("web/task-definition.toml", &*definition)];
    let loaded = loaded(&files);
    let production = EnvironmentName::new("production");
    let role = Lookup::StackResource { stack: "s".to_owned(), logical_id: "Role".to_owned() };
    assert_eq!(lookups(&loaded, &production), BTreeSet::from([role.clone()]));
    // A role's physical id is its name.
    let found = BTreeMap::from([(role, Observed::Present("s-Role-1ABC".to_owned()))]);
    let policy = policy(&loaded, &Answers::from([(production, found)]), &ask(&["production"], false));
    assert!(show(&policy).contains(" arn:aws:iam::210987654321:role/s-Role-1ABC |"), "{}", show(&policy));
    assert!(!policy.passes_any_role());
}

#[test]
fn the_json_is_iams() {
    let loaded = loaded(&[
        (
            "trueup.toml",
            "[environments.a]\naccount = \"210987654321\"\nregion = \"eu-central-1\"\nrole = \"arn:aws:iam::210987654321:role/r\"\n",
        ),
        ("w/app.toml", ""),
        ("w/target-groups/w.toml", TARGET_GROUP),
    ]);
    let own = policy(&loaded, &Answers::new(), &ask(&[], false));
    assert!(own.fits_managed_policy());
    assert_eq!(
        own.to_json(),
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "UnscopedWriteMetrics",
      "Effect": "Allow",
      "Action": [
        "cloudwatch:PutMetricData"
      ],
      "Resource": [
        "*"
      ],
      "Condition": {
        "StringEquals": {
          "cloudwatch:namespace": [
            "Trueup"
          ]
        }
      }
    },
    {
      "Sid": "AssumeRoles",
      "Effect": "Allow",
      "Action": [
        "sts:AssumeRole"
      ],
      "Resource": [
        "arn:aws:iam::210987654321:role/r"
      ]
    }
  ]
}"#
    );
}

#[test]
fn the_table_is_sound() {
    let names: BTreeSet<&str> = ACTIONS.iter().map(|action| action.name).collect();
    assert_eq!(names.len(), ACTIONS.len(), "an action stands there twice");
    for action in &ACTIONS {
        let (_, operation) = action.name.split_once(':').expect("a service and an action");
        let looks = ["Describe", "List", "Get", "BatchGet", "Lookup"].iter().any(|verb| operation.starts_with(verb));
        // Metrics and temporary credentials change nothing that serves.
        let looks = looks || ["PutMetricData", "AssumeRole"].contains(&operation);
        assert_eq!(action.access == Access::Read, looks, "{}", action.name);
    }
    let mut sorted = Grant::ALL;
    sorted.sort();
    assert_eq!(sorted, Grant::ALL, "all statements, in their order");
    for grant in Grant::ALL {
        assert!(grant.actions().next().is_some(), "{grant:?} grants nothing");
    }
}

#[test]
fn the_handbook_has_every_action_and_every_statement() {
    let page = include_str!("../../../../docs/permissions.md");
    for action in &ACTIONS {
        let grant = action.grant.map_or_else(|| "none".to_owned(), |grant| format!("`{grant:?}`"));
        let row = format!("| `{}` | {} | {grant} |", action.name, action.why);
        assert!(page.contains(&row), "docs/permissions.md lacks the row\n{row}");
    }
    for grant in Grant::ALL {
        assert!(page.contains(&format!("`{grant:?}`")), "{grant:?} is not explained");
    }
}
