//! Rules beyond the API model: they find documents that AWS would refuse, or that can never work.
//!
//! Each rule is certain: a document that it reports does not do what its author wants. Rules see merged documents, and
//! report nothing about values that still wait for AWS's answer.

mod cluster;
mod containers;
mod dependencies;
mod deployment;
mod duplicates;
mod execution_role;
mod fargate;
mod fargate_size;
mod health_checks;
mod listener_rules;
mod load_balancers;
mod logs;
mod memory;
mod network;
mod offline_names;
mod placeholders;
mod plaintext;
mod reserved;
mod target_groups;

pub use self::plaintext::hints_at_secret;
use super::located::Located;
use super::parsed_document::ParsedDocument;
use super::{Environment, Ignore};
use crate::document::Problem;
use crate::kind::Kind;

/// One application in one environment, as the rules see it.
pub(super) struct ApplicationView<'a> {
    environment: &'a Environment,
    /// Whether account and region are the author's, not placeholders.
    environment_sound: bool,
    documents: &'a [ParsedDocument],
    task_definition: Option<Located<'a>>,
    service: Option<Located<'a>>,
    /// Whether all documents could be parsed, so that one that is absent is really missing.
    complete: bool,
    allow_plaintext: &'a [(Ignore, Problem)],
}

impl<'a> ApplicationView<'a> {
    /// An application with its settled documents.
    pub fn new(
        environment: &'a Environment,
        environment_sound: bool,
        documents: &'a [ParsedDocument],
        complete: bool,
        allow_plaintext: &'a [(Ignore, Problem)],
    ) -> Self {
        let first = |kind| {
            documents.iter().find(|document| document.kind == kind).map(|document| Located::root(&document.node))
        };
        Self {
            environment,
            environment_sound,
            documents,
            task_definition: first(Kind::TaskDefinition),
            service: first(Kind::Service),
            complete,
            allow_plaintext,
        }
    }

    /// The documents of a kind, by name.
    fn documents_of(&self, kind: Kind) -> impl Iterator<Item = (&'a str, Located<'a>)> {
        let of_kind = self.documents.iter().filter(move |document| document.kind == kind);
        of_kind.map(|document| (document.name.as_str(), Located::root(&document.node)))
    }

    /// The containers of the task definition.
    fn containers(&self) -> Vec<Located<'a>> {
        self.task_definition.as_ref().map(|definition| definition.list("containerDefinitions")).unwrap_or_default()
    }

    /// A container by name.
    fn container(&self, name: &str) -> Option<Located<'a>> {
        self.containers().into_iter().find(|container| container.member_text("name") == Some(name))
    }

    /// Whether the names of all containers are known.
    fn container_names_known(&self) -> bool {
        self.task_definition.is_some() && self.containers().iter().all(|one| one.member_text("name").is_some())
    }

    /// Whether its tasks are to run on Fargate.
    fn on_fargate(&self) -> bool {
        let requires = self.task_definition.as_ref().is_some_and(|definition| {
            definition.list("requiresCompatibilities").iter().any(|one| one.text() == Some("FARGATE"))
        });
        requires || self.service_on_fargate()
    }

    /// Whether the service asks for Fargate.
    fn service_on_fargate(&self) -> bool {
        let Some(service) = &self.service else { return false };
        let providers = service.list("capacityProviderStrategy");
        service.member_text("launchType") == Some("FARGATE")
            || (!providers.is_empty()
                && providers.iter().all(|one| {
                    one.member_text("capacityProvider").is_some_and(|name| matches!(name, "FARGATE" | "FARGATE_SPOT"))
                }))
    }

    /// The network mode of its tasks; `None` when it is not known or the operating system chooses.
    ///
    /// Source: ECS API reference, `RegisterTaskDefinition`: `bridge` on Linux by default.
    fn network_mode(&self) -> Option<&'a str> {
        let definition = self.task_definition.as_ref()?;
        if let Some(mode) = definition.get("networkMode") {
            return mode.text();
        }
        let family = definition.get("runtimePlatform").and_then(|platform| platform.get("operatingSystemFamily"));
        family.is_none_or(|family| family.text() == Some("LINUX")).then_some("bridge")
    }

    /// Whether ECS itself runs the service's deployments.
    fn deployed_by_ecs(&self) -> bool {
        let controller = self.service.as_ref().and_then(|service| service.get("deploymentController")?.get("type"));
        controller.is_none_or(|controller| controller.text() == Some("ECS"))
    }
}

/// The findings of the rules other than problems.
pub(super) struct Findings {
    /// The cluster of the application's service, by short name.
    pub cluster: String,
    /// For each entry of `allow_plaintext`: the problem to report when it is not needed, and whether it is needed.
    pub allowances: Vec<(Problem, bool)>,
}

/// Applies all rules.
pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) -> Findings {
    reserved::check(subject, problems);
    offline_names::check(subject, problems);
    placeholders::check(subject, problems);
    duplicates::check(subject, problems);
    let allowances = plaintext::check(subject, problems);
    target_groups::check(subject, problems);
    listener_rules::check(subject, problems);
    fargate_size::check(subject, problems);
    fargate::check(subject, problems);
    memory::check(subject, problems);
    containers::check(subject, problems);
    dependencies::check(subject, problems);
    health_checks::check(subject, problems);
    logs::check(subject, problems);
    execution_role::check(subject, problems);
    network::check(subject, problems);
    load_balancers::check(subject, problems);
    deployment::check(subject, problems);
    Findings { cluster: cluster::check(subject, problems), allowances }
}

/// A member, or the whole where the member is missing: the place at which its absence is reported.
fn member_or<'a>(whole: &Located<'a>, name: &str) -> Located<'a> {
    whole.get(name).unwrap_or_else(|| whole.clone())
}
