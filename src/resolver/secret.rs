//! Secrets: administrators give them values, which nobody is shown again; subtasks name them.

use serde_json::json;
use taskloom_entity::secret::Model;
use taskloom_entity::{Role, SecretId, TenantId};

use super::Request;
use super::audit::{self, Act};
use crate::error::{Error, Result, code};
use crate::store::page::{Page, Slice};
use crate::store::{self, secret::NewSecret};
use crate::vault::{Hidden, VaultError};

/// The longest value, in bytes: a chain of certificates, not a file.
const LONGEST: usize = 64 * 1024;
/// A shorter value would be found everywhere in a log, and tell itself by the gaps.
const SHORTEST: usize = 4;

/// Gives the secret of this name its value, and makes it where there is none.
///
/// # Errors
/// `INVALID_INPUT`, `TENANT_NOT_FOUND`, `KEY_NOT_USABLE`.
#[tracing::instrument(name = "secret.put", skip_all)]
pub async fn put(request: &Request, tenant: Option<TenantId>, name: &str, value: &Hidden) -> Result<Model> {
    let act = Act::new("secret.put", "secret");
    audit::permit(request, Role::Admin, &act).await?;
    check(name, value)?;
    let tenant_id = super::tenant::named_or_home(request, tenant).await?;
    let act = act.of(tenant_id).with(&json!({"name": name}));
    let new = NewSecret { tenant_id, name, creator: request.principal.name() };
    audit::change(request, act, async |tx, act| {
        // Two who make it at the same time take turns.
        store::tenant::lock(tx, tenant_id).await?;
        let seal = |place| request.vault.seal(place, value.expose().as_bytes()).map_err(refused);
        let kept = store::secret::put(tx, new, request.clock.now(), seal).await?;
        act.on(format_args!("secret:{}", kept.id));
        Ok(kept)
    })
    .await
}

/// Removes a secret; subtasks that name it fail from then on. As it was.
///
/// # Errors
/// `SECRET_NOT_FOUND`.
#[tracing::instrument(name = "secret.delete", skip_all, fields(%id))]
pub async fn delete(request: &Request, id: SecretId) -> Result<Model> {
    let act = Act::new("secret.delete", format_args!("secret:{id}"));
    let scope = audit::permit(request, Role::Admin, &act).await?;
    audit::change(request, act, async |tx, act| {
        let kept = store::secret::lock(tx, scope, id).await?;
        store::secret::delete(tx, id).await?;
        *act = act.clone().of(kept.tenant_id).with(&json!({"name": kept.name}));
        Ok(kept)
    })
    .await
}

/// The secret of this id, without its value.
///
/// # Errors
/// `SECRET_NOT_FOUND`, `FORBIDDEN` for all but administrators.
pub async fn get(request: &Request, id: SecretId) -> Result<Model> {
    let scope = request.reads(Role::Admin, "secret.get")?;
    store::secret::get(request.store.read(), scope, id).await
}

/// A page of the secrets, without their values, oldest first.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "secret.list", skip_all)]
pub async fn list(request: &Request, page: Page) -> Result<Slice<Model>> {
    let scope = request.reads(Role::Admin, "secret.list")?;
    store::secret::list(request.store.read(), scope, page).await
}

/// How many there are.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
pub async fn count(request: &Request) -> Result<u64> {
    let scope = request.reads(Role::Admin, "secret.count")?;
    store::secret::count(request.store.read(), scope).await
}

/// What the vault refuses, as callers see it.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn refused(error: VaultError) -> Error {
    Error::new(&code::KEY_NOT_USABLE).with("reason", error.to_string())
}

fn check(name: &str, value: &Hidden) -> Result<()> {
    let refuse = |what: &str, reason: String| {
        Err(Error::new(&code::INVALID_INPUT).with("what", format!("`{what}`")).with("reason", reason))
    };
    if !crate::task::spec::is_secret_name(name) {
        return refuse("name", crate::task::spec::SECRET_NAME.to_owned());
    }
    let length = value.expose().len();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return refuse("value", format!("{SHORTEST} to {LONGEST} bytes are possible"));
    }
    if value.expose().contains('\0') {
        return refuse("value", "no environment can carry a NUL byte".to_owned());
    }
    Ok(())
}
