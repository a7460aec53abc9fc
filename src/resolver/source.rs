//! Data sources: administrators set them up, whoever submits tasks names them.
//!
//! A data source is made of fields. No address, and no option that is not listed, gets in; the password goes in and
//! never comes out.

use serde_json::{Map, Value, json};
use taskloom_entity::data_source::Model;
use taskloom_entity::{DataSourceId, DataSourceKind, JsonText, Role, TenantId};

use super::audit::{self, Act};
use super::secret::refused;
use super::{Request, name};
use crate::engine::equip;
use crate::error::{Error, Result, code};
use crate::executor::sql;
use crate::store::page::{Page, Slice};
use crate::store::source::Password;
use crate::store::{self};
use crate::vault::Hidden;

/// The longest text of a field, in bytes.
const LONGEST: usize = 255;
/// The longest password, in bytes.
const PASSWORD: usize = 4096;

/// What a data source is to be.
#[derive(Clone, Debug)]
pub struct NewDataSource {
    /// Whose; none: the caller's own tenant's.
    pub tenant: Option<TenantId>,
    /// Unique within its tenant: an existing one is changed.
    pub name: String,
    /// Which database.
    pub kind: DataSourceKind,
    /// None for a file.
    pub host: Option<String>,
    /// None: the usual one.
    pub port: Option<i32>,
    /// Its name, or a file below the folder of the settings.
    pub database: String,
    /// Who signs in.
    pub user: Option<String>,
    /// None: it stays as it is; none within: there is none any more.
    pub password: Option<Option<Hidden>>,
    /// Allowed options.
    pub options: Map<String, Value>,
    /// The engine of a legacy dialect that it stands for.
    pub engine: Option<String>,
}

/// What a look at a data source found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What the database calls itself, when it answered.
    pub version: Option<String>,
    /// Why it did not.
    pub message: Option<String>,
}

/// Sets a data source up, or changes the one of this name.
///
/// # Errors
/// `INVALID_INPUT`, `TENANT_NOT_FOUND`, `NAME_TAKEN` when another one stands for the engine, `KEY_NOT_USABLE`.
#[tracing::instrument(name = "dataSource.put", skip_all)]
pub async fn put(request: &Request, new: NewDataSource) -> Result<Model> {
    let act = Act::new("dataSource.put", "dataSource");
    audit::permit(request, Role::Admin, &act).await?;
    check(&new)?;
    let tenant_id = super::tenant::named_or_home(request, new.tenant).await?;
    let detail =
        json!({"name": new.name, "kind": new.kind, "host": new.host, "database": new.database, "engine": new.engine});
    let act = act.of(tenant_id).with(&detail);
    let (change, value) = match new.password {
        None => (Password::Keep, Hidden::default()),
        Some(None) => (Password::Remove, Hidden::default()),
        Some(Some(value)) => (Password::Set, value),
    };
    let row = store::source::NewDataSourceRow {
        tenant_id,
        name: new.name,
        kind: new.kind,
        host: new.host,
        port: new.port,
        database: new.database,
        username: new.user,
        options: JsonText::of(&new.options),
        engine: new.engine,
        creator: request.principal.name(),
    };
    audit::change(request, act, async |tx, act| {
        // Who decides on an earlier look may send a kept password to an address that somebody else has put meanwhile.
        store::tenant::lock(tx, tenant_id).await?;
        let known = store::source::lock_by_name(tx, tenant_id, &row.name).await?;
        if change == Password::Keep && known.as_ref().is_some_and(|known| known.sealed.is_some() && moves(known, &row))
        {
            let reason = "with another kind, host or port it must be given again, so that it cannot be sent astray";
            refuse("password", reason)?;
        }
        let seal = |place| request.vault.seal(place, value.expose().as_bytes()).map_err(refused);
        let kept = store::source::put(tx, (row, known), change, request.clock.now(), seal).await?;
        act.on(format_args!("dataSource:{}", kept.id));
        Ok(kept)
    })
    .await
}

/// Whether the password would go to another server.
fn moves(known: &Model, row: &store::source::NewDataSourceRow) -> bool {
    (known.kind, &known.host, known.port) != (row.kind, &row.host, row.port)
}

/// Removes a data source; subtasks that name it fail from then on. As it was.
///
/// # Errors
/// `DATA_SOURCE_NOT_FOUND`.
#[tracing::instrument(name = "dataSource.delete", skip_all, fields(%id))]
pub async fn delete(request: &Request, id: DataSourceId) -> Result<Model> {
    let act = Act::new("dataSource.delete", format_args!("dataSource:{id}"));
    let scope = audit::permit(request, Role::Admin, &act).await?;
    audit::change(request, act, async |tx, act| {
        let kept = store::source::lock(tx, scope, id).await?;
        store::source::delete(tx, id).await?;
        *act = act.clone().of(kept.tenant_id).with(&json!({"name": kept.name}));
        Ok(kept)
    })
    .await
}

