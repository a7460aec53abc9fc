//! The hub behind every subscription of one log. One reader per process tails the log into a ring; each subscriber keeps
//! nothing but the number of the event it has seen last, and reads on from the ring, or from the log when the ring
//! has moved past it. A slow subscriber therefore costs no memory and loses nothing.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use taskloom_entity::EventId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Bell;
use super::log::{EventLog, TaskEventLog};
use crate::error::{Error, Result, code};
use crate::store::Store;
use crate::telemetry::metrics::HeldGauge;

/// How many events stay in memory.
const RING: usize = 8192;
/// How many are read at a time.
const PAGE: u64 = 1000;
/// How often the log is looked at though nobody rang.
const LOOK: Duration = Duration::from_secs(1);

/// The events in memory: all with a number above `behind` up to the last.
#[derive(Debug)]
struct Ring<L: EventLog> {
    behind: EventId,
    entries: VecDeque<Arc<L::Entry>>,
}

impl<L: EventLog> Ring<L> {
    /// Goes on to `last`; none: without what lies before.
    fn take(&mut self, entries: Option<Vec<Arc<L::Entry>>>, last: EventId) {
        let Some(entries) = entries else {
            self.entries.clear();
            self.behind = last;
            return;
        };
        self.entries.extend(entries);
        while self.entries.len() > RING {
            if let Some(gone) = self.entries.pop_front() {
                self.behind = L::id(&gone);
            }
        }
    }
}

/// The hub. Cheap to clone.
#[derive(Debug)]
pub struct Hub<L: EventLog = TaskEventLog>(Arc<EventHubState<L>>);

impl<L: EventLog> Clone for Hub<L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct EventHubState<L: EventLog> {
    store: Store,
    bell: Bell,
    ring: RwLock<Ring<L>>,
    newest: watch::Sender<EventId>,
}

impl<L: EventLog> Hub<L> {
    /// A hub that begins behind the newest event of the log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(store: Store, bell: Bell) -> Result<Self> {
        let newest = L::newest(&store).await?;
        let ring = RwLock::new(Ring { behind: newest, entries: VecDeque::new() });
        Ok(Self(Arc::new(EventHubState { store, bell, ring, newest: watch::Sender::new(newest) })))
    }

    /// The newest event that was read.
    #[must_use]
    pub fn newest(&self) -> EventId {
        *self.0.newest.borrow()
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.0.newest.receiver_count()
    }

    /// Reads on behind `after`, which a client sent; none: behind the newest event of now.
    ///
    /// # Errors
    /// `INVALID_CURSOR` when no event has such a number yet: it was of another database.
    pub async fn follow(&self, after: Option<EventId>) -> Result<EventTail<L>> {
        if let Some(after) = after
            && after > self.newest()
            && after > L::newest(&self.0.store).await?
        {
            return Err(Error::new(&code::INVALID_CURSOR).with("cursor", after));
        }
        Ok(self.tail(after))
    }

    /// Reads on behind `after`; none: behind the newest event of now.
    #[must_use]
    pub fn tail(&self, after: Option<EventId>) -> EventTail<L> {
        let newest = self.0.newest.subscribe();
        let seen = after.unwrap_or_else(|| *newest.borrow());
        let _held = self.0.store.metrics().event_subscribers.hold();
        EventTail { hub: self.clone(), newest, seen, _held }
    }

    /// The reader: runs until `stop`. It is woken by the bell and looks by itself every second; a database that does
    /// not answer makes it wait, and it goes on where it was.
    pub async fn run(self, stop: CancellationToken) {
        let mut rung = L::room(&self.0.bell);
        loop {
            match self.read().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(error = ?error, "events cannot be read: trying again"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rung.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Reads one page into the ring; whether there may be more.
    async fn read(&self) -> Result<bool> {
        if self.subscribers() == 0 {
            return self.pass_over().await;
        }
        let entries = L::after(&self.0.store, self.newest(), PAGE).await?;
        let Some(last) = entries.last().map(L::id) else {
            return Ok(false);
        };
        let count = entries.len() as u64;
        let more = count == PAGE;
        self.take(Some(entries.into_iter().map(Arc::new).collect()), last);
        self.0.store.metrics().events_delivered.inc_by(count);
        Ok(more)
    }

    /// Nobody listens: nothing is read. Who comes back later reads the log from the cursor on.
    async fn pass_over(&self) -> Result<bool> {
        let last = L::newest(&self.0.store).await?;
        if last > self.newest() {
            self.take(None, last);
        }
        Ok(false)
    }

    fn take(&self, entries: Option<Vec<Arc<L::Entry>>>, last: EventId) {
        self.0.ring.write().expect("invariant: nothing panics under the ring's lock").take(entries, last);
        self.0.newest.send_replace(last);
    }

    /// The entries behind `seen`, when the ring still has them all.
    fn remembered(&self, seen: EventId) -> Option<Vec<Arc<L::Entry>>> {
        let ring = self.0.ring.read().expect("invariant: nothing panics under the ring's lock");
        if seen < ring.behind {
            return None;
        }
        let from = ring.entries.partition_point(|entry| L::id(entry) <= seen);
        Some(ring.entries.range(from..).cloned().collect())
    }
}

/// One subscriber's place in the log.
#[derive(Debug)]
pub struct EventTail<L: EventLog = TaskEventLog> {
    hub: Hub<L>,
    newest: watch::Receiver<EventId>,
    seen: EventId,
    _held: HeldGauge,
}

impl<L: EventLog> EventTail<L> {
    /// The number of the last event that was seen.
    #[must_use]
    pub fn seen(&self) -> EventId {
        self.seen
    }

    /// The events behind the last that was seen, oldest first, at least one; waits for it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Vec<Arc<L::Entry>>> {
        loop {
            let newest = *self.newest.borrow_and_update();
            if newest > self.seen {
                let entries = match self.hub.remembered(self.seen) {
                    Some(entries) => entries,
                    None => self.recorded(newest).await?,
                };
                if let Some(last) = entries.last() {
                    self.seen = L::id(last);
                    return Ok(entries);
                }
                self.seen = newest;
            }
            // The hub lives as long as its tails.
            let _ = self.newest.changed().await;
        }
    }

    async fn recorded(&self, newest: EventId) -> Result<Vec<Arc<L::Entry>>> {
        let entries = L::after(&self.hub.0.store, self.seen, PAGE).await?;
        // What the reader has not passed yet comes through the ring.
        Ok(entries.into_iter().filter(|entry| L::id(entry) <= newest).map(Arc::new).collect())
    }
}
