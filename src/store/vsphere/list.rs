//! Lists of vCenter tasks: which, in which order, how many.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select};
use sea_orm::{DbBackend, QuerySelect, Value};
use taskloom_core::principal::Scope;
use taskloom_entity::vsphere_task::{Column, Entity, Model};
use taskloom_entity::{TenantId, Timestamp, VcenterId, VsphereReason, VsphereTaskId, VsphereTaskState};

use super::super::bulk;
use super::super::keyset::{Part, Sort, keyset};
use super::super::page::{Slice, contains, holds};
use super::super::removal::is_there;
use super::super::scope;
use super::object::is_under;
use crate::error::Result;

/// What a text is looked for in: what it is called, its object, who began it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VsphereSearch {
    /// The text.
    pub text: String,
    /// Whether it is looked for in objects' and users' names, too.
    pub is_wide: bool,
    /// The operations whose words hold it.
    pub named: Vec<String>,
    /// The operations that have words: a task of another is looked for by its method or its operation's id.
    pub known: Vec<String>,
}

/// Which tasks. Nothing given means every task, an empty list none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VsphereTaskFilter {
    /// Of this vCenter.
    pub vcenter_id: Option<VcenterId>,
    /// Of this tenant.
    pub tenant_id: Option<TenantId>,
    /// One of these.
    pub ids: Option<Vec<VsphereTaskId>>,
    /// In one of these states.
    pub states: Option<Vec<VsphereTaskState>>,
    /// In one of these states, cancelled or not.
    pub outcomes: Option<Vec<(VsphereTaskState, bool)>>,
    /// Cancelled, or not.
    pub cancelled: Option<bool>,
    /// Forgotten by the vCenter before it told how it ended, or not.
    pub is_lost: Option<bool>,
    /// With this text.
    pub search: Option<VsphereSearch>,
    /// On this object.
    pub entity: Option<String>,
    /// On this object of the vCenter, or on one that lies under it.
    pub under: Option<(VcenterId, String)>,
    /// Of one of these operations.
    pub operations: Option<Vec<String>>,
    /// Begun by one of these.
    pub reasons: Option<Vec<VsphereReason>>,
    /// By this user.
    pub username: Option<String>,
    /// That ended with this fault.
    pub fault: Option<String>,
    /// Parts of this task.
    pub parent_key: Option<String>,
    /// Begun by this task, however far from it.
    pub root_key: Option<String>,
    /// Queued at or after.
    pub queued_from: Option<Timestamp>,
    /// Queued before.
    pub queued_to: Option<Timestamp>,
    /// Ended at or after.
    pub completed_from: Option<Timestamp>,
    /// Ended before.
    pub completed_to: Option<Timestamp>,
}

/// The columns a list can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VsphereTaskOrder {
    /// By the instant of queueing.
    #[default]
    QueuedAt,
    /// By the instant of the end: only those that have one.
    CompletedAt,
}

impl VsphereTaskOrder {
    /// The order, for pages by key.
    #[must_use]
    pub fn sort(self, descending: bool) -> Sort {
        let column = |column: Column| Expr::col((Entity, column));
        let value = match self {
            Self::QueuedAt => column(Column::QueuedAt),
            Self::CompletedAt => column(Column::CompletedAt),
        };
        Sort { column: Some(value), id: column(Column::Id), descending }
    }

    /// The value of this order's column, for a cursor.
    #[must_use]
    pub fn value(self, task: &Model) -> Value {
        let at = match self {
            Self::QueuedAt => Some(task.queued_at),
            Self::CompletedAt => task.completed_at,
        };
        at.map_or(0, |at| at.0).into()
    }
}

/// A page of the tasks in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn page(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    filter: &VsphereTaskFilter,
    (order, descending): (VsphereTaskOrder, bool),
    part: &Part,
) -> Result<Slice<Model>> {
    let query = keyed(conn.get_database_backend(), (scope, filter), (order, descending), part);
    Ok(part.cut(query.all(conn).await?))
}

/// The query behind a page.
pub fn keyed(
    backend: DbBackend,
    (scope, filter): (&Scope, &VsphereTaskFilter),
    (order, descending): (VsphereTaskOrder, bool),
    part: &Part,
) -> Select<Entity> {
    let all = select(backend, scope, filter);
    let ordered = match order {
        VsphereTaskOrder::QueuedAt => all,
        VsphereTaskOrder::CompletedAt => all.filter(Column::CompletedAt.is_not_null()),
    };
    keyset(ordered, &order.sort(descending), part)
}

