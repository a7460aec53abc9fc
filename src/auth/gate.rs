//! Proves credentials. What it finds it remembers for [`KEEP_FOR`], so a change of another process counts after that
//! time at the latest; one of this process counts at once, since whoever makes it calls [`Authenticator::forget`] behind
//! the commit.
//!
//! A refusal says nothing of what was wrong: an unknown, a disabled user and a wrong password look and last the same.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use taskloom_entity::token::Model as TokenRow;
use taskloom_entity::{Role, Timestamp, UserId, session, user};
use tokio::sync::watch;
use tokio::time::timeout;

use super::limit::{Failures, Strangers, network};
use super::password::Passwords;
use super::recent::ProofCache;
use super::secret::Fingerprint;
use super::seen::ReplayGuard;
use super::signature::Signed;
use super::{Credentials, Principal, Via, secret, token};
use crate::clock::Clock;
use crate::config::Origins;
use crate::error::{Error, Kind, Result, code};
use crate::store::{self, Store};
use crate::vault::Vault;

/// How long a proved principal is remembered.
pub const KEEP_FOR: Duration = Duration::from_secs(3);
/// How exact `last_used_at` and `seen_at` are: a write a minute, not one a request.
const NOTED_EVERY: Duration = Duration::from_secs(60);
const KEEP_AT_MOST: usize = 10_000;

/// How often a door that stays open looks whether another process revoked what opened it.
const LOOKED_EVERY: Duration = Duration::from_secs(15);

/// How long proofs last, and whose pages may send them.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// A session unused for so long has ended.
    pub session_idle: Duration,
    /// The life of a token whose maker names none; none: for ever.
    pub token_expiry: Option<Duration>,
    /// Origins of pages besides our own that may send a user's cookie.
    pub origins: Origins,
}

/// Proves credentials against the store; one per process.
#[derive(Debug)]
pub struct Authenticator {
    store: Store,
    clock: Arc<dyn Clock>,
    vault: Vault,
    settings: AuthSettings,
    passwords: Passwords,
    failures: Failures,
    strangers: Strangers,
    seen: ReplayGuard,
    known: ProofCache<Principal>,
    forgotten: watch::Sender<()>,
}

