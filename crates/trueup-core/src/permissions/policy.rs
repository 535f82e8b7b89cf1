//! From the needs of documents to statements.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::actions::{Access, Grant};
use super::needs::Needs;
use super::{Answers, Request};
use crate::desired::Loaded;

/// The namespace of trueup's metrics.
const NAMESPACE: &str = "Trueup";

/// An IAM policy document.
///
/// Source: IAM user guide, "IAM JSON policy element reference".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IamPolicy {
    /// The version of the language.
    pub version: &'static str,
    /// The permissions, in the order of [`Grant::ALL`].
    pub statement: Vec<Statement>,
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// The grant's name: its purpose.
    pub sid: String,
    /// `Allow`: nothing is denied.
    pub effect: &'static str,
    /// Actions by name, in order.
    pub action: BTreeSet<&'static str>,
    /// ARNs and patterns, in order.
    pub resource: BTreeSet<String>,
    /// By operator and key; absent when it is unconditional.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: Condition,
}

/// Operators and keys, each with its values: one of them must match.
pub type Condition = BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>>;

/// IAM's limit for a managed policy, in characters other than white space.
/// Source: IAM user guide, "IAM and AWS STS quotas".
const MANAGED_CHARACTERS_MAX: usize = 6_144;

impl IamPolicy {
    /// As indented JSON; equal policies give equal bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and lists of them can be written")
    }

    /// Whether it allows any role of an account to be passed: a document names one by a reference that only AWS can answer.
    pub fn passes_any_role(&self) -> bool {
        let passes = self.statement.iter().filter(|statement| statement.action.contains("iam:PassRole"));
        passes.flat_map(|statement| &statement.resource).any(|role| role.ends_with(":role/*"))
    }

    /// Whether it fits into one managed policy; IAM does not count white space.
    pub fn fits_managed_policy(&self) -> bool {
        let characters = self.to_json().chars().filter(|c| !c.is_whitespace()).count();
        characters <= MANAGED_CHARACTERS_MAX
    }
}

/// The policy that a desired state needs.
///
/// `answers` may be empty. Applications with problems need nothing here; the caller checks [`Loaded::problems`] first. Deterministic.
pub fn policy(loaded: &Loaded, answers: &Answers, request: &Request) -> IamPolicy {
    let none = BTreeMap::new();
    let mut statements: BTreeMap<Grant, Statement> = BTreeMap::new();
    for environment in request.environments(loaded) {
        let found = answers.get(&environment.name).unwrap_or(&none);
        let mut needs = Needs::of(environment, loaded.policies.get(&environment.name));
        for ((of, _), application) in &loaded.applications {
            if let Ok(application) = application
                && *of == environment.name
            {
                needs.add(application, found);
            }
        }
        for grant in Grant::ALL {
            statement(&mut statements, grant, &needs, request);
        }
    }
    if request.environments.is_empty() {
        let roles = loaded.environments.iter().filter_map(|environment| environment.role.clone()).collect();
        add(&mut statements, Grant::AssumeRoles, roles, Condition::new(), |_| true, request.read_only);
    }
    // An environment's metrics are in its own account and region.
    metrics(&mut statements, request);
    IamPolicy { version: "2012-10-17", statement: statements.into_values().collect() }
}

fn metrics(statements: &mut BTreeMap<Grant, Statement>, request: &Request) {
    let condition = one_of("StringEquals", "cloudwatch:namespace", [NAMESPACE.to_owned()]);
    add(statements, Grant::UnscopedWriteMetrics, everything(true), condition, |_| true, request.read_only);
}

