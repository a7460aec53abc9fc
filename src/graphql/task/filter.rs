//! Which tasks, in which order.

use async_graphql::{Enum, ID, InputObject};
use taskloom_entity::{DefinitionId, TaskId, TenantId};

use super::super::state::{TaskState, TaskType};
use crate::error::Result;
use crate::gql::id;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver::any;
use crate::resolver::task::{TaskFilter, TaskOrder};

/// Which tasks. What is left out or null does not count; what is given must all hold; an empty list is held by none.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "TaskFilter")]
pub struct TaskFilterInput {
    /// In one of these states.
    pub states: Option<Vec<TaskState>>,
    /// The name contains this, in any case of its letters.
    pub name: Option<String>,
    /// Of one of these types.
    pub types: Option<Vec<TaskType>>,
    /// Submitted by this user.
    pub creator: Option<String>,
    /// With all of these labels.
    pub labels: Option<Vec<LabelFilter>>,
    /// Meant for this cluster.
    pub cluster: Option<String>,
    /// Meant for a cluster whose name contains this, in any case of its letters.
    pub cluster_contains: Option<String>,
    /// Meant for the cluster of this number.
    pub cluster_id: Option<BigInt>,
    /// Meant for this tenant of a cluster.
    pub target_tenant: Option<String>,
    /// Meant for the tenant of a cluster of this number.
    pub target_tenant_id: Option<BigInt>,
    /// Meant for this host.
    pub host: Option<String>,
    /// Meant for the host of this number.
    pub host_id: Option<BigInt>,
    /// Made of this version of a definition.
    pub definition_id: Option<ID>,
    /// Owned by this tenant.
    pub tenant_id: Option<ID>,
    /// One of these.
    pub ids: Option<Vec<ID>>,
    /// Accepted at or after.
    pub created_from: Option<Instant>,
    /// Accepted before.
    pub created_to: Option<Instant>,
    /// Ended at or after.
    pub finished_from: Option<Instant>,
    /// Ended before.
    pub finished_to: Option<Instant>,
}

/// A label to look for.
#[derive(Clone, Debug, InputObject)]
pub struct LabelFilter {
    /// Its name.
    pub key: String,
    /// Its value; left out: any.
    pub value: Option<String>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, InputObject)]
#[graphql(name = "TaskOrder")]
pub struct TaskOrderInput {
    /// By what.
    #[graphql(default_with = "Some(TaskOrderField::Id)")]
    pub field: Option<TaskOrderField>,
    /// The largest first.
    #[graphql(default_with = "Some(true)")]
    pub descending: Option<bool>,
}

/// By what tasks can be ordered; equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "TaskOrder")]
pub enum TaskOrderField {
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

/// By which instant everything that runs anywhere can be ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "any::AnyTaskOrder")]
pub enum AnyTaskOrderField {
    /// Of acceptance.
    #[default]
    CreatedAt,
    /// Of the end: only those that have ended.
    FinishedAt,
}

/// In which order everything comes.
#[derive(Clone, Copy, Debug, Default, InputObject)]
#[graphql(name = "AnyTaskOrder")]
pub struct AnyTaskOrderInput {
    /// By what.
    #[graphql(default_with = "Some(AnyTaskOrderField::CreatedAt)")]
    pub field: Option<AnyTaskOrderField>,
    /// The latest first.
    #[graphql(default_with = "Some(true)")]
    pub descending: Option<bool>,
}

impl AnyTaskOrderInput {
    /// The order as the resolvers know it.
    #[must_use]
    pub fn decode(self) -> (any::AnyTaskOrder, bool) {
        (self.field.unwrap_or_default().into(), self.descending.unwrap_or(true))
    }
}

impl TaskFilterInput {
    /// The filter as the resolvers know it.
    ///
    /// # Errors
    /// `INVALID_ID`, `INVALID_INPUT`.
    pub fn decode(self) -> Result<TaskFilter> {
        let task = |task: &ID| id::decode("Task", task).map(TaskId);
        let ids = self.ids.map(|ids| ids.iter().map(task).collect::<Result<_>>()).transpose()?;
        let number = |kind: &'static str, id: Option<ID>| id.map(|id| id::decode(kind, &id)).transpose();
        Ok(TaskFilter {
            standings: None,
            states: all(self.states, Into::into),
            name: self.name,
            cluster_contains: self.cluster_contains,
            types: all(self.types, Into::into),
            creator: self.creator,
            labels: all(self.labels, |label| (label.key, label.value)),
            cluster: self.cluster,
            target_tenant: self.target_tenant,
            host: self.host,
            cluster_id: self.cluster_id.map(|id| id.0),
            target_tenant_id: self.target_tenant_id.map(|id| id.0),
            host_id: self.host_id.map(|id| id.0),
            definition_id: number("Definition", self.definition_id)?.map(DefinitionId),
            tenant_id: number("Tenant", self.tenant_id)?.map(TenantId),
            ids,
            created_from: self.created_from.map(Into::into),
            created_to: self.created_to.map(Into::into),
            finished_from: self.finished_from.map(Into::into),
            finished_to: self.finished_to.map(Into::into),
        })
    }
}

/// Each of a list that is given.
fn all<T, U>(given: Option<Vec<T>>, each: impl Fn(T) -> U) -> Option<Vec<U>> {
    given.map(|given| given.into_iter().map(each).collect())
}

impl TaskOrderInput {
    /// The order as the store knows it.
    #[must_use]
    pub fn decode(self) -> (TaskOrder, bool) {
        (self.field.unwrap_or_default().into(), self.descending.unwrap_or(true))
    }
}
