//! Tasks: accepted, found, listed, deleted. Their states are written by [`super::change`] alone.

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, QueryTrait, Select, Set, Statement,
};
use taskloom_core::principal::Scope;
use taskloom_entity::{
    JsonText, SubtaskId, TaskId, TaskState, TenantId, attempt, log_chunk, subtask, task, task_input, task_label,
};

pub use super::filter::TaskFilter;
use super::keyset::{Kind, Part, Sort, keyset};
use super::page::Slice;
use super::row::whole_row;
use super::{Tx, bulk, removal, scope};
use crate::error::Result;

/// A task that is accepted, with all its rows.
#[derive(Debug)]
pub struct NewTask {
    /// Its own row.
    pub task: task::ActiveModel,
    /// What it was submitted with.
    pub spec: JsonText,
    /// Its parameters.
    pub parameters: JsonText,
    /// The request of an old client, as it was sent.
    pub submission: Option<JsonText>,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Its subtasks, in the order of their `seq`; their task's id is filled in.
    pub subtasks: Vec<subtask::ActiveModel>,
}

/// Inserts a task.
///
/// # Errors
/// When the database does not answer, or the idempotency key is taken.
pub async fn insert(tx: &Tx, new: NewTask) -> Result<TaskId, sea_orm::DbErr> {
    let id = task::Entity::insert(new.task).exec(tx).await?.last_insert_id;
    let input = task_input::ActiveModel {
        task_id: Set(id),
        spec: Set(new.spec),
        parameters: Set(new.parameters),
        submission: Set(new.submission),
    };
    task_input::Entity::insert(input).exec_without_returning(tx).await?;
    if !new.labels.is_empty() {
        let labels = new.labels.into_iter();
        let rows =
            labels.map(|(key, value)| task_label::ActiveModel { task_id: Set(id), key: Set(key), value: Set(value) });
        task_label::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    let mut rows = new.subtasks;
    for row in &mut rows {
        row.task_id = Set(id);
    }
    // SQLite takes 32,766 values in one statement.
    for some in rows.chunks(1000) {
        subtask::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(id)
}

whole_row! {
    /// A task as it is read.
    Read of task {
        id = Id,
        tenant_id = TenantId,
        name = Name,
        task_type = TaskType,
        definition_id = DefinitionId,
        creator_id = CreatorId,
        creator = Creator,
        state = State,
        operation = Operation,
        backward = Backward,
        priority = Priority,
        cluster = Cluster,
        target_tenant = TargetTenant,
        host = Host,
        cluster_id = ClusterId,
        target_tenant_id = TargetTenantId,
        host_id = HostId,
        target_facts = TargetFacts,
        labels = Labels,
        prohibit_rollback = ProhibitRollback,
        progress = Progress,
        message = Message,
        idempotency_key = IdempotencyKey,
        request_digest = RequestDigest,
        created_at = CreatedAt,
        started_at = StartedAt,
        finished_at = FinishedAt,
    } without { name_folded, cluster_folded }
}

/// The columns a list can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskOrder {
    /// The order of acceptance.
    #[default]
    Id,
    /// By name.
    Name,
    /// By state.
    State,
    /// By type.
    Type,
    /// By priority.
    Priority,
    /// By the instant of acceptance.
    CreatedAt,
    /// By the instant of the first attempt.
    StartedAt,
    /// By the instant of the end.
    FinishedAt,
    /// Failed and cancelled ones, then what goes on, then successful and rolled back ones.
    Outcome,
}

impl TaskOrder {
    fn sort(self, descending: bool) -> Sort {
        let column = |column: task::Column| Some(Expr::col((task::Entity, column)));
        let nullable = |column: task::Column| Some(Expr::col((task::Entity, column)).if_null(0_i64));
        let column = match self {
            Self::Id => None,
            Self::Name => column(task::Column::Name),
            Self::State => column(task::Column::State),
            Self::Type => column(task::Column::TaskType),
            Self::Priority => column(task::Column::Priority),
            Self::CreatedAt => column(task::Column::CreatedAt),
            Self::StartedAt => nullable(task::Column::StartedAt),
            Self::FinishedAt => nullable(task::Column::FinishedAt),
            Self::Outcome => Some(outcome()),
        };
        Sort { column, id: Expr::col((task::Entity, task::Column::Id)), descending }
    }

    /// What the values of this order's column are.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Id => Kind::Id,
            Self::Name | Self::State | Self::Type => Kind::Text,
            Self::Priority | Self::CreatedAt | Self::StartedAt | Self::FinishedAt | Self::Outcome => Kind::Number,
        }
    }

    /// The value of this order's column, for a cursor.
    #[must_use]
    pub fn value(self, task: &task::Model) -> Option<sea_orm::Value> {
        match self {
            Self::Id => None,
            Self::Name => Some(task.name.clone().into()),
            Self::State => Some(task.state.name().into()),
            Self::Type => Some(task.task_type.name().into()),
            Self::Priority => Some(i64::from(task.priority).into()),
            Self::CreatedAt => Some(task.created_at.0.into()),
            Self::StartedAt => Some(task.started_at.map_or(0, |at| at.0).into()),
            Self::FinishedAt => Some(task.finished_at.map_or(0, |at| at.0).into()),
            Self::Outcome => Some(rank(task.state).into()),
        }
    }
}

