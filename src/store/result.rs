//! Result sets and their rows. An attempt writes its own, under the epoch that fences it.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, Func, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Select, Set, Statement,
};
use taskloom_core::principal::Scope;
use taskloom_entity::{
    AttemptId, JsonText, ResultSetId, SubtaskId, Timestamp, result_chunk, result_set, subtask, task,
};

use super::log::LogOwner;
use super::removal::RemovalRoom;
use super::{Tx, bulk, removal, scope};
use crate::error::{Error, Result};
use crate::rows::{PackedPart, RowChunk};

/// Keeps parts of what an attempt found; whether it may still write. A part that is kept already stays as it is: who
/// was not told of a commit sends it again.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(tx: &Tx, of: LogOwner, found: &[PackedPart], now: Timestamp) -> Result<bool> {
    // Locks the row, so that nobody takes the subtask away between this look and the commit.
    let fence = "UPDATE subtask SET log_lines = log_lines \
                 WHERE id = $1 AND epoch = $2 AND state IN ('RUNNING', 'CANCELING')";
    let values = [of.subtask_id.0.into(), of.epoch.into()];
    let held = tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), fence, values)).await?;
    if held.rows_affected() == 0 {
        return Ok(false);
    }
    for part in found {
        match part {
            PackedPart::Begin { number, .. } if find(tx, of.attempt_id, *number).await?.is_some() => {}
            PackedPart::Begin { number, kind, columns } => {
                let row = result_set::ActiveModel {
                    attempt_id: Set(of.attempt_id),
                    subtask_id: Set(of.subtask_id),
                    number: Set(*number),
                    kind: Set(*kind),
                    columns: Set(JsonText::of(columns)),
                    rows: Set(0),
                    bytes: Set(0),
                    truncated: Set(false),
                    created_at: Set(now),
                    ..Default::default()
                };
                row.insert(tx).await?;
            }
            PackedPart::Rows { number, first_row, chunk } => append(tx, of, (*number, *first_row), chunk).await?,
            PackedPart::End { number, truncated } => {
                result_set::Entity::update_many()
                    .col_expr(result_set::Column::Truncated, (*truncated).into())
                    .filter(result_set::Column::AttemptId.eq(of.attempt_id))
                    .filter(result_set::Column::Number.eq(*number))
                    .exec(tx)
                    .await?;
            }
        }
    }
    Ok(true)
}

async fn append(tx: &Tx, of: LogOwner, (number, first_row): (i32, i64), chunk: &RowChunk) -> Result<()> {
    let set = find(tx, of.attempt_id, number).await?;
    let set = set.ok_or_else(|| Error::internal("rows came before the beginning of their set"))?;
    if result_chunk::Entity::find_by_id((set.id, first_row)).one(tx).await?.is_some() {
        return Ok(());
    }
    let row = result_chunk::ActiveModel {
        result_set_id: Set(set.id),
        first_row: Set(first_row),
        rows: Set(chunk.rows),
        bytes: Set(chunk.bytes),
        data: Set(chunk.data.clone()),
    };
    result_chunk::Entity::insert(row).exec_without_returning(tx).await?;
    let grown = result_set::ActiveModel {
        id: Set(set.id),
        rows: Set(set.rows + i64::from(chunk.rows)),
        bytes: Set(set.bytes + i64::from(chunk.bytes)),
        ..Default::default()
    };
    grown.update(tx).await?;
    Ok(())
}

/// The set of this number.
///
/// # Errors
/// When the database does not answer.
pub async fn find(conn: &impl ConnectionTrait, attempt: AttemptId, number: i32) -> Result<Option<result_set::Model>> {
    let query = result_set::Entity::find().filter(result_set::Column::AttemptId.eq(attempt));
    Ok(query.filter(result_set::Column::Number.eq(number)).one(conn).await?)
}

/// The sets of these attempts, each attempt's in order, where their task is in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn of_attempts(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    attempts: &[AttemptId],
) -> Result<HashMap<AttemptId, Vec<result_set::Model>>> {
    let backend = conn.get_database_backend();
    let of_them = bulk::among(backend, result_set::Column::AttemptId, attempts.iter().map(|id| id.0));
    let query = within(result_set::Entity::find().filter(of_them), scope);
    let mut grouped: HashMap<AttemptId, Vec<result_set::Model>> = HashMap::new();
    for set in query.order_by_asc(result_set::Column::Number).all(conn).await? {
        grouped.entry(set.attempt_id).or_default().push(set);
    }
    Ok(grouped)
}

/// Those whose task is in the scope.
fn within(found: Select<result_set::Entity>, scope: &Scope) -> Select<result_set::Entity> {
    if *scope == Scope::All {
        return found;
    }
    let its_subtask =
        result_set::Entity::belongs_to(subtask::Entity).from(result_set::Column::SubtaskId).to(subtask::Column::Id);
    let its_task = subtask::Entity::belongs_to(task::Entity).from(subtask::Column::TaskId).to(task::Column::Id);
    let found = found.join(JoinType::InnerJoin, its_subtask.into()).join(JoinType::InnerJoin, its_task.into());
    found.filter(scope::of_found(scope, task::Column::TenantId))
}

