//! Tenants and their members: administrators make and change them; everybody sees the own ones.

use serde_json::json;
use taskloom_entity::tenant::Model;
use taskloom_entity::{Role, TenantId, UserId};

use super::audit::{self, Act};
use super::{Request, name};
use crate::auth::Scope;
use crate::error::{Error, Result, code};
use crate::store::page::{Page, Slice};
use crate::store::{self, Changed, Tx};

/// Makes a tenant.
///
/// # Errors
/// `NAME_TAKEN`, `INVALID_INPUT`.
#[tracing::instrument(name = "tenant.create", skip_all)]
pub async fn create(request: &Request, name: &str) -> Result<Model> {
    let act = Act::new("tenant.create", format_args!("tenant:{name}")).with(&json!({"name": name}));
    audit::permit(request, Role::Admin, &act).await?;
    name::check("name", name)?;
    audit::change(request, act, async |tx, act| {
        let tenant = store::tenant::insert(tx, name, request.clock.now()).await?;
        act.on(format_args!("tenant:{}", tenant.id));
        Ok(tenant)
    })
    .await
}

/// Makes a user a member; one who is already stays one.
///
/// # Errors
/// `TENANT_NOT_FOUND`, `USER_NOT_FOUND`.
#[tracing::instrument(name = "tenant.addMember", skip_all, fields(%id, %user))]
pub async fn add_member(request: &Request, id: TenantId, user: UserId) -> Result<Model> {
    let act = Act::new("tenant.addMember", format_args!("tenant:{id}"));
    change_members(request, (id, user), act, async |tx| store::tenant::add(tx, id, user).await).await
}

/// Ends a membership; one who is no member stays none.
///
/// # Errors
/// `TENANT_NOT_FOUND`, `USER_NOT_FOUND`.
#[tracing::instrument(name = "tenant.removeMember", skip_all, fields(%id, %user))]
pub async fn remove_member(request: &Request, id: TenantId, user: UserId) -> Result<Model> {
    let act = Act::new("tenant.removeMember", format_args!("tenant:{id}"));
    change_members(request, (id, user), act, async |tx| store::tenant::remove(tx, id, user).await).await
}

/// The tenant of this id.
///
/// # Errors
/// `TENANT_NOT_FOUND`, also for one the caller does not belong to.
pub async fn get(request: &Request, id: TenantId) -> Result<Model> {
    let scope = request.reads(Role::Viewer, "tenant.get")?;
    store::tenant::get(request.store.read(), scope, id).await
}

/// The tenant that owns something new: the one that was named, or the caller's own.
///
/// # Errors
/// `TENANT_NOT_FOUND`; `INVALID_INPUT` when none is named and the caller belongs to none.
pub(super) async fn named_or_home(request: &Request, named: Option<TenantId>) -> Result<TenantId> {
    match named {
        Some(id) => Ok(get(request, id).await?.id),
        None => request.principal.home().ok_or_else(|| {
            Error::new(&code::INVALID_INPUT)
                .with("what", "`tenantId`")
                .with("reason", "you belong to no tenant: name one")
        }),
    }
}

/// A page of the caller's tenants, oldest first.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "tenant.list", skip_all)]
pub async fn list(request: &Request, page: Page) -> Result<Slice<Model>> {
    let scope = request.reads(Role::Viewer, "tenant.list")?;
    store::tenant::list(request.store.read(), scope, page).await
}

/// How many tenants such a list has.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "tenant.count")?;
    store::tenant::count(request.store.read(), scope).await
}

async fn change_members(
    request: &Request,
    (id, user): (TenantId, UserId),
    act: Act,
    work: impl AsyncFnOnce(&Tx) -> Result<Changed>,
) -> Result<Model> {
    let act = act.with(&json!({"user": user}));
    audit::permit(request, Role::Admin, &act).await?;
    let tenant = audit::change(request, act, async |tx, _| {
        let tenant = store::tenant::get(tx, &Scope::All, id).await?;
        store::user::hold(tx, user).await?;
        let (Changed::Yes | Changed::Stale) = work(tx).await?;
        Ok(tenant)
    })
    .await?;
    request.gate.forget(user);
    Ok(tenant)
}
