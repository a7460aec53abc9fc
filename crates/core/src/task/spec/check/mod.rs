//! From a located tree to a definition: every rule of the format, every fault collected before anything is returned.

mod needs;
mod run;
mod schema;
mod step;
mod vsphere;

#[cfg(test)]
pub(super) use schema::DIALECTS;
pub(super) use schema::{compile, explain, path};

use super::subtask::Subtask;
use super::{Definition, Stored};
use crate::document::place::{Faults, Fields, Place};
use crate::document::tree::{Content, Node};
use crate::document::{sound, value};
use crate::error::Fault;

const KEYS: [&str; 5] = ["name", "description", "parameters", "subtasks", "prohibitRollback"];

/// How many subtasks a definition may have.
const SUBTASKS: usize = 1_000;

/// Reads a definition.
///
/// # Errors
/// Every fault.
pub(super) fn definition(tree: &Node) -> Result<Definition, Vec<Fault>> {
    let mut faults = Faults::default();
    let root = Place::root(tree);
    sound(&root, &mut faults);
    let read = Fields::open(root, &KEYS, &mut faults).and_then(|fields| whole(&fields, &mut faults));
    match read {
        Some(stored) if faults.is_empty() => {
            Ok(Definition::try_from(stored).expect("invariant: checked needs point backwards"))
        }
        _ => Err(faults.finish()),
    }
}

/// The whole definition; the caller looks at the faults before it believes it.
fn whole(fields: &Fields<'_>, faults: &mut Faults) -> Option<Stored> {
    let name = fields.get("name", faults).and_then(|place| value::name(&place, faults));
    let description = fields.find("description").and_then(|place| value::description(&place, faults));
    let parameters = fields.find("parameters").and_then(|place| schema::read(&place, faults));
    let prohibited = fields.find("prohibitRollback").and_then(|place| value::flag(&place, faults));
    let subtasks = fields.get("subtasks", faults).and_then(|place| subtasks(&place, faults));
    Some(Stored {
        name: name?.to_owned(),
        description: description.unwrap_or_default(),
        parameters,
        subtasks: subtasks?,
        prohibit_rollback: prohibited.unwrap_or_default(),
    })
}

/// The subtasks in topological order.
fn subtasks(place: &Place<'_>, faults: &mut Faults) -> Option<Vec<Subtask>> {
    let places: Vec<_> = value::list(place, faults).collect();
    match places.len() {
        0 if matches!(place.node.content, Content::List(_)) => {
            faults.add(place, "there are no subtasks: write at least one");
        }
        1..=SUBTASKS => {}
        0 => return None,
        many => {
            faults.add(place, format!("there are {many} subtasks: at most 1,000; split the definition"));
            return None;
        }
    }
    let order = needs::check(&places, faults);
    let mut read: Vec<_> = places.into_iter().map(|place| step::read(place, faults)).collect();
    order?.into_iter().map(|index| read[index].take()).collect()
}

/// Every key of the format, for the test of its documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().chain(step::KEYS)
}
