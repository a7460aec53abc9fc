//! Users: administrators make and change them; everybody may change the own password, and sees those who share a
//! tenant.
//!
//! The invariant: there is always an administrator who is not disabled. What is known of a changed user is forgotten
//! behind the commit, so the change counts for its next request.

use std::collections::HashMap;

use serde_json::json;
use taskloom_entity::user::Model;
use taskloom_entity::{Role, TenantId, UserId, tenant};

use super::audit::{self, Act};
use super::{Request, name};
use crate::auth::{Scope, Via, password};
use crate::error::{Error, Result, code};
use crate::store::page::{Page, Slice};
use crate::store::{self, Changed, Tx};

pub use crate::store::user::UserFilter;

/// What a new user is made of.
#[derive(Clone)]
pub struct NewUser {
    /// Unique.
    pub name: String,
    /// None: signs in by tokens only.
    pub password: Option<String>,
    /// How much it may do.
    pub role: Role,
    /// What it belongs to; none given: the maker's own tenant.
    pub tenants: Option<Vec<TenantId>>,
}

/// Makes a user.
///
/// # Errors
/// `NAME_TAKEN`, `TENANT_NOT_FOUND`, `INVALID_INPUT`.
#[tracing::instrument(name = "user.create", skip_all)]
pub async fn create(request: &Request, new: NewUser) -> Result<Model> {
    let act = Act::new("user.create", format!("user:{}", new.name)).with(&json!({"name": new.name, "role": new.role}));
    audit::permit(request, Role::Admin, &act).await?;
    name::check("name", &new.name)?;
    let password_hash = match &new.password {
        None => None,
        Some(chosen) => {
            password::check(chosen)?;
            Some(request.gate.passwords().hash(chosen).await?)
        }
    };
    let tenants = new.tenants.unwrap_or_else(|| request.principal.home().into_iter().collect());
    audit::change(request, act, async |tx, act| {
        let row = store::user::NewUserRow { name: &new.name, password_hash, role: new.role };
        let user = store::user::insert(tx, row, request.clock.now()).await?;
        for id in tenants {
            store::tenant::get(tx, &Scope::All, id).await?;
            let (Changed::Yes | Changed::Stale) = store::tenant::add(tx, id, user.id).await?;
        }
        act.on(format_args!("user:{}", user.id));
        Ok(user)
    })
    .await
}

/// Changes a password and ends the user's other sessions; its tokens stay. Who changes the own one proves the
/// present one, whatever else was sent: a token must not become a password.
///
/// # Errors
/// `BAD_CREDENTIALS` when `current` is wrong, `USER_NOT_FOUND`, `INVALID_INPUT`.
#[tracing::instrument(name = "user.setPassword", skip_all, fields(%id))]
pub async fn set_password(request: &Request, id: UserId, current: Option<&str>, chosen: &str) -> Result<Model> {
    let act = on("user.setPassword", id);
    let is_own = request.principal.user_id() == Some(id);
    let role = if is_own { Role::Viewer } else { Role::Admin };
    audit::permit(request, role, &act).await?;
    let proved = match is_own {
        true => {
            let name = request.principal.name();
            match request.gate.prove(&name, current.unwrap_or_default(), request.address).await {
                Ok(user) => Some(user),
                Err(error) => return Err(audit::refuse(request, &act, error).await),
            }
        }
        false => None,
    };
    password::check(chosen)?;
    let hash = request.gate.passwords().hash(chosen).await?;
    let this_session = match request.principal.via() {
        Via::Session(digest) => Some(digest.as_ref()),
        Via::Nothing | Via::Password | Via::Token(_) => None,
    };
    let user = audit::change(request, act, async |tx, _| {
        if let Some(proved) = &proved {
            still(&store::user::hold(tx, id).await?, proved)?;
        }
        exists(store::user::set_password(tx, id, &hash).await?, id)?;
        store::session::delete_of(tx, id, this_session).await?;
        store::user::get(tx, &Scope::All, id).await
    })
    .await?;
    request.gate.forget(id);
    Ok(user)
}

/// Changes a role.
///
/// # Errors
/// `LAST_ADMIN`, `USER_NOT_FOUND`.
#[tracing::instrument(name = "user.setRole", skip_all, fields(%id, %role))]
pub async fn set_role(request: &Request, id: UserId, role: Role) -> Result<Model> {
    let act = on("user.setRole", id).with(&json!({"role": role}));
    change(request, id, act, async |tx, user| {
        if role != Role::Admin {
            keep_an_admin(tx, user).await?;
        }
        exists(store::user::set_role(tx, id, role).await?, id)
    })
    .await
}

/// Disables a user: nothing signs it in any more, and its sessions end. Its tokens work again when it is enabled.
///
/// # Errors
/// `LAST_ADMIN`, `USER_NOT_FOUND`.
#[tracing::instrument(name = "user.disable", skip_all, fields(%id))]
pub async fn disable(request: &Request, id: UserId) -> Result<Model> {
    change(request, id, on("user.disable", id), async |tx, user| {
        keep_an_admin(tx, user).await?;
        exists(store::user::set_disabled(tx, id, true).await?, id)?;
        // Behind that: who signs in meanwhile either has a session by now, or finds the user disabled.
        store::session::delete_of(tx, id, None).await?;
        Ok(())
    })
    .await
}