/// Connects to a data source, and asks it what it is.
///
/// # Errors
/// `DATA_SOURCE_NOT_FOUND`, `KEY_NOT_USABLE`; that it does not answer is none.
#[tracing::instrument(name = "dataSource.test", skip_all, fields(%id))]
pub async fn test(request: &Request, id: DataSourceId) -> Result<Probe> {
    let act = Act::new("dataSource.test", format_args!("dataSource:{id}"));
    let scope = audit::permit(request, Role::Admin, &act).await?;
    let kept = audit::change(request, act, async |tx, _| store::source::get(tx, scope, id).await).await?;
    let source = equip::source(&request.vault, kept)?;
    let host = request.host.as_ref().ok_or_else(|| Error::new(&code::SHUTTING_DOWN))?;
    Ok(match host.probe(&source).await {
        Ok(version) => Probe { version: Some(version), message: None },
        Err(message) => Probe { version: None, message: Some(message) },
    })
}

/// The data source of this id, without its password.
///
/// # Errors
/// `DATA_SOURCE_NOT_FOUND`, also for one of other tenants.
pub async fn get(request: &Request, id: DataSourceId) -> Result<Model> {
    let scope = request.reads(Role::Manager, "dataSource.get")?;
    store::source::get(request.store.read(), scope, id).await
}

/// The data source that stands for an engine in a tenant, or else in the caller's own: what a legacy dialect's job
/// of that engine runs on, by its name.
///
/// # Errors
/// `ENGINE_NOT_FOUND` with the engine's name, `TENANT_NOT_FOUND`.
pub async fn of_engine(request: &Request, tenant: Option<TenantId>, engine: &str) -> Result<Model> {
    request.reads(Role::Manager, "dataSource.of_engine")?;
    let tenant = super::tenant::named_or_home(request, tenant).await?;
    let found = store::source::find_by_engine(request.store.read(), tenant, engine).await?;
    found.ok_or_else(|| Error::new(&code::ENGINE_NOT_FOUND).with("engine", engine))
}

/// A page of the data sources, without their passwords, oldest first.
///
/// # Errors
/// `FORBIDDEN` for viewers.
#[tracing::instrument(name = "dataSource.list", skip_all)]
pub async fn list(request: &Request, page: Page) -> Result<Slice<Model>> {
    let scope = request.reads(Role::Manager, "dataSource.list")?;
    store::source::list(request.store.read(), scope, page).await
}

/// How many there are.
///
/// # Errors
/// `FORBIDDEN` for viewers.
pub async fn count(request: &Request) -> Result<u64> {
    let scope = request.reads(Role::Manager, "dataSource.count")?;
    store::source::count(request.store.read(), scope).await
}

fn check(new: &NewDataSource) -> Result<()> {
    name::check("`name`", &new.name)?;
    line("database", &new.database)?;
    match new.kind {
        DataSourceKind::Sqlite => check_file(new)?,
        DataSourceKind::Postgresql | DataSourceKind::Mysql => check_server(new)?,
    }
    for (key, value) in &new.options {
        check_option(new.kind, key, value)?;
    }
    if let Some(Some(password)) = &new.password
        && (password.expose().is_empty() || password.expose().len() > PASSWORD || password.expose().contains('\0'))
    {
        return refuse("password", format!("1 to {PASSWORD} bytes are possible; null removes it"));
    }
    let is_engine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    match new.engine.as_deref() {
        Some(engine) if engine.is_empty() || engine.len() > 64 || !engine.chars().all(is_engine) => {
            refuse("engine", "it is a word in lower case, such as `spark`")
        }
        Some(_) | None => Ok(()),
    }
}

fn check_file(new: &NewDataSource) -> Result<()> {
    if new.host.is_some() || new.port.is_some() || new.user.is_some() || matches!(new.password, Some(Some(_))) {
        return refuse("kind", "a file of SQLite has no host, port, user or password");
    }
    if new.database.starts_with('/') || new.database.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refuse("database", "it is the path of a file below `executor.sql.sqlite_folder`, without `..`");
    }
    Ok(())
}

fn check_server(new: &NewDataSource) -> Result<()> {
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    match new.host.as_deref() {
        Some(host) if !host.is_empty() && host.len() <= LONGEST && host.chars().all(is_letter) => {}
        Some(_) => return refuse("host", "it is a name or an address, without scheme, user or path"),
        None => return refuse("host", "it is missing: name the server"),
    }
    if new.port.is_some_and(|port| !(1..=65535).contains(&port)) {
        return refuse("port", "1 to 65535 is possible");
    }
    match new.user.as_deref() {
        Some(user) => line("user", user),
        None => refuse("user", "it is missing: say who signs in"),
    }
}

fn check_option(kind: DataSourceKind, key: &str, value: &Value) -> Result<()> {
    let known = sql::options(kind);
    let Some((_, values)) = known.iter().find(|(name, _)| *name == key) else {
        let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return refuse("options", format!("`{key}` is not allowed; possible are {}", known.join(", ")));
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ',' | '.');
    match value.as_str() {
        Some(text) if values.contains(&text) => Ok(()),
        Some(text) if values.is_empty() && (1..=64).contains(&text.len()) && text.chars().all(is_letter) => Ok(()),
        _ if values.is_empty() => refuse("options", format!("`{key}` is a text of letters, digits and _ - , .")),
        _ => refuse("options", format!("`{key}` is one of {}", values.join(", "))),
    }
}

fn line(what: &str, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return refuse(what, format!("it is one line of 1 to {LONGEST} bytes"));
    }
    Ok(())
}

fn refuse(what: &str, reason: impl Into<String>) -> Result<()> {
    Err(Error::new(&code::INVALID_INPUT).with("what", format!("`{what}`")).with("reason", reason.into()))
}
