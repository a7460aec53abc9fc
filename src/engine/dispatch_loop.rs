//! The loop behind the dispatcher: gathers ends, reports and claims of all workers, and runs one cycle after the other.
//!
//! One task a process runs it and owns all of its state, so there is no lock. It is woken by a request, a report, a
//! ring of the bell, or its timer. It never waits while there is something to write; what arrives during a cycle is
//! the next one's batch. While the database does not answer it keeps what it has and tries again. When it dies nobody
//! is answered any more: the process ends, and what ran is lost and taken again elsewhere.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use taskloom_core::principal::Scope;
use taskloom_entity::{SubtaskId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cycle::{ClaimOffer, Claimant, CycleBatch, CycleOutcome};
use super::divide;
use super::sessions::KnownSession;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::feed::event::Bell;
use crate::feed::log::Live;
use crate::store::{self, Store};
use crate::vault::Vault;
use crate::worker::port::{Acceptance, Assignment, AttemptEnd, AttemptRef, AttemptReport};

/// How many ends one cycle takes.
const BATCH: usize = 512;
/// How many reports it takes beside them: what runs may say much, and ends must not wait for it.
const REPORTS: usize = 256;
/// How often work is looked for though nobody rang: another process may have lost its bell.
const LOOK: Duration = Duration::from_secs(1);
/// How soon again, when work was there but its task was locked.
const PASSED_OVER: Duration = Duration::from_millis(5);
/// How long a database that does not answer is left alone.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a subtask that cannot be handed out is left out, so that it does not stand in front of others.
const UNFIT: Duration = Duration::from_secs(60);

/// What a dispatcher works with.
#[derive(Clone, Debug)]
pub struct DispatcherTools {
    pub store: Store,
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

/// What is asked of the loop.
pub(super) enum DispatchRequest {
    End(AttemptEnd, oneshot::Sender<Acceptance>),
    Claim { session: Arc<KnownSession>, free: usize, reply: oneshot::Sender<Vec<Assignment>> },
    Leave(String),
}

/// A session that waits for work. Closed when whoever asked has gone.
struct PendingClaim {
    session: Arc<KnownSession>,
    free: usize,
    reply: oneshot::Sender<Vec<Assignment>>,
}

/// What has been asked and is not answered yet.
#[derive(Default)]
struct PendingRequests {
    ends: VecDeque<(AttemptEnd, oneshot::Sender<Acceptance>)>,
    reports: VecDeque<(AttemptRef, AttemptReport)>,
    /// One a session at the most; who has waited longest is first.
    claims: Vec<PendingClaim>,
}

/// Serves a dispatcher.
pub struct DispatchLoop {
    tools: DispatcherTools,
    inbox: mpsc::UnboundedReceiver<DispatchRequest>,
    said: mpsc::Receiver<(AttemptRef, AttemptReport)>,
    pending: PendingRequests,
    /// Counts what may have brought work: rings, looks, and cycles that released some. A session for which work may be
    /// there was offered less than this.
    news: u64,
    /// When work is looked for though nobody rang.
    look_at: Instant,
    /// What cannot be handed out, and until when it is left out.
    unfit: HashMap<SubtaskId, Instant>,
}

impl std::fmt::Debug for DispatchLoop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DispatchLoop").finish_non_exhaustive()
    }
}

impl DispatchLoop {
    pub(super) fn new(
        tools: DispatcherTools,
        inbox: mpsc::UnboundedReceiver<DispatchRequest>,
        said: mpsc::Receiver<(AttemptRef, AttemptReport)>,
    ) -> Self {
        let (pending, unfit) = (PendingRequests::default(), HashMap::new());
        Self { tools, inbox, said, pending, news: 1, look_at: Instant::now(), unfit }
    }

