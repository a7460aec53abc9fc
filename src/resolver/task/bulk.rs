//! One verb on many tasks: each is its own transaction and audit row; one that is refused stops no other.

use serde_json::{Value, json};
use taskloom_entity::{Role, TaskId, task};

use super::{change, count, list, name};
use crate::error::{Error, Result, code};
use crate::resolver::Request;
use crate::resolver::audit::{self, Act};
use crate::store::keyset::Part;
use crate::store::task::{TaskFilter, TaskOrder};
use crate::task::command::Verb;

/// The most tasks of one call.
pub const MOST: u64 = 1000;

/// Which tasks are wanted, said well enough to change them.
#[derive(Clone, Debug)]
pub struct BulkSelection {
    filter: TaskFilter,
    dry_run: bool,
}

impl BulkSelection {
    /// Those of a filter that says something, or `all`; with `dry_run` they are only counted.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a filter that says nothing without `all`, or something beside it.
    pub fn new(filter: TaskFilter, all: bool, dry_run: bool) -> Result<Self> {
        let reason = match (all, filter.says_something()) {
            (false, true) | (true, false) => return Ok(Self { filter, dry_run }),
            (false, false) => "it asks for nothing, so every task would match; give `all: true` when that is meant",
            (true, true) => "give either a filter or `all: true`",
        };
        Err(Error::new(&code::INVALID_INPUT).with("what", "`filter`").with("reason", reason))
    }
}

/// What became of them.
#[derive(Debug)]
pub struct Done {
    /// How many match: those of this call, or all of them where nothing was to be done.
    pub count: u64,
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
pub async fn run(request: &Request, wanted: &BulkSelection, verb: Verb) -> Result<Done> {
    let act = Act::new(name(verb), "tasks").with(&described(&wanted.filter));
    audit::permit(request, Role::Manager, &act).await?;
    if wanted.dry_run {
        let count = count(request, &wanted.filter).await?;
        return Ok(Done { count, tasks: vec![], refused: vec![], more: count > MOST });
    }
    let part = Part { limit: MOST, ..Part::default() };
    let slice = list(request, &wanted.filter, (TaskOrder::Id, false), &part).await?;
    // What was asked for stands in the log before the first task is touched.
    audit::change(request, act, async |_, _| Ok(())).await?;
    let count = slice.rows.len() as u64;
    let mut done = Done { count, tasks: vec![], refused: vec![], more: slice.has_next };
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

/// The filter as the audit log shows it: what was asked for, by the names of the graph.
fn described(filter: &TaskFilter) -> Value {
    let given = filter.given();
    if given.is_empty() { json!({"all": true}) } else { json!({"filter": given}) }
}
