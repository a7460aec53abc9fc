//! The desk: gathers what waits to be written and hands out work, one cycle after the other. It never waits while
//! there is something to write; what arrives during a cycle is the next one's batch. It is the port of the worker in
//! this process.
//!
//! One desk a process; it dies with the process, and then its attempts are lost and taken again elsewhere. While the
//! database does not answer it keeps what it has and tries again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use taskloom_entity::{SubtaskId, Timestamp, WorkerState, worker};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cycle::{Batch, Claimant, Done};
use super::port::{Assignment, AttemptRef, Equipment, Finish, Found, Hello, Life, Needs, Port, Report, Taken, Wish};
use super::{divide, equip};
use crate::clock::Clock;
use crate::error::{Error, Result, code};
use crate::event::Bell;
use crate::log::{Chunk, Live};
use crate::store::{self, Changed, Store};
use crate::telemetry::metrics::Write;
use crate::vault::Vault;

/// How many outcomes one cycle takes.
const BATCH: usize = 512;
/// How many reports it takes beside them: what runs may say much, and ends must not wait for it.
const REPORTS: usize = 256;
/// How many reports may wait. Whoever has another to make waits, too.
const WAITING: usize = 1024;
/// How often work is looked for though nobody rang: another process may have lost its bell.
const LOOK: Duration = Duration::from_secs(1);
/// How soon again, when work was there but its task was locked.
const PASSED_OVER: Duration = Duration::from_millis(5);
/// How long a database that does not answer is left alone.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a subtask that cannot be handed out is left out, so that it does not stand in front of others.
const UNFIT: Duration = Duration::from_secs(60);

enum Ask {
    Finish(Finish, oneshot::Sender<Taken>),
    Claim(Claimant, oneshot::Sender<Vec<Assignment>>),
}

/// What the desk works with.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung after each commit.
    pub bell: Bell,
    /// The ends of logs.
    pub live: Live,
    /// How long a lease holds.
    pub lease: Duration,
    /// The keys of what attempts are given.
    pub vault: Vault,
}

/// The port of this process's worker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    tools: Tools,
    asks: mpsc::UnboundedSender<Ask>,
    reports: mpsc::Sender<(AttemptRef, Report)>,
    labels: Arc<std::sync::Mutex<Vec<String>>>,
    /// Remembers which ring it has heard: kept from one question to the next.
    wishes: Arc<tokio::sync::Mutex<watch::Receiver<u64>>>,
}

impl Desk {
    /// Opens the desk; it is served by [`Clerk::run`].
    #[must_use]
    pub fn open(tools: Tools) -> (Self, Clerk) {
        // Bounded by the worker's slots: each attempt ends once. What it says meanwhile is bounded by the channel.
        let (asks, inbox) = mpsc::unbounded_channel();
        let (reports, said) = mpsc::channel(WAITING);
        let wishes = Arc::new(tokio::sync::Mutex::new(tools.bell.work()));
        let (open, unfit) = (Open::default(), HashMap::new());
        let clerk = Clerk { tools: tools.clone(), inbox, said, open, look_at: Instant::now(), unfit };
        (Self { tools, asks, reports, labels: Arc::default(), wishes }, clerk)
    }

    fn ask(&self, ask: Ask) -> Result<()> {
        self.asks.send(ask).map_err(|_| Error::new(&code::SHUTTING_DOWN))
    }

    fn count_refused(&self, write: &'static str, count: usize) {
        if count > 0 {
            self.tools.store.metrics().refused_writes.get_or_create(&Write { write }).inc_by(count as u64);
        }
    }
}

#[async_trait]
impl Port for Desk {
    async fn register(&self, hello: Hello) -> Result<Life> {
        let now = self.tools.clock.now();
        let id = uuid::Uuid::now_v7().to_string();
        let mut labels = hello.labels;
        labels.sort();
        labels.dedup();
        let model = worker::Model {
            id: id.clone(),
            name: hello.name,
            labels: labels.join(","),
            slots: i32::try_from(hello.slots).unwrap_or(i32::MAX),
            state: WorkerState::Alive,
            lease_until: now.after(self.tools.lease),
            started_at: now,
            seen_at: now,
            renewals: 0,
            lease_ms: i64::try_from(self.tools.lease.as_millis()).unwrap_or(i64::MAX),
            ended_at: None,
            isolation: Some(hello.isolation),
        };
        let tx = self.tools.store.begin().await?;
        store::worker::register(&tx, model).await?;
        store::commit(tx).await?;
        *self.labels.lock().expect("invariant: nothing panics under the labels' lock") = labels;
        Ok(Life { id, lease: self.tools.lease })
    }

