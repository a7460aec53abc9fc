//! The port of the workers of this process, and of any that reach it by other ways. Each has a session of its own:
//! what one asks, is offered or is told is never another's.
//!
//! Claims and ends go to the [`super::dispatch_loop`] and are answered from there. Everything else is a statement or a
//! transaction of its own: a lease that is renewed or a line that is written waits for no cycle. One dispatcher a
//! process; it dies with the process, and then its workers' attempts are lost and taken again elsewhere.

use std::time::Duration;

use async_trait::async_trait;
use taskloom_entity::{Timestamp, WorkerState, worker};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

pub use super::dispatch_loop::DispatcherTools;
use super::dispatch_loop::{DispatchLoop, DispatchRequest};
use super::equip;
use super::sessions::Sessions;
use crate::error::{Error, Result, code};
use crate::log::LogChunk;
use crate::rows::PackedPart;
use crate::store::attempt::RunningAttempt;
use crate::store::{self, Changed};
use crate::telemetry::metrics::Write;
use crate::worker::port::{
    Acceptance, Assignment, AttemptEnd, AttemptEquipment, AttemptNeeds, AttemptRef, AttemptReport, Intent, Port,
    PortError, PortResult, WorkerRegistration, WorkerSession,
};

/// How many reports may wait. Whoever has another to make waits, too.
const WAITING: usize = 1024;

/// The port of workers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    tools: DispatcherTools,
    requests: mpsc::UnboundedSender<DispatchRequest>,
    reports: mpsc::Sender<(AttemptRef, AttemptReport)>,
    sessions: Sessions,
}

impl Dispatcher {
    /// A dispatcher, and the loop without which it answers nothing.
    #[must_use]
    pub fn open(tools: DispatcherTools) -> (Self, DispatchLoop) {
        // This channel has no bound, so that an end is never refused or held up for want of room in it. It holds one
        // end of each attempt that runs, since who sends an end waits for its answer, and one claim of each session.
        let (requests, inbox) = mpsc::unbounded_channel();
        // What attempts say meanwhile has no such limit: this one holds them up.
        let (reports, said) = mpsc::channel(WAITING);
        let sessions = Sessions::new(tools.bell.clone());
        (Self { tools: tools.clone(), requests, reports, sessions }, DispatchLoop::new(tools, inbox, said))
    }

    fn ask(&self, request: DispatchRequest) -> PortResult<()> {
        self.requests.send(request).map_err(|_| stopping())
    }

    fn count_refused(&self, write: &'static str, count: usize) {
        if count > 0 {
            self.tools.store.metrics().refused_writes.get_or_create(&Write { write }).inc_by(count as u64);
        }
    }

    async fn begin(&self, worker: WorkerRegistration) -> Result<WorkerSession> {
        let now = self.tools.clock.now();
        let id = uuid::Uuid::now_v7().to_string();
        let mut labels = worker.labels;
        labels.sort();
        labels.dedup();
        let model = worker::Model {
            id: id.clone(),
            name: worker.name,
            labels: labels.join(","),
            slots: i32::try_from(worker.slots).unwrap_or(i32::MAX),
            state: WorkerState::Alive,
            lease_until: now.after(self.tools.lease),
            started_at: now,
            seen_at: now,
            renewals: 0,
            lease_ms: i64::try_from(self.tools.lease.as_millis()).unwrap_or(i64::MAX),
            ended_at: None,
            isolation: Some(worker.isolation),
        };
        let tx = self.tools.store.begin().await?;
        store::worker::register(&tx, model).await?;
        store::commit(tx).await?;
        self.sessions.begin(&id, labels);
        Ok(WorkerSession { id, lease: self.tools.lease })
    }

    /// Appends to a log; whether the attempt may still write.
    async fn append_lines(&self, attempt: AttemptRef, first_line: i64, chunks: &[LogChunk]) -> Result<bool> {
        let tx = self.tools.store.begin().await?;
        let written = store::log::append(&tx, of(attempt), first_line, chunks).await?;
        store::commit(tx).await?;
        Ok(written)
    }

    async fn keep_parts(&self, attempt: AttemptRef, parts: &[PackedPart]) -> Result<bool> {
        let tx = self.tools.store.begin().await?;
        let kept = store::result::keep(&tx, of(attempt), parts, self.tools.clock.now()).await?;
        store::commit(tx).await?;
        Ok(kept)
    }

    async fn drop_lines(&self, attempt: AttemptRef, first_lines: &[i64]) -> Result<()> {
        let tx = self.tools.store.begin().await?;
        store::log::drop(&tx, of(attempt), first_lines).await?;
        store::commit(tx).await
    }
}

#[async_trait]
impl Port for Dispatcher {
    async fn register(&self, worker: WorkerRegistration) -> PortResult<WorkerSession> {
        Ok(self.begin(worker).await?)
    }

