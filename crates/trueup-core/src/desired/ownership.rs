//! The resources that documents declare in AWS: each resource may be declared only once.

use super::Environment;
use super::located::Located;
use super::parsed_document::ParsedDocument;
use crate::document::Problem;
use crate::kind::Kind;

/// A resource in AWS that a document declares.
pub(super) struct OwnershipClaim {
    /// The resource, with its account and region: two environments may share both.
    pub resource: String,
    /// The problem to report when another document also declares it. Its message names the resource.
    pub problem: Problem,
}

/// The resources that the documents of an application declare.
pub(super) fn claims(environment: &Environment, cluster: &str, documents: &[ParsedDocument]) -> Vec<OwnershipClaim> {
    let claim = |document: &ParsedDocument| {
        let (resource, place) = declared(document, cluster)?;
        let problem = place.problem("declared-twice", &resource);
        let resource = format!("{} {} {resource}", environment.account, environment.region);
        Some(OwnershipClaim { resource, problem })
    };
    documents.iter().filter_map(claim).collect()
}

/// The resource of a document in words, and the value that names it. `None` for task definitions, whose families may be
/// shared, and where the name is not known from the files.
fn declared<'a>(document: &'a ParsedDocument, cluster: &str) -> Option<(String, Located<'a>)> {
    let root = Located::root(&document.node);
    match document.kind {
        Kind::TaskDefinition => None,
        Kind::Service => {
            let place = root.get("serviceName")?;
            Some((format!("service `{}` in cluster `{cluster}`", place.text()?), place))
        }
        Kind::TargetGroup => {
            let place = root.get("Name")?;
            Some((format!("target group `{}`", place.text()?), place))
        }
        Kind::ListenerRule => {
            let place = root.get("Priority")?;
            let (priority, listener) = (place.node.as_i64()?, root.get("ListenerArn")?.node.as_str()?);
            Some((format!("priority {priority} on listener `{listener}`"), place))
        }
    }
}
