//! The audit log: who did what, and what was refused.
//!
//! A change and its row are one transaction ([`change`]). A refusal's row has one of its own, since the change's is
//! rolled back; a row that cannot be written then is logged, and the caller gets the refusal all the same.

use std::fmt::Display;

use serde::Serialize;
use taskloom_entity::audit::Model;
use taskloom_entity::{AuditId, JsonText, Role, TenantId};

use super::Request;
use crate::auth::{Scope, Via};
use crate::error::{Error, Kind, Result, code};
use crate::store::audit::NewAuditEntry;
use crate::store::page::{Page, Slice};
use crate::store::{self, Tx};
use crate::text::Text;

pub use crate::store::audit::AuditFilter;

/// An act on its way into the log.
#[derive(Clone, Debug)]
pub struct Act {
    /// `subtask.retry`: the verb's name everywhere.
    action: &'static str,
    /// `subtask:12`.
    object: String,
    tenant_id: Option<TenantId>,
    detail: Option<JsonText>,
    came_to_nothing: bool,
}

/// Bytes of the name of an object that are kept: it may come from a stranger.
const LONGEST_OBJECT: usize = 256;

impl Act {
    /// `action` on `object`.
    #[must_use]
    pub fn new(action: &'static str, object: impl Display) -> Self {
        Self { action, object: object.to_string(), tenant_id: None, detail: None, came_to_nothing: false }
    }

    /// Of this tenant; without it, the installation's.
    #[must_use]
    pub fn of(mut self, tenant: TenantId) -> Self {
        self.tenant_id = Some(tenant);
        self
    }

    /// With what is worth knowing beside. Never a secret.
    #[must_use]
    pub fn with<T: Serialize + ?Sized>(mut self, detail: &T) -> Self {
        self.detail = Some(JsonText::of(detail));
        self
    }

    /// Names the object by its id, once it has one.
    pub fn on(&mut self, object: impl Display) {
        self.object = object.to_string();
    }

    /// Nothing was to be changed: no row tells of it.
    pub fn comes_to_nothing(&mut self) {
        self.came_to_nothing = true;
    }

    pub(super) fn entry(&self, request: &Request, code: Option<&'static str>) -> NewAuditEntry {
        NewAuditEntry {
            at: request.clock.now(),
            tenant_id: self.tenant_id,
            user_id: request.principal.user_id(),
            actor: request.principal.name(),
            action: self.action,
            object: Text::cut(&self.object, LONGEST_OBJECT).into_string(),
            code,
            detail: self.detail.clone(),
            request_id: request.id.to_string(),
            address: request.address,
            token_id: match request.principal.via() {
                Via::Token(id) => Some(*id),
                Via::Nothing | Via::Password | Via::Session(_) => None,
            },
        }
    }
}

/// The scope of a caller who has at least `role`; a refusal is recorded.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`.
pub async fn permit<'a>(request: &'a Request, role: Role, act: &Act) -> Result<&'a Scope> {
    match request.principal.require(role) {
        Ok(scope) => Ok(scope),
        Err(error) => Err(refuse(request, act, error).await),
    }
}

/// One transaction: what `work` writes, and the row that tells of it. What `work` refuses is recorded.
///
/// # Errors
/// Those of `work`; when the database does not answer.
pub async fn change<T>(
    request: &Request,
    mut act: Act,
    work: impl AsyncFnOnce(&Tx, &mut Act) -> Result<T>,
) -> Result<T> {
    let tx = request.store.begin().await?;
    match work(&tx, &mut act).await {
        Ok(value) => {
            if !act.came_to_nothing {
                record(&tx, request, &act).await?;
            }
            store::commit(tx).await?;
            Ok(value)
        }
        Err(error) => {
            // Before the refusal's own: on SQLite there is one writer, and this one would wait for itself.
            tx.rollback().await?;
            Err(refuse(request, &act, error).await)
        }
    }
}

/// Adds the row of what was done, in its transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn record(tx: &Tx, request: &Request, act: &Act) -> Result<()> {
    store::audit::record(tx, act.entry(request, None)).await.map(drop)
}

/// Records a refusal and gives it back. What is no refusal (a fault of the input, a busy database) is not recorded.
pub async fn refuse(request: &Request, act: &Act, error: Error) -> Error {
    let is_refusal = match error.code().kind {
        Kind::Unauthenticated | Kind::Forbidden | Kind::NotFound | Kind::Conflict => true,
        Kind::Invalid | Kind::Limit | Kind::Unavailable | Kind::Internal => false,
    };
    let is_flood = error.code() == &code::UNAUTHENTICATED && !request.gate.admit_stranger(request.address);
    if is_flood {
        tracing::warn!(action = act.action, object = act.object, refused = %error, "too many refusals of strangers to record this one");
    } else if is_refusal {
        let written = async {
            let tx = request.store.begin().await?;
            store::audit::record(&tx, act.entry(request, Some(error.code().name))).await?;
            store::commit(tx).await
        };
        if let Err(failed) = written.await {
            tracing::warn!(action = act.action, object = act.object, refused = %error, ?failed, "a refusal could not be recorded");
        }
    }
    error
}

/// A page of the log, newest first.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "audit.list", skip_all)]
pub async fn list(request: &Request, filter: &AuditFilter, page: Page) -> Result<Slice<Model>> {
    request.reads(Role::Admin, "audit.list")?;
    store::audit::list(request.store.read(), filter, page).await
}

/// How many rows such a list has.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
pub async fn count(request: &Request, filter: &AuditFilter) -> Result<u64> {
    request.reads(Role::Admin, "audit.count")?;
    store::audit::count(request.store.read(), filter).await
}

/// The row of this id.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
pub async fn find(request: &Request, id: AuditId) -> Result<Option<Model>> {
    request.reads(Role::Admin, "audit.find")?;
    store::audit::find(request.store.read(), id).await
}
