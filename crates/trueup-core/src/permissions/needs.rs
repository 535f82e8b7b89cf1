//! The resources that the documents of one environment need, as ARNs and patterns of ARNs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::desired::{Application, Document, Environment, Lookup, Mode, Policy};
use crate::kind::Kind;
use crate::live::Observed;
use crate::names::Revision;

/// The needs of one environment. Texts are ARNs, with `*` where only AWS knows the rest.
#[expect(clippy::struct_excessive_bools, reason = "each is needed or not, whatever the others are")]
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// The beginning of each of them: `arn:aws:ecs:REGION:ACCOUNT` and so on.
    base: ArnBase,
    pub clusters: BTreeSet<String>,
    pub services: BTreeSet<String>,
    pub service_deployments: BTreeSet<String>,
    pub tasks: BTreeSet<String>,
    pub task_definitions: BTreeSet<String>,
    pub target_groups: BTreeSet<String>,
    pub listeners: BTreeSet<String>,
    pub rules: BTreeSet<String>,
    pub task_roles: BTreeSet<String>,
    pub service_roles: BTreeSet<String>,
    pub images: BTreeSet<String>,
    pub secrets: BTreeSet<String>,
    pub stacks: BTreeSet<String>,
    /// Services that are read in addition to those of git.
    pub listed_services: BTreeSet<String>,
    /// Services that may be pruned.
    pub pruned_services: BTreeSet<String>,
    /// Target groups and rules that may be pruned.
    pub pruned_balancing: BTreeSet<String>,
    /// Whether references name parameters.
    pub parameters: bool,
    /// Whether references name resources of stacks.
    pub stack_resources: bool,
    /// Whether anything concerns load balancers.
    pub balanced: bool,
    /// Whether a service sets its number of tasks.
    pub counted: bool,
    /// Whether resources that git no longer has are listed.
    pub inventory: bool,
}

/// The parts that every ARN of an environment begins with.
#[derive(Clone, Debug, Default)]
struct ArnBase {
    partition: &'static str,
    region: String,
    account: String,
}

