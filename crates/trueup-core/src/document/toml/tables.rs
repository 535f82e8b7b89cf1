//! TOML's tables under construction: which header and which dotted key may extend which table.
//!
//! Source: TOML 1.1, "Keys", "Table" and "Array of Tables".

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry as MapEntry;

use crate::document::node::{Node, NodeMember, NodeValue};
use crate::document::problem::Problem;
use crate::document::source::{SourceFile, Span};
use crate::document::{DEPTH_MAX, too_deep};
use crate::pointer::Pointer;

/// A table under construction.
struct Table {
    entries: IndexMap<String, TableEntry>,
    origin: Origin,
    place: Range<usize>,
}

struct TableEntry {
    key: Range<usize>,
    item: Item,
}

enum Item {
    /// A value, an inline table or an array.
    Value(Node),
    /// A table that headers or dotted keys may extend.
    Table(Table),
    /// `[[name]]`, with a table for each of its headers.
    Tables(Vec<Table>),
}

/// The syntax that created a table, which decides what may still extend it.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    /// It is a parent in the header `[a.b]` of another table: its own header may follow, once.
    Parent,
    /// It is a parent in `a.b = …`: more dotted keys may extend it, but no header.
    Dotted,
    /// It has its own header or braces, or is the file's root.
    Own,
}

/// One part of a dotted key.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) place: Range<usize>,
}

/// The table that a header opened: its path and its depth.
pub(super) struct Opened {
    path: Vec<String>,
    /// How many objects and lists the table is in, itself included.
    pub(super) depth: usize,
}

impl Opened {
    /// The table of keys before the first header.
    pub(super) fn root() -> Self {
        Self::inline(1)
    }

    /// The table of the keys of an inline table at `depth`.
    pub(super) fn inline(depth: usize) -> Self {
        Self { path: Vec::new(), depth }
    }
}

/// The tables of one file, or of one inline table.
pub(super) struct Tables<'a> {
    file: &'a Arc<SourceFile>,
    root: Table,
}

impl<'a> Tables<'a> {
    /// No tables yet; `place` is the outermost table's.
    pub(super) fn new(file: &'a Arc<SourceFile>, place: Range<usize>) -> Self {
        Self { file, root: Table { entries: IndexMap::new(), origin: Origin::Own, place } }
    }

    /// Opens `[a.b]`, or `[[a.b]]` with `is_array`.
    pub(super) fn open(&mut self, mut keys: Vec<Key>, place: Range<usize>, is_array: bool) -> Result<Opened, Problem> {
        let file = self.file;
        let path = keys.iter().map(|key| key.name.clone()).collect();
        let mut depth = 1;
        let mut field = Pointer::root();
        let mut table = &mut self.root;
        let last = keys.pop().expect("a header has a key");
        for key in keys {
            (table, depth) = child(file, table, key, (depth, &mut field), Origin::Parent)?;
        }
        field.push(last.name.clone());
        depth += if is_array { 2 } else { 1 };
        if depth > DEPTH_MAX {
            return Err(too_deep(file, last.place, &field));
        }
        let new = Table { entries: IndexMap::new(), origin: Origin::Own, place };
        match table.entries.entry(last.name) {
            MapEntry::Vacant(vacant) => {
                let item = if is_array { Item::Tables(vec![new]) } else { Item::Table(new) };
                vacant.insert(TableEntry { key: last.place, item });
            }
            MapEntry::Occupied(mut occupied) => match &mut occupied.get_mut().item {
                Item::Tables(tables) if is_array => tables.push(new),
                Item::Table(table) if !is_array && table.origin == Origin::Parent => {
                    table.origin = Origin::Own;
                    table.place = new.place;
                    occupied.get_mut().key = last.place;
                }
                Item::Value(_) | Item::Table(_) | Item::Tables(_) => {
                    return Err(duplicate(file, &last.place, &field, &occupied.get().key));
                }
            },
        }
        Ok(Opened { path, depth })
    }

