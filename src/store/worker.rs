//! Worker sessions. A session ends once: by good-bye, or because a server has seen its counter of renewals stand for
//! longer than its lease; then it can renew no more.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QuerySelect, Statement,
};
use taskloom_entity::{Timestamp, WorkerState, worker};

use super::{Changed, Tx, bulk};
use crate::error::Result;
use crate::lease::Sign;

/// Begins a session.
///
/// # Errors
/// When the database does not answer.
pub async fn register(tx: &Tx, model: worker::Model) -> Result<()> {
    model.into_active_model().insert(tx).await?;
    Ok(())
}

/// Renews the lease of a session that nobody has ended. `now` and `until` are for people.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(conn: &impl ConnectionTrait, id: &str, now: Timestamp, until: Timestamp) -> Result<Changed> {
    let result = worker::Entity::update_many()
        .col_expr(worker::Column::Renewals, Expr::col(worker::Column::Renewals).add(1))
        .col_expr(worker::Column::LeaseUntil, until.0.into())
        .col_expr(worker::Column::SeenAt, now.0.into())
        .filter(worker::Column::Id.eq(id))
        .filter(worker::Column::State.eq(WorkerState::Alive))
        .exec(conn)
        .await?;
    Ok(Changed::of(result.rows_affected))
}

#[derive(FromQueryResult)]
struct Renewed {
    id: String,
    renewals: i64,
    lease_ms: i64,
}

/// The signs of life of every session that nobody has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn signs(conn: &impl ConnectionTrait) -> Result<Vec<Sign<String>>> {
    // The state is a literal, as the partial index has it.
    let sql = "SELECT id, renewals, lease_ms FROM worker WHERE state = 'ALIVE'";
    let rows = Renewed::find_by_statement(Statement::from_string(conn.get_database_backend(), sql)).all(conn).await?;
    let sign = |row: Renewed| {
        let lease = Duration::from_millis(row.lease_ms.unsigned_abs());
        Sign { key: row.id, renewals: row.renewals, lease }
    };
    Ok(rows.into_iter().map(sign).collect())
}

/// Ends a session by good-bye.
///
/// # Errors
/// When the database does not answer.
pub async fn leave(conn: &impl ConnectionTrait, id: &str, now: Timestamp) -> Result<Changed> {
    end(conn, WorkerState::Stopped, now, worker::Column::Id.eq(id)).await
}

/// Ends a session that was silent for too long, unless it has renewed its lease since.
///
/// # Errors
/// When the database does not answer.
pub async fn bury(conn: &impl ConnectionTrait, silent: &Sign<String>, now: Timestamp) -> Result<Changed> {
    let same = worker::Column::Id.eq(silent.key.as_str()).and(worker::Column::Renewals.eq(silent.renewals));
    end(conn, WorkerState::Lost, now, same).await
}

/// Ends every session: on a database that only one process opens, those of the process before.
///
/// # Errors
/// When the database does not answer.
pub async fn bury_all(conn: &impl ConnectionTrait, now: Timestamp) -> Result<Changed> {
    end(conn, WorkerState::Lost, now, worker::Column::Id.is_not_null()).await
}

async fn end(
    conn: &impl ConnectionTrait,
    state: WorkerState,
    now: Timestamp,
    which: sea_orm::sea_query::SimpleExpr,
) -> Result<Changed> {
    let result = worker::Entity::update_many()
        .col_expr(worker::Column::State, state.name().into())
        .col_expr(worker::Column::EndedAt, now.0.into())
        .filter(worker::Column::State.eq(WorkerState::Alive))
        .filter(which)
        .exec(conn)
        .await?;
    Ok(Changed::of(result.rows_affected))
}

/// The labels of a session that nobody has ended, sorted.
///
/// # Errors
/// When the database does not answer.
pub async fn labels(conn: &impl ConnectionTrait, id: &str) -> Result<Option<Vec<String>>> {
    let query = worker::Entity::find_by_id(id).filter(worker::Column::State.eq(WorkerState::Alive));
    let labels: Option<String> = query.select_only().column(worker::Column::Labels).into_tuple().one(conn).await?;
    // None is joined to an empty text.
    Ok(labels.map(|labels| labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect()))
}

/// A living worker and how much it runs.
#[derive(Clone, Debug, FromQueryResult)]
pub struct WorkerLoad {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Sorted, joined by commas.
    pub labels: String,
    /// How many attempts it can run.
    pub slots: i32,
    /// How many it runs.
    pub busy: i64,
    /// When its lease ends, by its own clock.
    pub lease_until: Timestamp,
    /// When it was heard of, by its own clock.
    pub seen_at: Timestamp,
    /// How long a renewal holds.
    pub lease_ms: i64,
    /// How it holds attempts apart.
    pub isolation: Option<String>,
}

/// The living workers.
///
/// # Errors
/// When the database does not answer.
pub async fn alive(conn: &impl ConnectionTrait) -> Result<Vec<WorkerLoad>> {
    let sql = "SELECT w.id, w.name, w.labels, w.slots, w.lease_until, w.seen_at, w.lease_ms, w.isolation, \
               (SELECT COUNT(*) FROM attempt a WHERE a.worker_id = w.id AND a.state = 'RUNNING') AS busy \
               FROM worker w WHERE w.state = 'ALIVE' ORDER BY w.name, w.id";
    Ok(WorkerLoad::find_by_statement(Statement::from_string(conn.get_database_backend(), sql)).all(conn).await?)
}

/// The names of the workers whose sessions these are.
///
/// # Errors
/// When the database does not answer.
pub async fn names(conn: &impl ConnectionTrait, lives: &[&str]) -> Result<HashMap<String, String>> {
    if lives.is_empty() {
        return Ok(HashMap::new());
    }
    let names = lives.iter().map(|life| (*life).to_owned());
    let these = bulk::among_texts(conn.get_database_backend(), worker::Column::Id, names);
    let query = worker::Entity::find().select_only().columns([worker::Column::Id, worker::Column::Name]);
    let found: Vec<(String, String)> = query.filter(these).into_tuple().all(conn).await?;
    Ok(found.into_iter().collect())
}
