//! Signing in and out, and who is signed in.

use std::time::Duration;

use taskloom_entity::user::Model;
use taskloom_entity::{Role, Timestamp};

use super::Request;
use super::audit::{self, Act};
use crate::auth::{Credentials, Principal, Scope, Via};
use crate::error::{Error, Result, code};
use crate::store::{self, Changed};

/// A session that has begun.
#[derive(Clone)]
pub struct SignedIn {
    pub user: Model,
    /// The value of its cookie: for the browser alone.
    pub cookie: String,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
}

/// The same request in the name of who sent `credentials`. Every door calls this before anything else; a door that
/// stays open calls it again every few seconds, since credentials can be revoked.
///
/// # Errors
/// `BAD_CREDENTIALS`, `TOKEN_REFUSED`, `TOO_MANY_REQUESTS`.
#[tracing::instrument(name = "session.authenticate", skip_all)]
pub async fn authenticate(request: Request, credentials: &Credentials) -> Result<Request> {
    match (request.gate.authenticate(credentials, request.address).await, credentials) {
        (Ok(principal), _) => Ok(Request { principal, ..request }),
        // Guesses of passwords are bounded by the gate, and so are their rows. Guessed tokens are neither: they are
        // 256 bits long.
        (Err(error), Credentials::Password { name, .. }) => {
            let act = Act::new("session.authenticate", format_args!("user:{name}"));
            Err(audit::refuse(&request, &act, error).await)
        }
        (
            Err(error),
            Credentials::Nothing | Credentials::Token(_) | Credentials::Session(_) | Credentials::Signed(_),
        ) => Err(error),
    }
}

/// The same request by a guest with this role, in the oldest tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn as_guest(request: Request, role: Role) -> Result<Request> {
    let page = store::page::Page { after: None, before: None, limit: 1, backward: false };
    let oldest = store::tenant::list(request.store.read(), &Scope::All, page).await?.rows.pop();
    Ok(Request { principal: Principal::guest(role, oldest.map(|tenant| tenant.id)), ..request })
}

/// Returns when `credentials` no longer give what this request was let in with; streams end then.
pub async fn until_changed(request: &Request, credentials: &Credentials) {
    request.gate.until_changed(credentials, request.address, &request.principal).await;
}

/// Begins a session for who knows this name and password; it ends when it was not used for `idle`, or for as long as the
/// settings say.
///
/// # Errors
/// `BAD_CREDENTIALS`, `TOO_MANY_REQUESTS`.
#[tracing::instrument(name = "session.login", skip_all)]
pub async fn login(request: &Request, name: &str, password: &str, idle: Option<Duration>) -> Result<SignedIn> {
    let act = Act::new("session.login", format_args!("user:{name}"));
    let user = match request.gate.prove(name, password, request.address).await {
        Ok(user) => user,
        Err(error) => return Err(audit::refuse(request, &act, error).await),
    };
    let (session, cookie) = request.gate.session(user.id, idle);
    let expires_at = session.expires_at;
    // The row of the log is the user's who signed in, not nobody's.
    let request = Request { principal: Principal::user(user.id, &user.name, user.role, vec![]), ..request.clone() };
    audit::change(&request, act, async |tx, act| {
        // Whoever changes the password or disables the user ends the sessions that there are: this one is among them, or
        // does not begin.
        super::user::still(&store::user::hold(tx, user.id).await?, &user)?;
        store::session::insert(tx, session).await?;
        act.on(format_args!("user:{}", user.id));
        Ok(())
    })
    .await?;
    Ok(SignedIn { user, cookie, expires_at })
}

/// Ends the session this request came with.
///
/// # Errors
/// `UNAUTHENTICATED`; `BAD_REQUEST` when it did not come with a session.
#[tracing::instrument(name = "session.logout", skip_all)]
pub async fn logout(request: &Request) -> Result<()> {
    let mut act = Act::new("session.logout", "session");
    audit::permit(request, Role::Viewer, &act).await?;
    let (Via::Session(digest), Some(user)) = (request.principal.via(), request.principal.user_id()) else {
        let reason = "this request was not signed in by a session: there is nothing to end";
        return Err(Error::new(&code::BAD_REQUEST).with("reason", reason));
    };
    act.on(format_args!("user:{user}"));
    audit::change(request, act, async |tx, _| {
        let (Changed::Yes | Changed::Stale) = store::session::delete(tx, digest).await?;
        Ok(())
    })
    .await?;
    request.gate.forget(user);
    Ok(())
}

/// Who sent this request; none when nobody signed in.
///
/// # Errors
/// When the database does not answer.
pub async fn me(request: &Request) -> Result<Option<Model>> {
    match request.principal.user_id() {
        Some(id) => super::user::get(request, id).await.map(Some),
        None => Ok(None),
    }
}
