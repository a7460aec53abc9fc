//! The worker sessions that speak to this dispatcher: their labels, what each has heard of, and what it was offered.
//!
//! This is a memory of what the table of workers says, never more: a session that is not here, because it began at
//! another server or was silent for long, is looked up there. So any entry may be forgotten at any time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::Instant;

use crate::error::Result;
use crate::feed::event::Bell;
use crate::store::{self, Store};

/// How long a session may ask nothing until it is forgotten here. One that lives renews its lease far more often.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// A session that lived when it was last heard of.
#[derive(Debug)]
pub(super) struct KnownSession {
    pub(super) id: String,
    /// Sorted.
    pub(super) labels: Vec<String>,
    /// Remembers which ring it was told of: kept from one question for intents to the next. Of one session alone, so
    /// that each is woken by each ring; its questions take turns.
    pub(super) rung: AsyncMutex<watch::Receiver<u64>>,
    /// The news of work up to which it was offered everything that it may take. Moved by the dispatch loop alone.
    offered: AtomicU64,
}

impl KnownSession {
    pub(super) fn offered(&self) -> u64 {
        self.offered.load(Ordering::Relaxed)
    }

    pub(super) fn set_offered(&self, news: u64) {
        self.offered.store(news, Ordering::Relaxed);
    }
}

/// Each by its id, with the moment at which it was last heard of.
type SessionsById = HashMap<String, (Arc<KnownSession>, Instant)>;

/// All of them. Clones share what they know.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    known: Arc<Mutex<SessionsById>>,
    bell: Bell,
}

impl Sessions {
    pub(super) fn new(bell: Bell) -> Self {
        Self { known: Arc::default(), bell }
    }

    /// Takes a session in that has just begun, or that the table says lives.
    pub(super) fn begin(&self, id: &str, labels: Vec<String>) -> Arc<KnownSession> {
        self.begin_at(id, labels, Instant::now())
    }

    fn begin_at(&self, id: &str, labels: Vec<String>, now: Instant) -> Arc<KnownSession> {
        let rung = AsyncMutex::new(self.bell.work());
        let session = Arc::new(KnownSession { id: id.to_owned(), labels, rung, offered: AtomicU64::new(0) });
        let mut known = self.known();
        known.retain(|_, (_, heard_at)| now.duration_since(*heard_at) < FORGOTTEN);
        // Two questions of one session may both have looked it up: they share the first entry.
        known.entry(id.to_owned()).or_insert((session, now)).0.clone()
    }

    /// The session of this id, while it lives.
    ///
    /// # Errors
    /// When it is not known here and the database does not answer.
    pub(super) async fn find(&self, store: &Store, id: &str) -> Result<Option<Arc<KnownSession>>> {
        if let Some(session) = self.hear(id) {
            return Ok(Some(session));
        }
        // Not under the lock: others need not wait for the database. A session that ends between the look and its entry
        // stays here until its worker hears of it, and gets nothing that is not taken back.
        let labels = store::worker::labels(store.read(), id).await?;
        Ok(labels.map(|labels| self.begin(id, labels)))
    }

    /// Notes a sign of life.
    pub(super) fn hear(&self, id: &str) -> Option<Arc<KnownSession>> {
        let mut known = self.known();
        let (session, heard_at) = known.get_mut(id)?;
        *heard_at = Instant::now();
        Some(session.clone())
    }

    /// Forgets a session that has ended.
    pub(super) fn end(&self, id: &str) {
        self.known().remove(id);
    }

    fn known(&self) -> MutexGuard<'_, SessionsById> {
        self.known.lock().expect("invariant: nothing panics under the lock of sessions")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_for_long_is_forgotten_and_nobody_else() {
        let (sessions, begun) = (Sessions::new(Bell::default()), Instant::now());
        sessions.begin_at("silent", vec![], begun);
        sessions.begin_at("lives", vec![], begun + Duration::from_secs(1));
        sessions.begin_at("new", vec!["gpu".into()], begun + FORGOTTEN);
        let known = |id: &str| sessions.known().contains_key(id);
        assert_eq!(["silent", "lives", "new"].map(known), [false, true, true]);
        sessions.end("lives");
        assert_eq!(["lives", "new"].map(known), [false, true]);
    }

    #[test]
    fn a_session_that_is_looked_up_twice_is_one() {
        let sessions = Sessions::new(Bell::default());
        let (one, other) = (sessions.begin("w", vec![]), sessions.begin("w", vec![]));
        one.set_offered(7);
        assert_eq!(other.offered(), 7);
    }
}