    /// Serves until `stop`, and then until everything asked before is written.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut rung = self.tools.bell.work();
        loop {
            self.gather();
            // Also while there is no end of things to write.
            if rung.has_changed().unwrap_or_default() {
                rung.mark_unchanged();
                self.news += 1;
            }
            if Instant::now() >= self.look_at {
                self.news += 1;
                self.look_at = Instant::now() + LOOK;
            }
            if self.has_something() {
                self.turn().await;
                continue;
            }
            tokio::select! {
                request = self.inbox.recv() => match request {
                    Some(request) => {
                        self.take(request);
                        // Others that were woken by the same moment get their word in.
                        tokio::task::yield_now().await;
                    }
                    None => return,
                },
                Some(report) = self.said.recv() => {
                    self.pending.reports.push_back(report);
                    tokio::task::yield_now().await;
                }
                changed = rung.changed() => self.news += u64::from(changed.is_ok()),
                () = tokio::time::sleep_until(self.look_at) => {}
                () = stop.cancelled() => {
                    if self.inbox.is_empty() && self.said.is_empty() { return }
                }
            }
        }
    }

    fn has_something(&self) -> bool {
        let looks = |claim: &PendingClaim| claim.session.offered() < self.news && !claim.reply.is_closed();
        !self.pending.ends.is_empty() || !self.pending.reports.is_empty() || self.pending.claims.iter().any(looks)
    }

    fn gather(&mut self) {
        while self.pending.ends.len() < BATCH {
            match self.inbox.try_recv() {
                Ok(request) => self.take(request),
                Err(_) => break,
            }
        }
        while self.pending.reports.len() < REPORTS {
            match self.said.try_recv() {
                Ok(report) => self.pending.reports.push_back(report),
                Err(_) => break,
            }
        }
    }

    fn take(&mut self, request: DispatchRequest) {
        let claims = &mut self.pending.claims;
        match request {
            DispatchRequest::End(end, reply) => self.pending.ends.push_back((end, reply)),
            DispatchRequest::Claim { session, free, reply } => {
                // While nothing happens no cycle drops those whose askers have gone.
                claims.retain(|claim| !claim.reply.is_closed());
                let claim = PendingClaim { session, free, reply };
                match claims.iter_mut().find(|earlier| earlier.session.id == claim.session.id) {
                    // It keeps its turn. Whoever asked before has most likely gone.
                    Some(earlier) => drop(std::mem::replace(earlier, claim).reply.send(vec![])),
                    None => claims.push(claim),
                }
            }
            // Its claim alone: other sessions' stay, and so do its ends.
            DispatchRequest::Leave(id) => claims.retain(|claim| claim.session.id != id),
        }
    }

    /// One cycle, with what is pending now. Nothing is taken in meanwhile: the claims stand where they stood.
    async fn turn(&mut self) {
        let now = self.tools.clock.now();
        let run = async {
            let batch = self.batch(now).await?;
            let done = divide::run(&self.tools.store, &batch, now).await?;
            Ok::<_, Error>((batch.claimants, done))
        };
        let (claimants, mut done) = match run.await {
            Ok(done) => done,
            Err(error) => {
                // Either nothing of it was written, or what was is recognized when it is asked for again.
                tracing::warn!(error = ?error, "outcomes cannot be recorded: trying again");
                tokio::time::sleep(PAUSE).await;
                return;
            }
        };
        if done.wrote {
            self.tools.bell.ring_events();
        }
        self.unfit.extend(done.unfit.iter().map(|id| (*id, Instant::now() + UNFIT)));
        let mut handed: Vec<Vec<Assignment>> = claimants.iter().map(|_| vec![]).collect();
        for (claimant, assignment) in std::mem::take(&mut done.assignments) {
            handed[claimant].push(assignment);
        }
        let in_vain = self.note_offers(&claimants, &handed, done.wrote);
        // At once: what is on its way for long is taken for lost.
        self.hand_out(handed);
        self.answer(&done.ends, &done.heard).await;
        self.look_later(in_vain, &done, now).await;
    }

    /// What the next cycle is to do. Claims whose askers have gone are dropped, so that each claimant stands where its
    /// claim does.
    async fn batch(&mut self, now: Timestamp) -> Result<CycleBatch> {
        self.pending.claims.retain(|claim| !claim.reply.is_closed());
        let offers = self.offers(now).await?;
        let claimant = |PendingClaim { session, free, .. }: &PendingClaim| Claimant {
            worker_id: session.id.clone(),
            labels: session.labels.clone(),
            free: *free,
        };
        Ok(CycleBatch {
            ends: self.pending.ends.iter().map(|(end, _)| end.clone()).collect(),
            reports: self.pending.reports.iter().cloned().collect(),
            claimants: self.pending.claims.iter().map(claimant).collect(),
            offers,
        })
    }

    /// What waits for those who may not have been offered it: each subtask to one of them. Sessions with the same labels
    /// are offered the same, one each in turn, so that work spreads.
    async fn offers(&self, now: Timestamp) -> Result<Vec<ClaimOffer>> {
        let mut groups: Vec<(&[String], Vec<usize>)> = vec![];
        for (at, claim) in self.pending.claims.iter().enumerate().filter(|(_, it)| it.session.offered() < self.news) {
            match groups.iter_mut().find(|(labels, _)| *labels == claim.session.labels) {
                Some((_, group)) => group.push(at),
                None => groups.push((&claim.session.labels, vec![at])),
            }
        }
        let is_unfit = |id: &SubtaskId| self.unfit.get(id).is_some_and(|until| *until > Instant::now());
        let (mut offers, mut taken) = (vec![], HashSet::new());
        for (labels, group) in groups {
            let mut room: Vec<usize> = group.iter().map(|at| self.pending.claims[*at].free).collect();
            let most = room.iter().sum::<usize>() + self.unfit.len() + taken.len();
            let waiting = store::queue::candidates(self.tools.store.read(), labels, most as u64, now).await?;
            let mut turns = (0..group.len()).cycle();
            for candidate in waiting.into_iter().filter(|it| !is_unfit(&it.id)) {
                if room.iter().all(|free| *free == 0) {
                    break;
                }
                if !taken.insert(candidate.id) {
                    continue;
                }
                if let Some(turn) = turns.find(|turn| room[*turn] > 0) {
                    room[turn] -= 1;
                    offers.push(ClaimOffer { claimant: group[turn], candidate });
                }
            }
        }
        Ok(offers)
    }

    /// Notes who has now been offered all that there is for it; whether anybody looked and got nothing.
    fn note_offers(&mut self, claimants: &[Claimant], handed: &[Vec<Assignment>], wrote: bool) -> bool {
        let news = self.news;
        // Who had no room in this cycle, or did not wait, was not offered what it released.
        self.news += u64::from(wrote);
        let mut in_vain = false;
        for (claim, (claimant, handed)) in self.pending.claims.iter().zip(claimants.iter().zip(handed)) {
            in_vain |= claim.session.offered() < news && handed.is_empty();
            // With no room left, more may be there than it could take.
            if handed.len() < claimant.free {
                claim.session.set_offered(self.news);
            }
        }
        in_vain
    }

    /// Answers the claims of those who got something; the others wait on.
    fn hand_out(&mut self, handed: Vec<Vec<Assignment>>) {
        let claims = std::mem::take(&mut self.pending.claims);
        for (claim, assignments) in claims.into_iter().zip(handed) {
            if assignments.is_empty() {
                self.pending.claims.push(claim);
            } else if let Err(assignments) = claim.reply.send(assignments) {
                tracing::warn!(
                    attempts = assignments.len(),
                    "a worker left before its work reached it: it is given back"
                );
                self.give_back(&assignments);
            }
        }
    }

    /// What nobody takes any more ends in the next cycle: nothing of it has begun.
    fn give_back(&mut self, assignments: &[Assignment]) {
        for assignment in assignments {
            let end = AttemptEnd::lost(assignment.attempt, "its worker left before it could begin");
            self.pending.ends.push_back((end, oneshot::channel().0));
        }
    }

    /// When there is to be looked for work that this cycle has not seen.
    async fn look_later(&mut self, in_vain: bool, done: &CycleOutcome, now: Timestamp) {
        self.unfit.retain(|_, until| *until > Instant::now());
        if done.passed_over {
            // Somebody holds its task for a moment, and may let go of it without a ring.
            self.look_at = self.look_at.min(Instant::now() + PASSED_OVER);
        }
        let backoff = if in_vain {
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
    async fn answer(&mut self, taken: &[Option<Acceptance>], heard: &[bool]) {
        let mut locked = VecDeque::new();
        let reports = std::mem::take(&mut self.pending.reports).into_iter().enumerate();
        let mut unheard: VecDeque<_> =
            reports.filter(|(at, _)| heard.get(*at) == Some(&false)).map(|(_, report)| report).collect();
        // What was given back since the batch was made has no answer yet, and stays.
        for (at, (end, reply)) in self.pending.ends.drain(..).enumerate() {
            match taken.get(at).copied().flatten() {
                Some(taken) => {
                    self.tools.live.release(end.attempt.subtask_id);
                    let _ = reply.send(taken);
                }
                None => locked.push_back((end, reply)),
            }
        }
        if !locked.is_empty() || !unheard.is_empty() {
            // Either a resolver holds the task for a moment, or it was deleted.
            let ids = locked.iter().map(|(end, _)| &end.attempt).chain(unheard.iter().map(|(attempt, _)| attempt));
            let ids: Vec<_> = ids.map(|attempt| attempt.task_id).collect();
            if let Ok(there) = store::task::list_by_id(self.tools.store.read(), &Scope::All, &ids).await {
                let is_there = |attempt: &AttemptRef| there.iter().any(|task| task.id == attempt.task_id);
                let (kept, gone): (VecDeque<_>, VecDeque<_>) =
                    locked.into_iter().partition(|(end, _)| is_there(&end.attempt));
                for (_, reply) in gone {
                    let _ = reply.send(Acceptance::Refused);
                }
                locked = kept;
                unheard.retain(|(attempt, _)| is_there(attempt));
            }
            if !locked.is_empty() || !unheard.is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        self.pending.ends = locked;
        self.pending.reports = unheard;
    }
}
