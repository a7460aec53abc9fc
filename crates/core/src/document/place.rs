//! Where a value stands, and the faults found there. A walk over the tree carries places, so that every message
//! names its path and line.

use super::tree::{Content, Entry, Node};
use super::word;
use crate::error::Fault;

/// More are counted, not listed: nobody reads them, and finding the nearest word for each costs time.
const LISTED: usize = 200;

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
    more: usize,
}

impl Faults {
    /// A fault at this place.
    pub fn add(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.put(Fault { path: place.path.clone(), line: place.line, message: message.into() });
    }

    /// A fault that knows its place.
    pub fn put(&mut self, fault: Fault) {
        if self.is_full() {
            self.more += 1;
        } else {
            self.list.push(fault);
        }
    }

    /// Nothing more will be listed: expensive messages need not be made.
    pub fn is_full(&self) -> bool {
        self.list.len() >= LISTED
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, in the order of the text.
    pub fn finish(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|fault| fault.line);
        if self.more > 0 {
            let message = format!("{} more faults are not listed: mend these first", self.more);
            self.list.push(Fault { path: String::new(), line: None, message });
        }
        self.list
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Place<'t> {
    /// The value.
    pub node: &'t Node,
    /// `subtasks[2].needs[0]`; empty for the document.
    pub path: String,
    /// From 1; none where there is no text.
    pub line: Option<u32>,
}

impl<'t> Place<'t> {
    /// The whole document.
    #[must_use]
    pub fn root(node: &'t Node) -> Self {
        Self { node, path: String::new(), line: node.line }
    }

    /// The value of a key in this mapping. It stands where its key does.
    pub fn entry(&self, entry: &'t Entry) -> Self {
        Self { node: &entry.node, path: join(&self.path, &entry.key), line: entry.line }
    }

    /// The items of this list; none when it is no list.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'t, '_> {
        let items: &[Node] = if let Content::List(items) = &self.node.content { items } else { &[] };
        items.iter().enumerate().map(|(index, node)| Self {
            node,
            path: format!("{}[{index}]", self.path),
            line: node.line,
        })
    }

    /// The keys and values of this mapping; none when it is no mapping.
    pub fn entries(&self) -> &'t [Entry] {
        if let Content::Map(entries) = &self.node.content { entries } else { &[] }
    }

    /// What stands here, for a message.
    pub fn describe(&self) -> String {
        match &self.node.content {
            Content::Null => "empty".to_owned(),
            Content::Bool(flag) => format!("the boolean `{flag}`"),
            Content::Number(number) => format!("the number {number}"),
            Content::Text(text) => format!("the text {}", word::quote(text)),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// The path of `key` below `path`; keys that are no plain words are put in brackets.
pub fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty()
        && key.chars().count() <= 128
        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    match (path, plain) {
        ("", true) => key.to_owned(),
        (path, true) => format!("{path}.{key}"),
        (path, false) => format!("{path}[{:?}]", word::short(key, 60)),
    }
}

/// A mapping whose keys are known.
#[derive(Debug)]
pub struct Fields<'t> {
    place: Place<'t>,
}

impl<'t> Fields<'t> {
    /// Opens the mapping at `place`. Unknown keys are faults, and so is anything but a mapping.
    pub fn open(place: Place<'t>, known: &[&str], faults: &mut Faults) -> Option<Self> {
        let Content::Map(entries) = &place.node.content else {
            let keys = word::list(known);
            faults.add(&place, format!("must be a mapping with the keys {keys}, but is {}", place.describe()));
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let near = if faults.is_full() { None } else { word::suggest(&entry.key, known.iter().copied()) };
            let rest = near.unwrap_or_else(|| format!(": the keys here are {}", word::list(known)));
            faults.add(&place.entry(entry), format!("unknown key {}{rest}", word::quote(&entry.key)));
        }
        Some(Self { place })
    }

    /// The value of `key`, where there is one. Nothing (`null`) is like an absent key.
    pub fn find(&self, key: &str) -> Option<Place<'t>> {
        let node: &'t Node = self.place.node;
        let entry = node.find(key).filter(|entry| !matches!(entry.node.content, Content::Null))?;
        Some(self.place.entry(entry))
    }

    /// The value of `key`; a fault when there is none.
    pub fn get(&self, key: &str, faults: &mut Faults) -> Option<Place<'t>> {
        let found = self.find(key);
        if found.is_none() {
            let path = join(&self.place.path, key);
            let line = self.place.node.find(key).map_or(self.place.line, |entry| entry.line);
            let message = format!("{} is missing: add it", word::quote(key));
            faults.put(Fault { path, line, message });
        }
        found
    }
}
