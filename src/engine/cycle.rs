//! One transaction in which outcomes are recorded, progress is moved and work is handed out. Everything that changes
//! a running task passes here or through a resolver, and both take the task's lock first.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use serde_json::{Map, Value};
use taskloom_entity::{AttemptState, EventKind, JsonText, SubtaskId, SubtaskState, TaskId, Timestamp};

use super::apply::{apply_with, blank};
use super::doubt::{self, Trace};
use super::port::{Assignment, AttemptRef, Finish, Report, Taken};
use super::tally::Tally;
use crate::error::Result;
use crate::store::attempt::{self, Begun, Ended, Material, Placed};
use crate::store::event::NewEvent;
use crate::store::snapshot::{Wait, lock_many};
use crate::store::{Store, Tx, commit, queue};
use crate::task::command::execute::{self, Outcome};
use crate::task::{Draft, Plan};
use crate::text::Text;

/// A worker that waits for work.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// Its life.
    pub worker_id: String,
    /// What it has.
    pub labels: Vec<String>,
    /// How much it can take.
    pub free: usize,
}

/// What one cycle is to do.
#[derive(Debug, Default)]
pub struct Batch {
    /// Attempts that ended.
    pub finishes: Vec<Finish>,
    /// Reports of running ones.
    pub reports: Vec<(AttemptRef, Report)>,
    /// Who waits for work.
    pub claimant: Option<Claimant>,
    /// What it may take, beside what this cycle makes ready. A hint: whether it still is is decided under the lock.
    pub candidates: Vec<queue::Candidate>,
}

/// What it did.
#[derive(Debug, Default)]
pub struct Done {
    /// For each finish, in order; none: its task was locked by somebody else, try again.
    pub finishes: Vec<Option<Taken>>,
    /// For each report, in order: whether its task was there; if not, it was locked by somebody else, try again.
    pub heard: Vec<bool>,
    /// What the claimant got.
    pub assignments: Vec<Assignment>,
    /// Whether anything was written.
    pub wrote: bool,
    /// Whether work was left because somebody else had locked its task.
    pub passed_over: bool,
    /// The first end of a back-off in the tasks of this cycle.
    pub backoff: Option<Timestamp>,
    /// Candidates that cannot be handed out: their rows cannot be read, or what would be written is refused.
    pub unfit: Vec<SubtaskId>,
}

