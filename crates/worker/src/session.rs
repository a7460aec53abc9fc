//! One session of a worker after the other: keeps the lease, asks for work while slots are free, and runs each attempt.
//!
//! A session has three loops: [`Worker::take_work`], [`Worker::keep_lease`] and [`Worker::follow_intents`]. When the
//! lease cannot be renewed, or a loop breaks, everything that runs is killed while the lease still holds; then another
//! session begins. Nothing is decided by the instants of this host: whether the lease holds, a steady clock says.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use taskloom_core::AttemptId;
use taskloom_executor::Host;
use taskloom_runtime::clock::{Clock, Moment};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::assignment;
use super::attempt_runner::{self, AttemptRunner};
use super::observer::WorkerObserver;
use super::options::{WorkerOptions, WorkerStops};
use super::port::{Assignment, AttemptEnd, AttemptRef, Port, PortResult, WorkerSession};
use super::session_state::{KnownAttempts, SessionState};
use super::shutdown::{Shutdown, WorkerEnd};
use super::unknown_attempts::UnknownAttempts;

/// How long what was handed out may be on its way here, and how often intents are looked at though nothing changed.
const APART: Duration = Duration::from_secs(3);
/// Pause before a question that was not answered is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// A worker, not yet running.
pub struct Worker {
    pub port: Arc<dyn Port>,
    /// What runs programs.
    pub host: Host,
    /// The time of log lines, and of its lease.
    pub clock: Arc<dyn Clock>,
    pub options: WorkerOptions,
    pub observer: Arc<dyn WorkerObserver>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Worker {
    /// Works until it is told to stop and nothing of its work is left.
    pub async fn run(self, stops: WorkerStops) -> WorkerEnd {
        let worker = Arc::new(self);
        let mut past = vec![];
        worker.observer.has_slots(worker.options.registration.slots);
        while !stops.gently.is_cancelled() {
            // Before the question: the lease may begin at any moment between it and the answer.
            let before = worker.clock.moment();
            let registered = worker.register(&mut past);
            let session = match stops.gently.run_until_cancelled(registered).await {
                Some(Ok(session)) => session,
                Some(Err(error)) => {
                    tracing::warn!(error = ?error, "the worker cannot register: trying again");
                    stops.gently.run_until_cancelled(tokio::time::sleep(Duration::from_secs(1))).await;
                    continue;
                }
                None => break,
            };
            past.push(session.clone());
            if worker.clone().serve(session, before, &stops).await == WorkerEnd::Abandoned {
                return WorkerEnd::Abandoned;
            }
        }
        WorkerEnd::Recorded
    }

    /// Begins a session. Those before it are ended by their own word: nothing of them runs here any more, so nobody
    /// need wait until their leases are over to take what they had, or were handed without ever hearing of it.
    async fn register(&self, past: &mut Vec<WorkerSession>) -> PortResult<WorkerSession> {
        while let Some(session) = past.last() {
            self.port.leave(session).await?;
            past.pop();
        }
        self.port.register(self.options.registration.clone()).await
    }

    async fn serve(self: Arc<Self>, session: WorkerSession, registered: Moment, stops: &WorkerStops) -> WorkerEnd {
        let holds = registered.after(session.lease);
        let state = Arc::new(SessionState::new(holds, stops.gently.clone(), self.observer.clone()));
        let mut loops = JoinSet::new();
        loops.spawn(self.clone().keep_lease(session.clone(), state.clone()));
        loops.spawn(self.clone().follow_intents(session.clone(), state.clone()));
        let mut broken = None;
        tokio::select! {
            // First, so that what has been handed out already is not dropped.
            biased;
            () = self.take_work(&session, &state) => {}
            () = state.over.cancelled() => {}
            () = stops.gently.cancelled() => {}
            // Without them nobody holds the lease or hears of intents: what runs is stopped.
            Some(Err(error)) = loops.join_next() => {
                broken = Some(error);
                state.over.cancel();
            }
        }
        let (port, options) = (self.port.as_ref(), &self.options);
        let shutdown = Shutdown { port, options, session: &session, state: &state, stops };
        let ended = shutdown.run().await;
        let lost = state.over.is_cancelled();
        state.over.cancel();
        loops.shutdown().await;
        if let Some(error) = broken.and_then(|error| error.try_into_panic().ok()) {
            // Whoever watches over the worker ends the process.
            std::panic::resume_unwind(error);
        }
        if lost || ended == WorkerEnd::Abandoned { ended } else { shutdown.leave().await }
    }

    /// Asks for as much as there are free slots, for ever.
    ///
    /// One a session, in the task of the session itself. Woken by the port's answer or by a slot that becomes free.
    /// When it is dropped, an answer that is on its way is lost: the dispatcher gives that work back.
    async fn take_work(self: &Arc<Self>, session: &WorkerSession, state: &Arc<SessionState>) {
        loop {
            let free = self.options.registration.slots.saturating_sub(state.busy());
            if free == 0 {
                // A slot that became free since the look has left its permit: nothing is missed.
                state.slot.notified().await;
                continue;
            }
            match self.port.claim(session, free).await {
                Ok(assignments) => self.begin(assignments, state),
                Err(error) => {
                    tracing::warn!(error = ?error, "the worker gets no answer: trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    fn begin(self: &Arc<Self>, assignments: Vec<Assignment>, state: &Arc<SessionState>) {
        let (instant, real): (Vec<_>, Vec<_>) = assignments.into_iter().partition(assignment::is_instant);
        if !instant.is_empty() {
            // Nothing runs for them: they end together, and hold no slot meanwhile.
            let (port, observer, begun) = (self.port.clone(), self.observer.clone(), Instant::now());
            let (known, abandon) = (KnownAttempts::new(state, &instant), state.abandon.clone());
            let mut ends = Box::pin(async move {
                abandon.run_until_cancelled(attempt_runner::finish_instantly(port.as_ref(), instant)).await;
                known.ids.iter().for_each(|_| observer.attempt_ended(begun.elapsed()));
            });
            // Said before the next question for work, so that one cycle records the ends and hands out.
            if ends.as_mut().now_or_never().is_none() {
                state.attempts.spawn(ends);
            }
        }
        for assignment in real {
            let id = assignment.attempt.id;
            // Known before it runs, and until after its end is recorded.
            let known = KnownAttempts::new(state, std::slice::from_ref(&assignment));
            let intents = state.begin(id);
            let (worker, state) = (self.clone(), state.clone());
            state.clone().attempts.spawn(async move {
                let runner = AttemptRunner {
                    port: worker.port.clone(),
                    host: &worker.host,
                    clock: worker.clock.clone(),
                    options: &worker.options,
                    abandon: &state.abandon,
                };
                let begun = Instant::now();
                runner.run(assignment, intents, || state.free(id)).await;
                worker.observer.attempt_ended(begun.elapsed());
                drop(known);
            });
        }
    }

    /// Renews the lease; when it cannot, everything is killed while the lease still holds.
    ///
    /// One a session, in a task of its own, so that no slow answer to another question delays a renewal. Woken by its
    /// timer alone. Timers stand still while the host sleeps, so whether time is over, the clock says. Its end is the
    /// end of the session.
    async fn keep_lease(self: Arc<Self>, session: WorkerSession, state: Arc<SessionState>) {
        // Killing takes a moment, and so does a host under load.
        let margin = session.lease / 5;
        loop {
            let deadline = state.holds.borrow().before(margin);
            tokio::time::sleep(self.options.renew.min(deadline.since(self.clock.moment()))).await;
            // The lease counts from the question: the server may have written it at any moment after.
            let asked = self.clock.moment();
            match tokio::time::timeout(deadline.since(asked), self.port.renew(&session)).await {
                Ok(Ok(Some(_))) if self.clock.moment() < deadline => {
                    state.holds.send_replace(asked.after(session.lease));
                }
                Ok(Ok(None)) => {
                    tracing::warn!("the lease has ended: what runs is stopped, it will run again");
                    return state.over.cancel();
                }
                Ok(Err(error)) => tracing::warn!(error = ?error, "the lease cannot be renewed: trying again"),
                // An answer that comes behind the deadline, after a sleep of the host, proves nothing.
                Ok(Ok(Some(_))) | Err(_) => tracing::warn!("the lease cannot be renewed in time"),
            }
            if self.clock.moment() >= state.holds.borrow().before(margin) {
                tracing::warn!("the lease is about to end: what runs is stopped, it will run again");
                return state.over.cancel();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Passes on what is to be done with each attempt, and gives back what the database has running here and never
    /// came.
    ///
    /// One a session, in a task of its own. Woken by the port's answer, which comes when something may have changed or
    /// after a while. Its panic is the end of the session.
    async fn follow_intents(self: Arc<Self>, session: WorkerSession, state: Arc<SessionState>) {
        let apart = APART.min(session.lease / 5);
        let mut unknown = UnknownAttempts::apart(apart);
        loop {
            // Before the question: only what ran then can be missed in the answer.
            let asked: Vec<AttemptId> = state.ids();
            let mut within = apart;
            if asked.is_empty() {
                // There is no intent then: it is looked now and then, for unknown attempts alone.
                tokio::select! {
                    () = state.begun.notified() => continue,
                    () = tokio::time::sleep(apart) => within = Duration::ZERO,
                }
            }
            match self.port.intents(&session, within).await {
                Ok(intents) => {
                    state.obey(&asked, &intents.iter().map(|(attempt, intent)| (attempt.id, *intent)).collect());
                    let named = intents.iter().map(|(attempt, _)| *attempt);
                    let lost = unknown.look(named, |id| state.knows(id), Instant::now());
                    if !lost.is_empty() {
                        self.disown(&lost).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(error = ?error, "intents cannot be read: trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Ends what runs nowhere: the answer to its claim was lost.
    async fn disown(&self, attempts: &[AttemptRef]) {
        tracing::warn!(attempts = attempts.len(), "attempts that never came to this worker are given back");
        let ends = attempts.iter().map(|attempt| AttemptEnd::lost(*attempt, "it never came to its worker")).collect();
        if let Err(error) = self.port.finish(ends).await {
            tracing::debug!(error = ?error, "they were not taken: looking again");
        }
    }
}
