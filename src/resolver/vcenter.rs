//! vCenters: administrators register them, everybody sees how their collection stands. The password goes in and never
//! comes out, and goes to no server that somebody has not said to trust.

use sea_orm::ConnectionTrait;
use serde_json::json;
use taskloom_entity::vcenter::Model;
use taskloom_entity::{Role, TenantId, VcenterId, VcenterTrust, vcenter_collection};

use super::audit::{self, Act};
use super::secret::refused as unsealed;
use super::vsphere::trouble;
use super::{Request, name};
use crate::engine::equip;
use crate::error::{Error, Result, code};
use crate::executor::program::VcenterLogin;
use crate::store;
use crate::store::page::{Page, Slice};
use crate::store::vcenter::NewVcenterRow;
use crate::vault::Hidden;
use crate::vsphere::{Address, Client, Limits, Session, Thumbprint, Trust};

/// The longest user name, password or uuid, in bytes.
const LONGEST: usize = 255;

/// What a vCenter is to be.
#[derive(Clone, Debug)]
pub struct NewVcenter {
    /// Whose; none: the caller's own tenant's.
    pub tenant: Option<TenantId>,
    /// Unique within its tenant: an existing one is changed.
    pub name: String,
    /// As old clients name it; none: it stays, or is made up.
    pub uuid: Option<String>,
    /// Where it answers.
    pub address: String,
    /// Who signs in.
    pub user: String,
    /// None: it stays as it is.
    pub password: Option<Hidden>,
    /// By what its certificate is trusted.
    pub trust: VcenterTrust,
    /// The certificates or the thumbprint.
    pub trusted: Option<String>,
    /// Whether its tasks are collected.
    pub collect: bool,
    /// For how many days after their end its tasks are kept; none: for good.
    pub keep_days: Option<i32>,
}

/// A vCenter as it is kept, and what became another.
#[derive(Clone, Debug)]
pub struct Put {
    /// Whose it is, or would be.
    pub tenant_id: TenantId,
    /// As it is, or would be; none: it would be a new one.
    pub vcenter: Option<Model>,
    /// The names of its fields that changed; `name` when it is new.
    pub changes: Vec<&'static str>,
}

/// Registers a vCenter, or changes the one of this name. The same again changes nothing. With `dry_run` nothing is
/// written: what it would change is told.
///
/// # Errors
/// `INVALID_INPUT`, `TENANT_NOT_FOUND`, `NAME_TAKEN` when another one has the uuid, `KEY_NOT_USABLE`.
#[tracing::instrument(name = "vcenter.put", skip_all)]
pub async fn put(request: &Request, new: NewVcenter, dry_run: bool) -> Result<Put> {
    let act = Act::new("vcenter.put", "vcenter");
    audit::permit(request, Role::Admin, &act).await?;
    let tenant_id = super::tenant::named_or_home(request, new.tenant).await?;
    if dry_run {
        let conn = request.store.read();
        let known = store::vcenter::find_by_name(conn, tenant_id, &new.name).await?;
        let (_, changes) = decide(request, conn, (&new, tenant_id), known.as_ref()).await?;
        return Ok(Put { tenant_id, vcenter: known, changes });
    }
    audit::change(request, act.of(tenant_id), async |tx, act| {
        // Who decides on an earlier look may send a kept password to an address that somebody else has put meanwhile.
        store::tenant::lock(tx, tenant_id).await?;
        let known = store::vcenter::lock_by_name(tx, tenant_id, &new.name).await?;
        let (row, changes) = decide(request, tx, (&new, tenant_id), known.as_ref()).await?;
        if changes.is_empty() {
            act.comes_to_nothing();
            return Ok(Put { tenant_id, vcenter: known, changes });
        }
        let NewVcenterRow { name, address, username, trust, .. } = &row;
        let detail = json!({"name": name, "address": address, "user": username, "trust": trust, "changes": changes});
        *act = act.clone().with(&detail);
        let seal = new
            .password
            .filter(|_| changes.contains(&"password") || known.is_none())
            .map(|password| move |place| request.vault.seal(place, password.expose().as_bytes()).map_err(unsealed));
        let made = (request.principal.name(), request.clock.now());
        let kept = store::vcenter::put(tx, (row, known), made, seal).await?;
        act.on(format_args!("vcenter:{}", kept.id));
        Ok(Put { tenant_id, vcenter: Some(kept), changes })
    })
    .await
}