/// Runs one cycle.
///
/// # Errors
/// When the database does not take it: nothing of it happened, and all of it may be tried again.
pub async fn run(store: &Store, batch: &Batch, now: Timestamp) -> Result<Done> {
    let begun = Instant::now();
    let tasks: BTreeSet<TaskId> = batch
        .finishes
        .iter()
        .map(|finish| finish.attempt.task_id)
        .chain(batch.reports.iter().map(|(attempt, _)| attempt.task_id))
        .chain(batch.candidates.iter().map(|candidate| candidate.task_id))
        .collect();
    if tasks.is_empty() {
        return Ok(Done::default());
    }
    let tasks: Vec<TaskId> = tasks.into_iter().collect();
    let tx = store.begin().await?;
    let snapshots = lock_many(&tx, &tasks, Wait::No).await?;
    let mut cycle = Cycle::new(snapshots.into_iter().map(|snapshot| Draft::new(snapshot, now)).collect(), now);
    let mut finishes = cycle.finish(&batch.finishes, &tasks);
    doubt::recognize(&tx, &batch.finishes, &mut finishes).await?;
    let heard = batch.reports.iter().map(|(attempt, _)| cycle.by_task.contains_key(&attempt.task_id)).collect();
    cycle.report(&tx, &batch.reports).await?;
    let assignments = match &batch.claimant {
        Some(claimant) => cycle.claim(&tx, claimant, &batch.candidates).await?,
        None => vec![],
    };
    let passed_over = batch.candidates.iter().any(|candidate| !cycle.by_task.contains_key(&candidate.task_id));
    let backoff = cycle.backoff();
    let (trace, tally) = cycle.write(&tx).await?;
    let wrote = trace.is_some();
    doubt::settle(store, commit(tx).await, trace).await?;
    store.metrics().engine_commits.inc();
    store.metrics().engine_commit_duration.observe(begun.elapsed());
    tally.count(store.metrics());
    Ok(Done { finishes, heard, assignments, wrote, passed_over, backoff, unfit: vec![] })
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

    fn finish(&mut self, finishes: &[Finish], asked: &[TaskId]) -> Vec<Option<Taken>> {
        finishes.iter().map(|finish| self.finish_one(finish, asked)).collect()
    }

    fn finish_one(&mut self, finish: &Finish, asked: &[TaskId]) -> Option<Taken> {
        debug_assert!(asked.binary_search(&finish.attempt.task_id).is_ok(), "every finish's task was asked for");
        if !self.by_task.contains_key(&finish.attempt.task_id) {
            // Locked by a resolver at this moment, or deleted: the desk asks again, and knows when to stop.
            return None;
        }
        let now = self.now;
        let Some((draft, index)) = self.find(finish.attempt) else {
            return Some(Taken::Refused);
        };
        let canceling = draft.snapshot().subtasks[index].state == SubtaskState::Canceling;
        if !execute::finish(draft, index, &finish.outcome, finish.message.clone().map(String::from)) {
            return Some(Taken::Refused);
        }
        let keeps = finish.outcome == Outcome::Succeeded && !canceling && !finish.outputs.is_empty();
        if keeps {
            execute::put_out(draft, index);
        }
        self.ended.push(ended(finish, canceling, now));
        if keeps {
            self.outputs.push((finish.attempt.subtask_id, JsonText::of(&finish.outputs)));
        }
        Some(Taken::Yes)
    }

    async fn report(&mut self, tx: &Tx, reports: &[(AttemptRef, Report)]) -> Result<()> {
        for (attempt, report) in reports {
            let is_there = self.by_task.contains_key(&attempt.task_id);
            let Some((draft, index)) = self.find(*attempt) else {
                self.refused_reports += u64::from(is_there);
                continue;
            };
            match report {
                Report::Progress(fraction, text) => {
                    if execute::advance(draft, index, *fraction) || text.is_some() {
                        let told = progressed(draft, *attempt, index, text.clone());
                        self.told.push(told);
                    }
                }
                Report::Warning(text) => {
                    let event = NewEvent {
                        kind: EventKind::Warning,
                        subtask_id: Some(attempt.subtask_id),
                        attempt_id: Some(attempt.id),
                        message: Some(text.clone().into()),
                        ..blank_of(draft)
                    };
                    self.told.push(event);
                }
                Report::Usage(used) => attempt::measure(tx, attempt.id, attempt.epoch, *used).await?,
            }
        }
        Ok(())
    }

    /// Hands out candidates, and, where slots are left, what this very cycle has made READY.
    async fn claim(
        &mut self,
        tx: &Tx,
        claimant: &Claimant,
        candidates: &[queue::Candidate],
    ) -> Result<Vec<Assignment>> {
        let mut claimed: Vec<(usize, usize)> = vec![];
        for candidate in candidates {
            let Some(&at) = self.by_task.get(&candidate.task_id) else { continue };
            let Some(index) = self.drafts[at].snapshot().index(candidate.id) else { continue };
            if execute::claim(&mut self.drafts[at], index) {
                claimed.push((at, index));
            }
        }
        self.claim_released(claimant, &mut claimed);
        self.begin(tx, claimant, &claimed).await
    }

    fn claim_released(&mut self, claimant: &Claimant, claimed: &mut Vec<(usize, usize)>) {
        for at in 0..self.drafts.len() {
            for index in 0..self.drafts[at].snapshot().subtasks.len() {
                if claimed.len() >= claimant.free {
                    return;
                }
                let subtask = &self.drafts[at].snapshot().subtasks[index];
                let able = subtask.state == SubtaskState::Ready
                    && crate::task::waiting::has_labels(&claimant.labels, &subtask.requires);
                if able && execute::claim(&mut self.drafts[at], index) {
                    claimed.push((at, index));
                }
            }
        }
    }

    async fn begin(&mut self, tx: &Tx, claimant: &Claimant, claimed: &[(usize, usize)]) -> Result<Vec<Assignment>> {
        if claimed.is_empty() {
            return Ok(vec![]);
        }
        let begun: Vec<Begun> = claimed.iter().map(|&(at, index)| self.begun(at, index, claimant)).collect();
        let placed = attempt::begin(tx, &begun).await?;
        let subtasks: Vec<SubtaskId> = begun.iter().map(|begun| begun.subtask_id).collect();
        // Outputs of this cycle belong to the parameters of what it hands out.
        attempt::keep_outputs(tx, &std::mem::take(&mut self.outputs)).await?;
        let mut material: HashMap<SubtaskId, Material> =
            attempt::material(tx, &subtasks).await?.into_iter().map(|row| (row.id, row)).collect();
        let outputs = self.outputs_of(tx, claimed).await?;
        let mut assignments = Vec::with_capacity(claimed.len());
        for (&(at, index), begun) in claimed.iter().zip(begun) {
            let Some(&Placed { id, first_line, .. }) = placed.get(&begun.subtask_id) else { continue };
            let Some(material) = material.remove(&begun.subtask_id) else { continue };
            let ancestors = self.drafts[at].snapshot().ancestors(index);
            let parameters = parameters(&material.parameters, &ancestors, &outputs, begun.task_id);
            let spec = material.spec.as_str().to_owned();
            execute::identify(&mut self.drafts[at], index, id);
            let attempt = AttemptRef { id, subtask_id: begun.subtask_id, task_id: begun.task_id, epoch: begun.epoch };
            assignments.push(Assignment {
                attempt,
                operation: begun.operation,
                number: begun.number,
                first_line,
                spec,
                parameters,
            });
        }
        Ok(assignments)
    }

    /// The outputs in the tasks of which something was claimed.
    async fn outputs_of(&self, tx: &Tx, claimed: &[(usize, usize)]) -> Result<HashMap<(TaskId, usize), JsonText>> {
        let with_outputs = |&(at, index): &(usize, usize)| {
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

    fn begun(&self, at: usize, index: usize, claimant: &Claimant) -> Begun {
        let snapshot = self.drafts[at].snapshot();
        let subtask = &snapshot.subtasks[index];
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

    async fn write(self, tx: &Tx) -> Result<(Option<Trace>, Tally)> {
        let plans: Vec<Plan> = self.drafts.into_iter().map(Draft::into_plan).collect();
        let moved = plans.iter().filter(|plan| !plan.moves.is_empty()).map(|plan| plan.snapshot.task.id);
        let told = self.told.iter().map(|told| told.task_id);
        let trace = moved.chain(told).next().map(|task_id| Trace { task_id, at: self.now });
        attempt::end(tx, &self.ended).await?;
        attempt::keep_outputs(tx, &self.outputs).await?;
        let mut tally = apply_with(tx, &plans, self.told, None, self.now).await?;
        tally.attempts = self.ended.iter().map(|ended| ended.state).collect();
        tally.refused_reports = self.refused_reports;
        Ok((trace, tally))
    }
}

pub(super) fn ended(finish: &Finish, canceling: bool, at: Timestamp) -> Ended {
    let state = match finish.outcome {
        Outcome::Lost => AttemptState::Lost,
        _ if canceling => AttemptState::Canceled,
        Outcome::Succeeded => AttemptState::Successful,
        Outcome::Failed => AttemptState::Failed,
        Outcome::TimedOut => AttemptState::TimedOut,
        Outcome::Canceled => AttemptState::Canceled,
    };
    let (exit_code, message, used) = (finish.exit_code, finish.message.clone().map(String::from), finish.used);
    Ended { id: finish.attempt.id, state, at, exit_code, message, used }
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
