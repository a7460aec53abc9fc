//! vCenters in the graph. A password comes in and never goes out.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, Result, SimpleObject};
use taskloom_entity::{TenantId, VcenterId, vcenter, vcenter_collection};

use super::change::shows_one;
use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::loader::CollectionOf;
use super::state::{CollectionState, VcenterTrust};
use super::tenant::{self, Tenant};
use super::vsphere::{VsphereStatistics, VsphereTask, VsphereTaskFilterInput, VsphereTaskPage};
use crate::gql::id;
use crate::gql::many::{Many, Paged};
use crate::gql::page::{Args, USUAL, cost, numbered};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver;
use crate::resolver::vcenter::NewVcenter;
use crate::resolver::vsphere::task;
use crate::resolver::vsphere::unreadable::{self, Unreadable};
use crate::vault::Hidden;

/// A vCenter whose task history is kept.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Vcenter {
    #[graphql(skip)]
    key: VcenterId,
    #[graphql(skip)]
    tenant_key: TenantId,
    /// As old clients name it: `vsphere_uuid`.
    uuid: String,
    /// Unique within its tenant.
    name: String,
    /// Where it answers.
    address: String,
    /// Who signs in.
    user: String,
    /// Whether it has a password.
    has_password: bool,
    /// By what its certificate is trusted.
    trust: VcenterTrust,
    /// The authorities' certificates in PEM, or the thumbprint.
    trusted: Option<String>,
    /// Whether its tasks are collected.
    collect: bool,
    /// For how many days after their end its tasks are kept; null: for good.
    keep_days: Option<i32>,
    /// Who registered it.
    creator: String,
    /// When it was registered.
    created_at: Instant,
    /// When it was last changed.
    updated_at: Instant,
}

#[ComplexObject]
impl Vcenter {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Vcenter", self.key)
    }

    /// Whose it is.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<Tenant>> {
        Ok(ctx.loaders().one(self.tenant_key).await?.map(Tenant::from))
    }

    /// How the collection of its tasks stands.
    async fn collection(&self, ctx: &Context<'_>) -> Result<Option<VcenterCollection>> {
        let stands = ctx.loaders().one(CollectionOf(self.key)).await?;
        Ok(stands.map(|stands| VcenterCollection::of(stands, self.collect)))
    }

    /// What it has or had at work just now, the newest first: what has not ended, what ended within ten minutes, and never
    /// fewer than the ten newest.
    #[graphql(complexity = "50 * child_complexity + 1")]
    async fn recent_tasks(
        &self,
        ctx: &Context<'_>,
        filter: Option<VsphereTaskFilterInput>,
    ) -> Result<Many<VsphereTask>> {
        let filter = self.filter(ctx, filter).await?;
        let rows = task::recent(ctx.request(), self.key, &filter).await?;
        Ok(rows.into_iter().map(VsphereTask::from).collect())
    }

    /// A page of its tasks by its number, from 1, the newest first. For clients that cannot keep a cursor; others ask for
    /// `vsphereTasks`.
    #[graphql(complexity = "usize::try_from(size.unwrap_or(USUAL)).unwrap_or(0) * child_complexity + 50")]
    async fn task_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 1)] number: Option<i32>,
        #[graphql(default_with = "Some(USUAL)")] size: Option<i32>,
        filter: Option<VsphereTaskFilterInput>,
    ) -> Result<VsphereTaskPage> {
        let (number, size) = (i64::from(number.unwrap_or(1)), i64::from(size.unwrap_or(USUAL)));
        let part = numbered(number, size, task::MOST.cast_signed())?;
        let filter = self.filter(ctx, filter).await?;
        let rows = task::page(ctx.request(), &filter, part).await?;
        let total = task::count(ctx.request(), &filter).await?;
        let nodes = rows.into_iter().map(VsphereTask::from).collect();
        Ok(VsphereTaskPage { nodes, total_count: BigInt(total.cast_signed()) })
    }

    /// What became of its tasks, by operation and day (in UTC, of queueing), from the one to before the other.
    #[graphql(complexity = "100 * child_complexity + 100")]
    async fn statistics(&self, ctx: &Context<'_>, from: Instant, to: Instant) -> Result<Many<VsphereStatistics>> {
        let days = task::statistics(ctx.request(), self.key, from.into(), to.into()).await?;
        Ok(days.into_iter().map(VsphereStatistics::from).collect())
    }
}

