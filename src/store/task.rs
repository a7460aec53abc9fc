//! Tasks: accepted, found, listed, deleted. Their states are written by [`super::change`] alone.

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select, Set, Statement,
};
use taskloom_entity::{
    DefinitionId, JsonText, SubtaskId, TaskId, TaskState, TaskType, TenantId, Timestamp, attempt, log_chunk, subtask,
    task, task_input, task_label,
};

use super::keyset::{Part, Sort, keyset};
use super::page::{self, Slice};
use super::row::whole_row;
use super::standing::{self, Standing};
use super::{Tx, bulk, removal, scope};
use crate::auth::Scope;
use crate::error::Result;
use crate::text::folded;

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

/// Which tasks. Empty lists and nothing given mean every task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<TaskState>,
    /// Standing at one of these places; for lists, since a task alone does not tell.
    pub standings: Vec<Standing>,
    /// The name holds this, whatever its case.
    pub name: Option<String>,
    /// The target cluster's name holds this, whatever its case.
    pub cluster_contains: Option<String>,
    /// Of one of these types.
    pub types: Vec<TaskType>,
    /// By this user.
    pub creator: Option<String>,
    /// With these labels; without a value: with any.
    pub labels: Vec<(String, Option<String>)>,
    /// On this cluster.
    pub cluster: Option<String>,
    /// On this target tenant.
    pub target_tenant: Option<String>,
    /// On this host.
    pub host: Option<String>,
    /// On the cluster of this number.
    pub cluster_id: Option<i64>,
    /// On the target tenant of this number.
    pub target_tenant_id: Option<i64>,
    /// On the host of this number.
    pub host_id: Option<i64>,
    /// Of one version of a definition.
    pub definition_id: Option<DefinitionId>,
    /// Of this tenant.
    pub tenant_id: Option<TenantId>,
    /// One of these.
    pub ids: Option<Vec<TaskId>>,
    /// Accepted at or after.
    pub created_from: Option<Timestamp>,
    /// Accepted before.
    pub created_to: Option<Timestamp>,
    /// Ended at or after.
    pub finished_from: Option<Timestamp>,
    /// Ended before.
    pub finished_to: Option<Timestamp>,
}

impl Filter {
    /// The same question asked of a task in memory; for those who follow changes.
    #[must_use]
    pub fn matches(&self, task: &task::Model) -> bool {
        let equal =
            |wanted: &Option<String>, is: Option<&str>| wanted.as_deref().is_none_or(|wanted| is == Some(wanted));
        let holds = |part: &Option<String>, text: Option<&str>| {
            let has = |part: &str| text.is_some_and(|text| folded(text).contains(&folded(part)));
            part.as_deref().is_none_or(has)
        };
        let labels: serde_json::Map<String, serde_json::Value> =
            if self.labels.is_empty() { Default::default() } else { task.labels.parse().unwrap_or_default() };
        let labelled = |(key, value): &(String, Option<String>)| match (labels.get(key), value) {
            (Some(is), Some(value)) => is.as_str() == Some(value),
            (is, None) => is.is_some(),
            (None, Some(_)) => false,
        };
        let within = |at: Option<Timestamp>, from: Option<Timestamp>, to: Option<Timestamp>| {
            from.is_none_or(|from| at.is_some_and(|at| at >= from)) && to.is_none_or(|to| at.is_some_and(|at| at < to))
        };
        (self.states.is_empty() || self.states.contains(&task.state))
            && (self.types.is_empty() || self.types.contains(&task.task_type))
            && holds(&self.name, Some(&task.name))
            && holds(&self.cluster_contains, task.cluster.as_deref())
            && equal(&self.creator, Some(&task.creator))
            && equal(&self.cluster, task.cluster.as_deref())
            && equal(&self.target_tenant, task.target_tenant.as_deref())
            && equal(&self.host, task.host.as_deref())
            && self.cluster_id.is_none_or(|id| task.cluster_id == Some(id))
            && self.target_tenant_id.is_none_or(|id| task.target_tenant_id == Some(id))
            && self.host_id.is_none_or(|id| task.host_id == Some(id))
            && self.definition_id.is_none_or(|id| task.definition_id == Some(id))
            && self.tenant_id.is_none_or(|id| task.tenant_id == id)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&task.id))
            && self.labels.iter().all(labelled)
            && within(Some(task.created_at), self.created_from, self.created_to)
            && within(task.finished_at, self.finished_from, self.finished_to)
    }
}

