//! The first start on an empty database makes the tenant and the user that everything else is made by.
//!
//! The invariant: where there is any user, nothing is made, whatever the environment says; a password in it is no
//! way back in.

use taskloom_entity::Role;

use super::password::{self, Passwords};
use super::secret;
use crate::clock::Clock;
use crate::error::{Result, code};
use crate::store::{self, Store};

/// The user that is made.
pub const ADMIN: &str = "admin";
/// The tenant that is made.
pub const TENANT: &str = "default";
/// 24 letters: 142 random bits, and still to be typed.
const LETTERS: usize = 24;

#[derive(Clone, PartialEq, Eq)]
pub struct Made {
    /// The password, when nobody gave one: to be printed once, it is stored nowhere.
    pub password: Option<String>,
}

/// Makes tenant and user when there is no user; `password` is that of `TASKLOOM_ADMIN_PASSWORD`, an empty one is
/// none. Servers that start together make them once.
///
/// # Errors
/// When the database does not answer; `INVALID_INPUT` for a password that nobody may choose.
pub async fn run(store: &Store, clock: &dyn Clock, password: Option<&str>) -> Result<Option<Made>> {
    if store::user::exists(store.read()).await? {
        return Ok(None);
    }
    let given = password.filter(|text| !text.is_empty());
    given.map_or(Ok(()), |given| password::check_as("TASKLOOM_ADMIN_PASSWORD", given))?;
    let random = given.is_none().then(|| secret::letters(LETTERS));
    let password = given.or(random.as_deref()).unwrap_or_default();
    let hash = Passwords::default().hash(password).await?;
    match make(store, clock, hash).await {
        Ok(true) => Ok(Some(Made { password: random })),
        Ok(false) => Ok(None),
        // Another server was faster by a moment.
        Err(error) if error.code() == &code::NAME_TAKEN => Ok(None),
        Err(error) => Err(error),
    }
}

async fn make(store: &Store, clock: &dyn Clock, hash: String) -> Result<bool> {
    let now = clock.now();
    let tx = store.begin().await?;
    if store::user::exists(&tx).await? {
        return Ok(false);
    }
    let tenant = match store::tenant::find_by_name(&tx, TENANT).await? {
        Some(tenant) => tenant,
        None => store::tenant::insert(&tx, TENANT, now).await?,
    };
    let admin = store::user::NewUserRow { name: ADMIN, password_hash: Some(hash), role: Role::Admin };
    let admin = store::user::insert(&tx, admin, now).await?;
    let (store::Changed::Yes | store::Changed::Stale) = store::tenant::add(&tx, tenant.id, admin.id).await?;
    let acts = [("tenant.create", format!("tenant:{}", tenant.id)), ("user.create", format!("user:{}", admin.id))];
    for (action, object) in acts {
        let entry = store::audit::NewAuditEntry {
            at: now,
            tenant_id: None,
            user_id: None,
            actor: "system:first-start".into(),
            action,
            object,
            code: None,
            detail: None,
            request_id: "first-start".into(),
            address: None,
            token_id: None,
        };
        store::audit::record(&tx, entry).await?;
    }
    store::commit(tx).await?;
    Ok(true)
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made {{ password: {} }}", if self.password.is_some() { "random" } else { "given" })
    }
}
