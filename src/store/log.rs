//! Chunks of logs. Where a chunk begins is decided by the subtask's row, under the epoch that fences its attempt.

use sea_orm::sea_query::{Expr, Func, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Set, Statement,
};
use taskloom_entity::{AttemptId, SubtaskId, log_chunk};

use super::Tx;
use super::listen::PROCESS;
use crate::error::Result;
use crate::log::Chunk;

/// The channel that is notified of logs that grow, with the process that wrote and the subtask's id.
pub const CHANNEL: &str = "taskloom_log";

#[derive(FromQueryResult)]
struct End {
    log_lines: i64,
    log_bytes: i64,
}

/// An attempt whose log grows.
#[derive(Clone, Copy, Debug)]
pub struct Of {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Its subtask.
    pub subtask_id: SubtaskId,
    /// Its fence.
    pub epoch: i64,
}

/// Appends chunks; the number of the first line, or none when the attempt may not write any more.
///
/// # Errors
/// When the database does not answer.
pub async fn append(tx: &Tx, of: Of, chunks: &[Chunk]) -> Result<Option<i64>> {
    let lines: i64 = chunks.iter().map(|chunk| i64::from(chunk.lines)).sum();
    let bytes: i64 = chunks.iter().map(|chunk| i64::from(chunk.bytes)).sum();
    let sql = "UPDATE subtask SET log_lines = log_lines + $1, log_bytes = log_bytes + $2 \
               WHERE id = $3 AND epoch = $4 AND state IN ('RUNNING', 'CANCELING') RETURNING log_lines, log_bytes";
    let values = [lines.into(), bytes.into(), of.subtask_id.0.into(), of.epoch.into()];
    let backend = tx.get_database_backend();
    let moved = End::find_by_statement(Statement::from_sql_and_values(backend, sql, values)).one(tx).await?;
    let Some(end) = moved else {
        return Ok(None);
    };
    let (first_line, first_byte) = (end.log_lines - lines + 1, end.log_bytes - bytes);
    let (mut line, mut byte) = (first_line, first_byte);
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
    Ok(Some(first_line))
}

/// Drops the chunks that begin at these lines, while the attempt may write.
///
/// # Errors
/// When the database does not answer.
pub async fn drop(tx: &Tx, of: Of, first_lines: &[i64]) -> Result<()> {
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
