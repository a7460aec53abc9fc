//! One verb on many tasks: each is its own transaction and audit row; one that is refused stops no other.

use taskloom_entity::{Role, TaskId, task};

use super::{change, list, name};
use crate::error::{Error, Result};
use crate::resolver::Request;
use crate::resolver::audit::{self, Act};
use crate::store::keyset::Part;
use crate::store::task::{Filter, OrderBy};
use crate::task::command::Verb;

/// The most tasks of one call.
pub const MOST: u64 = 1000;

/// What became of them.
#[derive(Debug)]
pub struct Done {
    /// Those that were changed.
    pub tasks: Vec<task::Model>,
    /// Those that were refused, and why.
    pub refused: Vec<(TaskId, Error)>,
    /// More match than one call takes: call again.
    pub more: bool,
}

/// Does `verb` to every task that matches, oldest first.
///
/// # Errors
/// `FORBIDDEN`; what is refused of a single task is in the answer.
#[tracing::instrument(name = "task.bulk", skip_all, fields(?verb))]
pub async fn run(request: &Request, filter: &Filter, verb: Verb) -> Result<Done> {
    audit::permit(request, Role::Manager, &Act::new(name(verb), "tasks")).await?;
    let part = Part { limit: MOST, ..Part::default() };
    let slice = list(request, filter, (OrderBy::Id, false), &part).await?;
    let mut done = Done { tasks: vec![], refused: vec![], more: slice.has_next };
    for task in slice.rows {
        let changed = match verb {
            Verb::Delete => super::delete(request, task.id).await,
            _ => change(request, task.id, verb).await,
        };
        match changed {
            Ok(task) => done.tasks.push(task),
            Err(error) => done.refused.push((task.id, error)),
        }
    }
    Ok(done)
}
