//! The worker: keeps its life's lease, asks for work while it has free slots, and runs each attempt.
//!
//! It speaks to the engine through the [`Port`] alone, so the same loop will serve on another host. When it cannot
//! renew its lease it kills what it runs before the lease ends; then it begins a new life.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt as _;
use taskloom_entity::AttemptId;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::{self, Bench};
use super::farewell::Ended;
use super::port::{Assignment, AttemptRef, Finish, Hello, Life, Port, Wish};
use super::stranger::Strangers;
use crate::clock::{Clock, Moment};
use crate::error::Result;
use crate::executor::Host;
use crate::telemetry::Metrics;

/// How long what was handed out may be on its way here, and how often wishes are looked at though nobody rang.
const APART: Duration = Duration::from_secs(3);

/// How the worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who it is.
    pub hello: Hello,
    /// How often it renews its lease.
    pub renew: Duration,
    /// TERM to KILL.
    pub grace: Duration,
    /// How long running work may go on after the stop.
    pub patience: Duration,
    /// Working folders of attempts are made here.
    pub folder: PathBuf,
    /// The most text of one attempt's log.
    pub log_limit: u64,
    /// Text of one chunk of it.
    pub log_chunk: usize,
    /// How long a line may wait to be written.
    pub log_flush: Duration,
}

/// A worker, not yet running.
pub struct Worker {
    /// The engine.
    pub port: Arc<dyn Port>,
    /// What runs programs.
    pub host: Host,
    /// The time of log lines, and of its lease.
    pub clock: Arc<dyn Clock>,
    /// How it works.
    pub options: Options,
    /// Moved by what runs.
    pub metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("options", &self.options).finish_non_exhaustive()
    }
}

/// When to stop: gently, then at once.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    /// Take nothing new; what runs has the patience's time.
    pub gently: CancellationToken,
    /// Stop what runs now.
    pub now: CancellationToken,
}

/// What of one life is shared by its loops.
pub(super) struct Shared {
    running: Mutex<HashMap<AttemptId, watch::Sender<Wish>>>,
    /// What has come here and is not yet recorded to have ended; more than what runs.
    known: Mutex<HashSet<AttemptId>>,
    slot: Notify,
    /// Something runs: its wishes are to be asked for.
    begun: Notify,
    pub(super) attempts: TaskTracker,
    /// Until when the lease holds for certain.
    holds: watch::Sender<Moment>,
    pub(super) over: CancellationToken,
    /// The worker is to stop: nothing is paused any more.
    ending: CancellationToken,
    /// The database is waited for no longer.
    pub(super) abandon: CancellationToken,
    metrics: Arc<Metrics>,
}

/// Attempts that are known here until this is dropped, however that comes.
struct Held {
    shared: Arc<Shared>,
    ids: Vec<AttemptId>,
}

impl Held {
    fn new(shared: &Arc<Shared>, assignments: &[Assignment]) -> Self {
        let ids: Vec<AttemptId> = assignments.iter().map(|assignment| assignment.attempt.id).collect();
        shared.known().extend(&ids);
        Self { shared: shared.clone(), ids }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for id in &self.ids {
            self.shared.known().remove(id);
            self.shared.free(*id);
        }
    }
}

impl Worker {
    /// Works until it is told to stop and nothing of its work is left.
    pub async fn run(self, stops: Stops) -> Ended {
        let worker = Arc::new(self);
        let mut past = vec![];
        worker.metrics.worker_slots.set(i64::try_from(worker.options.hello.slots).unwrap_or(i64::MAX));
        while !stops.gently.is_cancelled() {
            let before = worker.clock.moment();
            let registered = worker.register(&mut past);
            let life = match stops.gently.run_until_cancelled(registered).await {
                Some(Ok(life)) => life,
                Some(Err(error)) => {
                    tracing::warn!(error = ?error, "the worker cannot register: trying again");
                    stops.gently.run_until_cancelled(tokio::time::sleep(Duration::from_secs(1))).await;
                    continue;
                }
                None => break,
            };
            past.push(life.clone());
            if worker.clone().live(life, before, &stops).await == Ended::Abandoned {
                return Ended::Abandoned;
            }
        }
        Ended::Recorded
    }

    /// Begins a life. Those before it are ended by their own word: nothing of them runs here any more, so nobody need
    /// wait until their leases are over to take what they had, or were handed without ever hearing of it.
    async fn register(&self, past: &mut Vec<Life>) -> Result<Life> {
        while let Some(life) = past.last() {
            self.port.leave(life).await?;
            past.pop();
        }
        self.port.register(self.options.hello.clone()).await
    }

