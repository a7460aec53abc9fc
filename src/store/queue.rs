//! What may be claimed next, in the fair order: the highest priority first, then the oldest.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use taskloom_entity::{SubtaskId, TaskId, Timestamp};

use crate::error::Result;
use crate::task::waiting::has_labels;

/// A subtask that looked READY when it was listed. Whether it still is, is decided under its task's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Candidate {
    /// The subtask.
    pub id: SubtaskId,
    /// Its task.
    pub task_id: TaskId,
}

#[derive(FromQueryResult)]
struct Requires {
    requires: String,
}

#[derive(FromQueryResult)]
struct Next {
    next: Option<Timestamp>,
}

// States are literals: a bound value would keep both databases from using the partial indexes.
const READY: &str = "state = 'READY' AND held = FALSE";

/// Subtasks that a worker with these labels may claim at `now`.
///
/// # Errors
/// When the database does not answer.
pub async fn candidates(
    conn: &impl ConnectionTrait,
    labels: &[String],
    limit: u64,
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    let mut values: Vec<Value> = vec![now.0.into()];
    let mut condition = "requires = ''".to_owned();
    for requires in satisfied(conn, labels).await? {
        values.push(requires.into());
        condition.push_str(&format!(" OR requires = ${}", values.len()));
    }
    values.push(limit.cast_signed().into());
    let sql = format!(
        "SELECT id, task_id FROM subtask WHERE {READY} AND (not_before IS NULL OR not_before <= $1) AND ({condition}) \
         ORDER BY priority DESC, id LIMIT ${}",
        values.len()
    );
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(Candidate::find_by_statement(statement).all(conn).await?)
}

/// The sets of labels that somebody waits for and `labels` has.
async fn satisfied(conn: &impl ConnectionTrait, labels: &[String]) -> Result<BTreeSet<String>> {
    if labels.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = "SELECT DISTINCT requires FROM subtask WHERE state = 'READY' AND requires <> ''";
    let statement = Statement::from_string(conn.get_database_backend(), sql);
    let waited = Requires::find_by_statement(statement).all(conn).await?;
    Ok(waited.into_iter().map(|row| row.requires).filter(|requires| has_labels(labels, requires)).collect())
}

/// When the next back-off ends, if one lasts.
///
/// # Errors
/// When the database does not answer.
pub async fn next_backoff(conn: &impl ConnectionTrait, now: Timestamp) -> Result<Option<Timestamp>> {
    let sql = format!("SELECT MIN(not_before) AS next FROM subtask WHERE {READY} AND not_before > $1");
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [now.0.into()]);
    Ok(Next::find_by_statement(statement).one(conn).await?.and_then(|row| row.next))
}
