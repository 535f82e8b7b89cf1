//! A document while it is checked: parsed and merged, every value with its place in a file.

use super::Ignore;
use super::located::Located;
use super::reader::TableReader;
use super::template::{ReferenceScope, Template, settle};
use super::unresolved_document::{UnresolvedDocument, validate};
use crate::document::{Node, NodeValue, Problem, References, Span};
use crate::kind::Kind;
use crate::pointer::Pointer;

/// A document with the place of every value.
pub(super) struct ParsedDocument {
    /// What it is.
    pub kind: Kind,
    /// The kind of document.
    pub name: String,
    /// The file's name without its extension, or the kind's name where an application has only one.
    pub path: String,
    /// The AWS request, overlays merged.
    pub node: Node,
    /// The strings in it that wait for AWS's answers, each with its place; none before [`ParsedDocument::settle`].
    pub templates: Vec<(Template, Span)>,
}

impl ParsedDocument {
    /// A document as its files have it.
    pub fn new(kind: Kind, name: String, path: String, node: Node) -> Self {
        Self { kind, name, path, node, templates: Vec::new() }
    }

    /// Reduces the document to the AWS request: removes trueup's own table, and null members, which AWS treats as not
    /// set. References that the files can answer are replaced; the others become templates. The result is checked
    /// against the API model.
    pub fn settle(&mut self, scope: &ReferenceScope<'_>, allow_unknown: &[Ignore], problems: &mut Vec<Problem>) {
        if let Some(own) = Located::root(&self.node).get("trueup") {
            TableReader { problems }.table(&own, "`trueup`", &[]);
        }
        self.remove_member("trueup");
        self.templates = settle(Some(self.kind), &mut self.node, scope, problems);
        problems.extend(validate(self.kind, &self.name, &self.node, References::Pending, allow_unknown));
        // Only after the check: a member that AWS does not know is reported even when it is null.
        self.node.remove_nulls();
    }

    /// Removes a member of the request.
    pub fn remove_member(&mut self, name: &str) {
        if let NodeValue::Object(members) = &mut self.node.value {
            members.shift_remove(name);
        }
    }

    /// Whether the string at `pointer` waits for AWS's answers.
    pub fn waits_at(&self, pointer: &Pointer) -> bool {
        self.templates.iter().any(|(template, _)| template.pointer == *pointer)
    }

    /// The name of its resource in AWS, where the files contain it.
    pub fn in_aws(&self) -> Option<&str> {
        Located::root(&self.node).member_text(self.kind.facts().named_by?)
    }

    /// Drops what only the checks needed.
    pub fn into_unresolved(self) -> UnresolvedDocument {
        let in_aws = self.in_aws().map(str::to_owned);
        let templates = self.templates.into_iter().map(|(template, span)| (template, span.to_string())).collect();
        UnresolvedDocument::new(self.kind, self.name, self.path, in_aws, &self.node, templates)
    }
}
