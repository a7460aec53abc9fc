//! One transaction in which outcomes are recorded, progress is moved and work is handed out. Everything that changes
//! a running task passes here or through a resolver, and both take the task's lock first.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use serde_json::{Map, Value};
use taskloom_entity::{EventKind, JsonText, SubtaskId, SubtaskState, TaskId, Timestamp};

use super::apply::{apply_with, blank};
use super::attempt_row::{ended, stored};
use super::lost_commit::{self, CommitTrace};
use super::tally::CommitTally;
use crate::error::Result;
use crate::store::attempt::{self, Begun, Ended, Material, PlacedAttempt};
use crate::store::event::NewEvent;
use crate::store::snapshot::{LockWait, lock_many};
use crate::store::{Store, Tx, commit, queue};
use crate::task::command::execute::{self, Outcome};
use crate::task::waiting::has_labels;
use crate::task::{Draft, Plan};
use crate::text::Text;
use crate::worker::port::{Acceptance, Assignment, AttemptEnd, AttemptRef, AttemptReport};

/// A worker session that waits for work.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// The session's id.
    pub worker_id: String,
    pub labels: Vec<String>,
    /// How much it can take.
    pub free: usize,
}

/// What a claimant may take. A hint: whether it still can is decided under the lock.
#[derive(Clone, Copy, Debug)]
pub struct ClaimOffer {
    /// Its place among the claimants.
    pub claimant: usize,
    pub candidate: queue::Candidate,
}

/// What one cycle is to do.
#[derive(Debug, Default)]
pub struct CycleBatch {
    pub ends: Vec<AttemptEnd>,
    pub reports: Vec<(AttemptRef, AttemptReport)>,
    /// Who waits for work, each a session of its own.
    pub claimants: Vec<Claimant>,
    /// What they may take, beside what this cycle makes ready.
    pub offers: Vec<ClaimOffer>,
}

/// What it did.
#[derive(Debug, Default)]
pub struct CycleOutcome {
    /// For each end, in order; none: its task was locked by somebody else, try again.
    pub ends: Vec<Option<Acceptance>>,
    /// For each report, in order: whether its task was there; if not, it was locked by somebody else, try again.
    pub heard: Vec<bool>,
    /// What was handed out, and to which claimant.
    pub assignments: Vec<(usize, Assignment)>,
    /// Whether anything was written.
    pub wrote: bool,
    /// Whether work was left because somebody else had locked its task.
    pub passed_over: bool,
    /// The first end of a back-off in the tasks of this cycle.
    pub backoff: Option<Timestamp>,
    /// What cannot be handed out: its rows cannot be read, or what would be written is refused.
    pub unfit: Vec<SubtaskId>,
}

/// Runs one cycle.
///
/// # Errors
/// When the database does not take it. All of it may be tried again: mostly nothing of it was written, and where nobody
/// can tell (the answer to the commit was lost and nothing of it can be looked for), what was is recognized.
pub async fn run(store: &Store, batch: &CycleBatch, now: Timestamp) -> Result<CycleOutcome> {
    let begun = Instant::now();
    let tasks: BTreeSet<TaskId> = batch
        .ends
        .iter()
        .map(|end| end.attempt.task_id)
        .chain(batch.reports.iter().map(|(attempt, _)| attempt.task_id))
        .chain(batch.offers.iter().map(|offer| offer.candidate.task_id))
        .collect();
    if tasks.is_empty() {
        return Ok(CycleOutcome::default());
    }
    let tasks: Vec<TaskId> = tasks.into_iter().collect();
    let tx = store.begin().await?;
    let snapshots = lock_many(&tx, &tasks, LockWait::No).await?;
    let mut cycle = Cycle::new(snapshots.into_iter().map(|snapshot| Draft::new(snapshot, now)).collect(), now);
    // The order matters: an end releases what the claims below hand out, with the outputs that it brought.
    let mut ends = cycle.finish(&batch.ends, &tasks);
    lost_commit::recognize(&tx, &batch.ends, &mut ends).await?;
    let heard = batch.reports.iter().map(|(attempt, _)| cycle.by_task.contains_key(&attempt.task_id)).collect();
    cycle.report(&tx, &batch.reports).await?;
    let assignments = cycle.claim(&tx, &batch.claimants, &batch.offers).await?;
    let passed_over = batch.offers.iter().any(|offer| !cycle.by_task.contains_key(&offer.candidate.task_id));
    let backoff = cycle.backoff();
    let (trace, tally) = cycle.write(&tx).await?;
    let wrote = trace.is_some();
    lost_commit::settle(store, commit(tx).await, trace).await?;
    // Only now: what was rolled back never happened, and is not counted.
    store.metrics().engine_commits.inc();
    store.metrics().engine_commit_duration.observe(begun.elapsed());
    tally.count(store.metrics());
    Ok(CycleOutcome { ends, heard, assignments, wrote, passed_over, backoff, unfit: vec![] })
}