    async fn claim(&self, life: &Life, free: usize) -> Result<Vec<Assignment>> {
        let labels = self.labels.lock().expect("invariant: nothing panics under the labels' lock").clone();
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Claim(Claimant { worker_id: life.id.clone(), labels, free }, reply))?;
        answer.await.map_err(|_| Error::new(&code::SHUTTING_DOWN))
    }

    async fn renew(&self, life: &Life) -> Result<Option<Timestamp>> {
        let now = self.tools.clock.now();
        let until = now.after(self.tools.lease);
        match store::worker::renew(self.tools.store.lease(), &life.id, now, until).await? {
            Changed::Yes => Ok(Some(until)),
            Changed::Stale => Ok(None),
        }
    }

    async fn wishes(&self, life: &Life, within: Duration) -> Result<Vec<(AttemptRef, Wish)>> {
        let mut rung = self.wishes.lock().await;
        // A ring is a change from outside of the engine: a cancel, a pause, or nothing that concerns this worker.
        let _ = tokio::time::timeout(within, rung.changed()).await;
        let running = store::attempt::of_worker(self.tools.store.read(), &life.id).await;
        // Not answered is not heard.
        let running = running.inspect_err(|_| rung.mark_changed())?;
        Ok(running.iter().map(|attempt| (attempt.into(), wish(attempt.canceling, attempt.held))).collect())
    }

    async fn append(&self, attempt: AttemptRef, first_line: i64, chunks: Vec<Chunk>) -> Result<Taken> {
        let tx = self.tools.store.begin().await?;
        let written = store::log::append(&tx, of(attempt), first_line, &chunks).await?;
        store::commit(tx).await?;
        if !written {
            self.count_refused("log", 1);
            return Ok(Taken::Refused);
        }
        let bytes = chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum();
        self.tools.store.metrics().log_bytes.inc_by(bytes);
        self.tools.live.grow(attempt.subtask_id, first_line, chunks);
        Ok(Taken::Yes)
    }

    async fn trim(&self, attempt: AttemptRef, first_lines: Vec<i64>) -> Result<Taken> {
        let tx = self.tools.store.begin().await?;
        store::log::drop(&tx, of(attempt), &first_lines).await?;
        store::commit(tx).await?;
        Ok(Taken::Yes)
    }

    async fn equip(&self, attempt: AttemptRef, needs: &Needs) -> Result<Equipment> {
        equip::run(&self.tools, attempt, needs).await
    }

    async fn keep(&self, attempt: AttemptRef, found: Vec<Found>) -> Result<Taken> {
        let tx = self.tools.store.begin().await?;
        let kept = store::result::keep(&tx, of(attempt), &found, self.tools.clock.now()).await?;
        store::commit(tx).await?;
        if !kept {
            self.count_refused("result", 1);
        }
        Ok(if kept { Taken::Yes } else { Taken::Refused })
    }

    async fn report(&self, attempt: AttemptRef, report: Report) -> Result<()> {
        self.reports.send((attempt, report)).await.map_err(|_| Error::new(&code::SHUTTING_DOWN))
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Taken>> {
        let asked = Instant::now();
        let mut answers = Vec::with_capacity(finishes.len());
        for finish in finishes {
            let (reply, answer) = oneshot::channel();
            self.ask(Ask::Finish(finish, reply))?;
            answers.push(answer);
        }
        let mut taken = Vec::with_capacity(answers.len());
        for answer in answers {
            taken.push(answer.await.map_err(|_| Error::new(&code::SHUTTING_DOWN))?);
        }
        self.tools.store.metrics().engine_wait.observe(asked.elapsed());
        self.count_refused("outcome", taken.iter().filter(|taken| **taken == Taken::Refused).count());
        Ok(taken)
    }

    async fn leave(&self, life: &Life) -> Result<()> {
        let _: Changed = store::worker::leave(self.tools.store.lease(), &life.id, self.tools.clock.now()).await?;
        Ok(())
    }
}

