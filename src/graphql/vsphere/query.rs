//! Questions about tasks of vCenters.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use taskloom_entity::{Timestamp, VsphereTaskId};

use super::super::context::Has;
use super::super::list::{OrderedList, connection_with};
use super::{VsphereTask, VsphereTaskFilterInput, VsphereTaskOrderInput};
use crate::gql::id;
use crate::gql::many::{Many, Paged};
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver::page::{Key, Kind};
use crate::resolver::vsphere::task::{self, OperationDay, VsphereTaskFilter};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// How many tasks a list has.
#[derive(Clone, Debug)]
pub struct VsphereTaskTotal(VsphereTaskFilter);

/// How many tasks a list has.
#[Object]
impl VsphereTaskTotal {
    /// How many match; counted only when asked for.
    #[graphql(complexity = "50")]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(task::count(ctx.request(), &self.0).await?.cast_signed()))
    }
}

/// A page by number, as legacy lists know it.
#[derive(Clone, Debug, SimpleObject)]
pub struct VsphereTaskPage {
    /// The newest first.
    pub(in crate::graphql) nodes: Many<VsphereTask>,
    /// How many match in all.
    pub(in crate::graphql) total_count: BigInt,
}

/// What became of one operation's tasks that were queued on one day.
#[derive(Clone, Debug, SimpleObject)]
pub struct VsphereStatistics {
    /// The operation's id in the vCenter's catalogue.
    operation: String,
    /// The day in UTC, at its first instant.
    day: Instant,
    /// How many were queued.
    count: BigInt,
    /// How many of them failed; cancelled ones, and those with an unknown outcome, are not among them.
    failed: BigInt,
    /// How many were cancelled.
    cancelled: BigInt,
    /// Failed ones among all, 0 to 1.
    failure_rate: f64,
    /// Half of those that ended took at most so many seconds.
    p50: Option<f64>,
    /// 95 in a hundred took at most so many seconds.
    p95: Option<f64>,
    /// 99 in a hundred took at most so many seconds.
    p99: Option<f64>,
}

impl From<OperationDay> for VsphereStatistics {
    #[expect(clippy::cast_precision_loss, reason = "shares and seconds need no more digits")]
    fn from(day: OperationDay) -> Self {
        let seconds = |micros: Option<i64>| micros.map(|micros| micros as f64 / 1e6);
        Self {
            operation: day.description_id,
            day: Timestamp(day.day * DAY).into(),
            count: BigInt(day.total),
            failed: BigInt(day.failed),
            cancelled: BigInt(day.cancelled),
            failure_rate: day.failed as f64 / day.total.max(1) as f64,
            p50: seconds(day.p50),
            p95: seconds(day.p95),
            p99: seconds(day.p99),
        }
    }
}

/// Questions about tasks of vCenters.
#[derive(Debug, Default)]
pub struct VsphereQuery;

/// Questions about tasks of vCenters.
#[Object]
impl VsphereQuery {
    /// The tasks of the caller's vCenters; the newest first unless ordered otherwise.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection are given by the Relay specification")]
    async fn vsphere_tasks(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<VsphereTaskFilterInput>,
        order: Option<VsphereTaskOrderInput>,
    ) -> Result<Paged<ListRow<VsphereTask>, VsphereTaskTotal>> {
        let order = order.unwrap_or_default().decode();
        let list = OrderedList::ordered("vsphereTasks", order.0, order.1, Kind::Number);
        let part = list.part(&Args { first, after, last, before })?;
        let filter = filter.unwrap_or_default().decode(ctx.request()).await?;
        let slice = task::list(ctx.request(), &filter, order, &part).await?;
        Ok(connection_with(slice, VsphereTaskTotal(filter), |row| {
            let key = Key { value: Some(order.0.value(&row)), id: row.id.0 };
            (list.keyed_cursor(&key), ListRow(VsphereTask::from(row)))
        }))
    }

    /// One task of a vCenter.
    async fn vsphere_task(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        database_id: Option<BigInt>,
    ) -> Result<Option<VsphereTask>> {
        let id = VsphereTaskId(id::pick("VsphereTask", id, database_id)?);
        Ok(Some(task::get(ctx.request(), id).await?.into()))
    }
}