    async fn live(self: Arc<Self>, life: Life, registered: Moment, stops: &Stops) -> Ended {
        let shared = Arc::new(Shared {
            running: Mutex::default(),
            known: Mutex::default(),
            slot: Notify::new(),
            begun: Notify::new(),
            attempts: TaskTracker::new(),
            holds: watch::Sender::new(registered.after(life.lease)),
            over: CancellationToken::new(),
            ending: stops.gently.clone(),
            abandon: CancellationToken::new(),
            metrics: self.metrics.clone(),
        });
        let mut loops = JoinSet::new();
        loops.spawn(self.clone().renew(life.clone(), shared.clone()));
        loops.spawn(self.clone().obey(life.clone(), shared.clone()));
        let mut broken = None;
        tokio::select! {
            // First, so that what has been handed out already is not dropped.
            biased;
            () = self.take_work(&life, &shared) => {}
            () = shared.over.cancelled() => {}
            () = stops.gently.cancelled() => {}
            // Without them nobody holds the lease or hears what is wished: what runs is stopped.
            Some(Err(error)) = loops.join_next() => {
                broken = Some(error);
                shared.over.cancel();
            }
        }
        let ended = self.wind_down(&life, &shared, stops).await;
        let lost = shared.over.is_cancelled();
        shared.over.cancel();
        loops.shutdown().await;
        if let Some(error) = broken.and_then(|error| error.try_into_panic().ok()) {
            // Whoever watches over the worker ends the process.
            std::panic::resume_unwind(error);
        }
        if lost || ended == Ended::Abandoned { ended } else { self.leave(&life).await }
    }

