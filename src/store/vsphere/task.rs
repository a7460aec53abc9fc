//! A vCenter's tasks, written many at a time. What a row is known by: the vCenter's own identity, the task's key there,
//! and when it was queued, to the second, since a vCenter may give a key out again, and is not always as exact.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Value};
use taskloom_entity::vsphere_task::{Column, Entity, Model};
use taskloom_entity::{
    JsonText, Timestamp, VcenterId, VsphereInstanceId, VsphereReason, VsphereTaskId, VsphereTaskState,
};

use super::super::bulk::Rows;
use super::super::change::run_all;
use super::super::removal::is_there;
use super::super::{Tx, scope};
use super::collection::Lease;
use crate::auth::Scope;
use crate::error::Result;
use crate::text;
use crate::vsphere::APART;

/// What a vCenter tells of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its key there.
    pub key: String,
    /// Where it stands.
    pub state: VsphereTaskState,
    /// The vCenter forgot it.
    pub is_lost: bool,
    /// Somebody cancelled it.
    pub cancelled: bool,
    /// Somebody may.
    pub cancelable: bool,
    /// 0 to 100.
    pub progress: Option<i32>,
    /// The method.
    pub name: Option<String>,
    /// The operation, in the vCenter's catalogue.
    pub description_id: String,
    /// On what.
    pub entity: Option<String>,
    /// Its name.
    pub entity_name: Option<String>,
    /// What began it.
    pub reason: VsphereReason,
    /// Who.
    pub username: Option<String>,
    /// The kind of what went wrong.
    pub fault: Option<String>,
    /// What went wrong.
    pub message: Option<String>,
    /// What it is doing.
    pub detail: Option<String>,
    /// The events that belong to it there.
    pub event_chain_id: i32,
    /// The task that it is a part of.
    pub parent_key: Option<String>,
    /// The task that everything began with.
    pub root_key: Option<String>,
    /// What else is told.
    pub rest: Option<JsonText>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

impl Seen {
    /// What a row says, as the vCenter would tell it.
    #[must_use]
    pub fn of(row: Model) -> Self {
        Self {
            key: row.key,
            state: row.state,
            is_lost: row.is_lost,
            cancelled: row.cancelled,
            cancelable: row.cancelable,
            progress: row.progress,
            name: row.name,
            description_id: row.description_id,
            entity: row.entity,
            entity_name: row.entity_name,
            reason: row.reason,
            username: row.username,
            fault: row.fault,
            message: row.message,
            detail: row.detail,
            event_chain_id: row.event_chain_id,
            parent_key: row.parent_key,
            root_key: row.root_key,
            rest: row.rest,
            queued_at: row.queued_at,
            started_at: row.started_at,
            completed_at: row.completed_at,
        }
    }
}

/// Rows that are kept already.
#[derive(Debug, Default)]
pub struct Known(HashMap<(VsphereInstanceId, String), Vec<Model>>);

impl Known {
    /// The row of a task: of those with its key the one that was queued nearest, less than a second apart.
    #[must_use]
    pub fn find(&self, instance: VsphereInstanceId, task: &Seen) -> Option<&Model> {
        let apart = |row: &&Model| row.queued_at.0.abs_diff(task.queued_at.0);
        let rows = self.0.get(&(instance, task.key.clone()))?;
        rows.iter().filter(|row| u128::from(apart(row)) < APART.as_micros()).min_by_key(apart)
    }
}

