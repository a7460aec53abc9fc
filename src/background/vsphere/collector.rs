//! The collector of one vCenter: one round after the other, a round being what one session sees. What ends a round is
//! shown with its reason, until a round comes further, and the next begins after a growing pause.
//!
//! It ends when it is told to, or when its lease has gone on or the settings have changed: then whoever takes the lease
//! next begins with what is kept.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use taskloom_entity::{CollectionState, vcenter};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::round::Round;
use super::writer::Writer;
use super::{LEASE, RENEW};
use crate::error::{Error, Kind};
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{self, Lease, News};
use crate::resolver::vsphere::trouble;
use crate::text::Text;
use crate::vsphere::{self, Session};

/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The longest where all that is tried is a connection.
const NEAR: Duration = Duration::from_secs(10);
/// The longest where our own database is away: whoever waits for it goes on when it is back.
const AWAY: Duration = Duration::from_secs(2);
/// The first pause where another try may lock the account.
const CAREFUL: Duration = Duration::from_secs(300);
/// How long a session may take to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a round ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The vCenter, or the way there.
    #[error(transparent)]
    Vcenter(#[from] vsphere::Error),
    /// This side.
    #[error("{0}")]
    Ours(Arc<Error>),
    /// Another server, or nobody, is to collect.
    #[error("the lease has gone on")]
    LeaseLost,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Ours(Arc::new(error))
    }
}

/// The collector of one vCenter.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) request: Request,
    pub(super) writer: Writer,
    pub(super) vcenter: vcenter::Model,
    pub(super) lease: Lease,
    /// The session of this round or of the last, to be ended.
    pub(super) session: Option<Session>,
    /// Whether this round came as far as to follow.
    pub(super) follows: AtomicBool,
    /// Why the round before ended, while none came further: a word and a sentence.
    pub(super) failed: Option<(String, String)>,
    /// When the vCenter's words were read, and when its inventory was.
    pub(super) read: Mutex<(Option<Instant>, Option<Instant>)>,
}

impl Collector {
    pub(super) fn new(request: Request, writer: Writer, (vcenter, lease): (vcenter::Model, Lease)) -> Self {
        let follows = AtomicBool::new(false);
        Self { request, writer, vcenter, lease, session: None, follows, failed: None, read: Mutex::default() }
    }

    /// Collects until `stop`, or until the lease is lost.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let (request, lease) = (self.request.clone(), self.lease.clone());
        let name = self.vcenter.name.clone();
        let _held = request.store.metrics().vsphere_collectors.hold();
        tokio::select! {
            () = stop.cancelled() => {}
            () = keep(&request, &lease) => tracing::info!(vcenter = name, "another collector goes on, or other settings"),
            never = self.rounds() => match never {},
        }
        let last = self.session.take();
        self.part(last).await;
        if let Err(error) = collect::release(&request, &lease).await {
            tracing::debug!(error = ?error, vcenter = name, "the lease ends by itself");
        }
    }

    async fn rounds(&mut self) -> Infallible {
        let mut pause = PAUSES.0;
        loop {
            self.follows.store(false, Ordering::Relaxed);
            let ended = Round::run(self).await;
            if self.follows() {
                pause = PAUSES.0;
            }
            let wait = self.show(ended, pause).await;
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    pub(super) fn follows(&self) -> bool {
        self.follows.load(Ordering::Relaxed)
    }

    /// Ends a session; one that cannot be ended now ends when it has been idle for long enough.
    pub(super) async fn part(&self, session: Option<Session>) {
        if let Some(session) = session
            && !matches!(tokio::time::timeout(FAREWELL, session.sign_out()).await, Ok(Ok(())))
        {
            tracing::debug!(vcenter = self.vcenter.name, "a session ends by itself");
        }
    }

    /// Shows why a round ended; how long to wait.
    async fn show(&mut self, end: End, pause: Duration) -> Duration {
        let (word, pause) = match &end {
            // Nothing is wrong: sign in again.
            End::Vcenter(error) if error.is_session_lost() && self.follows() => ("SESSION_LOST", Duration::ZERO),
            End::Vcenter(error @ (vsphere::Error::InvalidLogin | vsphere::Error::PasswordExpired)) => {
                (trouble::code(error), CAREFUL.max(pause))
            }
            End::Vcenter(error) if error.is_passing() => (trouble::code(error), NEAR.min(pause)),
            End::Vcenter(error) => (trouble::code(error), pause),
            End::Ours(error) if error.code().kind == Kind::Unavailable => (error.code().name, AWAY.min(pause)),
            End::Ours(error) => (error.code().name, pause),
            End::LeaseLost => ("LEASE_LOST", pause),
        };
        let name = self.vcenter.name.as_str();
        let is_same = !self.follows() && self.failed.as_ref().is_some_and(|(before, _)| before == word);
        match &end {
            _ if is_same => tracing::debug!(vcenter = name, reason = word, "still the same; again in {pause:?}"),
            // What people are shown does not say why.
            End::Ours(error) if error.code().kind == Kind::Internal => {
                tracing::error!(vcenter = name, reason = word, error = ?error, "the collection stops; again in {pause:?}");
            }
            End::Ours(error) => {
                tracing::warn!(vcenter = name, reason = word, error = ?error, "the collection stops; again in {pause:?}");
            }
            end => tracing::warn!(vcenter = name, reason = word, "the collection stops: {end}; again in {pause:?}"),
        }
        let failed = (word.to_owned(), Text::message(&end.to_string()).into_string());
        self.failed = Some(failed.clone());
        let state = Some((CollectionState::Failing, Some(failed)));
        if let Err(error) = self.tell(News { state, ..News::default() }).await {
            tracing::debug!(%error, "the state could not be written");
        }
        pause
    }

    /// Writes how it stands.
    pub(super) async fn tell(&self, news: News) -> Result<(), End> {
        match collect::tell(&self.request, &self.lease, news).await? {
            true => Ok(()),
            false => Err(End::LeaseLost),
        }
    }
}

/// Renews a lease until that does not go any more. A database that does not answer keeps nobody from trying: what is
/// written under a lost lease is refused.
async fn keep(request: &Request, lease: &Lease) {
    let mut pause = RENEW;
    loop {
        tokio::time::sleep(pause).await;
        pause = RENEW;
        match collect::renew(request, lease, LEASE).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = ?error, "a lease could not be renewed: trying again");
                pause = AWAY;
            }
        }
    }
}
