//! A document as a tree whose nodes know their lines. Bounded before it is built: nothing that walks it can overflow
//! the stack or run away, aliases included.

use serde_json::{Number, Value};

use crate::error::Fault;

/// How deep lists and mappings may nest.
pub const DEPTH: usize = 64;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// From 1; none where there is no text.
    pub line: Option<u32>,
    /// What stands there.
    pub content: Content,
}

/// What JSON can say. Keys keep their order and their repetitions, so that a repetition can be named.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in its order.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, as written.
    pub key: String,
    /// The line of the key.
    pub line: Option<u32>,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The same as JSON, without lines. Of a repeated key the last one stays.
    pub fn json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(flag) => Value::Bool(*flag),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Self::json).collect(),
            Content::Map(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.json())).collect())
            }
        }
    }

    /// What a mapping holds under `key`.
    pub fn find(&self, key: &str) -> Option<&Entry> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::List(_) => None,
        }
    }
}

/// What a document may still cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    values: usize,
    bytes: usize,
}

impl Budget {
    /// Of a definition: twice the text that is accepted, for what aliases repeat.
    pub const DOCUMENT: Self = Self { values: 250_000, bytes: 8 << 20 };
    /// Of a task's parameters.
    pub const PARAMETERS: Self = Self { values: 20_000, bytes: 1 << 20 };

    /// Takes `values` with `bytes` of text; `false` when that is more than is left.
    #[must_use]
    pub fn take(&mut self, values: usize, bytes: usize) -> bool {
        let left = self.values.checked_sub(values).zip(self.bytes.checked_sub(bytes));
        if let Some((values, bytes)) = left {
            *self = Self { values, bytes };
        }
        left.is_some()
    }
}

/// The tree of a value, without lines.
///
/// # Errors
/// When it is too large or nests too deep.
pub fn plant(value: Value, budget: Budget) -> Result<Node, Fault> {
    match survey(&value, budget) {
        Ok(()) => Ok(grow(value)),
        Err(message) => {
            fell(value);
            Err(Fault { path: String::new(), line: None, message })
        }
    }
}

/// Measures a value without recursion.
fn survey(value: &Value, mut budget: Budget) -> Result<(), String> {
    let mut heap = vec![(value, 0)];
    while let Some((value, depth)) = heap.pop() {
        if !budget.take(1, value.as_str().map_or(0, str::len)) {
            return Err(too_large());
        }
        match value {
            Value::Array(_) | Value::Object(_) if depth == DEPTH => return Err(too_deep()),
            Value::Array(items) => heap.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(entries) => {
                for (key, value) in entries {
                    if !budget.take(0, key.len()) {
                        return Err(too_large());
                    }
                    heap.push((value, depth + 1));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    Ok(())
}

fn grow(value: Value) -> Node {
    let content = match value {
        Value::Null => Content::Null,
        Value::Bool(flag) => Content::Bool(flag),
        Value::Number(number) => Content::Number(number),
        Value::String(text) => Content::Text(text),
        Value::Array(items) => Content::List(items.into_iter().map(grow).collect()),
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Entry { key, line: None, node: grow(value) });
            Content::Map(entries.collect())
        }
    };
    Node { line: None, content }
}

/// Drops a value however deep it is: its own drop recurses once a level.
fn fell(value: Value) {
    let mut heap = vec![value];
    while let Some(value) = heap.pop() {
        match value {
            Value::Array(items) => heap.extend(items),
            Value::Object(entries) => heap.extend(entries.into_iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

pub(super) fn too_deep() -> String {
    format!("nested too deep: at most {DEPTH} lists and mappings may stand inside each other")
}

pub(super) fn too_large() -> String {
    "too large, aliases written out: make it smaller, keep long scripts and data in files".to_owned()
}