    async fn claim(&self, session: &WorkerSession, free: usize) -> PortResult<Vec<Assignment>> {
        if free == 0 {
            // It would wait for ever, and be looked for in every cycle.
            return Ok(vec![]);
        }
        let known = self.sessions.find(&self.tools.store, &session.id).await?;
        let known = known.ok_or_else(PortError::session_over)?;
        let (reply, answer) = oneshot::channel();
        self.ask(DispatchRequest::Claim { session: known, free, reply })?;
        // Without an answer, the session has left meanwhile, or the loop has ended.
        answer.await.map_err(|_| self.sessions.hear(&session.id).map_or_else(PortError::session_over, |_| stopping()))
    }

    async fn renew(&self, session: &WorkerSession) -> PortResult<Option<Timestamp>> {
        let now = self.tools.clock.now();
        let until = now.after(self.tools.lease);
        match store::worker::renew(self.tools.store.lease(), &session.id, now, until).await? {
            Changed::Yes => {
                self.sessions.hear(&session.id);
                Ok(Some(until))
            }
            Changed::Stale => {
                self.sessions.end(&session.id);
                Ok(None)
            }
        }
    }

    async fn intents(&self, session: &WorkerSession, within: Duration) -> PortResult<Vec<(AttemptRef, Intent)>> {
        let Some(known) = self.sessions.find(&self.tools.store, &session.id).await? else {
            // A session that has ended has nothing that runs, and nothing to wait for.
            return Ok(vec![]);
        };
        let mut rung = known.rung.lock().await;
        // A ring is a change from outside of the engine: a cancel, a pause, or nothing that concerns this worker. It is
        // taken for heard before the look: one that comes during the look answers the next question at once.
        let _ = tokio::time::timeout(within, rung.changed()).await;
        let running = store::attempt::of_worker(self.tools.store.read(), &session.id).await;
        // What was not answered was not heard.
        let running = running.inspect_err(|_| rung.mark_changed())?;
        Ok(running.iter().map(|attempt| (attempt.into(), intent(attempt))).collect())
    }

    async fn append(&self, attempt: AttemptRef, first_line: i64, chunks: Vec<LogChunk>) -> PortResult<Acceptance> {
        if !self.append_lines(attempt, first_line, &chunks).await? {
            self.count_refused("log", 1);
            return Ok(Acceptance::Refused);
        }
        let bytes = chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum();
        self.tools.store.metrics().log_bytes.inc_by(bytes);
        // After the commit: a line that was shown is never taken back.
        self.tools.live.grow(attempt.subtask_id, first_line, chunks);
        Ok(Acceptance::Accepted)
    }

    async fn trim(&self, attempt: AttemptRef, first_lines: Vec<i64>) -> PortResult<Acceptance> {
        self.drop_lines(attempt, &first_lines).await?;
        Ok(Acceptance::Accepted)
    }

    async fn equip(&self, attempt: AttemptRef, needs: &AttemptNeeds) -> PortResult<AttemptEquipment> {
        Ok(equip::run(&self.tools.store, &self.tools.vault, attempt, needs).await?)
    }

    async fn keep(&self, attempt: AttemptRef, parts: Vec<PackedPart>) -> PortResult<Acceptance> {
        let kept = self.keep_parts(attempt, &parts).await?;
        if !kept {
            self.count_refused("result", 1);
        }
        Ok(if kept { Acceptance::Accepted } else { Acceptance::Refused })
    }

    async fn report(&self, attempt: AttemptRef, report: AttemptReport) -> PortResult<()> {
        self.reports.send((attempt, report)).await.map_err(|_| stopping())
    }

    async fn finish(&self, ends: Vec<AttemptEnd>) -> PortResult<Vec<Acceptance>> {
        let asked = Instant::now();
        let mut answers = Vec::with_capacity(ends.len());
        for end in ends {
            let (reply, answer) = oneshot::channel();
            self.ask(DispatchRequest::End(end, reply))?;
            answers.push(answer);
        }
        let mut taken = Vec::with_capacity(answers.len());
        for answer in answers {
            taken.push(answer.await.map_err(|_| stopping())?);
        }
        self.tools.store.metrics().engine_wait.observe(asked.elapsed());
        self.count_refused("outcome", taken.iter().filter(|taken| **taken == Acceptance::Refused).count());
        Ok(taken)
    }

    async fn leave(&self, session: &WorkerSession) -> PortResult<()> {
        // Nothing may be handed to it any more, whatever the database says of the rest. A loop that has ended hands
        // out nothing.
        self.sessions.end(&session.id);
        let _ = self.ask(DispatchRequest::Leave(session.id.clone()));
        let _: Changed = store::worker::leave(self.tools.store.lease(), &session.id, self.tools.clock.now()).await?;
        Ok(())
    }
}

fn stopping() -> PortError {
    Error::new(&code::SHUTTING_DOWN).into()
}

fn of(attempt: AttemptRef) -> store::log::LogOwner {
    store::log::LogOwner { attempt_id: attempt.id, subtask_id: attempt.subtask_id, epoch: attempt.epoch }
}

const fn intent(attempt: &RunningAttempt) -> Intent {
    match (attempt.canceling, attempt.held) {
        (true, _) => Intent::Cancel,
        (false, true) => Intent::Pause,
        (false, false) => Intent::Run,
    }
}
