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

/// Subtasks that a worker with these labels may claim at `now`. Reads no more than it hands out, however much waits
/// for labels that this worker lacks.
///
/// # Errors
/// When the database does not answer.
pub async fn candidates(
    conn: &impl ConnectionTrait,
    labels: &[String],
    limit: u64,
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    let mut values: Vec<Value> = vec![now.0.into(), limit.cast_signed().into()];
    let mut parts = vec![];
    for requires in satisfied(conn, labels).await? {
        values.push(requires.into());
        let number = values.len();
        // One walk along the index for each set of labels, each in the fair order.
        parts.push(format!(
            "SELECT * FROM (SELECT id, task_id, priority FROM subtask WHERE {READY} AND requires = ${number} AND \
             (not_before IS NULL OR not_before <= $1) ORDER BY priority DESC, id LIMIT $2) AS part{number}"
        ));
    }
    let sql = format!("{} ORDER BY priority DESC, id LIMIT $2", parts.join(" UNION ALL "));
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(Candidate::find_by_statement(statement).all(conn).await?)
}

/// The sets of labels that somebody waits for and `labels` has; the empty set always.
async fn satisfied(conn: &impl ConnectionTrait, labels: &[String]) -> Result<BTreeSet<String>> {
    let mut satisfied = BTreeSet::from([String::new()]);
    if !labels.is_empty() {
        // From one set to the next: a DISTINCT would read every row that waits.
        let sql = format!(
            "WITH RECURSIVE waited(requires) AS (SELECT MIN(requires) FROM subtask WHERE {READY} UNION ALL \
             SELECT (SELECT MIN(requires) FROM subtask WHERE {READY} AND requires > waited.requires) \
             FROM waited WHERE waited.requires IS NOT NULL) SELECT requires FROM waited WHERE requires IS NOT NULL"
        );
        let waited = Requires::find_by_statement(Statement::from_string(conn.get_database_backend(), sql));
        let waited = waited.all(conn).await?.into_iter().map(|row| row.requires);
        satisfied.extend(waited.filter(|requires| has_labels(labels, requires)));
    }
    Ok(satisfied)
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
