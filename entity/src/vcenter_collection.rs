//! How the collection of a vCenter's tasks stands: what its collector writes, and the lease that makes it the only one.

use sea_orm::entity::prelude::*;

use crate::{CollectionState, JsonText, Timestamp, VcenterId, VsphereInstanceId};

/// How the collection of a vCenter's tasks stands.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vcenter_collection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub vcenter_id: VcenterId,
    pub state: CollectionState,
    /// Since when, by our clock.
    pub since: Timestamp,
    /// Why it does not go on: a code.
    pub reason: Option<String>,
    /// The same in words.
    pub message: Option<String>,
    /// Whom it met there last.
    pub instance_id: Option<VsphereInstanceId>,
    /// What the vCenter calls itself.
    pub product: Option<String>,
    /// When it answered last, by our clock.
    pub seen_at: Option<Timestamp>,
    /// Its clock less ours, in microseconds.
    pub clock_offset: Option<i64>,
    /// From the end or beginning of the newest task until it was on disk here, in microseconds.
    pub lag: Option<i64>,
    /// When the history was read back to its limit, by our clock; none: not yet.
    pub read_at: Option<Timestamp>,
    /// The newest end of a task that was seen, by the vCenter's clock.
    pub completed_to: Option<Timestamp>,
    /// The tasks that could not be read, and how many there were.
    pub unreadable: Option<JsonText>,
    /// How far the vCenter's clock jumped when it last did, in microseconds.
    pub clock_jump: Option<i64>,
    /// When that was, by our clock.
    pub clock_jumped_at: Option<Timestamp>,
    /// Whose lease it is; none: nobody's.
    pub owner: Option<String>,
    /// Counts the leases: what an older one writes is refused.
    pub epoch: i64,
    /// Until when, by its holder's clock, for people: nobody decides by it.
    pub until: Timestamp,
    /// Raised by each renewal.
    pub renewals: i64,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