    /// Inserts `a.b = value` under a header.
    pub(super) fn insert(&mut self, under: &Opened, mut keys: Vec<Key>, value: Node) -> Result<(), Problem> {
        let file = self.file;
        let mut table = &mut self.root;
        for name in &under.path {
            table = match table.entries.get_mut(name).map(|entry| &mut entry.item) {
                Some(Item::Table(table)) => table,
                Some(Item::Tables(tables)) => tables.last_mut().expect("each header pushes one"),
                Some(Item::Value(_)) | None => unreachable!("the header made it a table"),
            };
        }
        let mut depth = under.depth;
        let mut field: Pointer = under.path.iter().cloned().collect();
        let last = keys.pop().expect("a key has a part");
        for key in keys {
            (table, depth) = child(file, table, key, (depth, &mut field), Origin::Dotted)?;
        }
        match table.entries.entry(last.name) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(TableEntry { key: last.place, item: Item::Value(value) });
                Ok(())
            }
            MapEntry::Occupied(first) => {
                Err(duplicate(file, &last.place, &field.join(first.key().clone()), &first.get().key))
            }
        }
    }

    /// The root table as a node.
    pub(super) fn into_node(mut self, end: Option<usize>) -> Node {
        if let Some(end) = end {
            self.root.place.end = end;
        }
        self.root.into_node(self.file)
    }
}

impl Table {
    fn into_node(self, file: &Arc<SourceFile>) -> Node {
        let members = self.entries.into_iter().map(|(name, entry)| {
            let node = match entry.item {
                Item::Value(node) => node,
                Item::Table(table) => table.into_node(file),
                Item::Tables(tables) => {
                    let place = tables[0].place.clone();
                    let items = tables.into_iter().map(|table| table.into_node(file)).collect();
                    Node { value: NodeValue::List(items), span: span(file, place) }
                }
            };
            (name, NodeMember { key: span(file, entry.key), node })
        });
        Node { value: NodeValue::Object(members.collect()), span: span(file, self.place) }
    }
}

/// The table inside another one that `key` names, which is created as a `wanted` one when it does not exist yet.
fn child<'t>(
    file: &Arc<SourceFile>,
    table: &'t mut Table,
    key: Key,
    (depth, field): (usize, &mut Pointer),
    wanted: Origin,
) -> Result<(&'t mut Table, usize), Problem> {
    field.push(key.name.clone());
    if depth >= DEPTH_MAX {
        return Err(too_deep(file, key.place, field));
    }
    let entry = match table.entries.entry(key.name) {
        MapEntry::Occupied(occupied) => occupied.into_mut(),
        MapEntry::Vacant(vacant) => {
            let new = Table { entries: IndexMap::new(), origin: wanted, place: key.place.clone() };
            vacant.insert(TableEntry { key: key.place.clone(), item: Item::Table(new) })
        }
    };
    let first = entry.key.clone();
    match &mut entry.item {
        Item::Table(table) if wanted == Origin::Parent || table.origin != Origin::Own => {
            if wanted == Origin::Dotted {
                table.origin = Origin::Dotted;
            }
            Ok((table, depth + 1))
        }
        Item::Tables(tables) if wanted == Origin::Parent => {
            Ok((tables.last_mut().expect("each header pushes one"), depth + 2))
        }
        Item::Table(_) | Item::Tables(_) => Err(duplicate(file, &key.place, field, &first)),
        Item::Value(node) => {
            let (line, column) = file.position(first.start);
            let message = format!("`{}` is {} already, so nothing can be added to it", last(field), node.kind_name());
            Err(Problem::at("duplicate-key", &span(file, key.place), field, message)
                .help(format!("it is in line {line}, column {column}: add the members there")))
        }
    }
}

fn duplicate(file: &Arc<SourceFile>, place: &Range<usize>, field: &Pointer, first: &Range<usize>) -> Problem {
    let (line, column) = file.position(first.start);
    Problem::at("duplicate-key", &span(file, place.clone()), field, format!("`{}` is here a second time", last(field)))
        .help(format!("it is already in line {line}, column {column}: keep one of them"))
}

fn last(field: &Pointer) -> &str {
    field.segments().last().map_or("", String::as_str)
}

pub(super) fn span(file: &Arc<SourceFile>, range: Range<usize>) -> Span {
    Span { file: Arc::clone(file), range }
}