/// A subtask that was claimed: its draft's place and its own, and whose it is now.
struct Claimed {
    claimant: usize,
    at: usize,
    index: usize,
}

struct Cycle {
    now: Timestamp,
    drafts: Vec<Draft>,
    by_task: HashMap<TaskId, usize>,
    ended: Vec<Ended>,
    outputs: Vec<(SubtaskId, JsonText)>,
    told: Vec<NewEvent>,
    refused_reports: u64,
}

impl Cycle {
    fn new(drafts: Vec<Draft>, now: Timestamp) -> Self {
        let by_task = drafts.iter().enumerate().map(|(at, draft)| (draft.snapshot().task.id, at)).collect();
        Self { now, drafts, by_task, ended: vec![], outputs: vec![], told: vec![], refused_reports: 0 }
    }

    /// The draft and index of an attempt's subtask, when the attempt is the one that the fence lets through.
    fn find(&mut self, attempt: AttemptRef) -> Option<(&mut Draft, usize)> {
        let draft = &mut self.drafts[*self.by_task.get(&attempt.task_id)?];
        let index = draft.snapshot().index(attempt.subtask_id)?;
        let subtask = &draft.snapshot().subtasks[index];
        let fenced = subtask.epoch != attempt.epoch || subtask.attempt_id != Some(attempt.id);
        if fenced { None } else { Some((draft, index)) }
    }

    fn finish(&mut self, ends: &[AttemptEnd], asked: &[TaskId]) -> Vec<Option<Acceptance>> {
        ends.iter().map(|end| self.finish_one(end, asked)).collect()
    }

    fn finish_one(&mut self, end: &AttemptEnd, asked: &[TaskId]) -> Option<Acceptance> {
        debug_assert!(asked.binary_search(&end.attempt.task_id).is_ok(), "the task of every end was asked for");
        if !self.by_task.contains_key(&end.attempt.task_id) {
            // Locked by a resolver at this moment, or deleted: the dispatch loop asks again, and knows when to stop.
            return None;
        }
        let now = self.now;
        let Some((draft, index)) = self.find(end.attempt) else {
            return Some(Acceptance::Refused);
        };
        let canceling = draft.snapshot().subtasks[index].state == SubtaskState::Canceling;
        if !execute::finish(draft, index, &end.outcome, end.message.clone().map(String::from)) {
            return Some(Acceptance::Refused);
        }
        let keeps = end.outcome == Outcome::Succeeded && !canceling && !end.outputs.is_empty();
        if keeps {
            execute::put_out(draft, index);
        }
        self.ended.push(ended(end, canceling, now));
        if keeps {
            self.outputs.push((end.attempt.subtask_id, JsonText::of(&end.outputs)));
        }
        Some(Acceptance::Accepted)
    }

