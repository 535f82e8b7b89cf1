//! An application in one environment before its references are resolved, and how they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::place::Place;
use super::template::{Piece, Template, lookups};
use super::{DesiredApplication, Document, Ignore, Lookup, Policy, Unresolved};
use crate::document::{Node, Problem, References, SourceFile, Span, Validation, validate_document};
use crate::kind;
use crate::kind::Kind;
use crate::live::Observed;
use crate::names::{ApplicationName, EnvironmentName, Revision};
use crate::pointer::Pointer;

/// One application in one environment: valid as far as files alone can tell.
#[derive(Clone)]
pub struct Application {
    /// Its name.
    pub name: ApplicationName,
    /// The environment it is wanted in.
    pub environment: EnvironmentName,
    /// The cluster of its service, by short name.
    pub cluster: String,
    /// What is done about differences.
    pub policy: Policy,
    /// Applications that must be Synced and Healthy first.
    pub depends_on: BTreeSet<ApplicationName>,
    /// Its documents, in the order in which their resources are made.
    pub documents: Vec<Draft>,
    /// Members that the API model does not know and that are let through.
    pub allow_unknown: Vec<Ignore>,
}

/// A document whose references to AWS are not resolved yet.
///
/// Kept as text, without the place of every value: ten thousand of them stay in memory for as long as a commit is in
/// force, and they are only looked into when an answer of AWS changes.
#[derive(Clone)]
pub struct Draft {
    /// What it is.
    pub kind: Kind,
    /// The file's name without its ending, or the kind's name where an application has just one.
    pub name: String,
    /// The file's path relative to the root of the desired state; the overlay's where there is no base file.
    pub path: String,
    /// The name that it gives its resource in AWS; `None` when that is not known from the files, and for kinds whose
    /// resources have no name of their own.
    pub in_aws: Option<String>,
    /// The AWS request as JSON, overlays merged, without what is trueup's own.
    body: Box<str>,
    /// The strings in it that wait for AWS's answers, each with its place.
    templates: Vec<(Template, String)>,
}

/// A document with its places, while it is judged.
pub(super) struct Settled {
    /// What it is.
    pub kind: Kind,
    /// The file's name without its ending, or the kind's name where an application has just one.
    pub name: String,
    /// The file's path relative to the root of the desired state; the overlay's where there is no base file.
    pub path: String,
    /// The AWS request, overlays merged, without what is trueup's own.
    pub body: Node,
    /// The strings in it that wait for AWS's answers, each with its place.
    pub templates: Vec<(Template, Span)>,
}

/// `Debug` names the application alone: its documents hold environment values.
impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Application({} in {})", self.name, self.environment)
    }
}

impl Application {
    /// Everything that must be looked up in AWS before [`Application::resolve`] can resolve all references.
    pub fn lookups(&self) -> BTreeSet<Lookup> {
        lookups(self.documents.iter().flat_map(|draft| &draft.templates).map(|(template, _)| template))
    }

    /// Puts AWS's answers into the documents.
    ///
    /// `revision` is the last commit that changed the application's files. A lookup that `found` lacks counts as not
    /// read. A reference to a target group document of this application whose target group AWS does not have yet stays
    /// as text, and the document [`awaits`](Document::awaits) it; every other reference without an answer is in
    /// [`unresolved`](DesiredApplication::unresolved), and so is an answer that the API model does not accept where
    /// it stands.
    pub fn resolve(&self, revision: &Revision, found: &BTreeMap<Lookup, Observed<String>>) -> DesiredApplication {
        let mut desired = DesiredApplication {
            name: self.name.clone(),
            environment: self.environment.clone(),
            revision: revision.clone(),
            cluster: self.cluster.clone(),
            policy: self.policy.clone(),
            depends_on: self.depends_on.clone(),
            target_groups: Vec::new(),
            listener_rules: Vec::new(),
            task_definition: None,
            service: None,
            unresolved: Vec::new(),
        };
        for draft in &self.documents {
            let document = draft.resolve(found, &self.allow_unknown, &mut desired.unresolved);
            match draft.kind {
                Kind::TargetGroup => desired.target_groups.push(document),
                Kind::ListenerRule => desired.listener_rules.push(document),
                Kind::TaskDefinition => desired.task_definition = Some(document),
                Kind::Service => desired.service = Some(document),
            }
        }
        desired
    }
}

impl Settled {
    /// Whether the string at `pointer` waits for AWS's answers.
    pub fn waits_at(&self, pointer: &Pointer) -> bool {
        self.templates.iter().any(|(template, _)| template.pointer == *pointer)
    }

    /// The name that it gives its resource in AWS, where the files tell.
    pub fn in_aws(&self) -> Option<&str> {
        Place::root(&self.body).member_text(match self.kind {
            Kind::TargetGroup => "Name",
            Kind::Service => "serviceName",
            Kind::TaskDefinition => "family",
            Kind::ListenerRule => return None,
        })
    }

