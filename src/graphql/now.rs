//! When a request began, and who sent it.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::context::Has;
use super::event::EVENTS;
use super::loader::TenantsOf;
use super::tenant::Tenant;
use super::user::{Role, User};
use super::vsphere::EVENTS as VSPHERE_EVENTS;
use crate::gql::many::Many;
use crate::gql::scalar::Instant;
use crate::resolver;
use crate::resolver::now;

/// When this request began; read before everything else of it.
#[derive(Debug, SimpleObject)]
pub struct Now {
    /// The instant, by the server's clock.
    time: Instant,
    /// The place of now for `taskChanged` and `taskProgress`: with it as `after` they tell everything that this answer
    /// does not show yet.
    cursor: String,
    /// The same for `vsphereTaskChanged`.
    vsphere_cursor: String,
    /// The zone that dialects and schedules go by where nothing else is said, by its IANA name.
    time_zone: String,
    /// The release that answers.
    version: &'static str,
}

/// Who sent this request, and what it may do.
#[derive(Debug, SimpleObject)]
pub struct Viewer {
    /// The user; null for a guest.
    user: Option<User>,
    /// What it may do with these credentials: a token may let in with less than its user's role.
    role: Role,
    /// The tenants it belongs to. An ADMIN sees the others, too.
    tenants: Many<Tenant>,
}

/// About the request itself.
#[derive(Debug, Default)]
pub struct NowQuery;

/// About the request itself.
#[Object]
impl NowQuery {
    /// When this request began, wherever this field stands in it.
    async fn now(&self, ctx: &Context<'_>) -> Result<Now> {
        ctx.request().reads(taskloom_entity::Role::Viewer, "now.read")?;
        let now = ctx.data::<now::RequestStart>().expect("invariant: the guard says of each operation when it began");
        Ok(Now {
            time: now.time.into(),
            cursor: EVENTS.cursor(now.event.0),
            vsphere_cursor: VSPHERE_EVENTS.cursor(now.vsphere_event.0),
            time_zone: ctx.request().time_zone.clone(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// Who sent this request, and what it may do; null when nobody signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<Viewer>> {
        let principal = &ctx.request().principal;
        let Some(role) = principal.role() else { return Ok(None) };
        let tenants = match principal.user_id() {
            Some(user) => ctx.loaders().one(TenantsOf(user)).await?.unwrap_or_default(),
            None => match principal.home() {
                Some(home) => vec![resolver::tenant::get(ctx.request(), home).await?],
                None => vec![],
            },
        };
        Ok(Some(Viewer {
            user: resolver::session::me(ctx.request()).await?.map(User::from),
            role: role.into(),
            tenants: tenants.into_iter().map(Tenant::from).collect(),
        }))
    }
}