fn of(attempt: AttemptRef) -> store::log::Of {
    store::log::Of { attempt_id: attempt.id, subtask_id: attempt.subtask_id, epoch: attempt.epoch }
}

const fn wish(canceling: bool, held: bool) -> Wish {
    match (canceling, held) {
        (true, _) => Wish::Cancel,
        (false, true) => Wish::Pause,
        (false, false) => Wish::Run,
    }
}

/// What has been asked and is not answered yet.
#[derive(Default)]
struct Open {
    finishes: VecDeque<(Finish, oneshot::Sender<Taken>)>,
    reports: VecDeque<(AttemptRef, Report)>,
    claim: Option<(Claimant, oneshot::Sender<Vec<Assignment>>)>,
    /// Work may be there that no cycle has seen: somebody rang, or more was ready than could be taken.
    work: bool,
}

/// Serves the desk.
pub struct Clerk {
    tools: Tools,
    inbox: mpsc::UnboundedReceiver<Ask>,
    said: mpsc::Receiver<(AttemptRef, Report)>,
    open: Open,
    /// When work is looked for though nobody rang.
    look_at: Instant,
    /// What cannot be handed out, and until when it is left out.
    unfit: HashMap<SubtaskId, Instant>,
}

impl std::fmt::Debug for Clerk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clerk").finish_non_exhaustive()
    }
}

