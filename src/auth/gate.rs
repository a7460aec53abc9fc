//! Proves credentials. What it finds it remembers for [`KEEP_FOR`], so a change of another process counts after that
//! time at the latest; one of this process counts at once, since whoever makes it calls [`Gate::forget`] behind the
//! commit.
//!
//! A refusal says nothing of what was wrong: an unknown, a disabled user and a wrong password look and last the same.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use taskloom_entity::{Role, Timestamp, UserId, session, user};

use super::limit::Failures;
use super::password::Passwords;
use super::recent::Recent;
use super::{Credentials, Principal, Via, secret, token};
use crate::clock::Clock;
use crate::error::{Error, Result, code};
use crate::store::{self, Store};

/// How long a proved principal is remembered.
pub const KEEP_FOR: Duration = Duration::from_secs(3);
/// How exact `last_used_at` and `seen_at` are: a write a minute, not one a request.
const NOTED_EVERY: Duration = Duration::from_secs(60);
const KEEP_AT_MOST: usize = 10_000;

/// Proves credentials against the store; one per process.
#[derive(Debug)]
pub struct Gate {
    store: Store,
    clock: Arc<dyn Clock>,
    session_idle: Duration,
    passwords: Passwords,
    failures: Failures,
    known: Recent<Principal>,
}

impl Gate {
    /// A gate that remembers nobody. A session ends when it was idle for `session_idle`.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, session_idle: Duration) -> Self {
        let (passwords, failures) = (Passwords::default(), Failures::default());
        Self { store, clock, session_idle, passwords, failures, known: Recent::new(KEEP_FOR, KEEP_AT_MOST) }
    }

    /// Who sends these credentials from `address`. A cookie that has ended is nobody, so its browser can sign in
    /// again; everything else that cannot be proved is refused.
    ///
    /// # Errors
    /// `BAD_CREDENTIALS`, `TOKEN_REFUSED`; `TOO_MANY_REQUESTS` when too many failed before.
    pub async fn authenticate(&self, credentials: &Credentials, address: Option<IpAddr>) -> Result<Principal> {
        let now = self.clock.now();
        let key = match credentials {
            Credentials::Nothing => return Ok(Principal::anonymous()),
            Credentials::Password { name, password } => secret::fingerprint(&["password", name, password]),
            Credentials::Token(token) => secret::fingerprint(&["token", token]),
            Credentials::Session(cookie) => secret::fingerprint(&["session", cookie]),
        };
        let is_valid = |known: &Principal| known.expires_at().is_none_or(|end| now < end);
        if let Some(known) = self.known.find(&key, now).filter(is_valid) {
            return Ok(known);
        }
        let mark = self.known.mark(key);
        let found = match credentials {
            Credentials::Nothing => None,
            Credentials::Password { name, password } => {
                let user = self.prove(name, password, address).await?;
                Some(self.principal(&user, user.role).await?)
            }
            Credentials::Token(token) => Some(self.by_token(token, now).await?),
            Credentials::Session(cookie) => self.by_session(cookie, now).await?,
        };
        let Some(principal) = found else { return Ok(Principal::anonymous()) };
        self.known.keep(mark, principal.clone(), now);
        Ok(principal)
    }

    /// The user with this name and password.
    ///
    /// # Errors
    /// `BAD_CREDENTIALS`; `TOO_MANY_REQUESTS` when too many failed before.
    pub async fn prove(&self, name: &str, password: &str, address: Option<IpAddr>) -> Result<user::Model> {
        let now = self.clock.now();
        self.failures.check(name, address, now)?;
        let user = store::user::find_by_name(self.store.read(), name).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let proved = self.passwords.verify(password, hash, now).await?;
        match user {
            Some(user) if proved && !user.disabled => Ok(user),
            Some(_) | None => {
                self.failures.count(name, address, now);
                Err(Error::new(&code::BAD_CREDENTIALS))
            }
        }
    }

    /// Whether one more refusal of a stranger from `address` may be recorded.
    pub fn admit_stranger(&self, address: Option<IpAddr>) -> bool {
        self.failures.admit_stranger(address, self.clock.now())
    }

    /// A new session of `user`, to be stored, and the value of its cookie.
    #[must_use]
    pub fn session(&self, user: UserId) -> (session::Model, String) {
        let now = self.clock.now();
        let cookie = super::cookie::generate();
        let digest = secret::digest(&cookie);
        let row =
            session::Model { digest, user_id: user, created_at: now, seen_at: now, expires_at: self.idle_end(now) };
        (row, cookie)
    }

    /// How long a session may be idle.
    #[must_use]
    pub fn session_idle(&self) -> Duration {
        self.session_idle
    }

    /// Hashes passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Forgets what is known of a user: to be called when the change of its role, tenants, tokens, sessions or
    /// password is committed.
    pub fn forget(&self, user: UserId) {
        self.known.forget(|known| known.user_id() == Some(user));
    }

    async fn by_token(&self, token: &str, now: Timestamp) -> Result<Principal> {
        let refused = || Error::new(&code::TOKEN_REFUSED);
        let digest = token::parse(token).ok_or_else(refused)?;
        let found = store::token::find_by_digest(self.store.read(), &digest).await?;
        let is_valid = |end: Option<Timestamp>| end.is_none_or(|end| now < end);
        let (token, user) = found
            .filter(|(token, user)| !user.disabled && token.revoked_at.is_none() && is_valid(token.expires_at))
            .ok_or_else(refused)?;
        if token.last_used_at.is_none_or(|at| at < now.before(NOTED_EVERY)) {
            self.note(async |tx| store::token::touch(tx, token.id, now, now.before(NOTED_EVERY)).await).await;
        }
        let principal = self.principal(&user, user.role.min(token.role)).await?;
        Ok(principal.proved(Via::Token(token.id), token.expires_at))
    }

    async fn by_session(&self, cookie: &str, now: Timestamp) -> Result<Option<Principal>> {
        let found = store::session::find(self.store.read(), &secret::digest(cookie)).await?;
        let Some((mut session, user)) = found.filter(|(session, user)| now < session.expires_at && !user.disabled)
        else {
            return Ok(None);
        };
        if session.seen_at < now.before(NOTED_EVERY) {
            session.seen_at = now;
            session.expires_at = self.idle_end(now);
            self.note(async |tx| store::session::touch(tx, &session, now.before(NOTED_EVERY)).await).await;
        }
        let principal = self.principal(&user, user.role).await?;
        Ok(Some(principal.proved(Via::Session(session.digest.into()), Some(session.expires_at))))
    }

    async fn principal(&self, user: &user::Model, role: Role) -> Result<Principal> {
        let tenants = store::tenant::of_user(self.store.read(), user.id).await?;
        Ok(Principal::user(user.id, &user.name, role, tenants))
    }

    /// Writes that something is in use. A database that cannot write must not stop those who only read.
    async fn note(&self, write: impl AsyncFnOnce(&store::Tx) -> Result<store::Changed>) {
        let noted = async {
            let tx = self.store.begin().await?;
            let changed = write(&tx).await?;
            tx.commit().await?;
            Ok::<_, Error>(changed)
        };
        match noted.await {
            Ok(store::Changed::Yes | store::Changed::Stale) => {}
            Err(error) => tracing::debug!(?error, "could not note that a token or session is in use"),
        }
    }

    fn idle_end(&self, now: Timestamp) -> Timestamp {
        now.after(self.session_idle)
    }
}