/// What a row becomes, and what of it is another than in `known`.
async fn decide(
    request: &Request,
    conn: &impl ConnectionTrait,
    (new, tenant_id): (&NewVcenter, TenantId),
    known: Option<&Model>,
) -> Result<(NewVcenterRow, Vec<&'static str>)> {
    let row = check(request, new, tenant_id, known)?;
    let changes = changes(request, new, &row, known);
    let moves = changes.iter().any(|field| matches!(*field, "address" | "trust"));
    if known.is_some() && moves && new.password.is_none() {
        return refuse(
            "password",
            "with another address or trust it must be given again, so that it cannot be sent astray",
        );
    }
    let id = known.map(|known| known.id);
    if store::vcenter::find_by_uuid(conn, &row.uuid).await?.is_some_and(|other| Some(other.id) != id) {
        return Err(Error::new(&code::NAME_TAKEN).with("name", &row.uuid));
    }
    Ok((row, changes))
}

/// What differs from what is kept, by the names of the input's fields.
fn changes(request: &Request, new: &NewVcenter, row: &NewVcenterRow, known: Option<&Model>) -> Vec<&'static str> {
    let Some(known) = known else { return vec!["name"] };
    let kept = equip::vcenter(&request.vault, known.clone());
    let same_password = |password: &Hidden| kept.as_ref().is_ok_and(|kept| kept.password == *password);
    let differs = [
        ("uuid", row.uuid != known.uuid),
        ("address", row.address != known.address),
        ("user", row.username != known.username),
        ("password", new.password.as_ref().is_some_and(|password| !same_password(password))),
        ("trust", (row.trust, &row.trusted) != (known.trust, &known.trusted)),
        ("collect", row.collect != known.collect),
        ("keepDays", row.keep_days != known.keep_days),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}

/// Deletes a vCenter. With its history only when that is said: then both are gone for everybody at once, and what is
/// kept of them is removed in bites.
///
/// # Errors
/// `VCENTER_NOT_FOUND`; `INVALID_INPUT` when it has a history and `with_history` does not hold.
#[tracing::instrument(name = "vcenter.delete", skip_all, fields(%id))]
pub async fn delete(request: &Request, id: VcenterId, with_history: bool) -> Result<Model> {
    let act = Act::new("vcenter.delete", format_args!("vcenter:{id}"));
    let scope = audit::permit(request, Role::Admin, &act).await?;
    let deleted = audit::change(request, act, async |tx, act| {
        // From here on no collector adds to the history.
        let kept = store::vcenter::delete(tx, scope, id).await?;
        if !with_history && store::vcenter::has_tasks(tx, id).await? {
            let reason =
                "the vCenter has a history: say `withHistory: true` to delete that too, or set `collect: false`";
            return refuse("withHistory", reason);
        }
        *act = act.clone().of(kept.tenant_id).with(&json!({"name": kept.name, "withHistory": with_history}));
        Ok(kept)
    })
    .await?;
    request.rests.notify_one();
    Ok(deleted)
}

/// What a look at a server found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VcenterTestReport {
    /// The SHA-256 thumbprint of the certificate that it shows.
    pub thumbprint: Option<String>,
    /// Whether the certificate is trusted: as was said, or else by the authorities of this machine.
    pub trusted: bool,
    /// The end of its certificate, by its clock.
    pub expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// What it calls itself.
    pub product: Option<String>,
    /// The newest version of the API that it speaks.
    pub api_version: Option<String>,
    /// The identity that it gives itself.
    pub instance_uuid: Option<String>,
    /// Whether the user could sign in; none: it was not tried.
    pub signed_in: Option<bool>,
    /// Why it cannot be used: a word and a sentence.
    pub trouble: Option<(&'static str, String)>,
}