impl Vcenter {
    /// The filter, among its own tasks.
    async fn filter(
        &self,
        ctx: &Context<'_>,
        filter: Option<VsphereTaskFilterInput>,
    ) -> crate::error::Result<task::VsphereTaskFilter> {
        let mut filter = filter.unwrap_or_default();
        filter.vcenter_id = Some(id::encode("Vcenter", self.key));
        filter.decode(ctx.request()).await
    }
}

impl From<vcenter::Model> for Vcenter {
    fn from(row: vcenter::Model) -> Self {
        Self {
            key: row.id,
            tenant_key: row.tenant_id,
            uuid: row.uuid,
            name: row.name,
            address: row.address,
            user: row.username,
            has_password: row.sealed.is_some(),
            trust: row.trust.into(),
            trusted: row.trusted,
            collect: row.collect,
            keep_days: row.keep_days,
            creator: row.creator,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// How the collection of a vCenter's tasks stands.
#[derive(Clone, Debug, SimpleObject)]
pub struct VcenterCollection {
    /// Where it stands.
    state: CollectionState,
    /// Whether somebody has stopped it with `collect: false`.
    is_paused: bool,
    /// Since when, by Taskloom's clock.
    since: Instant,
    /// Why it does not go on: a word, such as `INVALID_LOGIN` or `UNTRUSTED`; `docs/vsphere.md` lists them.
    reason: Option<String>,
    /// The same in a sentence that names the remedy; while the history is read, how far that is.
    message: Option<String>,
    /// What the vCenter calls itself.
    product: Option<String>,
    /// When it answered last, by Taskloom's clock.
    seen_at: Option<Instant>,
    /// How much its clock is ahead of Taskloom's, in seconds.
    clock_offset: Option<f64>,
    /// How long the newest change took from there until it was on disk here, in seconds.
    lag: Option<f64>,
    /// When its history had been read back to its limit; null: not yet.
    history_read_at: Option<Instant>,
    /// How far its clock jumped when it last did, in seconds; below 0: it was set back. Null: it never did.
    clock_jump: Option<f64>,
    /// When that was noticed, by Taskloom's clock.
    clock_jumped_at: Option<Instant>,
    /// How many of its tasks were told in a way that could not be read.
    unreadable_count: BigInt,
    /// Those that still cannot be, the newest last; 100 at the most.
    unreadable: Many<UnreadableVsphereTask>,
}

/// A task of a vCenter that was told in a way that the vSphere API does not define. It is read again when it changes.
#[derive(Clone, Debug, SimpleObject)]
pub struct UnreadableVsphereTask {
    /// Its key there; empty where it has none.
    key: String,
    /// What is wrong with it.
    why: String,
    /// Whether it is kept without what could not be read; else nothing of what was told is.
    is_kept: bool,
}

impl VcenterCollection {
    fn of(row: vcenter_collection::Model, collects: bool) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "seconds of clocks need no more digits")]
        let seconds = |micros: i64| micros as f64 / 1e6;
        let unreadable = Unreadable::of(row.unreadable.as_ref());
        Self {
            state: row.state.into(),
            is_paused: !collects,
            since: row.since.into(),
            reason: row.reason,
            message: row.message,
            product: row.product,
            seen_at: row.seen_at.map(Into::into),
            clock_offset: row.clock_offset.map(seconds),
            lag: row.lag.map(seconds),
            history_read_at: row.read_at.map(Into::into),
            clock_jump: row.clock_jump.map(seconds),
            clock_jumped_at: row.clock_jumped_at.map(Into::into),
            unreadable_count: BigInt(unreadable.count().cast_signed()),
            unreadable: unreadable.into_tasks().map(UnreadableVsphereTask::from).collect(),
        }
    }
}

