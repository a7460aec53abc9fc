//! What the loops of one worker session share: what runs, what is known, how long the lease holds, and the ends.
//!
//! The invariant: what runs is known, and is known until its end is recorded or given up. So an attempt that the
//! database has running here and that is not known has never come, or was just recorded.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use taskloom_core::AttemptId;
use taskloom_runtime::clock::Moment;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::observer::WorkerObserver;
use super::port::{Assignment, Intent};

pub(super) struct SessionState {
    /// What runs, and where its intents go. Each takes a slot.
    running: Mutex<HashMap<AttemptId, watch::Sender<Intent>>>,
    /// What has come here and is not yet recorded to have ended; more than what runs.
    known: Mutex<HashSet<AttemptId>>,
    /// A slot is free.
    pub(super) slot: Notify,
    /// Something runs: its intents are to be asked for.
    pub(super) begun: Notify,
    pub(super) attempts: TaskTracker,
    /// Until when the lease holds for certain.
    pub(super) holds: watch::Sender<Moment>,
    /// The session has ended, by the lease or by a loop that broke.
    pub(super) over: CancellationToken,
    /// The worker is to stop: nothing is paused any more.
    ending: CancellationToken,
    /// The database is waited for no longer.
    pub(super) abandon: CancellationToken,
    observer: Arc<dyn WorkerObserver>,
}

impl SessionState {
    pub(super) fn new(holds: Moment, ending: CancellationToken, observer: Arc<dyn WorkerObserver>) -> Self {
        Self {
            running: Mutex::default(),
            known: Mutex::default(),
            slot: Notify::new(),
            begun: Notify::new(),
            attempts: TaskTracker::new(),
            holds: watch::Sender::new(holds),
            over: CancellationToken::new(),
            ending,
            abandon: CancellationToken::new(),
            observer,
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<AttemptId, watch::Sender<Intent>>> {
        self.running.lock().expect("invariant: nothing panics under the lock of running attempts")
    }

    fn known(&self) -> MutexGuard<'_, HashSet<AttemptId>> {
        self.known.lock().expect("invariant: nothing panics under the lock of known attempts")
    }

    pub(super) fn busy(&self) -> usize {
        self.running().len()
    }

    pub(super) fn ids(&self) -> Vec<AttemptId> {
        self.running().keys().copied().collect()
    }

    pub(super) fn knows(&self, id: AttemptId) -> bool {
        self.known().contains(&id)
    }

    /// How many ends are not recorded yet.
    pub(super) fn unrecorded(&self) -> usize {
        self.known().len()
    }

    /// Takes a slot for an attempt; its intents.
    pub(super) fn begin(&self, id: AttemptId) -> watch::Receiver<Intent> {
        let (sender, intents) = watch::channel(Intent::Run);
        self.running().insert(id, sender);
        self.observer.slot_taken();
        self.begun.notify_one();
        intents
    }

    /// Gives the slot of an attempt back, once.
    pub(super) fn free(&self, id: AttemptId) {
        if self.running().remove(&id).is_some() {
            self.observer.slot_freed();
            self.slot.notify_one();
        }
    }

    pub(super) fn intend_for_all(&self, intent: Intent) {
        for sender in self.running().values() {
            sender.send_replace(intent);
        }
    }

    /// What is frozen cannot go on to its end.
    pub(super) fn give_back_paused(&self) {
        for sender in self.running().values() {
            sender.send_if_modified(|intent| {
                let paused = *intent == Intent::Pause;
                if paused {
                    *intent = Intent::GiveBack;
                }
                paused
            });
        }
    }

    /// Passes intents on. An attempt that ran when they were asked for, and is not in the answer, is not ours any more;
    /// one that began since is no part of the question.
    pub(super) fn obey(&self, asked: &[AttemptId], intents: &HashMap<AttemptId, Intent>) {
        for (id, sender) in self.running().iter() {
            let intent = match intents.get(id) {
                Some(Intent::Pause) if self.ending.is_cancelled() => Intent::GiveBack,
                Some(&intent) => intent,
                None if asked.contains(id) => Intent::Drop,
                None => continue,
            };
            sender.send_if_modified(|now| {
                // What is given back or dropped stays so: an older answer may come after the decision.
                let settled = matches!(now, Intent::Drop | Intent::GiveBack) || *now == intent;
                if !settled {
                    *now = intent;
                }
                !settled
            });
        }
    }
}

/// Attempts that are known until this is dropped, whether their task returns, panics or is dropped itself.
pub(super) struct KnownAttempts {
    state: Arc<SessionState>,
    pub(super) ids: Vec<AttemptId>,
}

impl KnownAttempts {
    pub(super) fn new(state: &Arc<SessionState>, assignments: &[Assignment]) -> Self {
        let ids: Vec<AttemptId> = assignments.iter().map(|assignment| assignment.attempt.id).collect();
        state.known().extend(&ids);
        Self { state: state.clone(), ids }
    }
}

impl Drop for KnownAttempts {
    fn drop(&mut self) {
        for id in &self.ids {
            self.state.known().remove(id);
            self.state.free(*id);
        }
    }
}