/// Adds what one statement needs of one environment.
fn statement(statements: &mut BTreeMap<Grant, Statement>, grant: Grant, needs: &Needs, request: &Request) {
    let created = || one_of("StringEquals", "aws:RequestTag/trueup:instance", [request.instance.to_string()]);
    let owned = || one_of("StringEquals", "aws:ResourceTag/trueup:instance", [request.instance.to_string()]);
    let passed = |to: &str| one_of("StringEquals", "iam:PassedToService", [to.to_owned()]);
    let has_services = !needs.services.is_empty();
    let always = Condition::new();
    let (resources, condition) = match grant {
        Grant::ReadServices => (needs.services.union(&needs.listed_services).cloned().collect(), always),
        Grant::ReadServiceDeployments => (needs.service_deployments.clone(), always),
        Grant::ReadTasks => (needs.tasks.clone(), always),
        Grant::ListInClusters => {
            let clusters = needs.clusters.iter().cloned();
            (everything(has_services || needs.inventory), one_of("ArnEquals", "ecs:cluster", clusters))
        }
        Grant::UnscopedReadTaskDefinitions => (everything(!needs.task_definitions.is_empty() || has_services), always),
        Grant::UnscopedReadLoadBalancing => (everything(needs.balanced), always),
        Grant::UnscopedReadAutoscaling => (everything(needs.counted), always),
        Grant::UnscopedReadTrail => (everything(has_services || needs.balanced), always),
        Grant::UnscopedReadParameterNames => (everything(needs.parameters), always),
        Grant::ReadSecretNames => (needs.secrets.clone(), always),
        Grant::ReadStacks => (needs.stacks.clone(), always),
        Grant::ReadImages => (needs.images.clone(), always),
        Grant::PassTaskRoles => (needs.task_roles.clone(), passed("ecs-tasks.amazonaws.com")),
        Grant::PassServiceRoles => (needs.service_roles.clone(), passed("ecs.amazonaws.com")),
        Grant::UnscopedRegisterTaskDefinitions => (everything(!needs.task_definitions.is_empty()), created()),
        Grant::CreateServices => (needs.services.clone(), created()),
        Grant::UpdateServices => (needs.services.clone(), always),
        Grant::TagEcs => (needs.services.union(&needs.task_definitions).cloned().collect(), always),
        Grant::CreateTargetGroups => (needs.target_groups.clone(), created()),
        Grant::ChangeTargetGroups => (needs.target_groups.clone(), always),
        Grant::CreateRules => (needs.listeners.clone(), created()),
        Grant::ChangeRules => (needs.rules.clone(), always),
        Grant::TagLoadBalancing => (needs.target_groups.union(&needs.rules).cloned().collect(), always),
        Grant::PruneServices => (needs.pruned_services.clone(), owned()),
        Grant::PruneLoadBalancing => (needs.pruned_balancing.clone(), owned()),
        // Of the daemon's own role, not of an environment.
        Grant::AssumeRoles | Grant::UnscopedWriteMetrics => return,
    };
    // Of the actions of one statement, some are for some documents only.
    let is_needed = |action: &str| match action {
        "ecs:ListServices" => needs.inventory,
        "ecs:ListTasks" => has_services,
        "cloudformation:ListStackResources" => needs.stack_resources,
        _ => true,
    };
    add(statements, grant, resources, condition, is_needed, request.read_only);
}

/// Adds to a statement, or creates it. One without resources is left out.
fn add(
    statements: &mut BTreeMap<Grant, Statement>,
    grant: Grant,
    resources: BTreeSet<String>,
    condition: Condition,
    is_needed: impl Fn(&str) -> bool,
    read_only: bool,
) {
    let is_granted = |access: Access| access == Access::Read || !read_only;
    let actions = grant.actions().filter(|action| is_granted(action.access) && is_needed(action.name));
    let actions: BTreeSet<&str> = actions.map(|action| action.name).collect();
    if resources.is_empty() || actions.is_empty() {
        return;
    }
    let statement = statements.entry(grant).or_insert_with(|| Statement {
        sid: format!("{grant:?}"),
        effect: "Allow",
        action: BTreeSet::new(),
        resource: BTreeSet::new(),
        condition: Condition::new(),
    });
    statement.action.extend(actions);
    statement.resource.extend(resources);
    for (operator, keys) in condition {
        for (key, values) in keys {
            statement.condition.entry(operator).or_default().entry(key).or_default().extend(values);
        }
    }
}

fn everything(is_needed: bool) -> BTreeSet<String> {
    is_needed.then(|| "*".to_owned()).into_iter().collect()
}

fn one_of(operator: &'static str, key: &str, values: impl IntoIterator<Item = String>) -> Condition {
    BTreeMap::from([(operator, BTreeMap::from([(key.to_owned(), values.into_iter().collect())]))])
}
