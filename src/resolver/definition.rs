//! Definitions: kept with their versions. Saving one that is unchanged makes no new version.

use serde_json::json;
use taskloom_entity::definition::Model;
use taskloom_entity::{DefinitionId, JsonText, Role, TenantId};

use super::Request;
use super::audit::{self, Act};
use super::task::submit::{SubmissionSource, invalid, role_to_write};
use crate::error::{Error, Result, code};
pub use crate::store::definition::DefinitionRow;
use crate::store::page::{Page, Slice};
use crate::store::{self, definition::NewDefinition};
use crate::task::spec;

/// Keeps a definition as the newest version of its name.
///
/// # Errors
/// `FORBIDDEN`, `INVALID_SPEC`, `TENANT_NOT_FOUND`.
#[tracing::instrument(name = "definition.save", skip_all)]
pub async fn save(request: &Request, source: SubmissionSource, tenant: Option<TenantId>) -> Result<Model> {
    let act = Act::new("definition.save", "definition");
    audit::permit(request, Role::Manager, &act).await?;
    let refused = |faults| invalid(&code::INVALID_SPEC, faults);
    let definition = match source {
        SubmissionSource::Spec(value) => spec::read(value).map_err(refused)?,
        SubmissionSource::Text(text) => spec::parse(&text).map_err(refused)?,
        SubmissionSource::Definition(id) => get(request, id).await?.spec.parse().map_err(Error::internal)?,
        SubmissionSource::Named(name) => {
            get_by_name(request, &name, None).await?.spec.parse().map_err(Error::internal)?
        }
    };
    audit::permit(request, role_to_write(&definition), &act).await?;
    let tenant_id = super::tenant::named_or_home(request, tenant).await?;
    let row = NewDefinition {
        tenant_id,
        name: definition.name.clone(),
        spec: JsonText::of(&definition),
        creator: request.principal.name(),
        now: request.clock.now(),
    };
    let act = act.of(tenant_id).with(&json!({"name": row.name}));
    audit::change(request, act, async |tx, act| {
        // Two who save at the same time make two versions.
        store::tenant::lock(tx, tenant_id).await?;
        let kept = store::definition::save(tx, row).await?;
        act.on(format_args!("definition:{}", kept.id));
        Ok(kept)
    })
    .await
}

/// Takes a definition with all versions out of use, and gives back its newest. Tasks of it stay.
///
/// # Errors
/// `DEFINITION_NOT_FOUND`.
#[tracing::instrument(name = "definition.delete", skip_all, fields(%id))]
pub async fn delete(request: &Request, id: DefinitionId) -> Result<Model> {
    let act = Act::new("definition.delete", format_args!("definition:{id}"));
    let scope = audit::permit(request, Role::Manager, &act).await?;
    audit::change(request, act, async |tx, _| {
        let kept = store::definition::find(tx, scope, id).await?.ok_or_else(|| not_found(id))?;
        store::tenant::lock(tx, kept.tenant_id).await?;
        let kept = store::definition::find(tx, scope, id).await?.ok_or_else(|| not_found(id))?;
        store::definition::delete(tx, &kept, request.clock.now()).await?;
        Ok(kept)
    })
    .await
}

/// One version, by its id.
///
/// # Errors
/// `DEFINITION_NOT_FOUND`, also for one of other tenants.
#[tracing::instrument(name = "definition.get", skip_all, fields(%id))]
pub async fn get(request: &Request, id: DefinitionId) -> Result<Model> {
    let scope = request.reads(Role::Viewer, "definition.get")?;
    store::definition::find(request.store.read(), scope, id).await?.ok_or_else(|| not_found(id))
}

/// One version by name, the newest when none is given.
///
/// # Errors
/// `DEFINITION_NOT_FOUND`.
pub async fn get_by_name(request: &Request, name: &str, version: Option<i32>) -> Result<Model> {
    let scope = request.reads(Role::Viewer, "definition.get_by_name")?;
    let found = store::definition::find_by_name(request.store.read(), scope, name, version).await?;
    found.ok_or_else(|| not_found(name))
}

/// A page of the newest versions, or of every version of one name; the newest first.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "definition.list", skip_all)]
pub async fn list(request: &Request, versions_of: Option<&str>, page: Page) -> Result<Slice<DefinitionRow>> {
    let scope = request.reads(Role::Viewer, "definition.list")?;
    store::definition::list(request.store.read(), scope, versions_of, page).await
}

/// How many such a list has.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request, versions_of: Option<&str>) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "definition.count")?;
    store::definition::count(request.store.read(), scope, versions_of).await
}

/// What an unknown definition is answered.
pub fn not_found(id: impl std::fmt::Display) -> Error {
    Error::new(&code::DEFINITION_NOT_FOUND).with("id", id)
}
