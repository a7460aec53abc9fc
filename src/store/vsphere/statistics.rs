//! What became of a vCenter's tasks: counts, failures and durations for each operation and day.

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use taskloom_entity::{Timestamp, VcenterId};

use crate::error::Result;

/// One operation on one day.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct OperationDay {
    /// The operation.
    pub description_id: String,
    /// Days since 1970-01-01, in UTC, by the instant of queueing.
    pub day: i64,
    /// How many were queued.
    pub total: i64,
    /// How many of them failed; cancelled ones and lost ones are not among them.
    pub failed: i64,
    /// How many were cancelled.
    pub cancelled: i64,
    /// Half of those that ended took at most so long, in microseconds.
    pub p50: Option<i64>,
    /// 95 in a hundred.
    pub p95: Option<i64>,
    /// 99 in a hundred.
    pub p99: Option<i64>,
}

/// Nearest ranks; from beginning to end, without the time in the queue.
const SQL: &str = "\
WITH task AS (
    SELECT description_id, queued_at / 86400000000 AS day, state, cancelled, is_lost, completed_at - started_at AS took
    FROM vsphere_task WHERE vcenter_id = $1 AND queued_at >= $2 AND queued_at < $3
), ranked AS (
    SELECT task.*, COUNT(took) OVER (PARTITION BY description_id, day) AS ended,
        ROW_NUMBER() OVER (PARTITION BY description_id, day, took IS NULL ORDER BY took) AS place
    FROM task
)
SELECT description_id, day, COUNT(*) AS total,
    SUM(CASE WHEN state = 'ERROR' AND NOT cancelled AND NOT is_lost THEN 1 ELSE 0 END) AS failed,
    SUM(CASE WHEN cancelled THEN 1 ELSE 0 END) AS cancelled,
    MIN(CASE WHEN place * 100 >= ended * 50 THEN took END) AS p50,
    MIN(CASE WHEN place * 100 >= ended * 95 THEN took END) AS p95,
    MIN(CASE WHEN place * 100 >= ended * 99 THEN took END) AS p99
FROM ranked GROUP BY description_id, day ORDER BY day, description_id";

/// The days from `from` to `to` on which something was queued.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    conn: &impl ConnectionTrait,
    vcenter: VcenterId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<OperationDay>> {
    let values = [vcenter.0.into(), from.0.into(), to.0.into()];
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), SQL, values);
    Ok(OperationDay::find_by_statement(statement).all(conn).await?)
}