impl ArnBase {
    fn of(environment: &Environment) -> Self {
        let region = environment.region.clone();
        Self { partition: partition(&region), region, account: environment.account.clone() }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// Source: AWS General Reference, "Amazon Resource Names (ARNs)", partitions.
fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

impl Needs {
    /// No needs yet; `policy` is the environment's, outside of applications.
    pub fn of(environment: &Environment, policy: Option<&Policy>) -> Self {
        let mut needs = Self { base: ArnBase::of(environment), ..Self::default() };
        if let Some(cluster) = &environment.cluster {
            needs.prunes(policy, cluster);
        }
        needs
    }

    /// Adds the needs of an application, with references resolved by AWS's answers.
    pub fn add(&mut self, application: &Application, found: &BTreeMap<Lookup, Observed<String>>) {
        self.prunes(Some(&application.policy), &application.cluster);
        // References without an answer stay in the documents unchanged.
        let resolved = application.resolve(&Revision::new(""), found);
        for Document { kind, body, .. } in &resolved.documents {
            match kind {
                Kind::TaskDefinition => self.task_definition(body),
                Kind::Service => self.service(body, &application.cluster),
                Kind::TargetGroup => self.target_group(body),
                Kind::ListenerRule => self.rule(body),
            }
        }
        for lookup in application.lookups() {
            self.lookup(&lookup);
        }
    }

    fn prunes(&mut self, policy: Option<&Policy>, cluster: &str) {
        let mode = policy.map_or(Mode::Off, |policy| policy.prune);
        if mode == Mode::Off {
            return;
        }
        (self.inventory, self.balanced) = (true, true);
        let all_services = self.base.arn("ecs", &format!("service/{cluster}/*"));
        self.clusters.insert(self.base.arn("ecs", &format!("cluster/{cluster}")));
        self.listed_services.insert(all_services.clone());
        for kind in Kind::ALL.into_iter().filter(|_| mode == Mode::On) {
            let balancing = |resources| self.base.arn("elasticloadbalancing", resources);
            match kind {
                Kind::Service => self.pruned_services.insert(all_services.clone()),
                Kind::TargetGroup => self.pruned_balancing.insert(balancing("targetgroup/*")),
                Kind::ListenerRule => self.pruned_balancing.insert(balancing("listener-rule/app/*")),
                // Never pruned.
                Kind::TaskDefinition => continue,
            };
        }
    }

    fn task_definition(&mut self, body: &Value) {
        let family = pattern(text(body, "family"));
        self.task_definitions.insert(self.base.arn("ecs", &format!("task-definition/{family}:*")));
        for member in ["taskRoleArn", "executionRoleArn"] {
            self.task_roles.extend(body.get(member).and_then(Value::as_str).map(|role| self.role(role)));
        }
    }

    fn service(&mut self, body: &Value, cluster: &str) {
        let name = pattern(text(body, "serviceName"));
        let base = &self.base;
        self.clusters.insert(base.arn("ecs", &format!("cluster/{cluster}")));
        self.tasks.insert(base.arn("ecs", &format!("task/{cluster}/*")));
        for kind in ["service-deployment", "service-revision"] {
            self.service_deployments.insert(base.arn("ecs", &format!("{kind}/{cluster}/{name}/*")));
        }
        self.services.insert(base.arn("ecs", &format!("service/{cluster}/{name}")));
        self.counted |= body.get("desiredCount").is_some();
        self.balanced |= body.get("loadBalancers").is_some();
        let mut roles = Vec::new();
        roles_in(body, &mut roles);
        self.service_roles.extend(roles.into_iter().map(|role| role_arn(base, role)));
    }

    fn target_group(&mut self, body: &Value) {
        self.balanced = true;
        let name = pattern(text(body, "Name"));
        self.target_groups.insert(self.base.arn("elasticloadbalancing", &format!("targetgroup/{name}/*")));
    }

    fn rule(&mut self, body: &Value) {
        self.balanced = true;
        let listener = text(body, "ListenerArn");
        let load_balancer = listener
            .strip_prefix("${listener.")
            .and_then(|rest| rest.strip_suffix('}')?.rsplit_once('.'))
            .map(|(load_balancer, _)| load_balancer);
        let (listener, rule) = match load_balancer {
            None if listener.starts_with("arn:") && !listener.contains("${") => {
                (listener.to_owned(), format!("{}/*", listener.replace(":listener/", ":listener-rule/")))
            }
            // A load balancer that only AWS knows.
            None => self.below_load_balancer("*"),
            Some(name) => self.below_load_balancer(&format!("{name}/*")),
        };
        self.listeners.insert(listener);
        self.rules.insert(rule);
    }

    /// Listeners and rules of an application load balancer; no other kind has rules.
    fn below_load_balancer(&self, name: &str) -> (String, String) {
        let arn = |kind: &str| self.base.arn("elasticloadbalancing", &format!("{kind}/app/{name}"));
        (arn("listener"), arn("listener-rule"))
    }

    fn lookup(&mut self, lookup: &Lookup) {
        match lookup {
            Lookup::Image { repository, .. } => {
                self.images.insert(self.repository(repository));
            }
            Lookup::TargetGroup(_) | Lookup::Listener { .. } => self.balanced = true,
            Lookup::Secret(name) => {
                // Six random characters end a secret's ARN (Secrets Manager user guide, "Secret ARN").
                self.secrets.insert(self.base.arn("secretsmanager", &format!("secret:{name}-??????")));
            }
            Lookup::Parameter(_) => self.parameters = true,
            Lookup::StackResource { stack, .. } | Lookup::StackOutput { stack, .. } => {
                self.stack_resources |= matches!(lookup, Lookup::StackResource { .. });
                self.stacks.insert(self.base.arn("cloudformation", &format!("stack/{stack}/*")));
            }
        }
    }

    /// A repository's ARN, in the environment or in the registry that a full name names.
    fn repository(&self, repository: &str) -> String {
        let full = repository.split_once('/').and_then(|(host, name)| {
            let (account, rest) = host.split_once(".dkr.ecr.").or_else(|| host.split_once(".dkr-ecr."))?;
            Some((account, rest.split('.').next()?, name))
        });
        match full {
            Some((account, region, name)) => {
                format!("arn:{}:ecr:{region}:{account}:repository/{name}", partition(region))
            }
            None => self.base.arn("ecr", &format!("repository/{repository}")),
        }
    }

    fn role(&self, role: &str) -> String {
        role_arn(&self.base, role)
    }
}

/// A role's ARN. A role given by name alone has no path; the account of a role that only AWS knows is known.
/// Source: IAM user guide, "IAM identifiers", friendly names and paths.
fn role_arn(base: &ArnBase, role: &str) -> String {
    let role = pattern(role);
    if role.starts_with("arn:") {
        return role;
    }
    format!("arn:{}:iam::{}:role/{role}", base.partition, base.account)
}

/// Every role that a service's document names: of load balancers, volumes, hooks, TLS and VPC Lattice.
fn roles_in<'a>(value: &'a Value, roles: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(role) if matches!(name.as_str(), "role" | "roleArn") => roles.push(role),
                    Some(_) | None => roles_in(member, roles),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| roles_in(item, roles)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A text with `*` for each reference that only AWS can answer.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        pattern.push_str(before);
        pattern.push('*');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    pattern.push_str(rest);
    pattern
}
