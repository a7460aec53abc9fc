//! A definition: what a task is made of, valid by construction.
//!
//! [`parse`] and [`read`] are the only ways from untrusted input to a [`Definition`]; both go through the same
//! checks and name every fault at once. [`restore`] reads back what this module wrote, without checking it again.
//! The invariant: `subtasks` is in topological order, so an upstream always has the lower index.

mod accept;
mod canonical;
mod check;
mod graph;
mod subtask;
pub mod template;
pub mod vsphere;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{tree, yaml};
use crate::error::Fault;

pub use subtask::{Http, Limits, Retry, Run, Sql, Subtask};
pub use vsphere::Vsphere;

/// What the name of a secret is.
pub const SECRET_NAME: &str =
    "a name of a secret is a letter or `_`, then letters, digits and `_`, at most 64 in all, but not `KEY`";

/// Whether a secret may be called so: it becomes part of a variable's name, and `TASKLOOM_SECRET_KEY` is the server's.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let mut letters = name.bytes();
    letters.next().is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && letters.all(|other| other == b'_' || other.is_ascii_alphanumeric())
        && name.len() <= 64
        && name != "KEY"
}

/// What a task is made of. `docs/definitions.md` describes the format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Stored")]
pub struct Definition {
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The JSON Schema of the parameters; without one any object is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// In topological order, otherwise as written.
    pub subtasks: Vec<Subtask>,
    /// No subtask of it may be undone.
    #[serde(skip_serializing_if = "canonical::is_default")]
    pub prohibit_rollback: bool,
    /// The indexes behind each subtask's `needs`. Private, so that only this module makes definitions.
    #[serde(skip_serializing)]
    upstreams: Vec<Vec<usize>>,
}

/// Reads a definition from the text of a YAML or JSON document.
///
/// # Errors
/// Every fault of the document, with its path and line.
pub fn parse(text: &str) -> Result<Definition, Vec<Fault>> {
    let tree = yaml::parse(text, "write a mapping with `name` and `subtasks`").map_err(|fault| vec![fault])?;
    check::definition(&tree)
}

/// Reads a definition from a value, as GraphQL input brings it.
///
/// # Errors
/// Every fault of the value, with its path.
pub fn read(value: Value) -> Result<Definition, Vec<Fault>> {
    let tree = tree::plant(value, tree::Budget::DOCUMENT).map_err(|fault| vec![fault])?;
    check::definition(&tree)
}

/// Reads back what a [`Definition`] was serialized to.
///
/// # Errors
/// When the text was not written by this module.
pub fn restore(text: &str) -> serde_json::Result<Definition> {
    serde_json::from_str(text)
}

impl Definition {
    /// The subtasks' indexes, every upstream before its downstreams, otherwise as written.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        (0..self.subtasks.len()).collect()
    }

    /// The indexes of the subtasks that subtask `index` needs, in the order of its `needs`.
    ///
    /// # Panics
    /// When there is no subtask `index`.
    #[must_use]
    pub fn upstreams(&self, index: usize) -> &[usize] {
        &self.upstreams[index]
    }
}

/// A definition as stored: trusted, but not yet linked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Option<Value>,
    subtasks: Vec<Subtask>,
    #[serde(default)]
    prohibit_rollback: bool,
}

/// A stored definition is damaged.
#[derive(Debug, thiserror::Error)]
#[error("subtask `{subtask}` needs `{need}`, which does not stand before it")]
struct Unlinked {
    subtask: String,
    need: String,
}

impl TryFrom<Stored> for Definition {
    type Error = Unlinked;

    fn try_from(stored: Stored) -> Result<Self, Unlinked> {
        let Stored { name, description, parameters, subtasks, prohibit_rollback } = stored;
        let upstreams = link(&subtasks)?;
        Ok(Self { name, description, parameters, subtasks, prohibit_rollback, upstreams })
    }
}

/// The index behind each need; only what stands before a subtask is found.
fn link(subtasks: &[Subtask]) -> Result<Vec<Vec<usize>>, Unlinked> {
    let mut known = HashMap::with_capacity(subtasks.len());
    let mut upstreams = Vec::with_capacity(subtasks.len());
    for (index, subtask) in subtasks.iter().enumerate() {
        let found = subtask.needs.iter().map(|need| {
            let missing = || Unlinked { subtask: subtask.name.clone(), need: need.clone() };
            known.get(need.as_str()).copied().ok_or_else(missing)
        });
        upstreams.push(found.collect::<Result<_, _>>()?);
        known.insert(subtask.name.as_str(), index);
    }
    Ok(upstreams)
}