    /// Asks for as much as there are free slots, for ever.
    async fn take_work(self: &Arc<Self>, life: &Life, shared: &Arc<Shared>) {
        loop {
            let free = self.options.hello.slots.saturating_sub(shared.busy());
            if free == 0 {
                shared.slot.notified().await;
                continue;
            }
            match self.port.claim(life, free).await {
                Ok(assignments) => self.begin(assignments, shared),
                Err(error) => {
                    tracing::warn!(error = ?error, "the worker gets no answer: trying again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    fn begin(self: &Arc<Self>, assignments: Vec<Assignment>, shared: &Arc<Shared>) {
        let (instant, real): (Vec<_>, Vec<_>) = assignments.into_iter().partition(attempt::is_instant);
        if !instant.is_empty() {
            // Nothing runs for them: they end together, and hold no slot meanwhile.
            let (port, metrics, begun) = (self.port.clone(), self.metrics.clone(), Instant::now());
            let (held, abandon) = (Held::new(shared, &instant), shared.abandon.clone());
            let mut ends = Box::pin(async move {
                abandon.run_until_cancelled(attempt::finish_instantly(port.as_ref(), instant)).await;
                held.ids.iter().for_each(|_| metrics.attempt_duration.observe(begun.elapsed()));
            });
            // Said before the next question for work, so that one cycle records the ends and hands out.
            if ends.as_mut().now_or_never().is_none() {
                shared.attempts.spawn(ends);
            }
        }
        for assignment in real {
            let id = assignment.attempt.id;
            let held = Held::new(shared, std::slice::from_ref(&assignment));
            let (wish, wishes) = watch::channel(Wish::Run);
            shared.running().insert(id, wish);
            shared.metrics.subtasks_running.inc();
            shared.begun.notify_one();
            let (worker, shared_too) = (self.clone(), shared.clone());
            shared.attempts.spawn(async move {
                let bench = Bench {
                    port: worker.port.clone(),
                    host: &worker.host,
                    clock: worker.clock.clone(),
                    options: &worker.options,
                    abandon: &shared_too.abandon,
                };
                let begun = Instant::now();
                bench.run(assignment, wishes, || shared_too.free(id)).await;
                worker.metrics.attempt_duration.observe(begun.elapsed());
                drop(held);
            });
        }
    }

    /// Renews the lease; when it cannot, everything is killed while the lease still holds. Timers stand still while the
    /// host sleeps: whether the time is over, the clock says.
    async fn renew(self: Arc<Self>, life: Life, shared: Arc<Shared>) {
        // Killing takes a moment, and so does a host under load.
        let margin = life.lease / 5;
        loop {
            let deadline = shared.holds.borrow().before(margin);
            tokio::time::sleep(self.options.renew.min(deadline.since(self.clock.moment()))).await;
            let asked = self.clock.moment();
            match tokio::time::timeout(deadline.since(asked), self.port.renew(&life)).await {
                Ok(Ok(Some(_))) if self.clock.moment() < deadline => {
                    shared.holds.send_replace(asked.after(life.lease));
                }
                Ok(Ok(None)) => {
                    tracing::warn!("the lease has ended: what runs is stopped, it will run again");
                    return shared.over.cancel();
                }
                Ok(Err(error)) => tracing::warn!(error = ?error, "the lease cannot be renewed: trying again"),
                Ok(Ok(Some(_))) | Err(_) => tracing::warn!("the lease cannot be renewed in time"),
            }
            if self.clock.moment() >= shared.holds.borrow().before(margin) {
                tracing::warn!("the lease is about to end: what runs is stopped, it will run again");
                return shared.over.cancel();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Passes on what is wished of each attempt, and gives back what the database has running here and never came.
    async fn obey(self: Arc<Self>, life: Life, shared: Arc<Shared>) {
        let apart = APART.min(life.lease / 5);
        let mut strangers = Strangers::apart(apart);
        loop {
            let asked: Vec<AttemptId> = shared.running().keys().copied().collect();
            let mut within = apart;
            if asked.is_empty() {
                // Nobody has a wish then: it is looked now and then, for strangers alone.
                tokio::select! {
                    () = shared.begun.notified() => continue,
                    () = tokio::time::sleep(apart) => within = Duration::ZERO,
                }
            }
            match self.port.wishes(&life, within).await {
                Ok(wishes) => {
                    shared.obey(&asked, &wishes.iter().map(|(attempt, wish)| (attempt.id, *wish)).collect());
                    let named = wishes.iter().map(|(attempt, _)| *attempt);
                    let lost = strangers.look(named, |id| shared.known().contains(&id), Instant::now());
                    if !lost.is_empty() {
                        self.disown(&lost).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(error = ?error, "wishes cannot be read: trying again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    /// Ends what runs nowhere: the answer to its claim was lost.
    async fn disown(&self, attempts: &[AttemptRef]) {
        tracing::warn!(attempts = attempts.len(), "attempts that never came to this worker are given back");
        let finishes = attempts.iter().map(|attempt| Finish::lost(*attempt, "it never came to its worker")).collect();
        if let Err(error) = self.port.finish(finishes).await {
            tracing::debug!(error = ?error, "they were not taken: looking again");
        }
    }
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, HashMap<AttemptId, watch::Sender<Wish>>> {
        self.running.lock().expect("invariant: nothing panics under the lock of running attempts")
    }

    fn known(&self) -> MutexGuard<'_, HashSet<AttemptId>> {
        self.known.lock().expect("invariant: nothing panics under the lock of known attempts")
    }

    pub(super) fn busy(&self) -> usize {
        self.running().len()
    }

    /// How many ends are not recorded yet.
    pub(super) fn unrecorded(&self) -> usize {
        self.known().len()
    }

    fn free(&self, id: AttemptId) {
        if self.running().remove(&id).is_some() {
            self.metrics.subtasks_running.dec();
            self.slot.notify_one();
        }
    }

    pub(super) fn wish_all(&self, wish: Wish) {
        for sender in self.running().values() {
            sender.send_replace(wish);
        }
    }

    /// What is frozen cannot go on to its end.
    pub(super) fn give_back_paused(&self) {
        for sender in self.running().values() {
            sender.send_if_modified(|wish| {
                let paused = *wish == Wish::Pause;
                if paused {
                    *wish = Wish::GiveBack;
                }
                paused
            });
        }
    }

    /// An attempt that ran when we asked, and is not in the answer, is not ours any more.
    fn obey(&self, asked: &[AttemptId], wishes: &HashMap<AttemptId, Wish>) {
        let running = self.running();
        for (id, sender) in running.iter() {
            let wish = match wishes.get(id) {
                Some(Wish::Pause) if self.ending.is_cancelled() => Wish::GiveBack,
                Some(&wish) => wish,
                None if asked.contains(id) => Wish::Drop,
                None => continue,
            };
            sender.send_if_modified(|now| {
                // What is given back or dropped stays so.
                let settled = matches!(now, Wish::Drop | Wish::GiveBack) || *now == wish;
                if !settled {
                    *now = wish;
                }
                !settled
            });
        }
    }
}