/// Looks at a server before it is registered: its certificate, and what it says it is. The password is sent only when
/// the certificate is trusted as `new` says.
///
/// # Errors
/// `FORBIDDEN`, `INVALID_INPUT`; that it does not answer is none.
#[tracing::instrument(name = "vcenter.test", skip_all)]
pub async fn test(request: &Request, new: NewVcenter) -> Result<VcenterTestReport> {
    let act = Act::new("vcenter.test", format_args!("vcenter:{}", new.name));
    audit::permit(request, Role::Admin, &act).await?;
    let address = address(request, &new.address)?;
    let trust = trust(new.trust, new.trusted.as_deref())?;
    let act = act.with(&json!({"address": address.to_string()}));
    audit::change(request, act, async |_, _| Ok(())).await?;
    let limits = Limits::default();
    let mut look = VcenterTestReport::default();
    match crate::vsphere::probe(&address, &limits).await {
        Ok(probe) => {
            look.trusted = probe.trusted;
            look.thumbprint = probe.thumbprint.as_ref().map(ToString::to_string);
            look.expires_at = probe.not_after;
            look.product = Some(probe.about.full_name);
            look.api_version = Some(probe.about.api_version);
            look.instance_uuid = Some(probe.about.instance_uuid).filter(|uuid| !uuid.is_empty());
        }
        Err(error) => {
            look.trouble = Some((trouble::code(&error), error.to_string()));
            return Ok(look);
        }
    }
    let client = match Client::connect(&address, &trust, limits).await {
        Ok(client) => client,
        Err(error) => {
            look.trusted = false;
            look.trouble = Some((trouble::code(&error), error.to_string()));
            return Ok(look);
        }
    };
    look.trusted = true;
    let Some(password) = new.password.filter(|_| !new.user.is_empty()) else { return Ok(look) };
    match client.sign_in(&new.user, password.expose(), super::vsphere::label::locale(request.language)).await {
        Ok(session) => {
            look.signed_in = Some(true);
            if let Err(error) = session.sign_out().await {
                tracing::debug!(%error, "the session ends by itself");
            }
        }
        Err(error) => {
            look.signed_in = Some(false);
            look.trouble = Some((trouble::code(&error), error.to_string()));
        }
    }
    Ok(look)
}

/// The vCenter of this id, without its password.
///
/// # Errors
/// `VCENTER_NOT_FOUND`, also for one of other tenants.
pub async fn get(request: &Request, id: VcenterId) -> Result<Model> {
    let scope = request.reads(Role::Viewer, "vcenter.get")?;
    store::vcenter::get(request.store.read(), scope, id).await
}

/// The vCenter that old clients name so.
///
/// # Errors
/// `VCENTER_NOT_FOUND`, also for one of other tenants.
pub async fn get_by_uuid(request: &Request, uuid: &str) -> Result<Model> {
    let scope = request.reads(Role::Viewer, "vcenter.get_by_uuid")?;
    store::vcenter::get_by_uuid(request.store.read(), scope, uuid).await
}

/// A page of the caller's vCenters, without their passwords, oldest first.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "vcenter.list", skip_all)]
pub async fn list(request: &Request, page: Page) -> Result<Slice<Model>> {
    let scope = request.reads(Role::Viewer, "vcenter.list")?;
    store::vcenter::list(request.store.read(), scope, page).await
}

/// How many there are.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "vcenter.count")?;
    store::vcenter::count(request.store.read(), scope).await
}

/// How the collection of those of these vCenters stands that the caller may see.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn collections(request: &Request, ids: &[VcenterId]) -> Result<Vec<vcenter_collection::Model>> {
    let scope = request.reads(Role::Viewer, "vcenter.collections")?;
    store::vsphere::collection::list(request.store.read(), scope, ids).await
}

/// The way into a vCenter, with the password.
#[derive(Debug)]
pub struct VcenterConnector {
    server: VcenterLogin,
    locale: &'static str,
}

impl VcenterConnector {
    /// Connects and signs in, in the language of who asks.
    ///
    /// # Errors
    /// Why it did not go.
    pub async fn sign_in(&self) -> Result<Session, crate::vsphere::Error> {
        self.sign_in_as(self.locale).await
    }

