//! The parsed files of an application, and an environment's files merged over them.

use std::collections::{BTreeMap, BTreeSet};

use super::FileTree;
use super::layout::DirectoryFiles;
use super::merge::merge;
use super::parsed_document::ParsedDocument;
use crate::document::{self, Node, Problem};
use crate::kind::Kind;

/// The files of an application, or of one environment's overlay. A file that cannot be parsed is `None`.
#[derive(Default)]
pub(super) struct ParsedFiles {
    /// `app.toml`.
    pub manifest: Option<Node>,
    /// Documents by kind and name, each with its path.
    documents: BTreeMap<(Kind, String), (String, Option<Node>)>,
    /// The problems of files that cannot be parsed.
    pub problems: Vec<Problem>,
}

/// Parses a file. On failure, reports the problems and returns `None`.
pub(super) fn parse(files: &FileTree, path: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let source = document::source_file(path, &files[path]).map_err(|problem| problems.push(problem)).ok()?;
    document::parse(&source).map_err(|of_syntax| problems.extend(of_syntax)).ok()
}

impl ParsedFiles {
    /// Parses the files of a directory.
    pub fn of(files: &FileTree, directory: DirectoryFiles) -> Self {
        let mut parsed = Self::default();
        let problems = &mut parsed.problems;
        parsed.manifest = directory.manifest.and_then(|path| parse(files, &path, problems));
        for (key, path) in directory.documents {
            let node = parse(files, &path, problems);
            parsed.documents.insert(key, (path, node));
        }
        parsed
    }

    /// Merges an overlay's documents over these. The flag says whether all of them could be parsed.
    pub fn merge_documents(&self, overlay: &Self) -> (Vec<ParsedDocument>, bool) {
        let mut merged = Vec::with_capacity(self.documents.len());
        let mut complete = true;
        let keys: BTreeSet<&(Kind, String)> = self.documents.keys().chain(overlay.documents.keys()).collect();
        for key in keys {
            let (kind, name) = key;
            let nodes = (self.documents.get(key), overlay.documents.get(key));
            let (path, node) = match nodes {
                (Some((path, Some(node))), None) | (None, Some((path, Some(node)))) => (path, node.clone()),
                (Some((path, Some(base))), Some((_, Some(over)))) => (path, merge(Some(*kind), base, over)),
                // A merge with one half missing would report that half's members as missing.
                (None | Some((_, None)), _) | (_, Some((_, None))) => {
                    complete = false;
                    continue;
                }
            };
            merged.push(ParsedDocument::new(*kind, name.clone(), path.clone(), node));
        }
        (merged, complete)
    }

    /// Merges an overlay's `app.toml` over this one; `None` when neither has one.
    pub fn merge_manifest(&self, overlay: &Self) -> Option<Node> {
        match (&self.manifest, &overlay.manifest) {
            (Some(base), Some(over)) => Some(merge(None, base, over)),
            (Some(node), None) | (None, Some(node)) => Some(node.clone()),
            (None, None) => None,
        }
    }
}
