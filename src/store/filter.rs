//! Which tasks: asked of the database, and of a task in memory.

use sea_orm::sea_query::{Expr, Query, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, DbBackend};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use taskloom_entity::{DefinitionId, TaskId, TaskState, TaskType, TenantId, Timestamp, task, task_label};

use super::standing::{self, TaskStanding};
use super::{bulk, page};
use crate::text::folded;

/// Which tasks. Nothing given means every task, an empty list none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFilter {
    /// In one of these states.
    pub states: Option<Vec<TaskState>>,
    /// Standing at one of these places; for lists, since a task alone does not tell.
    #[serde(skip)]
    pub standings: Option<Vec<TaskStanding>>,
    /// The name holds this, whatever its case.
    pub name: Option<String>,
    /// The target cluster's name holds this, whatever its case.
    pub cluster_contains: Option<String>,
    /// Of one of these types.
    pub types: Option<Vec<TaskType>>,
    /// By this user.
    pub creator: Option<String>,
    /// With these labels; without a value: with any.
    pub labels: Option<Vec<(String, Option<String>)>>,
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
    #[serde(serialize_with = "instant")]
    pub created_from: Option<Timestamp>,
    /// Accepted before.
    #[serde(serialize_with = "instant")]
    pub created_to: Option<Timestamp>,
    /// Ended at or after.
    #[serde(serialize_with = "instant")]
    pub finished_from: Option<Timestamp>,
    /// Ended before.
    #[serde(serialize_with = "instant")]
    pub finished_to: Option<Timestamp>,
}

impl TaskFilter {
    /// What is asked for, by the names of the graph.
    #[must_use]
    pub fn given(&self) -> Map<String, Value> {
        let all = serde_json::to_value(self).unwrap_or_default();
        let all = all.as_object().cloned().unwrap_or_default();
        all.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }

    /// Whether it asks for anything: an empty text and an empty list do not.
    #[must_use]
    pub fn says_something(&self) -> bool {
        let says = |value: &Value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        };
        self.given().values().any(says)
    }

    /// Whether a task in this state can match.
    #[must_use]
    pub fn may_be(&self, state: TaskState) -> bool {
        self.states.as_ref().is_none_or(|states| states.contains(&state))
    }

    /// The same question asked of a task in memory, but for its state and its end; for those who follow changes.
    #[must_use]
    pub fn matches_but_for_state(&self, task: &task::Model) -> bool {
        let equal =
            |wanted: &Option<String>, is: Option<&str>| wanted.as_deref().is_none_or(|wanted| is == Some(wanted));
        let holds = |part: &Option<String>, text: Option<&str>| {
            let has = |part: &str| text.is_some_and(|text| folded(text).contains(&folded(part)));
            part.as_deref().is_none_or(has)
        };
        let labels: serde_json::Map<String, serde_json::Value> =
            if self.labels.is_none() { Default::default() } else { task.labels.parse().unwrap_or_default() };
        let labelled = |(key, value): &(String, Option<String>)| match (labels.get(key), value) {
            (Some(is), Some(value)) => is.as_str() == Some(value),
            (is, None) => is.is_some(),
            (None, Some(_)) => false,
        };
        self.types.as_ref().is_none_or(|types| types.contains(&task.task_type))
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
            && self.labels.as_ref().is_none_or(|labels| !labels.is_empty() && labels.iter().all(labelled))
            && within(Some(task.created_at), self.created_from, self.created_to)
    }

    /// Whether it has ended in this state when the filter asks for; a task that has not ended in it has no end.
    #[must_use]
    pub fn is_in_time(&self, task: &task::Model, state: TaskState) -> bool {
        within(task.finished_at.filter(|_| state.is_final()), self.finished_from, self.finished_to)
    }

    /// The same in SQL.
    pub(super) fn condition(&self, backend: DbBackend) -> Condition {
        let equal =
            |column: task::Column, value: &Option<String>| value.as_ref().map(|value| column.eq(value.as_str()));
        let contains = |folded: task::Column, column: task::Column, value: &Option<String>| {
            value.as_ref().map(|value| page::contains_folded((folded, column), value))
        };
        let mut all = Condition::all()
            .add_option(self.states.as_ref().map(|states| task::Column::State.is_in(bulk::distinct(states))))
            .add_option(self.types.as_ref().map(|types| task::Column::TaskType.is_in(bulk::distinct(types))))
            .add_option(self.standings.as_deref().map(standing::condition))
            .add_option(contains(task::Column::NameFolded, task::Column::Name, &self.name))
            .add_option(contains(task::Column::ClusterFolded, task::Column::Cluster, &self.cluster_contains))
            .add_option(equal(task::Column::Creator, &self.creator))
            .add_option(equal(task::Column::Cluster, &self.cluster))
            .add_option(equal(task::Column::TargetTenant, &self.target_tenant))
            .add_option(equal(task::Column::Host, &self.host))
            .add_option(self.cluster_id.map(|id| task::Column::ClusterId.eq(id)))
            .add_option(self.target_tenant_id.map(|id| task::Column::TargetTenantId.eq(id)))
            .add_option(self.host_id.map(|id| task::Column::HostId.eq(id)))
            .add_option(self.definition_id.map(|id| task::Column::DefinitionId.eq(id)))
            .add_option(self.tenant_id.map(|id| task::Column::TenantId.eq(id)))
            .add_option(self.ids.as_ref().map(|ids| bulk::among(backend, task::Column::Id, ids.iter().map(|id| id.0))))
            .add_option(self.created_from.map(|at| task::Column::CreatedAt.gte(at)))
            .add_option(self.created_to.map(|at| task::Column::CreatedAt.lt(at)))
            .add_option(self.finished_from.map(|at| task::Column::FinishedAt.gte(at)))
            .add_option(self.finished_to.map(|at| task::Column::FinishedAt.lt(at)));
        if let Some(labels) = &self.labels {
            all = all.add_option(labels.is_empty().then(|| Expr::val(false)));
            all = labels.iter().fold(all, |all, (key, value)| all.add(labelled(key, value.as_deref())));
        }
        all
    }
}

fn labelled(key: &str, value: Option<&str>) -> SimpleExpr {
    let mut with = Query::select();
    with.column(task_label::Column::TaskId).from(task_label::Entity).and_where(task_label::Column::Key.eq(key));
    if let Some(value) = value {
        with.and_where(task_label::Column::Value.eq(value));
    }
    task::Column::Id.in_subquery(with.to_owned())
}

/// Whether an instant lies from the one to before the other; without any it lies within nothing that is given.
fn within(at: Option<Timestamp>, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    from.is_none_or(|from| at.is_some_and(|at| at >= from)) && to.is_none_or(|to| at.is_some_and(|at| at < to))
}

fn instant<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_string()).serialize(serializer)
}