    async fn report(&mut self, tx: &Tx, reports: &[(AttemptRef, AttemptReport)]) -> Result<()> {
        for (attempt, report) in reports {
            let is_there = self.by_task.contains_key(&attempt.task_id);
            let Some((draft, index)) = self.find(*attempt) else {
                self.refused_reports += u64::from(is_there);
                continue;
            };
            match report {
                AttemptReport::Progress(fraction, text) => {
                    if execute::advance(draft, index, *fraction) || text.is_some() {
                        let told = progressed(draft, *attempt, index, text.clone());
                        self.told.push(told);
                    }
                }
                AttemptReport::Warning(text) => {
                    let event = NewEvent {
                        kind: EventKind::Warning,
                        subtask_id: Some(attempt.subtask_id),
                        attempt_id: Some(attempt.id),
                        message: Some(text.clone().into()),
                        ..blank_of(draft)
                    };
                    self.told.push(event);
                }
                AttemptReport::Usage(used) => attempt::measure(tx, attempt.id, attempt.epoch, stored(*used)).await?,
            }
        }
        Ok(())
    }

    /// Hands out what is offered, and, where slots are left, what this very cycle has made READY.
    async fn claim(
        &mut self,
        tx: &Tx,
        claimants: &[Claimant],
        offers: &[ClaimOffer],
    ) -> Result<Vec<(usize, Assignment)>> {
        let mut room: Vec<usize> = claimants.iter().map(|claimant| claimant.free).collect();
        let mut claimed = vec![];
        for &ClaimOffer { claimant, candidate } in offers {
            if room[claimant] == 0 {
                continue;
            }
            let Some(&at) = self.by_task.get(&candidate.task_id) else { continue };
            let Some(index) = self.drafts[at].snapshot().index(candidate.id) else { continue };
            if execute::claim(&mut self.drafts[at], index) {
                room[claimant] -= 1;
                claimed.push(Claimed { claimant, at, index });
            }
        }
        self.claim_released(claimants, &mut room, &mut claimed);
        self.begin(tx, claimants, &claimed).await
    }

    /// Each subtask goes to the one with the most room among those who may take it.
    fn claim_released(&mut self, claimants: &[Claimant], room: &mut [usize], claimed: &mut Vec<Claimed>) {
        for at in 0..self.drafts.len() {
            for index in 0..self.drafts[at].snapshot().subtasks.len() {
                if room.iter().all(|free| *free == 0) {
                    return;
                }
                let subtask = &self.drafts[at].snapshot().subtasks[index];
                if subtask.state != SubtaskState::Ready {
                    continue;
                }
                let may = |claimant: &usize| {
                    room[*claimant] > 0 && has_labels(&claimants[*claimant].labels, &subtask.requires)
                };
                let Some(claimant) = (0..claimants.len()).filter(may).max_by_key(|claimant| room[*claimant]) else {
                    continue;
                };
                if execute::claim(&mut self.drafts[at], index) {
                    room[claimant] -= 1;
                    claimed.push(Claimed { claimant, at, index });
                }
            }
        }
    }

    async fn begin(
        &mut self,
        tx: &Tx,
        claimants: &[Claimant],
        claimed: &[Claimed],
    ) -> Result<Vec<(usize, Assignment)>> {
        if claimed.is_empty() {
            return Ok(vec![]);
        }
        let begun: Vec<Begun> = claimed.iter().map(|claim| self.begun(claim, &claimants[claim.claimant])).collect();
        let placed = attempt::begin(tx, &begun).await?;
        let subtasks: Vec<SubtaskId> = begun.iter().map(|begun| begun.subtask_id).collect();
        // Outputs of this cycle belong to the parameters of what it hands out.
        attempt::keep_outputs(tx, &std::mem::take(&mut self.outputs)).await?;
        let mut material: HashMap<SubtaskId, Material> =
            attempt::material(tx, &subtasks).await?.into_iter().map(|row| (row.id, row)).collect();
        let outputs = self.outputs_of(tx, claimed).await?;
        let mut assignments = Vec::with_capacity(claimed.len());
        for (&Claimed { claimant, at, index }, begun) in claimed.iter().zip(begun) {
            let Some(&PlacedAttempt { id, first_line, .. }) = placed.get(&begun.subtask_id) else { continue };
            let Some(material) = material.remove(&begun.subtask_id) else { continue };
            let ancestors = self.drafts[at].snapshot().ancestors(index);
            let parameters = parameters(&material.parameters, &ancestors, &outputs, begun.task_id);
            let spec = material.spec.as_str().to_owned();
            execute::identify(&mut self.drafts[at], index, id);
            let attempt = AttemptRef { id, subtask_id: begun.subtask_id, task_id: begun.task_id, epoch: begun.epoch };
            let (operation, number) = (begun.operation, begun.number);
            assignments.push((claimant, Assignment { attempt, operation, number, first_line, spec, parameters }));
        }
        Ok(assignments)
    }