/// Where a state stands in the order of outcomes.
const fn rank(state: TaskState) -> i64 {
    match state {
        TaskState::Failed | TaskState::Canceled => 0,
        TaskState::Pending | TaskState::Running | TaskState::Paused | TaskState::Canceling => 1,
        TaskState::Successful | TaskState::RolledBack => 2,
    }
}

/// The same in SQL.
fn outcome() -> SimpleExpr {
    let of = |wanted| task::Column::State.is_in(TaskState::all().filter(move |state| rank(*state) == wanted));
    Expr::case(of(0), 0_i64).case(of(1), 1_i64).finally(2_i64).into()
}

/// A page of the tasks in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    filter: &TaskFilter,
    (order, descending): (TaskOrder, bool),
    part: &Part,
) -> Result<Slice<task::Model>> {
    let query = keyset(select(conn.get_database_backend(), scope, filter), &order.sort(descending), part);
    Ok(part.cut(read(conn, query).await?))
}

async fn read(conn: &impl ConnectionTrait, query: Select<task::Entity>) -> Result<Vec<task::Model>> {
    let rows = Read::select(query).into_model::<Read>().all(conn).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A task with the number of all that match.
struct Counted(task::Model, i64);

impl FromQueryResult for Counted {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self(Read::from_query_result(row, prefix)?.0, row.try_get(prefix, TOTAL)?))
    }
}

const TOTAL: &str = "total";

/// A page by number of the tasks in the scope, in several orders one within the other, and how many there are in all:
/// one statement, unless the page lies behind the end.
///
/// # Errors
/// When the database does not answer.
pub async fn page(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    filter: &TaskFilter,
    orders: &[(TaskOrder, bool)],
    (offset, limit): (u64, u64),
) -> Result<(Vec<task::Model>, u64)> {
    let select = || select(conn.get_database_backend(), scope, filter);
    let mut all = select().select_only();
    // Of rows, not of a column: only that lets SQLite count without reading each of them.
    QuerySelect::query(&mut all).expr(Func::count(Expr::col(Asterisk)));
    let all = Expr::SubQuery(None, Box::new(all.into_query().into()));
    let mut query = Read::select(select()).expr_as(all, TOTAL);
    for (at, (order, descending)) in orders.iter().enumerate() {
        // What was ordered by a column once cannot be ordered by it again.
        if orders[..at].iter().any(|(before, _)| before == order) {
            continue;
        }
        let sort = order.sort(*descending);
        let direction = if *descending { Order::Desc } else { Order::Asc };
        query = query.order_by(sort.column.unwrap_or(sort.id), direction);
    }
    if orders.iter().all(|(order, _)| *order != TaskOrder::Id) {
        query = query.order_by_desc(task::Column::Id);
    }
    let rows = query.offset(offset).limit(limit).into_model::<Counted>().all(conn).await?;
    match rows.first() {
        Some(first) => {
            let total = first.1.unsigned_abs();
            Ok((rows.into_iter().map(|row| row.0).collect(), total))
        }
        None => Ok((vec![], count(conn, scope, filter).await?)),
    }
}

