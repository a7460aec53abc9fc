//! Workers' lives. A life ends once: by good-bye, or by a lease that was not renewed; then it can renew no more.

use std::collections::HashMap;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QuerySelect, Statement,
};
use taskloom_entity::{Timestamp, WorkerState, worker};

use super::{Changed, Tx, bulk};
use crate::error::Result;

/// Begins a life.
///
/// # Errors
/// When the database does not answer.
pub async fn register(tx: &Tx, model: worker::Model) -> Result<()> {
    model.into_active_model().insert(tx).await?;
    Ok(())
}

/// Lengthens a lease that has not ended.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(conn: &impl ConnectionTrait, id: &str, now: Timestamp, until: Timestamp) -> Result<Changed> {
    let result = worker::Entity::update_many()
        .col_expr(worker::Column::LeaseUntil, until.0.into())
        .col_expr(worker::Column::SeenAt, now.0.into())
        .filter(worker::Column::Id.eq(id))
        .filter(worker::Column::State.eq(WorkerState::Alive))
        .filter(worker::Column::LeaseUntil.gt(now))
        .exec(conn)
        .await?;
    Ok(Changed::of(result.rows_affected))
}

/// Ends a life by good-bye.
///
/// # Errors
/// When the database does not answer.
pub async fn leave(conn: &impl ConnectionTrait, id: &str) -> Result<Changed> {
    end(conn, WorkerState::Stopped, worker::Column::Id.eq(id)).await
}

/// Ends every life whose lease has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn bury(conn: &impl ConnectionTrait, now: Timestamp) -> Result<Changed> {
    end(conn, WorkerState::Lost, worker::Column::LeaseUntil.lte(now)).await
}

/// Ends every life: on a database that only one process opens, those of the process before.
///
/// # Errors
/// When the database does not answer.
pub async fn bury_all(conn: &impl ConnectionTrait) -> Result<Changed> {
    end(conn, WorkerState::Lost, worker::Column::Id.is_not_null()).await
}

async fn end(
    conn: &impl ConnectionTrait,
    state: WorkerState,
    which: sea_orm::sea_query::SimpleExpr,
) -> Result<Changed> {
    let result = worker::Entity::update_many()
        .col_expr(worker::Column::State, state.name().into())
        .filter(worker::Column::State.eq(WorkerState::Alive))
        .filter(which)
        .exec(conn)
        .await?;
    Ok(Changed::of(result.rows_affected))
}

/// A living worker and how much it runs.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Load {
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
    /// When its lease ends.
    pub lease_until: Timestamp,
    /// When it was heard of.
    pub seen_at: Timestamp,
}

/// The living workers.
///
/// # Errors
/// When the database does not answer.
pub async fn alive(conn: &impl ConnectionTrait) -> Result<Vec<Load>> {
    let sql = "SELECT w.id, w.name, w.labels, w.slots, w.lease_until, w.seen_at, \
               (SELECT COUNT(*) FROM attempt a WHERE a.worker_id = w.id AND a.state = 'RUNNING') AS busy \
               FROM worker w WHERE w.state = 'ALIVE' ORDER BY w.name, w.id";
    Ok(Load::find_by_statement(Statement::from_string(conn.get_database_backend(), sql)).all(conn).await?)
}

/// The names under which these lives were led.
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