    /// The outputs in the tasks of which something was claimed.
    async fn outputs_of(&self, tx: &Tx, claimed: &[Claimed]) -> Result<HashMap<(TaskId, usize), JsonText>> {
        let with_outputs = |&Claimed { at, index, .. }: &Claimed| {
            let snapshot = self.drafts[at].snapshot();
            let any = index > 0 && snapshot.subtasks[..index].iter().any(|subtask| subtask.has_outputs);
            any.then_some(snapshot.task.id)
        };
        let tasks: BTreeSet<TaskId> = claimed.iter().filter_map(with_outputs).collect();
        if tasks.is_empty() {
            return Ok(HashMap::new());
        }
        let tasks: Vec<TaskId> = tasks.into_iter().collect();
        let rows = attempt::outputs(tx, &tasks).await?;
        Ok(rows.into_iter().map(|(task, seq, json)| ((task, usize::try_from(seq).unwrap_or_default()), json)).collect())
    }

    fn begun(&self, claimed: &Claimed, claimant: &Claimant) -> Begun {
        let snapshot = self.drafts[claimed.at].snapshot();
        let subtask = &snapshot.subtasks[claimed.index];
        Begun {
            subtask_id: subtask.id,
            task_id: snapshot.task.id,
            number: subtask.runs,
            operation: subtask.operation,
            worker_id: claimant.worker_id.clone(),
            epoch: subtask.epoch,
            started_at: self.now,
        }
    }

    fn backoff(&self) -> Option<Timestamp> {
        let subtasks = self.drafts.iter().flat_map(|draft| &draft.snapshot().subtasks);
        let waits = subtasks.filter(|subtask| subtask.state == SubtaskState::Ready);
        waits.filter_map(|subtask| subtask.not_before).filter(|at| *at > self.now).min()
    }

    async fn write(self, tx: &Tx) -> Result<(Option<CommitTrace>, CommitTally)> {
        let plans: Vec<Plan> = self.drafts.into_iter().map(Draft::into_plan).collect();
        let moved = plans.iter().filter(|plan| !plan.moves.is_empty()).map(|plan| plan.snapshot.task.id);
        let told = self.told.iter().map(|told| told.task_id);
        let trace = moved.chain(told).next().map(|task_id| CommitTrace { task_id, at: self.now });
        attempt::end(tx, &self.ended).await?;
        attempt::keep_outputs(tx, &self.outputs).await?;
        let mut tally = apply_with(tx, &plans, self.told, None, self.now).await?;
        tally.attempts = self.ended.iter().map(|ended| ended.state).collect();
        tally.refused_reports = self.refused_reports;
        Ok((trace, tally))
    }
}

fn blank_of(draft: &Draft) -> NewEvent {
    let task = &draft.snapshot().task;
    blank(task.tenant_id, task.id, draft.now())
}

fn progressed(draft: &Draft, attempt: AttemptRef, index: usize, text: Option<Text>) -> NewEvent {
    NewEvent {
        subtask_id: Some(attempt.subtask_id),
        attempt_id: Some(attempt.id),
        progress: Some(draft.snapshot().subtasks[index].progress),
        message: text.map(String::from),
        ..blank_of(draft)
    }
}

/// Parameters: the task's own, and what its subtask's ancestors put out, by name; the nearest wins.
fn parameters(
    own: &JsonText,
    ancestors: &[usize],
    outputs: &HashMap<(TaskId, usize), JsonText>,
    task_id: TaskId,
) -> Map<String, Value> {
    let mut parameters: Map<String, Value> = own.parse().unwrap_or_default();
    for &up in ancestors {
        if let Some(put_out) = outputs.get(&(task_id, up)) {
            parameters.extend(put_out.parse::<Map<String, Value>>().unwrap_or_default());
        }
    }
    parameters
}
