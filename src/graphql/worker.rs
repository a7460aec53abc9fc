//! Workers, as operators see them.

use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::context::Has;
use super::scalar::BigInt;
use crate::resolver;
use crate::resolver::worker::Load;

/// A living worker.
#[derive(Clone, Debug, SimpleObject)]
pub struct Worker {
    /// The id of this life of it.
    id: String,
    /// Its name.
    name: String,
    /// What it has.
    labels: Vec<String>,
    /// How many attempts it can run at once.
    slots: i32,
    /// How many it runs.
    busy: BigInt,
    /// When its lease ends unless it is renewed.
    lease_until: DateTime<Utc>,
    /// When it was heard of last.
    seen_at: DateTime<Utc>,
}

impl From<Load> for Worker {
    fn from(load: Load) -> Self {
        Self {
            id: load.id,
            name: load.name,
            labels: load.labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect(),
            slots: load.slots,
            busy: BigInt(load.busy),
            lease_until: load.lease_until.utc(),
            seen_at: load.seen_at.utc(),
        }
    }
}

/// Questions about workers.
#[derive(Debug, Default)]
pub struct WorkerQuery;

/// Questions about workers.
#[Object]
impl WorkerQuery {
    /// The workers that hold a lease.
    #[graphql(complexity = "10 + child_complexity")]
    async fn workers(&self, ctx: &Context<'_>) -> Result<Vec<Worker>> {
        Ok(resolver::worker::list(ctx.request()).await?.into_iter().map(Worker::from).collect())
    }
}