impl From<unreadable::UnreadableTask> for UnreadableVsphereTask {
    fn from(task: unreadable::UnreadableTask) -> Self {
        Self { key: task.key, why: task.why, is_kept: task.is_kept }
    }
}

/// The vCenter of an id.
///
/// # Errors
/// `INVALID_ID`.
pub(super) fn key(id: &ID) -> crate::error::Result<VcenterId> {
    id::decode("Vcenter", id).map(VcenterId)
}

const LIST: OrderedList = OrderedList::by_id("vcenters");

/// What a page of vCenters says beside its edges.
#[derive(Debug)]
pub struct VcenterTotal;

#[Object]
impl VcenterTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::vcenter::count(ctx.request()).await?.cast_signed()))
    }
}

/// Reads vCenters.
#[derive(Debug, Default)]
pub struct VcenterQuery;

#[Object]
impl VcenterQuery {
    /// The caller's vCenters without their passwords, the oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn vcenters(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Paged<ListRow<Vcenter>, VcenterTotal>> {
        let page = LIST.page(&Args { first, after, last, before })?;
        let rows = resolver::vcenter::list(ctx.request(), page).await?;
        Ok(connection_with(rows, VcenterTotal, |row| (LIST.cursor(row.id.0), ListRow(row.into()))))
    }

    /// One vCenter, as old clients name it.
    async fn vcenter(&self, ctx: &Context<'_>, uuid: String) -> Result<Option<Vcenter>> {
        Ok(Some(resolver::vcenter::get_by_uuid(ctx.request(), &uuid).await?.into()))
    }
}

/// What a vCenter is to be. An existing one of this name is changed as a whole; only its password stays.
#[derive(InputObject)]
pub struct PutVcenterInput {
    /// Unique within its tenant.
    name: String,
    /// As old clients name it; left out: it stays, or one is made up.
    uuid: Option<String>,
    /// A host, `host:port` or an https address.
    address: String,
    /// Who signs in. Reading needs the role `Read-only` at the root with `System.View` and `System.Read`.
    user: String,
    /// Left out: it stays. With another address or trust it must be given again. Send it as a variable, not within the
    /// document.
    password: Option<String>,
    /// By what its certificate is trusted.
    #[graphql(default_with = "Some(VcenterTrust::System)")]
    trust: Option<VcenterTrust>,
    /// For `CA` the authorities' certificates in PEM, for `THUMBPRINT` the certificate's SHA-256 thumbprint.
    trusted: Option<String>,
    /// Whether its tasks are collected.
    #[graphql(default_with = "Some(true)")]
    collect: Option<bool>,
    /// For how many days after their end its tasks are kept; left out: for good.
    keep_days: Option<i32>,
    /// Whose it is; left out: the caller's own tenant's.
    tenant_id: Option<ID>,
}

impl PutVcenterInput {
    fn decode(self) -> crate::error::Result<NewVcenter> {
        Ok(NewVcenter {
            tenant: self.tenant_id.as_ref().map(tenant::key).transpose()?,
            name: self.name,
            uuid: self.uuid,
            address: self.address,
            user: self.user,
            password: self.password.map(Hidden::new),
            trust: self.trust.unwrap_or(VcenterTrust::System).into(),
            trusted: self.trusted,
            collect: self.collect.unwrap_or(true),
            keep_days: self.keep_days,
        })
    }
}

/// A server to look at.
#[derive(InputObject)]
pub struct TestVcenterInput {
    /// A host, `host:port` or an https address.
    address: String,
    /// Who signs in; left out: nobody tries.
    user: Option<String>,
    /// The password; it is sent only when the certificate is trusted. Send it as a variable, not within the document.
    password: Option<String>,
    /// By what its certificate is trusted.
    #[graphql(default_with = "Some(VcenterTrust::System)")]
    trust: Option<VcenterTrust>,
    /// For `CA` the authorities' certificates in PEM, for `THUMBPRINT` the certificate's SHA-256 thumbprint.
    trusted: Option<String>,
}

