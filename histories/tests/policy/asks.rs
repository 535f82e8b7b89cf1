//! What a recorded call asks IAM for: actions, resources, and what conditions can be about.
//!
//! Source: Service Authorization Reference, the tables of each service: resource types, condition keys, dependent actions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_histories::ACCOUNT;
use trueup_sim::Simulator;
use trueup_sim::recorder::Record;
use trueup_sim::wire::Api;

/// One question to IAM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// `ecs:UpdateService`
    pub action: String,
    /// An ARN; `*` for actions that IAM knows no resources for.
    pub resource: String,
    /// Keys of conditions and their values.
    pub context: BTreeMap<String, String>,
}

impl Ask {
    /// Without any context.
    pub fn of(action: &str, resource: &str) -> Self {
        Self { action: action.to_owned(), resource: resource.to_owned(), context: BTreeMap::new() }
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.context.insert(key.to_owned(), value.to_owned());
        self
    }

    fn tagged(mut self, kind: &str, tags: &Tags) -> Self {
        self.context.extend(tags.iter().map(|(key, value)| (format!("aws:{kind}/{key}"), value.clone())));
        self
    }
}

type Tags = BTreeMap<String, String>;

/// What all copies of trueup asked for, with the account of the role that they had assumed.
pub fn asks(aws: &Simulator) -> BTreeSet<(Option<String>, Ask)> {
    let mut asked = BTreeSet::new();
    let mut tags: BTreeMap<String, Tags> = BTreeMap::new();
    for record in aws.recorder.records() {
        let assumed = record.caller.contains(":assumed-role/trueup/").then(|| record.account.clone());
        if assumed.is_some() || record.call.access_key.starts_with("trueup") {
            asked.extend(of_record(record, &tags).into_iter().map(|ask| (assumed.clone(), ask)));
        }
        remember(record, &mut tags);
    }
    asked
}

/// Notes which tags resources have now.
fn remember(record: &Record, tags: &mut BTreeMap<String, Tags>) {
    let input = &record.call.input;
    let made = match record.call.action.as_str() {
        "CreateService" | "TagResource" | "AddTags" => record.resources.clone(),
        "CreateTargetGroup" => made(record, "TargetGroups", "TargetGroupArn"),
        "CreateRule" => made(record, "Rules", "RuleArn"),
        _ => return,
    };
    for arn in made {
        tags.entry(arn).or_default().extend(tags_of(input));
    }
}

fn made(record: &Record, list: &str, member: &str) -> Vec<String> {
    let output = record.outcome.as_ref().and_then(|outcome| outcome.as_ref().ok());
    let arn = output.and_then(|output| output[list][0][member].as_str());
    arn.map(str::to_owned).into_iter().collect()
}