    /// The same in another language.
    ///
    /// # Errors
    /// Why it did not go.
    pub async fn sign_in_as(&self, locale: &str) -> Result<Session, crate::vsphere::Error> {
        let client = Client::connect(&self.server.address, &self.server.trust, Limits::default()).await?;
        client.sign_in(&self.server.user, self.server.password.expose(), locale).await
    }
}

/// The way into a vCenter of the scope.
///
/// # Errors
/// `VCENTER_NOT_FOUND`, `KEY_NOT_USABLE`, `INVALID_INPUT` when its settings are allowed no more.
pub async fn entrance(request: &Request, id: VcenterId) -> Result<VcenterConnector> {
    let scope = request.reads(Role::Manager, "vcenter.entrance")?;
    let kept = store::vcenter::get(request.store.read(), scope, id).await?;
    address(request, &kept.address)?;
    let locale = super::vsphere::label::locale(request.language);
    Ok(VcenterConnector { server: equip::vcenter(&request.vault, kept)?, locale })
}

fn address(request: &Request, text: &str) -> Result<Address> {
    let address = match Address::parse(text) {
        Ok(address) => address,
        Err(error) => return refuse("address", error.to_string()),
    };
    if !address.is_encrypted() && !request.policy.plain_vcenters {
        return refuse(
            "address",
            "it sends the password for everybody to read: write https, or allow `vsphere.allow_http`",
        );
    }
    Ok(address)
}

fn trust(kind: VcenterTrust, trusted: Option<&str>) -> Result<Trust> {
    match (kind, trusted) {
        (VcenterTrust::System, None) => Ok(Trust::SystemRoots),
        (VcenterTrust::System, Some(_)) => refuse("trust", "the authorities of the machine need nothing beside"),
        (VcenterTrust::Ca, Some(pem)) => {
            let trust = Trust::Ca(pem.to_owned());
            trust.check().map_or_else(|error| refuse("trusted", error.to_string()), |()| Ok(trust))
        }
        (VcenterTrust::Thumbprint, Some(text)) => match Thumbprint::parse(text) {
            Ok(thumbprint) => Ok(Trust::Thumbprint(thumbprint)),
            Err(error) => refuse("trust", error.to_string()),
        },
        (VcenterTrust::Ca, None) => refuse("trust", "give the authorities' certificates in PEM"),
        (VcenterTrust::Thumbprint, None) => refuse("trust", "give the certificate's SHA-256 thumbprint"),
    }
}

fn check(request: &Request, new: &NewVcenter, tenant_id: TenantId, known: Option<&Model>) -> Result<NewVcenterRow> {
    name::check("`name`", &new.name)?;
    let address = address(request, &new.address)?;
    line("user", &new.user)?;
    if let Some(uuid) = &new.uuid {
        line("uuid", uuid)?;
    }
    match &new.password {
        Some(password) if !(1..=LONGEST).contains(&password.expose().len()) => {
            return refuse("password", format!("1 to {LONGEST} bytes are possible"));
        }
        None if known.is_none() => return refuse("password", "it is missing: a new vCenter needs it"),
        Some(_) | None => {}
    }
    if new.keep_days.is_some_and(|days| !(1..=36_500).contains(&days)) {
        return refuse("keepDays", "1 to 36500 is possible; left out: for good");
    }
    let trusted = match trust(new.trust, new.trusted.as_deref())? {
        Trust::SystemRoots => None,
        Trust::Ca(pem) => Some(pem),
        Trust::Thumbprint(thumbprint) => Some(thumbprint.to_string()),
    };
    let uuid = new.uuid.clone().or_else(|| known.map(|known| known.uuid.clone()));
    Ok(NewVcenterRow {
        tenant_id,
        name: new.name.clone(),
        uuid: uuid.unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
        address: address.to_string(),
        username: new.user.clone(),
        trust: new.trust,
        trusted,
        collect: new.collect,
        keep_days: new.keep_days,
    })
}

fn line(what: &str, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return refuse(what, format!("it is one line of 1 to {LONGEST} bytes"));
    }
    Ok(())
}

fn refuse<T>(what: &str, reason: impl Into<String>) -> Result<T> {
    Err(Error::new(&code::INVALID_INPUT).with("what", format!("`{what}`")).with("reason", reason.into()))
}