/// How many tasks of the scope match.
///
/// # Errors
/// When the database does not answer.
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope, filter: &TaskFilter) -> Result<u64> {
    Ok(select(conn.get_database_backend(), scope, filter).count(conn).await?)
}

fn select(backend: DbBackend, scope: &Scope, filter: &TaskFilter) -> Select<task::Entity> {
    task::Entity::find().filter(scope::condition(scope, task::Column::TenantId)).filter(filter.condition(backend))
}

/// A task of the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn find(conn: &impl ConnectionTrait, scope: &Scope, id: TaskId) -> Result<Option<task::Model>> {
    let in_scope = scope::condition(scope, task::Column::TenantId);
    Ok(task::Entity::find_by_id(id).filter(in_scope).one(conn).await?)
}

/// The task that was accepted under this key.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_key(conn: &impl ConnectionTrait, tenant_id: TenantId, key: &str) -> Result<Option<task::Model>> {
    let query = task::Entity::find().filter(task::Column::TenantId.eq(tenant_id));
    Ok(query.filter(task::Column::IdempotencyKey.eq(key)).one(conn).await?)
}

/// Those of these tasks that are in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, scope: &Scope, ids: &[TaskId]) -> Result<Vec<task::Model>> {
    let these = bulk::among(conn.get_database_backend(), task::Column::Id, ids.iter().map(|id| id.0));
    read(conn, task::Entity::find().filter(these).filter(scope::of_found(scope, task::Column::TenantId))).await
}

#[derive(FromQueryResult)]
struct Extent {
    rows: i64,
    bytes: i64,
}

/// Removes a task; its events stay. Attempts, logs and results go with it where they are few: else they are noted, and
/// removed in bites. Whether anything is left.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, id: TaskId, subtasks: &[SubtaskId]) -> Result<bool> {
    // No more chunks than lines, and no more attempts than runs.
    let sql = "SELECT CAST(COALESCE(SUM(s.log_lines + s.runs), 0) AS bigint) + (SELECT COUNT(*) FROM result_chunk c JOIN \
               result_set r ON r.id = c.result_set_id JOIN subtask o ON o.id = r.subtask_id WHERE o.task_id = $1) AS rows, \
               CAST(COALESCE(SUM(s.log_bytes), 0) AS bigint) + (SELECT CAST(COALESCE(SUM(r.bytes), 0) AS bigint) FROM \
               result_set r JOIN subtask o ON o.id = r.subtask_id WHERE o.task_id = $1) AS bytes FROM subtask s WHERE \
               s.task_id = $1";
    let extent = Statement::from_sql_and_values(tx.get_database_backend(), sql, [id.0.into()]);
    let extent = Extent::find_by_statement(extent).one(tx).await?.unwrap_or(Extent { rows: 0, bytes: 0 });
    let is_large = extent.rows > removal::BITE.cast_signed() || extent.bytes > removal::BYTES;
    if is_large {
        removal::note(tx, removal::RemovalRest::Task(id)).await?;
    } else {
        log_chunk::Entity::delete_many()
            .filter(log_chunk::Column::SubtaskId.is_in(subtasks.iter().copied()))
            .exec(tx)
            .await?;
        super::result::delete(tx, subtasks).await?;
        attempt::Entity::delete_many().filter(attempt::Column::TaskId.eq(id)).exec(tx).await?;
    }
    task::Entity::delete_by_id(id).exec(tx).await?;
    Ok(is_large)
}