/// `tags` of ECS, `Tags` of Elastic Load Balancing.
fn tags_of(input: &Value) -> Tags {
    let list = input.get("tags").or_else(|| input.get("Tags")).and_then(Value::as_array).into_iter().flatten();
    let text = |tag: &Value, small: &str, large: &str| {
        tag.get(small).or_else(|| tag.get(large)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    list.map(|tag| (text(tag, "key", "Key"), text(tag, "value", "Value"))).collect()
}

fn of_record(record: &Record, tags: &BTreeMap<String, Tags>) -> Vec<Ask> {
    let call = &record.call;
    let text = |member: &str| call.input.get(member).and_then(Value::as_str).unwrap_or_default();
    let name = |service: &str| format!("{service}:{}", call.action);
    let arn = |service: &str, account: &str, resource: String| {
        format!("arn:aws:{service}:{}:{account}:{resource}", call.region)
    };
    match call.service {
        Api::Ecs => ecs(record, tags),
        Api::ElasticLoadBalancing => elb(record, tags),
        Api::CloudFormation => {
            let stack = arn("cloudformation", &record.account, format!("stack/{}/0-0", text("StackName")));
            vec![Ask::of(&name("cloudformation"), &stack)]
        }
        Api::Ecr => {
            let repository = arn("ecr", text("registryId"), format!("repository/{}", text("repositoryName")));
            vec![Ask::of(&name("ecr"), &repository)]
        }
        Api::SecretsManager => {
            let secret = arn("secretsmanager", &record.account, format!("secret:{}-AbCdEf", text("SecretId")));
            vec![Ask::of(&name("secretsmanager"), &secret)]
        }
        Api::Ssm => vec![Ask::of(&name("ssm"), "*")],
        Api::ApplicationAutoScaling => vec![Ask::of(&name("application-autoscaling"), "*")],
        Api::CloudTrail => vec![Ask::of(&name("cloudtrail"), "*")],
        Api::CloudWatch => {
            vec![Ask::of(&name("cloudwatch"), "*").with("cloudwatch:namespace", text("Namespace"))]
        }
        // AWS never denies `GetCallerIdentity`.
        Api::Sts if call.action == "GetCallerIdentity" => Vec::new(),
        Api::Sts => vec![Ask::of(&name("sts"), text("RoleArn"))],
    }
}

fn ecs(record: &Record, tags: &BTreeMap<String, Tags>) -> Vec<Ask> {
    let input = &record.call.input;
    let name = format!("ecs:{}", record.call.action);
    let arn = |resource: String| format!("arn:aws:ecs:{}:{}:{resource}", record.call.region, record.account);
    let list = |member: &str| -> Vec<String> {
        let items = input.get(member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let cluster = input.get("cluster").and_then(Value::as_str).map(|cluster| {
        if cluster.starts_with("arn:") { cluster.to_owned() } else { arn(format!("cluster/{cluster}")) }
    });
    let (resources, dependent) = match record.call.action.as_str() {
        "ListServices" | "ListTasks" | "DescribeTaskDefinition" | "ListTaskDefinitions" => (everything(), Vec::new()),
        "DescribeServiceDeployments" => (list("serviceDeploymentArns"), Vec::new()),
        "DescribeServiceRevisions" => (list("serviceRevisionArns"), Vec::new()),
        "RegisterTaskDefinition" => {
            let family = input["family"].as_str().unwrap_or_default();
            let mut dependent = vec![Ask::of("ecs:TagResource", &arn(format!("task-definition/{family}:1")))];
            for member in ["taskRoleArn", "executionRoleArn"] {
                dependent.extend(input[member].as_str().map(|role| passed(role, "ecs-tasks.amazonaws.com")));
            }
            (everything(), dependent)
        }
        "CreateService" | "UpdateService" => {
            let mut roles = Vec::new();
            roles_in(input, &mut roles);
            let mut dependent: Vec<Ask> = roles.into_iter().map(|role| passed(role, "ecs.amazonaws.com")).collect();
            if record.call.action == "CreateService" {
                dependent.extend(record.resources.iter().map(|service| Ask::of("ecs:TagResource", service)));
            }
            (record.resources.clone(), dependent)
        }
        _ => (record.resources.clone(), Vec::new()),
    };
    assert!(!resources.is_empty(), "{name} is about nothing: {input}");
    with_tags(&name, resources, input, tags)
        .map(|ask| match &cluster {
            Some(cluster) => ask.with("ecs:cluster", cluster),
            None => ask,
        })
        .chain(dependent)
        .collect()
}

fn elb(record: &Record, tags: &BTreeMap<String, Tags>) -> Vec<Ask> {
    let input = &record.call.input;
    let text = |member: &str| input.get(member).and_then(Value::as_str).unwrap_or_default();
    let name = format!("elasticloadbalancing:{}", record.call.action);
    let (resources, dependent) = match record.call.action.as_str() {
        action if action.starts_with("Describe") => (everything(), None),
        "CreateTargetGroup" => {
            let (region, account) = (&record.call.region, &record.account);
            let made = format!("arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{}/0123", text("Name"));
            (vec![made.clone()], Some(made))
        }
        "CreateRule" => {
            let listener = text("ListenerArn").to_owned();
            let made = format!("{}/0123", listener.replace(":listener/", ":listener-rule/"));
            (vec![listener], Some(made))
        }
        // A rule with a target group in it is about the rule.
        "ModifyRule" => (vec![text("RuleArn").to_owned()], None),
        _ => (record.resources.clone(), None),
    };
    assert!(!resources.is_empty(), "{name} is about nothing: {input}");
    let dependent = dependent.filter(|_| !tags_of(input).is_empty());
    let dependent = dependent.map(|made| Ask::of("elasticloadbalancing:AddTags", &made));
    with_tags(&name, resources, input, tags).chain(dependent).collect()
}

/// The same action on several resources, with the tags of the request and of each resource.
fn with_tags<'a>(
    name: &'a str,
    resources: Vec<String>,
    input: &'a Value,
    tags: &'a BTreeMap<String, Tags>,
) -> impl Iterator<Item = Ask> + 'a {
    let none = Tags::new();
    resources.into_iter().map(move |resource| {
        let has = tags.get(&resource).unwrap_or(&none).clone();
        Ask::of(name, &resource).tagged("RequestTag", &tags_of(input)).tagged("ResourceTag", &has)
    })
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

fn passed(role: &str, to: &str) -> Ask {
    let arn = if role.starts_with("arn:") { role.to_owned() } else { format!("arn:aws:iam::{ACCOUNT}:role/{role}") };
    Ask::of("iam:PassRole", &arn).with("iam:PassedToService", to)
}

fn roles_in<'a>(value: &'a Value, roles: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            match member.as_str().filter(|_| name == "roleArn" || name == "role") {
                Some(role) => roles.push(role),
                None => roles_in(member, roles),
            }
        }),
        Value::Array(items) => items.iter().for_each(|item| roles_in(item, roles)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