/// The rows among these tasks that are kept already.
///
/// # Errors
/// When the database does not answer.
pub async fn known(conn: &impl ConnectionTrait, tasks: &[(&Seen, Under<'_>)]) -> Result<Known> {
    let mut rows = Rows::default();
    for (task, under) in tasks {
        rows.push([under.instance.0.into(), task.key.as_str().into(), task.queued_at.0.into()]);
    }
    let apart = APART.as_micros();
    let condition = format!(
        "JOIN vsphere_task t ON t.instance_id = v.column1 AND t.key = v.column2 AND t.queued_at > v.column3 - {apart} AND \
         t.queued_at < v.column3 + {apart}"
    );
    let mut known = Known::default();
    for statement in rows.statements(conn.get_database_backend(), "SELECT t.* FROM ", &condition) {
        for row in Model::find_by_statement(statement).all(conn).await? {
            let rows = known.0.entry((row.instance_id, row.key.clone())).or_default();
            if rows.iter().all(|other| other.id != row.id) {
                rows.push(row);
            }
        }
    }
    Ok(known)
}

const COLUMNS: [&str; 21] = [
    "state",
    "is_lost",
    "cancelled",
    "cancelable",
    "progress",
    "name",
    "description_id",
    "entity",
    "entity_name",
    "reason",
    "username",
    "fault",
    "message",
    "detail",
    "event_chain_id",
    "parent_key",
    "root_key",
    "rest",
    "started_at",
    "completed_at",
    "folded",
];

fn row(id: i64, task: &Seen, under: Under<'_>) -> [Value; 28] {
    let Under { lease, instance, now } = under;
    [
        id.into(),
        task.state.name().into(),
        task.is_lost.into(),
        task.cancelled.into(),
        task.cancelable.into(),
        task.progress.into(),
        task.name.clone().into(),
        task.description_id.as_str().into(),
        task.entity.clone().into(),
        task.entity_name.clone().into(),
        task.reason.name().into(),
        task.username.clone().into(),
        task.fault.clone().into(),
        task.message.clone().into(),
        task.detail.clone().into(),
        task.event_chain_id.into(),
        task.parent_key.clone().into(),
        task.root_key.clone().into(),
        task.rest.as_ref().map(|rest| rest.as_str().to_owned()).into(),
        task.started_at.map(|at| at.0).into(),
        task.completed_at.map(|at| at.0).into(),
        folded(task).into(),
        now.0.into(),
        lease.tenant_id.0.into(),
        lease.vcenter_id.0.into(),
        instance.0.into(),
        task.key.as_str().into(),
        task.queued_at.0.into(),
    ]
}

/// What is looked for in a task: the names of its object and of its user, with what no name has between them.
fn folded(task: &Seen) -> String {
    let name = |name: &Option<String>| name.as_deref().map(text::folded).unwrap_or_default();
    format!("{}\u{1f}{}", name(&task.entity_name), name(&task.username))
}

/// Under which lease a task is written, of whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct Under<'a> {
    /// Its collector's.
    pub lease: &'a Lease,
    /// The vCenter that told of it.
    pub instance: VsphereInstanceId,
    /// By our clock.
    pub now: Timestamp,
}

/// Adds tasks that are not kept yet.
///
/// # Errors
/// When the database does not answer, or one of them is kept already.
pub async fn insert(tx: &Tx, tasks: &[(&Seen, Under<'_>)]) -> Result<()> {
    let mut rows = Rows::default();
    for (place, (task, under)) in (0..).zip(tasks) {
        rows.push(row(place, task, *under));
    }
    let taken: Vec<String> = (2..=22).map(|at| format!("v.column{at}")).collect();
    let sql = format!(
        "INSERT INTO vsphere_task ({}, seen_at, changed_at, tenant_id, vcenter_id, instance_id, key, queued_at) \
         SELECT {}, v.column23, v.column23, v.column24, v.column25, v.column26, v.column27, v.column28 FROM ",
        COLUMNS.join(", "),
        taken.join(", ")
    );
    let order = "WHERE v.column1 IS NOT NULL ORDER BY v.column28, v.column1";
    run_all(tx, rows.statements(tx.get_database_backend(), &sql, order)).await
}

/// Writes what has changed of kept tasks.
///
/// # Errors
/// When the database does not answer.
pub async fn update(tx: &Tx, tasks: &[(VsphereTaskId, &Seen, Under<'_>)]) -> Result<()> {
    let mut rows = Rows::default();
    for (id, task, under) in tasks {
        rows.push(row(id.0, task, *under));
    }
    let set: Vec<String> = (2..).zip(COLUMNS).map(|(at, name)| format!("{name} = v.column{at}")).collect();
    let set = set.join(", ");
    let sql = format!("UPDATE vsphere_task SET {set}, changed_at = v.column23, queued_at = v.column28 FROM ");
    run_all(tx, rows.statements(tx.get_database_backend(), &sql, "WHERE vsphere_task.id = v.column1")).await
}

/// What a vCenter is known to have unfinished.
///
/// # Errors
/// When the database does not answer.
pub async fn unfinished(conn: &impl ConnectionTrait, vcenter: VcenterId) -> Result<Vec<Model>> {
    let of = Entity::find().filter(Column::VcenterId.eq(vcenter));
    // As the index says it.
    Ok(of.filter(Column::State.is_in([VsphereTaskState::Queued, VsphereTaskState::Running])).all(conn).await?)
}

/// A task of the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn find(conn: &impl ConnectionTrait, scope: &Scope, id: VsphereTaskId) -> Result<Option<Model>> {
    let there = Entity::find_by_id(id).filter(is_there(Column::VcenterId));
    Ok(there.filter(scope::condition(scope, Column::TenantId)).one(conn).await?)
}

/// The tasks with these ids, whoever asks: for readers that have checked the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, ids: &[VsphereTaskId]) -> Result<Vec<Model>> {
    let there = Entity::find().filter(is_there(Column::VcenterId));
    Ok(there.filter(Column::Id.is_in(ids.iter().copied())).all(conn).await?)
}

/// The newest of a vCenter's tasks with one of these keys.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_key(
    conn: &impl ConnectionTrait,
    instance: VsphereInstanceId,
    keys: impl IntoIterator<Item = String>,
) -> Result<Vec<Model>> {
    let of = Entity::find().filter(Column::InstanceId.eq(instance));
    Ok(of.filter(Column::Key.is_in(keys)).limit(1000).all(conn).await?)
}