/// The tasks from `offset` on, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    filter: &VsphereTaskFilter,
    (offset, limit): (u64, u64),
) -> Result<Vec<Model>> {
    let query =
        select(conn.get_database_backend(), scope, filter).order_by_desc(Column::QueuedAt).order_by_desc(Column::Id);
    Ok(query.offset(offset).limit(limit).all(conn).await?)
}

/// How many tasks of the scope match.
///
/// # Errors
/// When the database does not answer.
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope, filter: &VsphereTaskFilter) -> Result<u64> {
    Ok(select(conn.get_database_backend(), scope, filter).count(conn).await?)
}

fn select(backend: DbBackend, scope: &Scope, filter: &VsphereTaskFilter) -> Select<Entity> {
    let there = Entity::find().filter(scope::condition(scope, Column::TenantId)).filter(is_there(Column::VcenterId));
    there.filter(condition(backend, filter))
}

fn condition(backend: DbBackend, filter: &VsphereTaskFilter) -> Condition {
    let equal = |column: Column, value: &Option<String>| value.as_ref().map(|value| column.eq(value.as_str()));
    Condition::all()
        .add_option(filter.vcenter_id.map(|id| Column::VcenterId.eq(id)))
        .add_option(filter.tenant_id.map(|id| Column::TenantId.eq(id)))
        .add_option(filter.ids.as_ref().map(|ids| bulk::among(backend, Column::Id, ids.iter().map(|id| id.0))))
        .add_option(filter.states.as_ref().map(|states| Column::State.is_in(bulk::distinct(states))))
        .add_option(filter.outcomes.as_deref().map(outcomes))
        .add_option(filter.cancelled.map(|is| Column::Cancelled.eq(is)))
        .add_option(filter.is_lost.map(|is| Column::IsLost.eq(is)))
        .add_option(filter.search.as_ref().map(search))
        .add_option(equal(Column::Entity, &filter.entity))
        .add_option(filter.under.as_ref().map(|(vcenter, above)| is_under(backend, Column::Entity, *vcenter, above)))
        .add_option(
            filter
                .operations
                .as_ref()
                .map(|all| bulk::among_texts(backend, Column::DescriptionId, all.iter().cloned())),
        )
        .add_option(filter.reasons.as_ref().map(|reasons| Column::Reason.is_in(bulk::distinct(reasons))))
        .add_option(equal(Column::Username, &filter.username))
        .add_option(equal(Column::Fault, &filter.fault))
        .add_option(equal(Column::ParentKey, &filter.parent_key))
        .add_option(equal(Column::RootKey, &filter.root_key))
        .add_option(filter.queued_from.map(|at| Column::QueuedAt.gte(at)))
        .add_option(filter.queued_to.map(|at| Column::QueuedAt.lt(at)))
        .add_option(filter.completed_from.map(|at| Column::CompletedAt.gte(at)))
        .add_option(filter.completed_to.map(|at| Column::CompletedAt.lt(at)))
}

fn outcomes(outcomes: &[(VsphereTaskState, bool)]) -> Condition {
    let one = |(state, cancelled): &(VsphereTaskState, bool)| {
        Condition::all().add(Column::State.eq(*state)).add(Column::Cancelled.eq(*cancelled))
    };
    bulk::distinct(outcomes).iter().map(one).fold(Condition::any(), Condition::add)
}

/// Whether the name of its object or of its user has it. A row of a former version has only these themselves.
fn contains_kept(text: &str) -> Condition {
    let itself = Condition::any().add(contains(Column::EntityName, text)).add(contains(Column::Username, text));
    let bare = Condition::all().add(Column::Folded.is_null()).add(itself);
    Condition::any().add(holds(Column::Folded, text)).add(bare)
}

fn search(search: &VsphereSearch) -> Condition {
    let wordless = Condition::all()
        .add_option((!search.known.is_empty()).then(|| Column::DescriptionId.is_not_in(search.known.iter().cloned())))
        .add(
            Condition::any().add(contains(Column::Name, &search.text)).add(
                Condition::all()
                    .add(Condition::any().add(Column::Name.is_null()).add(Column::Name.eq("")))
                    .add(contains(Column::DescriptionId, &search.text)),
            ),
        );
    Condition::any()
        .add_option(search.is_wide.then(|| contains_kept(&search.text)))
        .add_option((!search.named.is_empty()).then(|| Column::DescriptionId.is_in(search.named.iter().cloned())))
        .add(wordless)
}
