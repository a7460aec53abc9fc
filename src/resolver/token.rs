//! API tokens: everybody makes and revokes the own ones, administrators those of all.
//!
//! The invariant: a token never gives more than its maker had with that request, neither in role nor in time.

use serde_json::json;
use taskloom_entity::token::Model;
use taskloom_entity::{Role, Timestamp, TokenId, UserId};

use super::audit::{self, Act};
use super::secret::refused;
use super::{Request, name};
use crate::auth::{Via, secret, signature, token};
use crate::error::{Error, Result, code};
use crate::store::page::{Page, Slice};
use crate::store::{self, Changed};

pub use crate::store::token::TokenFilter;

/// The most subscriptions that a token may be allowed.
const MOST_SUBSCRIPTIONS: i32 = 100_000;

/// What a new token is made of.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose; none: the caller's.
    pub user: Option<UserId>,
    /// For people.
    pub name: String,
    /// How much it may do.
    pub role: Role,
    pub expiry: Expiry,
    /// With an access key beside it, for clients that sign their requests.
    pub access_key: bool,
    /// More subscriptions at a time than the settings give to a user; only an administrator allows them.
    pub subscriptions: Option<i32>,
}

/// When a new token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// As the settings say, and no later than what makes it.
    Usual,
    /// When it is revoked.
    Never,
    /// At this instant.
    At(Timestamp),
}

/// A new token with its secret, which nobody will see again.
#[derive(Clone)]
pub struct Created {
    pub token: Model,
    /// `tl_…`
    pub secret: String,
    /// The secret half of its access key, where it has one.
    pub access_secret: Option<String>,
}

/// Makes a token.
///
/// # Errors
/// `FORBIDDEN` for more than the caller may do, `USER_NOT_FOUND`, `INVALID_INPUT`.
#[tracing::instrument(name = "token.create", skip_all)]
pub async fn create(request: &Request, new: NewToken) -> Result<Created> {
    let detail = json!({"name": new.name, "user": new.user, "role": new.role, "subscriptions": new.subscriptions});
    let act = Act::new("token.create", "token").with(&detail);
    let owner = owner(request, new.user, &act).await?;
    audit::permit(request, new.role, &act).await?;
    if let Some(subscriptions) = new.subscriptions {
        audit::permit(request, Role::Admin, &act).await?;
        if !(1..=MOST_SUBSCRIPTIONS).contains(&subscriptions) {
            return Err(Error::invalid("`subscriptions`", format!("1 to {MOST_SUBSCRIPTIONS} are possible")));
        }
    }
    name::check_title("name", &new.name)?;
    let now = request.clock.now();
    let expires_at = until(request, new.expiry, now)?;
    let secret = token::generate();
    let pair = new.access_key.then(signature::generate);
    let token = audit::change(request, act, async |tx, act| {
        let user = store::user::hold(tx, owner).await?;
        if new.role > user.role {
            let reason = format!("user {} has only the role {}", user.name, user.role);
            return Err(Error::new(&code::INVALID_INPUT).with("what", "role").with("reason", reason));
        }
        let digest = secret::digest(&secret);
        let row = store::token::NewTokenRow {
            user_id: owner,
            name: &new.name,
            digest,
            role: new.role,
            expires_at,
            subscriptions: new.subscriptions,
        };
        let mut token = store::token::insert(tx, row, now).await?;
        if let Some((key, secret)) = &pair {
            let sealed = request.vault.seal(store::token::place(token.id), secret.as_bytes()).map_err(refused)?;
            token = store::token::give_access_key(tx, token, key, sealed).await?;
        }
        act.on(format_args!("token:{}", token.id));
        Ok(token)
    })
    .await?;
    Ok(Created { token, secret, access_secret: pair.map(|(_, secret)| secret) })
}

/// Ends a token for good; one that had ended stays so.
///
/// # Errors
/// `TOKEN_NOT_FOUND`, also for somebody else's.
#[tracing::instrument(name = "token.revoke", skip_all, fields(%id))]
pub async fn revoke(request: &Request, id: TokenId) -> Result<Model> {
    let act = Act::new("token.revoke", format_args!("token:{id}"));
    audit::permit(request, Role::Viewer, &act).await?;
    let token = audit::change(request, act, async |tx, _| {
        store::token::get(tx, only_owner(request), id).await?;
        let (Changed::Yes | Changed::Stale) = store::token::revoke(tx, id, request.clock.now()).await?;
        store::token::get(tx, None, id).await
    })
    .await?;
    request.gate.forget(token.user_id);
    Ok(token)
}

/// The token of this id.
///
/// # Errors
/// `TOKEN_NOT_FOUND`, also for somebody else's.
pub async fn get(request: &Request, id: TokenId) -> Result<Model> {
    request.reads(Role::Viewer, "token.get")?;
    store::token::get(request.store.read(), only_owner(request), id).await
}

/// A page of the caller's tokens, newest first; of everybody's for an administrator.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "token.list", skip_all)]
pub async fn list(request: &Request, filter: TokenFilter, page: Page) -> Result<Slice<Model>> {
    match own(request, filter)? {
        Some(filter) => store::token::list(request.store.read(), &filter, page).await,
        None => Ok(Slice { rows: vec![], has_next: false, has_previous: false }),
    }
}

/// How many tokens such a list has.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request, filter: TokenFilter) -> Result<u64> {
    match own(request, filter)? {
        Some(filter) => store::token::count(request.store.read(), &filter).await,
        None => Ok(0),
    }
}

/// The filter within what the caller may see; none when that is nothing.
fn own(request: &Request, filter: TokenFilter) -> Result<Option<TokenFilter>> {
    request.reads(Role::Viewer, "token.own")?;
    Ok(match (only_owner(request), filter.owner) {
        (None, _) => Some(filter),
        (Some(own), Some(other)) if own != other => None,
        (Some(own), _) => Some(TokenFilter { owner: Some(own), ..filter }),
    })
}

/// Whose tokens the caller may see; none: everybody's.
fn only_owner(request: &Request) -> Option<UserId> {
    if request.principal.role() == Some(Role::Admin) { None } else { request.principal.user_id() }
}

/// Whose the new token will be.
async fn owner(request: &Request, named: Option<UserId>, act: &Act) -> Result<UserId> {
    let own = request.principal.user_id();
    let role = if named.is_none() || named == own { Role::Viewer } else { Role::Admin };
    audit::permit(request, role, act).await?;
    named.or(own).ok_or_else(|| invalid("user", "the system has no tokens of its own: name a user"))
}

/// When the new token will end: never later than the token that makes it.
fn until(request: &Request, expiry: Expiry, now: Timestamp) -> Result<Option<Timestamp>> {
    let bound = match request.principal.via() {
        Via::Token(_) => request.principal.expires_at(),
        Via::Nothing | Via::Password | Via::Session(_) => None,
    };
    let end = match expiry {
        Expiry::Never => None,
        Expiry::At(end) if end <= now => return Err(invalid("expiresAt", "it has passed already")),
        Expiry::At(end) => Some(end),
        Expiry::Usual => {
            let usual = request.gate.settings().token_expiry.map(|life| now.after(life));
            return Ok([usual, bound].into_iter().flatten().min());
        }
    };
    match bound {
        Some(bound) if end.is_none_or(|end| end > bound) => {
            Err(invalid("expiresAt", &format!("a token made with a token ends no later than that, {bound}")))
        }
        Some(_) | None => Ok(end),
    }
}

fn invalid(what: &'static str, reason: &str) -> Error {
    Error::new(&code::INVALID_INPUT).with("what", what).with("reason", reason)
}
