//! A vCenter's tasks, written many at a time. What a row is known by: the vCenter's own identity, the task's key there,
//! and when it was queued, to the second, since a vCenter may give a key out again, and is not always as exact.

use std::collections::HashMap;
use std::iter;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Value};
use taskloom_core::principal::Scope;
use taskloom_entity::vsphere_task::{Column, Entity, Model};
use taskloom_entity::{
    JsonText, Timestamp, VcenterId, VsphereInstanceId, VsphereReason, VsphereTaskId, VsphereTaskState,
};

use super::super::bulk::BulkRows;
use super::super::change::run_all;
use super::super::removal::is_there;
use super::super::{Tx, scope};
use super::collection::Lease;
use crate::error::Result;
use crate::text;
use crate::vsphere::APART;

/// What a vCenter tells of a task, each with the column that keeps it: listed here and nowhere else.
macro_rules! told {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)+) => {
        /// What a vCenter tells of a task.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Seen {
            $($(#[$doc])* pub $name: $type,)+
        }

        impl Seen {
            /// The columns of [`Seen::values`].
            const COLUMNS: &[&str] = &[$(stringify!($name)),+];

            /// What a row says, as the vCenter would tell it.
            #[must_use]
            pub fn of(row: Model) -> Self {
                Self { $($name: row.$name),+ }
            }

            fn values(self) -> impl Iterator<Item = Value> {
                [$(Value::from(self.$name)),+].into_iter()
            }
        }
    };
}

told! {
    /// Its key there.
    key: String,
    /// Where it stands.
    state: VsphereTaskState,
    /// The vCenter forgot it.
    is_lost: bool,
    /// Somebody cancelled it.
    cancelled: bool,
    /// Somebody may.
    cancelable: bool,
    /// 0 to 100.
    progress: Option<i32>,
    /// The method.
    name: Option<String>,
    /// The operation, in the vCenter's catalogue.
    description_id: String,
    /// On what.
    entity: Option<String>,
    /// Its name.
    entity_name: Option<String>,
    /// What began it.
    reason: VsphereReason,
    /// Who.
    username: Option<String>,
    /// The kind of what went wrong.
    fault: Option<String>,
    /// What went wrong.
    message: Option<String>,
    /// What it is doing.
    detail: Option<String>,
    /// The events that belong to it there.
    event_chain_id: i32,
    /// The task that it is a part of.
    parent_key: Option<String>,
    /// The task that everything began with.
    root_key: Option<String>,
    /// What else is told.
    rest: Option<JsonText>,
    /// When it was queued.
    queued_at: Timestamp,
    /// When it began.
    started_at: Option<Timestamp>,
    /// When it ended.
    completed_at: Option<Timestamp>,
}

/// Rows that are kept already.
#[derive(Debug, Default)]
pub struct KeptTasks(HashMap<(VsphereInstanceId, String), Vec<Model>>);

impl KeptTasks {
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
pub async fn known(conn: &impl ConnectionTrait, tasks: &[(&Seen, Under<'_>)]) -> Result<KeptTasks> {
    let mut rows = BulkRows::default();
    for (task, under) in tasks {
        rows.push([under.instance.0.into(), task.key.as_str().into(), task.queued_at.0.into()]);
    }
    let apart = APART.as_micros();
    let condition = format!(
        "JOIN vsphere_task t ON t.instance_id = v.column1 AND t.key = v.column2 AND t.queued_at > v.column3 - {apart} AND \
         t.queued_at < v.column3 + {apart}"
    );
    let mut known = KeptTasks::default();
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

/// The columns that a task has beside what is told of it.
const OURS: &[&str] = &["folded", "changed_at", "tenant_id", "vcenter_id", "instance_id"];

/// What a row is known by, and whose it is: no report changes that.
const FIXED: &[&str] = &["key", "tenant_id", "vcenter_id", "instance_id"];

/// The columns of a statement's rows behind the first, each with its name there.
fn columns() -> impl Iterator<Item = (&'static str, String)> {
    Seen::COLUMNS.iter().chain(OURS).zip(2..).map(|(name, at)| (*name, format!("v.column{at}")))
}

/// Rows of a statement. The first column is the row's id; of a new one its place among the new ones.
fn rows<'a>(tasks: impl Iterator<Item = (i64, &'a Seen, Under<'a>)>) -> BulkRows {
    let mut rows = BulkRows::default();
    for (id, task, Under { lease, instance, now }) in tasks {
        let ours: [Value; OURS.len()] =
            [folded(task).into(), now.0.into(), lease.tenant_id.0.into(), lease.vcenter_id.0.into(), instance.0.into()];
        rows.push(iter::once(id.into()).chain(task.clone().values()).chain(ours));
    }
    rows
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
    let rows = rows((0..).zip(tasks).map(|(place, (task, under))| (place, *task, *under)));
    let (names, taken): (Vec<&str>, Vec<String>) = columns().unzip();
    let place = |name| columns().find(|column| column.0 == name).expect("invariant: a row has this column").1;
    let sql = format!(
        "INSERT INTO vsphere_task ({}, seen_at) SELECT {}, {} FROM ",
        names.join(", "),
        taken.join(", "),
        place("changed_at")
    );
    let order = format!("WHERE v.column1 IS NOT NULL ORDER BY {}, v.column1", place("queued_at"));
    run_all(tx, rows.statements(tx.get_database_backend(), &sql, &order)).await
}

/// Writes what has changed of kept tasks.
///
/// # Errors
/// When the database does not answer.
pub async fn update(tx: &Tx, tasks: &[(VsphereTaskId, &Seen, Under<'_>)]) -> Result<()> {
    let rows = rows(tasks.iter().map(|(id, task, under)| (id.0, *task, *under)));
    let changing = columns().filter(|(name, _)| !FIXED.contains(name));
    let set: Vec<String> = changing.map(|(name, place)| format!("{name} = {place}")).collect();
    let sql = format!("UPDATE vsphere_task SET {} FROM ", set.join(", "));
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

/// Those of these tasks that are in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, scope: &Scope, ids: &[VsphereTaskId]) -> Result<Vec<Model>> {
    let there = Entity::find().filter(is_there(Column::VcenterId)).filter(scope::of_found(scope, Column::TenantId));
    Ok(there.filter(Column::Id.is_in(ids.iter().copied())).all(conn).await?)
}

/// The newest of a vCenter's tasks with one of these keys, where they are in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_key(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    instance: VsphereInstanceId,
    keys: impl IntoIterator<Item = String>,
) -> Result<Vec<Model>> {
    let of = Entity::find().filter(Column::InstanceId.eq(instance)).filter(scope::of_found(scope, Column::TenantId));
    Ok(of.filter(Column::Key.is_in(keys)).limit(1000).all(conn).await?)
}