impl Authenticator {
    /// A gate that remembers nobody.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, vault: Vault, settings: AuthSettings) -> Self {
        Self {
            store,
            strangers: Strangers::new(clock.clone()),
            clock,
            vault,
            settings,
            passwords: Passwords::default(),
            failures: Failures::default(),
            seen: ReplayGuard::default(),
            known: ProofCache::new(KEEP_FOR, KEEP_AT_MOST),
            forgotten: watch::Sender::new(()),
        }
    }

    /// Who sends these credentials from `address`. A cookie that has ended is nobody, so its browser can sign in
    /// again; everything else that cannot be proved is refused.
    ///
    /// # Errors
    /// `BAD_CREDENTIALS`, `TOKEN_REFUSED`; `TOO_MANY_REQUESTS` when too many failed before.
    pub async fn authenticate(&self, credentials: &Credentials, address: Option<IpAddr>) -> Result<Principal> {
        let now = self.clock.now();
        let key = fingerprint(credentials, address);
        if let Some(known) = self.known(&key, now) {
            return Ok(known);
        }
        match credentials {
            Credentials::Password { name, .. } => {
                self.counted(name, address, self.examine(credentials, key, now)).await
            }
            Credentials::Signed(signed) => {
                let proved = self.by_signature(signed, now).await?;
                self.seen.admit(key, signed.until, now)?;
                Ok(proved)
            }
            Credentials::Nothing | Credentials::Token(_) | Credentials::Session(_) => {
                self.examine(credentials, key, now).await
            }
        }
    }

    /// The user with this name and password.
    ///
    /// # Errors
    /// `BAD_CREDENTIALS`; `TOO_MANY_REQUESTS` when too many failed before.
    pub async fn prove(&self, name: &str, password: &str, address: Option<IpAddr>) -> Result<user::Model> {
        let now = self.clock.now();
        self.counted(name, address, self.by_password(name, password, now)).await
    }

    /// Returns when these credentials no longer make the caller what it was: expired, revoked, its role or tenants
    /// changed. A database that does not answer proves nothing, so nobody is sent away for it.
    pub async fn until_changed(&self, credentials: &Credentials, address: Option<IpAddr>, was: &Principal) {
        let mut forgotten = self.forgotten.subscribe();
        loop {
            let now = self.clock.now();
            let key = fingerprint(credentials, address);
            let is = match self.known(&key, now) {
                Some(known) => Ok(known),
                None => self.examine(credentials, key, now).await,
            };
            let left = match is {
                Ok(is) if is.may_as(was) => is.expires_at().map_or(LOOKED_EVERY, |end| end.since(now)),
                Err(error) if error.code().kind != Kind::Unauthenticated => LOOKED_EVERY,
                Ok(_) | Err(_) => return,
            };
            // Whether somebody was forgotten or the time is over: look again.
            let _ = timeout(left.min(LOOKED_EVERY), forgotten.changed()).await;
        }
    }

    /// Whether one more refusal of a stranger from `address` may be recorded.
    pub fn admit_stranger(&self, address: Option<IpAddr>) -> bool {
        self.strangers.admit(address)
    }

    /// A new session of `user`, to be stored, and the value of its cookie; it ends when it was not used for `idle`, or
    /// for as long as the settings say.
    #[must_use]
    pub fn session(&self, user: UserId, idle: Option<Duration>) -> (session::Model, String) {
        let now = self.clock.now();
        let cookie = super::cookie::generate();
        let digest = secret::digest(&cookie);
        let row = session::Model {
            digest,
            user_id: user,
            created_at: now,
            seen_at: now,
            expires_at: now.after(idle.unwrap_or(self.settings.session_idle)),
            idle_seconds: idle.and_then(|idle| i32::try_from(idle.as_secs()).ok()),
        };
        (row, cookie)
    }

    /// How long proofs last, and whose pages may send them.
    #[must_use]
    pub fn settings(&self) -> &AuthSettings {
        &self.settings
    }

    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Forgets what is known of a user: to be called when the change of its role, tenants, tokens, sessions or
    /// password is committed.
    pub fn forget(&self, user: UserId) {
        self.known.forget(|known| known.user_id() == Some(user));
        self.forgotten.send_replace(());
    }

    fn known(&self, key: &Fingerprint, now: Timestamp) -> Option<Principal> {
        self.known.find(key, now).filter(|known| known.expires_at().is_none_or(|end| now < end))
    }

    /// Proves credentials against the store and remembers whom they are of.
    async fn examine(&self, credentials: &Credentials, key: Fingerprint, now: Timestamp) -> Result<Principal> {
        let mark = self.known.mark(key);
        let found = match credentials {
            Credentials::Nothing => None,
            Credentials::Password { name, password } => {
                let user = self.by_password(name, password, now).await?;
                Some(self.principal(&user, user.role).await?)
            }
            Credentials::Token(token) => Some(self.by_token(token, now).await?),
            Credentials::Session(cookie) => self.by_session(cookie, now).await?,
            Credentials::Signed(signed) => Some(self.by_signature(signed, now).await?),
        };
        let Some(principal) = found else { return Ok(Principal::anonymous()) };
        self.known.keep(mark, principal.clone(), now);
        Ok(principal)
    }

    /// Lets a guess at `name` from `address` pass unless too many failed, and counts it when it fails.
    async fn counted<T>(
        &self,
        name: &str,
        address: Option<IpAddr>,
        guess: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let permit = self.failures.permit(name, address, self.clock.as_ref()).await?;
        let outcome = guess.await;
        match &outcome {
            Ok(_) => permit.passed(),
            Err(error) if error.code() == &code::BAD_CREDENTIALS => permit.failed(),
            Err(_) => permit.untried(),
        }
        outcome
    }

    async fn by_password(&self, name: &str, password: &str, now: Timestamp) -> Result<user::Model> {
        let user = store::user::find_by_name(self.store.read(), name).await?;
        // A disabled user is as unknown as one that never was: what is remembered of proofs must not tell of it.
        let user = user.filter(|user| !user.disabled);
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let proved = self.passwords.verify(password, hash, now).await?;
        user.filter(|_| proved).ok_or_else(|| Error::new(&code::BAD_CREDENTIALS))
    }

    async fn by_token(&self, token: &str, now: Timestamp) -> Result<Principal> {
        let refused = || Error::new(&code::TOKEN_REFUSED);
        let digest = token::parse(token).ok_or_else(refused)?;
        let found = store::token::find_by_digest(self.store.read(), &digest).await?;
        self.let_in(found, now).await
    }

    async fn by_signature(&self, signed: &Signed, now: Timestamp) -> Result<Principal> {
        let refused = || Error::new(&code::TOKEN_REFUSED);
        let found = store::token::find_by_access_key(self.store.read(), &signed.access_key).await?;
        let Some((token, _)) = &found else { return Err(refused()) };
        let sealed = token.sealed.as_deref().ok_or_else(refused)?;
        let secret = self.vault.open(store::token::place(token.id), sealed).map_err(|error| refused().source(error))?;
        if signed.is_by(&secret) { self.let_in(found, now).await } else { Err(refused()) }
    }

    /// The principal of a token that was proved, unless it has ended.
    async fn let_in(&self, found: Option<(TokenRow, user::Model)>, now: Timestamp) -> Result<Principal> {
        let refused = || Error::new(&code::TOKEN_REFUSED);
        let is_valid = |end: Option<Timestamp>| end.is_none_or(|end| now < end);
        let (token, user) = found
            .filter(|(token, user)| !user.disabled && token.revoked_at.is_none() && is_valid(token.expires_at))
            .ok_or_else(refused)?;
        if token.last_used_at.is_none_or(|at| at < now.before(NOTED_EVERY)) {
            self.note(async |tx| store::token::touch(tx, token.id, now, now.before(NOTED_EVERY)).await).await;
        }
        let principal = self.principal(&user, user.role.min(token.role)).await?;
        let principal = principal.allowed(token.subscriptions.and_then(|many| many.try_into().ok()));
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
            let idle = session.idle_seconds.map(|seconds| Duration::from_secs(seconds.unsigned_abs().into()));
            session.expires_at = now.after(idle.unwrap_or(self.settings.session_idle));
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
            store::commit(tx).await?;
            Ok::<_, Error>(changed)
        };
        match noted.await {
            Ok(store::Changed::Yes | store::Changed::Stale) => {}
            Err(error) => tracing::debug!(?error, "could not note that a token or session is in use"),
        }
    }
}

/// A password counts for the address that it came from: what is known of another's is no guess of this one's.
fn fingerprint(credentials: &Credentials, address: Option<IpAddr>) -> Fingerprint {
    match credentials {
        Credentials::Nothing => secret::fingerprint(&[]),
        Credentials::Password { name, password } => {
            let from = address.map(|address| network(address).to_string()).unwrap_or_default();
            secret::fingerprint(&["password", &from, name, password])
        }
        Credentials::Token(token) => secret::fingerprint(&["token", token]),
        Credentials::Session(cookie) => secret::fingerprint(&["session", cookie]),
        // Not as it was sent: base64 has more than one way to write the same.
        Credentials::Signed(Signed { access_key, text, .. }) => secret::fingerprint(&["signed", access_key, text]),
    }
}
