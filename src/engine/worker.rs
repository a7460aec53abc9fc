//! The worker: keeps its life's lease, asks for work while it has free slots, and runs each attempt.
//!
//! It speaks to the engine through the [`Port`] alone, so the same loop will serve on another host. When it cannot
//! renew its lease it kills what it runs before the lease ends; then it begins a new life.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use taskloom_entity::AttemptId;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::{self, Bench};
use super::port::{Assignment, Hello, Life, Port, Wish};
use crate::clock::{Clock, Moment};
use crate::executor::Host;
use crate::telemetry::Metrics;

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
struct Shared {
    running: Mutex<HashMap<AttemptId, watch::Sender<Wish>>>,
    slot: Notify,
    /// Something runs: its wishes are to be asked for.
    begun: Notify,
    attempts: TaskTracker,
    /// Until when the lease holds for certain.
    holds: watch::Sender<Moment>,
    over: CancellationToken,
    metrics: Arc<Metrics>,
}

impl Worker {
    /// Works until it is told to stop and nothing of its work is left.
    pub async fn run(self, stops: Stops) {
        let worker = Arc::new(self);
        worker.metrics.worker_slots.set(i64::try_from(worker.options.hello.slots).unwrap_or(i64::MAX));
        while !stops.gently.is_cancelled() {
            let before = worker.clock.moment();
            let life = match worker.port.register(worker.options.hello.clone()).await {
                Ok(life) => life,
                Err(error) => {
                    tracing::warn!(error = ?error, "the worker cannot register: trying again");
                    tokio::select! {
                        () = stops.gently.cancelled() => return,
                        () = tokio::time::sleep(Duration::from_secs(1)) => continue,
                    }
                }
            };
            worker.clone().live(life, before, &stops).await;
        }
    }

    async fn live(self: Arc<Self>, life: Life, registered: Moment, stops: &Stops) {
        let shared = Arc::new(Shared {
            running: Mutex::default(),
            slot: Notify::new(),
            begun: Notify::new(),
            attempts: TaskTracker::new(),
            holds: watch::Sender::new(registered.after(life.lease)),
            over: CancellationToken::new(),
            metrics: self.metrics.clone(),
        });
        let renewals = tokio::spawn(self.clone().renew(life.clone(), shared.clone()));
        let wishes = tokio::spawn(self.clone().obey(life.clone(), shared.clone()));
        tokio::select! {
            () = self.take_work(&life, &shared) => {}
            () = shared.over.cancelled() => shared.wish_all(Wish::Drop),
            () = stops.gently.cancelled() => self.wind_down(&shared, stops).await,
        }
        shared.attempts.close();
        shared.attempts.wait().await;
        let lost = shared.over.is_cancelled();
        shared.over.cancel();
        renewals.abort();
        wishes.abort();
        if !lost && let Err(error) = self.port.leave(&life).await {
            tracing::debug!(error = ?error, "the worker left without a word: its lease will end by itself");
        }
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
            let count = instant.len();
            let mut ends = Box::pin(async move {
                attempt::finish_instantly(port.as_ref(), instant).await;
                (0..count).for_each(|_| metrics.attempt_duration.observe(begun.elapsed()));
            });
            // Said before the next question for work, so that one cycle records the ends and hands out.
            if ends.as_mut().now_or_never().is_none() {
                shared.attempts.spawn(ends);
            }
        }
        for assignment in real {
            let id = assignment.attempt.id;
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
                };
                let begun = Instant::now();
                bench.run(assignment, wishes, || shared_too.free(id)).await;
                shared_too.free(id);
                worker.metrics.attempt_duration.observe(begun.elapsed());
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

    /// Passes on what is wished of each attempt.
    async fn obey(self: Arc<Self>, life: Life, shared: Arc<Shared>) {
        loop {
            let asked: Vec<AttemptId> = shared.running().keys().copied().collect();
            if asked.is_empty() {
                shared.begun.notified().await;
                continue;
            }
            match self.port.wishes(&life).await {
                Ok(wishes) => shared.obey(&asked, &wishes.into_iter().collect()),
                Err(error) => {
                    tracing::debug!(error = ?error, "wishes cannot be read: trying again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    async fn wind_down(&self, shared: &Shared, stops: &Stops) {
        tracing::info!(running = shared.busy(), "the worker takes nothing new");
        shared.attempts.close();
        tokio::select! {
            () = shared.attempts.wait() => return,
            () = stops.now.cancelled() => {}
            () = tokio::time::sleep(self.options.patience) => {}
        }
        shared.wish_all(Wish::GiveBack);
    }
}

impl Shared {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<AttemptId, watch::Sender<Wish>>> {
        self.running.lock().expect("invariant: nothing panics under the lock of running attempts")
    }

    fn busy(&self) -> usize {
        self.running().len()
    }

    fn free(&self, id: AttemptId) {
        if self.running().remove(&id).is_some() {
            self.metrics.subtasks_running.dec();
            self.slot.notify_one();
        }
    }

    fn wish_all(&self, wish: Wish) {
        for sender in self.running().values() {
            sender.send_replace(wish);
        }
    }

    /// An attempt that ran when we asked, and is not in the answer, is not ours any more.
    fn obey(&self, asked: &[AttemptId], wishes: &HashMap<AttemptId, Wish>) {
        let running = self.running();
        for (id, sender) in running.iter() {
            let wish = match wishes.get(id) {
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
