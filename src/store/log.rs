//! Chunks of logs. Where a chunk begins is said by its writer and held against the subtask's row, under the epoch that
//! fences its attempt: what is sent twice is there once.

use crate::log::LogChunk;
use sea_orm::sea_query::{Expr, Func, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Set, Statement,
};
use taskloom_entity::{AttemptId, SubtaskId, SubtaskState, log_chunk, subtask};

use super::Tx;
use super::listen::PROCESS;
use crate::error::{Error, Result};

/// The channel that is notified of logs that grow, with the process that wrote and the subtask's id.
pub const CHANNEL: &str = "taskloom_log";

#[derive(FromQueryResult)]
struct LogSizeRow {
    log_bytes: i64,
}

/// An attempt whose log grows.
#[derive(Clone, Copy, Debug)]
pub struct LogOwner {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Its subtask.
    pub subtask_id: SubtaskId,
    /// Its fence.
    pub epoch: i64,
}

/// Appends chunks from `first_line` on; whether the attempt may still write. Chunks that are there already stay as they
/// are: who was not told of a commit sends them again.
///
/// # Errors
/// `INTERNAL` when the log is not as long as the attempt believes; when the database does not answer.
pub async fn append(tx: &Tx, of: LogOwner, first_line: i64, chunks: &[LogChunk]) -> Result<bool> {
    let lines: i64 = chunks.iter().map(|chunk| i64::from(chunk.lines)).sum();
    let bytes: i64 = chunks.iter().map(|chunk| i64::from(chunk.bytes)).sum();
    let sql = "UPDATE subtask SET log_lines = log_lines + $1, log_bytes = log_bytes + $2 \
               WHERE id = $3 AND epoch = $4 AND state IN ('RUNNING', 'CANCELING') AND log_lines = $5 - 1 RETURNING log_bytes";
    let values = [lines.into(), bytes.into(), of.subtask_id.0.into(), of.epoch.into(), first_line.into()];
    let backend = tx.get_database_backend();
    let moved = LogSizeRow::find_by_statement(Statement::from_sql_and_values(backend, sql, values)).one(tx).await?;
    let Some(end) = moved else {
        return is_there(tx, of, first_line).await;
    };
    let (mut line, mut byte) = (first_line, end.log_bytes - bytes);
    let mut rows = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        rows.push(log_chunk::ActiveModel {
            subtask_id: Set(of.subtask_id),
            first_line: Set(line),
            attempt_id: Set(of.attempt_id),
            lines: Set(i32::try_from(chunk.lines).unwrap_or(i32::MAX)),
            first_byte: Set(byte),
            bytes: Set(i32::try_from(chunk.bytes).unwrap_or(i32::MAX)),
            at: Set(chunk.at),
            data: Set(chunk.data.clone()),
        });
        line += i64::from(chunk.lines);
        byte += i64::from(chunk.bytes);
    }
    log_chunk::Entity::insert_many(rows).exec_without_returning(tx).await?;
    if backend == DbBackend::Postgres {
        let notify = Statement::from_sql_and_values(
            backend,
            "SELECT pg_notify('taskloom_log', $1)",
            [format!("{} {}", PROCESS.as_str(), of.subtask_id).into()],
        );
        tx.query_one_raw(notify).await?;
    }
    Ok(true)
}

/// Why nothing was appended: it is there already, or the attempt may not write any more.
async fn is_there(tx: &Tx, of: LogOwner, first_line: i64) -> Result<bool> {
    let mut chunk = log_chunk::Entity::find_by_id((of.subtask_id, first_line)).select_only();
    chunk = chunk.column(log_chunk::Column::AttemptId);
    if chunk.into_tuple().one(tx).await? == Some(of.attempt_id) {
        return Ok(true);
    }
    let holds = subtask::Entity::find_by_id(of.subtask_id)
        .filter(subtask::Column::Epoch.eq(of.epoch))
        .filter(subtask::Column::State.is_in([SubtaskState::Running, SubtaskState::Canceling]))
        .select_only()
        .column(subtask::Column::LogLines)
        .into_tuple::<i64>()
        .one(tx)
        .await?;
    match holds {
        Some(lines) => Err(Error::internal(Misplaced { first_line, lines })),
        None => Ok(false),
    }
}

/// A writer has lost count.
#[derive(Debug, thiserror::Error)]
#[error("lines from {first_line} on cannot follow the {lines} that there are")]
struct Misplaced {
    first_line: i64,
    lines: i64,
}

/// Drops the chunks that begin at these lines, while the attempt may write.
///
/// # Errors
/// When the database does not answer.
pub async fn drop(tx: &Tx, of: LogOwner, first_lines: &[i64]) -> Result<()> {
    log_chunk::Entity::delete_many()
        .filter(log_chunk::Column::SubtaskId.eq(of.subtask_id))
        .filter(log_chunk::Column::AttemptId.eq(of.attempt_id))
        .filter(log_chunk::Column::FirstLine.is_in(first_lines.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

/// The chunks from the one that has `line` on, or else from the next one behind it.
///
/// # Errors
/// When the database does not answer.
pub async fn chunks(
    conn: &impl ConnectionTrait,
    id: SubtaskId,
    line: i64,
    limit: u64,
) -> Result<Vec<log_chunk::Model>> {
    let mut found = from(conn, (id, log_chunk::Column::FirstLine), line, limit).await?;
    found.retain(|chunk| chunk.first_line + i64::from(chunk.lines) > line);
    Ok(found)
}

/// The chunks from the one that has this byte on.
///
/// # Errors
/// When the database does not answer.
pub async fn chunks_from_byte(
    conn: &impl ConnectionTrait,
    id: SubtaskId,
    byte: i64,
    limit: u64,
) -> Result<Vec<log_chunk::Model>> {
    let mut found = from(conn, (id, log_chunk::Column::FirstByte), byte, limit).await?;
    found.retain(|chunk| chunk.first_byte + i64::from(chunk.bytes) > byte);
    Ok(found)
}

/// The last chunk that begins at or before this place, and those behind it. One statement: between two, chunks could
/// be written that neither of them sees, and a reader would go on behind them.
async fn from(
    conn: &impl ConnectionTrait,
    (id, begins): (SubtaskId, log_chunk::Column),
    place: i64,
    limit: u64,
) -> Result<Vec<log_chunk::Model>> {
    let before = Query::select()
        .expr(begins.max())
        .from(log_chunk::Entity)
        .and_where(log_chunk::Column::SubtaskId.eq(id))
        .and_where(begins.lte(place))
        .to_owned();
    let first = Expr::from(Func::coalesce([Expr::SubQuery(None, Box::new(before.into())), place.into()]));
    let found = log_chunk::Entity::find().filter(log_chunk::Column::SubtaskId.eq(id));
    let found = found.filter(Expr::col(begins).gte(first)).order_by_asc(begins);
    Ok(found.limit(limit + 1).all(conn).await?)
}