/// Which vCenter.
#[derive(Debug, InputObject)]
pub struct DeleteVcenterInput {
    /// Its id.
    id: ID,
    /// Deletes the history of its tasks, too; without it a vCenter with a history is not deleted.
    #[graphql(default_with = "Some(false)")]
    with_history: Option<bool>,
}

shows_one! {
    vcenter: Vcenter, of vcenter::Model:
    /// The vCenter that was removed.
    DeleteVcenterPayload
}

/// What was changed, or would be.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub struct PutVcenterPayload {
    #[graphql(skip)]
    tenant_key: TenantId,
    /// As it is kept; null: it is new, and this was only a question.
    vcenter: Option<Vcenter>,
    /// The fields that changed, as the input names them; `name`: it is new; none: it was as it was to be.
    changes: Vec<&'static str>,
}

#[ComplexObject]
impl PutVcenterPayload {
    /// Whose it is, or would be.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<Tenant>> {
        Ok(ctx.loaders().one(self.tenant_key).await?.map(Tenant::from))
    }
}

/// What a look at a server found.
#[derive(Debug, SimpleObject)]
pub struct TestVcenterPayload {
    /// Whether it can be collected from: it is a vCenter, it is trusted, and the user, if given, could sign in.
    ok: bool,
    /// The SHA-256 thumbprint of the certificate that it shows. Compare it with the one that the vCenter's own
    /// administrators give before you pin it.
    thumbprint: Option<String>,
    /// Whether its certificate is trusted as was said.
    trusted: bool,
    /// The end of its certificate's time.
    expires_at: Option<Instant>,
    /// What it calls itself, with its version.
    product: Option<String>,
    /// The newest version of the API that it speaks.
    api_version: Option<String>,
    /// The identity that it gives itself.
    instance_uuid: Option<String>,
    /// Whether the user could sign in; null: nobody tried.
    signed_in: Option<bool>,
    /// Why it cannot be used: a word, such as `UNTRUSTED`.
    reason: Option<&'static str>,
    /// The same in a sentence that names the remedy.
    message: Option<String>,
}

/// Changes vCenters.
#[derive(Debug, Default)]
pub struct VcenterMutation;

#[Object]
impl VcenterMutation {
    /// Registers a vCenter, or changes the one of this name. The same again changes nothing. With `dryRun` nothing is
    /// written: it says what would change.
    async fn put_vcenter(
        &self,
        ctx: &Context<'_>,
        input: PutVcenterInput,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<PutVcenterPayload> {
        let put = resolver::vcenter::put(ctx.request(), input.decode()?, dry_run.unwrap_or_default()).await?;
        Ok(PutVcenterPayload {
            tenant_key: put.tenant_id,
            vcenter: put.vcenter.map(Vcenter::from),
            changes: put.changes,
        })
    }

    /// Removes a vCenter.
    async fn delete_vcenter(&self, ctx: &Context<'_>, input: DeleteVcenterInput) -> Result<DeleteVcenterPayload> {
        let with_history = input.with_history.unwrap_or_default();
        Ok(resolver::vcenter::delete(ctx.request(), key(&input.id)?, with_history).await?.into())
    }

    /// Looks at a server before it is registered: its certificate, what it says it is, and whether the user can sign in.
    async fn test_vcenter(&self, ctx: &Context<'_>, input: TestVcenterInput) -> Result<TestVcenterPayload> {
        let new = NewVcenter {
            tenant: None,
            name: input.address.clone(),
            uuid: None,
            address: input.address,
            user: input.user.unwrap_or_default(),
            password: input.password.map(Hidden::new),
            trust: input.trust.unwrap_or(VcenterTrust::System).into(),
            trusted: input.trusted,
            collect: false,
            keep_days: None,
        };
        let look = resolver::vcenter::test(ctx.request(), new).await?;
        let (reason, message) = look.trouble.unzip();
        Ok(TestVcenterPayload {
            ok: reason.is_none(),
            thumbprint: look.thumbprint,
            trusted: look.trusted,
            expires_at: look.expires_at.map(Instant),
            product: look.product,
            api_version: look.api_version,
            instance_uuid: look.instance_uuid,
            signed_in: look.signed_in,
            reason,
            message,
        })
    }
}
