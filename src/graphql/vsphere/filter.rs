//! Which tasks of vCenters, in which order.

use async_graphql::{Enum, ID, InputObject};
use taskloom_entity::{TenantId, VsphereTaskId};

use super::super::state::{VsphereReason, VsphereTaskState};
use super::super::vcenter;
use crate::error::{Error, Result, code};
use crate::gql::id;
use crate::gql::scalar::Instant;
use crate::resolver::Request;
use crate::resolver::vsphere::label;
use crate::resolver::vsphere::task::{VsphereTaskFilter, VsphereTaskOrder};
use crate::vsphere::Reference;

/// Which tasks of vCenters. What is left out or null does not count; what is given must all hold;
/// an empty list is held by none.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "VsphereTaskFilter")]
pub struct VsphereTaskFilterInput {
    /// Of this vCenter.
    pub vcenter_id: Option<ID>,
    /// Owned by this tenant.
    pub tenant_id: Option<ID>,
    /// One of these.
    pub ids: Option<Vec<ID>>,
    /// In one of these states.
    pub states: Option<Vec<VsphereTaskState>>,
    /// Whether somebody asked for their end.
    pub cancelled: Option<bool>,
    /// Whether their outcome is unknown.
    pub is_lost: Option<bool>,
    /// The name (in the request's language), the object's name or the user contains this, in any case of its letters.
    pub text: Option<String>,
    /// On this object, as `VirtualMachine:vm-119`.
    pub entity: Option<String>,
    /// On this object, or on one that lies in or on it; with `vcenterId`.
    pub under: Option<String>,
    /// Of one of these operations, as `VirtualMachine.reconfigure`.
    pub operations: Option<Vec<String>>,
    /// Begun by one of these.
    pub reasons: Option<Vec<VsphereReason>>,
    /// By this user.
    pub user: Option<String>,
    /// That ended with a fault of this type.
    pub fault: Option<String>,
    /// Parts of the task with this key.
    pub parent_key: Option<String>,
    /// Begun by the task with this key, however far from it.
    pub root_key: Option<String>,
    /// Queued at or after.
    pub created_from: Option<Instant>,
    /// Queued before.
    pub created_to: Option<Instant>,
    /// Ended at or after.
    pub finished_from: Option<Instant>,
    /// Ended before.
    pub finished_to: Option<Instant>,
}

/// By what tasks of vCenters can be ordered; equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "VsphereTaskOrder")]
pub enum VsphereTaskOrderField {
    /// By the instant of queueing.
    #[default]
    #[graphql(name = "CREATED_AT")]
    QueuedAt,
    /// By the instant of the end: only those that have ended.
    #[graphql(name = "FINISHED_AT")]
    CompletedAt,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, InputObject)]
#[graphql(name = "VsphereTaskOrder")]
pub struct VsphereTaskOrderInput {
    /// By what.
    #[graphql(default_with = "Some(VsphereTaskOrderField::QueuedAt)")]
    pub field: Option<VsphereTaskOrderField>,
    /// The latest first.
    #[graphql(default_with = "Some(true)")]
    pub descending: Option<bool>,
}

impl VsphereTaskOrderInput {
    /// The order as the resolvers know it.
    #[must_use]
    pub fn decode(self) -> (VsphereTaskOrder, bool) {
        (self.field.unwrap_or_default().into(), self.descending.unwrap_or(true))
    }
}

impl VsphereTaskFilterInput {
    /// The filter as the resolvers know it.
    ///
    /// # Errors
    /// `INVALID_ID`, `INVALID_INPUT`.
    pub async fn decode(self, request: &Request) -> Result<VsphereTaskFilter> {
        let vcenter_id = self.vcenter_id.as_ref().map(vcenter::key).transpose()?;
        let task = |task: &ID| id::decode("VsphereTask", task).map(VsphereTaskId);
        let search = match self.text.filter(|text| !text.is_empty()) {
            Some(text) => Some(label::search(request, vcenter_id, &text, request.language).await?),
            None => None,
        };
        let entity = self.entity.as_deref().map(|text| reference("entity", text)).transpose()?;
        let under = match (self.under.as_deref(), vcenter_id) {
            (None, _) => None,
            (Some(text), Some(vcenter)) => Some((vcenter, reference("under", text)?)),
            (Some(_), None) => return Err(wrong("under", "say of which vCenter with `vcenterId`")),
        };
        Ok(VsphereTaskFilter {
            vcenter_id,
            tenant_id: self.tenant_id.map(|id| id::decode("Tenant", &id)).transpose()?.map(TenantId),
            ids: self.ids.map(|ids| ids.iter().map(task).collect::<Result<_>>()).transpose()?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            outcomes: None,
            cancelled: self.cancelled,
            is_lost: self.is_lost,
            search,
            entity,
            under,
            operations: self.operations,
            reasons: self.reasons.map(|reasons| reasons.into_iter().map(Into::into).collect()),
            username: self.user,
            fault: self.fault,
            parent_key: self.parent_key,
            root_key: self.root_key,
            queued_from: self.created_from.map(Into::into),
            queued_to: self.created_to.map(Into::into),
            completed_from: self.finished_from.map(Into::into),
            completed_to: self.finished_to.map(Into::into),
        })
    }
}

fn reference(what: &str, text: &str) -> Result<String> {
    Reference::parse(text).map(|reference| reference.to_string()).map_err(|error| wrong(what, error.to_string()))
}

fn wrong(what: &str, reason: impl Into<String>) -> Error {
    Error::new(&code::INVALID_INPUT).with("what", format!("`{what}`")).with("reason", reason.into())
}