impl Clerk {
    /// Serves until `stop`, and then until everything asked before is written.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut rung = self.tools.bell.work();
        loop {
            self.gather();
            // Also while there is no end of things to write.
            if rung.has_changed().unwrap_or_default() {
                rung.mark_unchanged();
                self.open.work = true;
            }
            if Instant::now() >= self.look_at {
                self.open.work = true;
                self.look_at = Instant::now() + LOOK;
            }
            if self.has_something() {
                self.turn().await;
                continue;
            }
            tokio::select! {
                ask = self.inbox.recv() => match ask {
                    Some(ask) => {
                        self.take(ask);
                        // Others that were woken by the same moment get their word in.
                        tokio::task::yield_now().await;
                    }
                    None => return,
                },
                Some(report) = self.said.recv() => {
                    self.open.reports.push_back(report);
                    tokio::task::yield_now().await;
                }
                changed = rung.changed() => self.open.work |= changed.is_ok(),
                () = tokio::time::sleep_until(self.look_at) => {}
                () = stop.cancelled() => {
                    if self.inbox.is_empty() && self.said.is_empty() { return }
                }
            }
        }
    }

    fn has_something(&self) -> bool {
        !self.open.finishes.is_empty()
            || !self.open.reports.is_empty()
            || (self.open.work && self.open.claim.as_ref().is_some_and(|(_, reply)| !reply.is_closed()))
    }

    fn gather(&mut self) {
        while self.open.finishes.len() < BATCH {
            match self.inbox.try_recv() {
                Ok(ask) => self.take(ask),
                Err(_) => break,
            }
        }
        while self.open.reports.len() < REPORTS {
            match self.said.try_recv() {
                Ok(report) => self.open.reports.push_back(report),
                Err(_) => break,
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Finish(finish, reply) => self.open.finishes.push_back((finish, reply)),
            Ask::Claim(claimant, reply) => self.open.claim = Some((claimant, reply)),
        }
    }

    async fn turn(&mut self) {
        let now = self.tools.clock.now();
        let run = async {
            let batch = self.batch(now).await?;
            let done = divide::run(&self.tools.store, &batch, now).await?;
            Ok::<_, Error>((batch.claimant, done))
        };
        let (claimant, mut done) = match run.await {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(error = ?error, "outcomes cannot be recorded: trying again");
                tokio::time::sleep(PAUSE).await;
                return;
            }
        };
        if done.wrote {
            self.tools.bell.ring_events();
        }
        self.unfit.extend(done.unfit.iter().map(|id| (*id, Instant::now() + UNFIT)));
        let assignments = std::mem::take(&mut done.assignments);
        let handed = assignments.len();
        // At once: what is on its way for long is taken for lost.
        if handed > 0
            && let Some((_, reply)) = self.open.claim.take()
            && let Err(assignments) = reply.send(assignments)
        {
            tracing::warn!(attempts = assignments.len(), "a worker left before its work reached it: it is given back");
            self.give_back(&assignments);
        }
        self.answer(&done.finishes, &done.heard).await;
        self.look_later((claimant.as_ref(), handed), &done, now).await;
    }

    /// What nobody takes any more ends in the next cycle: nothing of it has begun.
    fn give_back(&mut self, assignments: &[Assignment]) {
        for assignment in assignments {
            let finish = Finish::lost(assignment.attempt, "its worker left before it could begin");
            self.open.finishes.push_back((finish, oneshot::channel().0));
        }
    }

    /// What the next cycle is to do.
    async fn batch(&self, now: Timestamp) -> Result<Batch> {
        let claim = self.open.claim.as_ref().filter(|(_, reply)| !reply.is_closed());
        let claimant = claim.map(|(claimant, _)| claimant.clone());
        let mut candidates = vec![];
        if let Some(claimant) = claimant.as_ref().filter(|_| self.open.work) {
            let left_out = |id: &SubtaskId| self.unfit.get(id).is_some_and(|until| *until > Instant::now());
            let most = claimant.free + self.unfit.len();
            candidates = store::queue::candidates(self.tools.store.read(), &claimant.labels, most as u64, now).await?;
            candidates.retain(|candidate| !left_out(&candidate.id));
            candidates.truncate(claimant.free);
        }
        Ok(Batch {
            finishes: self.open.finishes.iter().map(|(finish, _)| finish.clone()).collect(),
            reports: self.open.reports.iter().cloned().collect(),
            claimant,
            candidates,
        })
    }

    /// Whether and when there is to be looked for work that this cycle has not seen.
    async fn look_later(&mut self, (claimant, handed): (Option<&Claimant>, usize), done: &Done, now: Timestamp) {
        let looked = std::mem::take(&mut self.open.work);
        self.unfit.retain(|_, until| *until > Instant::now());
        self.open.work = match claimant {
            Some(claimant) => handed >= claimant.free,
            // Nobody was there to take what was made ready.
            None => looked || done.wrote,
        };
        if done.passed_over {
            // Somebody holds its task for a moment, and may let go of it without a ring.
            self.look_at = self.look_at.min(Instant::now() + PASSED_OVER);
        }
        let looked_in_vain = looked && claimant.is_some() && handed == 0;
        let backoff = if looked_in_vain {
            store::queue::next_backoff(self.tools.store.read(), now).await.unwrap_or_default()
        } else {
            done.backoff
        };
        if let Some(at) = backoff {
            let pause = at.since(self.tools.clock.now()).max(Duration::from_millis(1));
            self.look_at = self.look_at.min(Instant::now() + pause);
        }
    }

    /// Answers what was recorded; what was locked by somebody else stays for the next cycle.
    async fn answer(&mut self, taken: &[Option<Taken>], heard: &[bool]) {
        let mut locked = VecDeque::new();
        let reports = std::mem::take(&mut self.open.reports).into_iter().enumerate();
        let mut unheard: VecDeque<_> =
            reports.filter(|(at, _)| heard.get(*at) == Some(&false)).map(|(_, report)| report).collect();
        for (at, (finish, reply)) in self.open.finishes.drain(..).enumerate() {
            match taken.get(at).copied().flatten() {
                Some(taken) => {
                    self.tools.live.release(finish.attempt.subtask_id);
                    let _ = reply.send(taken);
                }
                None => locked.push_back((finish, reply)),
            }
        }
        if !locked.is_empty() || !unheard.is_empty() {
            // Either a resolver holds the task for a moment, or it was deleted.
            let ids =
                locked.iter().map(|(finish, _)| &finish.attempt).chain(unheard.iter().map(|(attempt, _)| attempt));
            let ids: Vec<_> = ids.map(|attempt| attempt.task_id).collect();
            if let Ok(there) = store::task::list_by_id(self.tools.store.read(), &ids).await {
                let is_there = |attempt: &AttemptRef| there.iter().any(|task| task.id == attempt.task_id);
                let (kept, gone): (VecDeque<_>, VecDeque<_>) =
                    locked.into_iter().partition(|(finish, _)| is_there(&finish.attempt));
                for (_, reply) in gone {
                    let _ = reply.send(Taken::Refused);
                }
                locked = kept;
                unheard.retain(|(attempt, _)| is_there(attempt));
            }
            if !locked.is_empty() || !unheard.is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        self.open.finishes = locked;
        self.open.reports = unheard;
    }
}