/// A chunk of rows without its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowChunkSize {
    /// Of its first row, from 0 within the set.
    pub first_row: i64,
    /// How many rows.
    pub rows: i32,
    /// How many bytes of JSON they are.
    pub bytes: i32,
}

/// The chunks that have rows from `offset` on, `limit` rows at the most.
///
/// # Errors
/// When the database does not answer.
pub async fn sizes(
    conn: &impl ConnectionTrait,
    id: ResultSetId,
    (offset, limit): (i64, i64),
) -> Result<Vec<RowChunkSize>> {
    use result_chunk::Column::{Bytes, FirstRow, ResultSetId as Of, Rows};
    let before = Query::select()
        .expr(FirstRow.max())
        .from(result_chunk::Entity)
        .and_where(Of.eq(id))
        .and_where(FirstRow.lte(offset))
        .to_owned();
    let first = Expr::from(Func::coalesce([Expr::SubQuery(None, Box::new(before.into())), 0_i64.into()]));
    let chunks = result_chunk::Entity::find()
        .filter(Of.eq(id))
        .filter(Expr::col(FirstRow).gte(first))
        .filter(FirstRow.lt(offset.saturating_add(limit)))
        .order_by_asc(FirstRow)
        .select_only()
        .columns([FirstRow, Rows, Bytes]);
    let found: Vec<(i64, i32, i32)> = chunks.into_tuple().all(conn).await?;
    Ok(found.into_iter().map(|(first_row, rows, bytes)| RowChunkSize { first_row, rows, bytes }).collect())
}

/// The chunks of a set whose first rows lie within these.
///
/// # Errors
/// When the database does not answer.
pub async fn chunks(
    conn: &impl ConnectionTrait,
    id: ResultSetId,
    (first, last): (i64, i64),
) -> Result<Vec<result_chunk::Model>> {
    let chunks = result_chunk::Entity::find()
        .filter(result_chunk::Column::ResultSetId.eq(id))
        .filter(result_chunk::Column::FirstRow.between(first, last))
        .order_by_asc(result_chunk::Column::FirstRow);
    Ok(chunks.all(conn).await?)
}

/// Removes everything that these subtasks found: for tasks that have little.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, subtasks: &[SubtaskId]) -> Result<()> {
    let of_them = result_set::Column::SubtaskId.is_in(subtasks.iter().copied());
    let sets = result_set::Entity::find().filter(of_them).select_only().column(result_set::Column::Id);
    let ids: Vec<ResultSetId> = sets.into_tuple().all(tx).await?;
    for ids in ids.chunks(500) {
        let those = || ids.iter().copied();
        result_chunk::Entity::delete_many().filter(result_chunk::Column::ResultSetId.is_in(those())).exec(tx).await?;
        result_set::Entity::delete_many().filter(result_set::Column::Id.is_in(those())).exec(tx).await?;
    }
    Ok(())
}

/// Removes the next of what a subtask found; how many rows.
///
/// # Errors
/// When the database does not answer.
pub async fn bite_of(tx: &Tx, subtask: SubtaskId, room: &mut RemovalRoom) -> Result<u64> {
    let of_it = result_set::Entity::find().filter(result_set::Column::SubtaskId.eq(subtask));
    bite(tx, of_it.order_by_asc(result_set::Column::Id), room).await
}

/// Removes the next of the sets that were made before `until`, the oldest first; how many rows.
///
/// # Errors
/// When the database does not answer.
pub async fn bite_before(tx: &Tx, until: Timestamp, room: &mut RemovalRoom) -> Result<u64> {
    let old = result_set::Entity::find().filter(result_set::Column::CreatedAt.lt(until));
    bite(tx, old.order_by_asc(result_set::Column::CreatedAt), room).await
}

/// A set goes when the last of its chunks has gone.
async fn bite(tx: &Tx, sets: Select<result_set::Entity>, room: &mut RemovalRoom) -> Result<u64> {
    /// Each takes a few statements.
    const SETS: u64 = 200;
    let ids = sets.limit(SETS).select_only().column(result_set::Column::Id);
    let ids: Vec<ResultSetId> = ids.into_tuple().all(tx).await?;
    let mut removed = 0;
    for id in ids {
        if room.is_full() {
            break;
        }
        removed += removal::chunks(tx, ("result_chunk", "result_set_id", "first_row"), id.0, room).await?;
        if !room.is_full() {
            removed += result_set::Entity::delete_by_id(id).exec(tx).await?.rows_affected;
            room.take(1, 0);
        }
    }
    Ok(removed)
}