/// The columns a list can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderBy {
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

impl OrderBy {
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
    filter: &Filter,
    (order, descending): (OrderBy, bool),
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
    filter: &Filter,
    orders: &[(OrderBy, bool)],
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
    if orders.iter().all(|(order, _)| *order != OrderBy::Id) {
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
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope, filter: &Filter) -> Result<u64> {
    Ok(select(conn.get_database_backend(), scope, filter).count(conn).await?)
}

fn select(backend: DbBackend, scope: &Scope, filter: &Filter) -> Select<task::Entity> {
    task::Entity::find().filter(scope::condition(scope, task::Column::TenantId)).filter(condition(backend, filter))
}

fn condition(backend: DbBackend, filter: &Filter) -> Condition {
    let equal = |column: task::Column, value: &Option<String>| value.as_ref().map(|value| column.eq(value.as_str()));
    let contains = |folded: task::Column, column: task::Column, value: &Option<String>| {
        value.as_ref().map(|value| page::contains_folded((folded, column), value))
    };
    let mut all = Condition::all()
        .add_option((!filter.states.is_empty()).then(|| task::Column::State.is_in(bulk::distinct(&filter.states))))
        .add_option((!filter.types.is_empty()).then(|| task::Column::TaskType.is_in(bulk::distinct(&filter.types))))
        .add_option((!filter.standings.is_empty()).then(|| standing::condition(&filter.standings)))
        .add_option(contains(task::Column::NameFolded, task::Column::Name, &filter.name))
        .add_option(contains(task::Column::ClusterFolded, task::Column::Cluster, &filter.cluster_contains))
        .add_option(equal(task::Column::Creator, &filter.creator))
        .add_option(equal(task::Column::Cluster, &filter.cluster))
        .add_option(equal(task::Column::TargetTenant, &filter.target_tenant))
        .add_option(equal(task::Column::Host, &filter.host))
        .add_option(filter.cluster_id.map(|id| task::Column::ClusterId.eq(id)))
        .add_option(filter.target_tenant_id.map(|id| task::Column::TargetTenantId.eq(id)))
        .add_option(filter.host_id.map(|id| task::Column::HostId.eq(id)))
        .add_option(filter.definition_id.map(|id| task::Column::DefinitionId.eq(id)))
        .add_option(filter.tenant_id.map(|id| task::Column::TenantId.eq(id)))
        .add_option(filter.ids.as_ref().map(|ids| bulk::among(backend, task::Column::Id, ids.iter().map(|id| id.0))))
        .add_option(filter.created_from.map(|at| task::Column::CreatedAt.gte(at)))
        .add_option(filter.created_to.map(|at| task::Column::CreatedAt.lt(at)))
        .add_option(filter.finished_from.map(|at| task::Column::FinishedAt.gte(at)))
        .add_option(filter.finished_to.map(|at| task::Column::FinishedAt.lt(at)));
    for (key, value) in &filter.labels {
        all = all.add(labelled(key, value.as_deref()));
    }
    all
}

fn labelled(key: &str, value: Option<&str>) -> SimpleExpr {
    let mut with = Query::select();
    with.column(task_label::Column::TaskId).from(task_label::Entity).and_where(task_label::Column::Key.eq(key));
    if let Some(value) = value {
        with.and_where(task_label::Column::Value.eq(value));
    }
    task::Column::Id.in_subquery(with.to_owned())
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

/// The tasks with these ids, whoever asks: for readers that have checked the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, ids: &[TaskId]) -> Result<Vec<task::Model>> {
    let these = bulk::among(conn.get_database_backend(), task::Column::Id, ids.iter().map(|id| id.0));
    read(conn, task::Entity::find().filter(these)).await
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
        removal::note(tx, removal::Rest::Task(id)).await?;
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
