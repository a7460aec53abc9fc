//! The log of what happened to vCenter tasks. Its numbers ascend in the order of commits, as those of
//! [`crate::store::event`] do and by the same means.

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use taskloom_entity::EventId;
use taskloom_entity::vsphere_event::{Column, Entity, Model};

use super::super::Tx;
use super::super::bulk::BulkRows;
use super::super::change::run_all;
use super::super::listen::PROCESS;
use super::task::{Seen, Under};
use crate::error::Result;
use crate::store::readable;

/// The channel that is notified of new events.
pub const CHANNEL: &str = "taskloom_vsphere";

/// Appends an event for each of these tasks, which are kept already. The last write of its transaction: on PostgreSQL
/// everybody who appends waits for its commit.
///
/// # Errors
/// When the database does not answer.
pub async fn append(tx: &Tx, tasks: &[(&Seen, Under<'_>)]) -> Result<()> {
    if tasks.is_empty() {
        return Ok(());
    }
    let mut rows = BulkRows::default();
    for (place, (task, under)) in (0_i64..).zip(tasks) {
        let (instance, now) = (under.instance.0, under.now.0);
        rows.push([instance.into(), task.key.as_str().into(), task.queued_at.0.into(), now.into(), place.into()]);
    }
    let sql = "INSERT INTO vsphere_event (at, tenant_id, vcenter_id, task_id, state, progress) SELECT v.column4, \
               t.tenant_id, t.vcenter_id, t.id, t.state, t.progress FROM ";
    let backend = tx.get_database_backend();
    // A row gets its number behind the join and the sort, so after the lock.
    let lock = match backend {
        DbBackend::Postgres => format!(
            "CROSS JOIN (SELECT pg_advisory_xact_lock(7305804404), pg_notify('{CHANNEL}', '{}') OFFSET 0) AS lock ",
            *PROCESS
        ),
        _ => String::new(),
    };
    let after = format!(
        "JOIN vsphere_task t ON t.instance_id = v.column1 AND t.key = v.column2 AND t.queued_at = v.column3 {lock}\
         ORDER BY v.column5"
    );
    run_all(tx, rows.statements(backend, sql, &after)).await
}

/// The events behind `after`, oldest first, `limit` at the most.
///
/// # Errors
/// When the database does not answer.
pub async fn after(conn: &impl ConnectionTrait, after: EventId, limit: u64) -> Result<Vec<Model>> {
    let query = Entity::find().filter(Column::Id.gt(after)).order_by_asc(Column::Id);
    readable(conn, query.limit(limit), Column::Id).await
}

/// The number of the newest event; 0 when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(conn: &impl ConnectionTrait) -> Result<EventId> {
    let newest = Entity::find().select_only().column(Column::Id).order_by_desc(Column::Id).limit(1);
    Ok(newest.into_tuple().one(conn).await?.unwrap_or(EventId(0)))
}
