//! One life of a worker process; its lease covers every attempt it runs.

use sea_orm::entity::prelude::*;

use crate::{Timestamp, WorkerState};

/// One life of a worker process; its lease covers every attempt it runs.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "worker")]
pub struct Model {
    /// A uuid.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    /// Sorted, joined by commas.
    pub labels: String,
    pub slots: i32,
    pub state: WorkerState,
    /// By its own clock, for people: nobody decides by it.
    pub lease_until: Timestamp,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    /// Raised by each renewal.
    pub renewals: i64,
    /// How long a renewal holds.
    pub lease_ms: i64,
    /// When its end was recorded.
    pub ended_at: Option<Timestamp>,
    /// How it holds its attempts apart from the server and each other, in a word.
    pub isolation: Option<String>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