    /// Leaves out what was only needed to judge it.
    pub fn into_draft(self) -> Draft {
        let in_aws = self.in_aws().map(str::to_owned);
        let body = serde_json::to_string(&self.body.value).expect("objects have text as keys, so nothing can fail");
        let templates = self.templates.into_iter().map(|(template, span)| (template, span.to_string())).collect();
        Draft { kind: self.kind, name: self.name, path: self.path, in_aws, body: body.into(), templates }
    }
}

impl Draft {
    /// The AWS request. References that wait for AWS's answers stand in it as in the file.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.body).expect("it was written as JSON")
    }

    fn resolve(
        &self,
        found: &BTreeMap<Lookup, Observed<String>>,
        allow_unknown: &[Ignore],
        unresolved: &mut Vec<Unresolved>,
    ) -> Document {
        let mut awaits = BTreeSet::new();
        let mut body = self.body();
        let mut references = References::Resolved;
        for (template, place) in &self.templates {
            match fill(template, place, found, &mut awaits, unresolved) {
                Some(text) => template.fill(&mut body, text),
                None => references = References::Pending,
            }
        }
        if !self.templates.is_empty() {
            self.judge(&body, references, allow_unknown, unresolved);
        }
        let digest = kind::digest(self.kind, &body);
        Document { kind: self.kind, name: self.name.clone(), path: self.path.clone(), body, digest, awaits }
    }

    /// Validates what the references became: the rest was valid before.
    fn judge(&self, body: &Value, references: References, allow_unknown: &[Ignore], unresolved: &mut Vec<Unresolved>) {
        let place = Span { file: SourceFile::new(&*self.path, ""), range: 0..0 };
        for problem in validate(self.kind, &self.name, &Node::of(body, &place), references, allow_unknown) {
            let template =
                self.templates.iter().find(|(template, _)| Some(&template.pointer) == problem.field.as_ref());
            unresolved.push(Unresolved {
                reference: template.map(|(template, _)| spellings(template)).unwrap_or_default(),
                location: template.map_or(problem.file, |(_, place)| place.clone()),
                reason: format!("resolved, but {}", problem.message),
                transient: false,
            });
        }
    }
}

/// The text of a template, when everything in it has an answer.
fn fill(
    template: &Template,
    place: &str,
    found: &BTreeMap<Lookup, Observed<String>>,
    awaits: &mut BTreeSet<String>,
    unresolved: &mut Vec<Unresolved>,
) -> Option<String> {
    let mut text = Some(String::new());
    for piece in &template.pieces {
        let (reference, lookup, document) = match piece {
            Piece::Text(more) => {
                if let Some(text) = &mut text {
                    text.push_str(more);
                }
                continue;
            }
            Piece::Lookup { reference, lookup, document } => (reference, lookup, document),
        };
        let (reason, transient) = match (found.get(lookup), document) {
            (Some(Observed::Present(answer)), _) => {
                if let Some(text) = &mut text {
                    text.push_str(answer);
                }
                continue;
            }
            (Some(Observed::Absent), Some(document)) => {
                awaits.insert(document.clone());
                text = None;
                continue;
            }
            (Some(Observed::Absent), None) => (format!("AWS has no {}", describe(lookup)), false),
            (Some(Observed::Unknown(failure)), _) => (failure.to_string(), failure.kind.is_transient()),
            (None, _) => ("it was not looked up".to_owned(), true),
        };
        text = None;
        unresolved.push(Unresolved { reference: reference.clone(), location: place.to_owned(), reason, transient });
    }
    text
}

/// What a lookup looks for, in words.
fn describe(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Image { repository, tag, platform } => format!("image `{repository}:{tag}` for `{platform}`"),
        Lookup::TargetGroup(name) => format!("target group `{name}`"),
        Lookup::Listener { load_balancer, port } => {
            format!("listener on port {port} of load balancer `{load_balancer}`")
        }
        Lookup::Secret(name) => format!("secret `{name}`"),
        Lookup::Parameter(name) => format!("parameter `{name}`"),
        Lookup::StackResource { stack, logical_id } => format!("resource `{logical_id}` in stack `{stack}`"),
        Lookup::StackOutput { stack, key } => format!("output `{key}` of stack `{stack}`"),
    }
}

/// The references of a template, as they stand in the file.
fn spellings(template: &Template) -> String {
    let pieces = template.pieces.iter().filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Lookup { reference, .. } => Some(reference.as_str()),
    });
    pieces.collect::<Vec<_>>().join(" ")
}

/// Checks a document against the API model, but for what `allow_unknown` lets through.
pub(super) fn validate(
    kind: Kind,
    name: &str,
    body: &Node,
    references: References,
    allow_unknown: &[Ignore],
) -> Vec<Problem> {
    let concerns = |allowed: &&Ignore| allowed.kind == kind && allowed.name.as_deref().is_none_or(|only| only == name);
    let allow_unknown = allow_unknown.iter().filter(concerns).map(|allowed| allowed.pointer.clone()).collect();
    validate_document(body, kind, &Validation { references, allow_unknown })
}