/// Enables a user again.
///
/// # Errors
/// `USER_NOT_FOUND`.
#[tracing::instrument(name = "user.enable", skip_all, fields(%id))]
pub async fn enable(request: &Request, id: UserId) -> Result<Model> {
    change(request, id, on("user.enable", id), async |tx, _| {
        exists(store::user::set_disabled(tx, id, false).await?, id)
    })
    .await
}

/// Deletes a user with its tokens and sessions, and gives back what it was. What it did stays under its name.
///
/// # Errors
/// `LAST_ADMIN`, `USER_NOT_FOUND`.
#[tracing::instrument(name = "user.delete", skip_all, fields(%id))]
pub async fn delete(request: &Request, id: UserId) -> Result<Model> {
    let act = on("user.delete", id);
    audit::permit(request, Role::Admin, &act).await?;
    let user = audit::change(request, act, async |tx, act| {
        let user = store::user::get(tx, &Scope::All, id).await?;
        *act = act.clone().with(&json!({"name": user.name}));
        keep_an_admin(tx, &user).await?;
        exists(store::user::delete(tx, id).await?, id)?;
        Ok(user)
    })
    .await?;
    request.gate.forget(id);
    Ok(user)
}

/// The user of this id: the own one, or one who shares a tenant.
///
/// # Errors
/// `USER_NOT_FOUND`, also for one of other tenants.
pub async fn get(request: &Request, id: UserId) -> Result<Model> {
    let scope = request.reads(Role::Viewer, "user.get")?;
    let own = request.principal.user_id() == Some(id);
    store::user::get(request.store.read(), if own { &Scope::All } else { scope }, id).await
}

/// The user of this name: the own one, or one who shares a tenant.
///
/// # Errors
/// `USER_NOT_FOUND`, also for one of other tenants.
pub async fn get_by_name(request: &Request, name: &str) -> Result<Model> {
    request.reads(Role::Viewer, "user.get_by_name")?;
    let unknown = || Error::new(&code::USER_NOT_FOUND).with("id", name);
    let user = store::user::find_by_name(request.store.read(), name).await?.ok_or_else(unknown)?;
    get(request, user.id).await.map_err(|error| if error.code() == &code::USER_NOT_FOUND { unknown() } else { error })
}

/// A page of the users who share a tenant with the caller, oldest first.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "user.list", skip_all)]
pub async fn list(request: &Request, filter: &UserFilter, page: Page) -> Result<Slice<Model>> {
    let scope = request.reads(Role::Viewer, "user.list")?;
    store::user::list(request.store.read(), scope, filter, page).await
}

/// How many users such a list has.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request, filter: &UserFilter) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "user.count")?;
    store::user::count(request.store.read(), scope, filter).await
}

/// Those of these users who share a tenant with the caller, and the caller; for fields that lead to many.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn many(request: &Request, ids: &[UserId]) -> Result<Vec<Model>> {
    let scope = request.reads(Role::Viewer, "user.many")?;
    let mut users = store::user::many(request.store.read(), scope, ids).await?;
    if let Some(own) = request.principal.user_id()
        && ids.contains(&own)
        && !users.iter().any(|user| user.id == own)
    {
        users.push(get(request, own).await?);
    }
    Ok(users)
}

/// The tenants of each of these users that the caller may see, by name.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn tenants(request: &Request, ids: &[UserId]) -> Result<HashMap<UserId, Vec<tenant::Model>>> {
    let scope = request.reads(Role::Viewer, "user.tenants")?;
    store::tenant::of_users(request.store.read(), scope, ids).await
}

/// The shape of every verb of an administrator on one user.
async fn change(
    request: &Request,
    id: UserId,
    act: Act,
    work: impl AsyncFnOnce(&Tx, &Model) -> Result<()>,
) -> Result<Model> {
    audit::permit(request, Role::Admin, &act).await?;
    let user = audit::change(request, act, async |tx, _| {
        work(tx, &store::user::get(tx, &Scope::All, id).await?).await?;
        store::user::get(tx, &Scope::All, id).await
    })
    .await?;
    request.gate.forget(id);
    Ok(user)
}

fn on(action: &'static str, id: UserId) -> Act {
    Act::new(action, format_args!("user:{id}"))
}

/// Refuses to go on without `user` when it is the only administrator left.
async fn keep_an_admin(tx: &Tx, user: &Model) -> Result<()> {
    let admins = store::user::lock_admins(tx).await?;
    if admins == [user.id] { Err(Error::new(&code::LAST_ADMIN).with("name", &user.name)) } else { Ok(()) }
}

/// Refuses what rests on a proof that counts no more: the password was changed since, or the user disabled.
pub(super) fn still(user: &Model, proved: &Model) -> Result<()> {
    match user.password_hash == proved.password_hash && !user.disabled {
        true => Ok(()),
        false => Err(Error::new(&code::BAD_CREDENTIALS)),
    }
}

fn exists(changed: Changed, id: UserId) -> Result<()> {
    match changed {
        Changed::Yes => Ok(()),
        Changed::Stale => Err(Error::new(&code::USER_NOT_FOUND).with("id", id)),
    }
}
