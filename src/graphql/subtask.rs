//! Subtasks: the type and the changes.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use taskloom_entity::SubtaskId;

use super::attempt::{Attempt, ResourceUsage};
use super::change::{names_one, shows_one};
use super::context::Has;
use super::loader::{ResultsOf, WorkerOf};
use super::log::{LogPage, LogTail};
use super::result::ResultSet;
use super::state::{Action, ExecutorKind, Operation, SubtaskState};
use super::task::Task;
use super::waiting::Waiting;
use crate::gql::id;
use crate::gql::many::Many;
use crate::gql::scalar::{BigInt, Instant, StoredJson};
use crate::resolver;
use crate::resolver::read::Document;
use crate::resolver::subtask;
use crate::task::SubtaskFacts;
use crate::task::command::{self, Target};

/// The first line of a log.
pub(super) const FIRST: BigInt = BigInt(1);
/// Lines of a page where nothing is said.
const LINES: i32 = 1000;
/// Bytes of a text where nothing is said.
const LENGTH: i32 = 64 << 10;
/// Bytes of the end of a log where nothing is said.
const TAIL: i32 = 4 << 20;

/// A node of a task's graph.
#[derive(Clone, Debug)]
pub struct Subtask(pub Arc<subtask::SubtaskRow>);

impl From<subtask::SubtaskRow> for Subtask {
    fn from(row: subtask::SubtaskRow) -> Self {
        Self(Arc::new(row))
    }
}

impl Subtask {
    /// Whether it stands where a snapshot has it.
    fn is(&self, facts: &SubtaskFacts) -> bool {
        (self.0.state, self.0.operation, self.0.runs) == (facts.state, facts.operation, facts.runs)
    }

    async fn document(&self, ctx: &Context<'_>, of: Document) -> Result<StoredJson> {
        let found = ctx.document(of, self.0.id.0).await?;
        Ok(found.ok_or_else(|| subtask::not_found(self.0.id))?)
    }
}

/// A node of a task's graph.
#[Object]
impl Subtask {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Subtask", self.0.id)
    }
    /// The number that scripts and legacy clients know.
    async fn database_id(&self) -> BigInt {
        BigInt(self.0.id.0)
    }
    /// Unique within its task.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// For people.
    async fn description(&self) -> &str {
        &self.0.description
    }
    /// Its place in the topological order, from 0.
    async fn index(&self) -> i32 {
        self.0.seq
    }
    /// What runs it.
    async fn executor(&self) -> ExecutorKind {
        self.0.executor.into()
    }
    /// Where it stands.
    async fn state(&self) -> SubtaskState {
        self.0.state.into()
    }
    /// What it is, or was last, doing.
    async fn operation(&self) -> Operation {
        self.0.operation.into()
    }
    /// Whether it was counted as done without running.
    async fn skipped(&self) -> bool {
        self.0.operation == taskloom_entity::Operation::Skip
    }
    /// 0 to 1.
    async fn progress(&self) -> f64 {
        self.0.progress
    }
    /// Its share of the task's progress.
    async fn weight(&self) -> f64 {
        self.0.weight
    }
    /// Why it failed.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }
    /// How often it has run.
    async fn runs(&self) -> i32 {
        self.0.runs
    }
    /// Labels a worker must have.
    async fn workers(&self) -> Vec<&str> {
        self.0.requires.split(',').filter(|label| !label.is_empty()).collect()
    }
    /// Once it has run, the task cannot be rolled back.
    async fn prohibit_rollback(&self) -> bool {
        self.0.prohibit_rollback
    }
    /// Its definition.
    async fn spec(&self, ctx: &Context<'_>) -> Result<StoredJson> {
        self.document(ctx, Document::SubtaskSpec).await
    }
    /// What it put out; parameters of everything downstream.
    async fn output(&self, ctx: &Context<'_>) -> Result<StoredJson> {
        self.document(ctx, Document::SubtaskOutputs).await
    }
    /// When its latest attempt began.
    async fn started_at(&self) -> Option<Instant> {
        self.0.started_at.map(Into::into)
    }
    /// When its latest attempt ended.
    async fn finished_at(&self) -> Option<Instant> {
        self.0.finished_at.map(Into::into)
    }
    /// Its task.
    async fn task(&self, ctx: &Context<'_>) -> Result<Option<Task>> {
        Ok(ctx.loaders().one(self.0.task_id).await?.map(Task))
    }
    /// What it needs.
    #[graphql(complexity = "3 * child_complexity")]
    async fn upstreams(&self, ctx: &Context<'_>) -> Result<Many<Self>> {
        let wanted = subtask::upstreams(&self.0)?;
        let siblings = ctx.subtasks(self.0.task_id).await?;
        Ok(wanted.into_iter().filter_map(|index| siblings.get(index).cloned().map(Self)).collect())
    }
    /// What needs it.
    #[graphql(complexity = "3 * child_complexity")]
    async fn downstreams(&self, ctx: &Context<'_>) -> Result<Many<Self>> {
        let own = usize::try_from(self.0.seq).unwrap_or_default();
        let siblings = ctx.subtasks(self.0.task_id).await?;
        let mut found = Many(vec![]);
        for sibling in siblings.iter() {
            if subtask::upstreams(sibling)?.contains(&own) {
                found.0.push(Self(sibling.clone()));
            }
        }
        Ok(found)
    }
    /// Its attempts, in order.
    #[graphql(complexity = "3 * child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> Result<Many<Attempt>> {
        let attempts = ctx.attempts(self.0.id).await?;
        Ok(attempts.into_iter().map(Attempt).collect())
    }
    /// What its running attempt uses, or its last one used.
    async fn usage(&self, ctx: &Context<'_>) -> Result<Option<ResourceUsage>> {
        match self.0.attempt_id {
            Some(id) => Ok(ctx.loaders().one(id).await?.and_then(|attempt| ResourceUsage::of(&attempt))),
            None => Ok(None),
        }
    }
    /// The name of the worker that runs it, or ran it last.
    async fn worker(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(id) = self.0.attempt_id else { return Ok(None) };
        let Some(attempt) = ctx.loaders().one(id).await? else { return Ok(None) };
        Ok(ctx.loaders().one(WorkerOf(attempt.worker_id)).await?)
    }
    /// Lines of its log, counted from 1 through all attempts; fewer than `limit` where the page has no more bytes: go on
    /// at `nextLine`.
    #[graphql(complexity = "10 + lines_cost(limit.unwrap_or(LINES)) + child_complexity")]
    async fn log(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(FIRST)")] from: Option<BigInt>,
        #[graphql(default_with = "Some(LINES)")] limit: Option<i32>,
    ) -> Result<LogPage> {
        let (BigInt(from), limit) = (from.unwrap_or(FIRST), i64::from(limit.unwrap_or(LINES)));
        let turn = ctx.reading().page().await?;
        let page = Box::pin(resolver::log::page(ctx.request(), self.0.id, from, (limit, turn.bytes()))).await?;
        turn.took(resolver::log::size(&page.lines));
        Ok(LogPage::of(self.0.id, page))
    }
    /// A range of its log's text, in bytes from 0; what is no UTF-8 is replaced. A character that lies across an end
    /// belongs to the range in which it ends, so that ranges which follow each other are the text.
    #[graphql(complexity = "10 + bytes_cost(length.unwrap_or(LENGTH))")]
    async fn log_text(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(BigInt(0))")] from: Option<BigInt>,
        #[graphql(default_with = "Some(LENGTH)")] length: Option<i32>,
    ) -> Result<String> {
        let (BigInt(from), length) = (from.unwrap_or(BigInt(0)), i64::from(length.unwrap_or(LENGTH)));
        let turn = ctx.reading().page().await?;
        let text = Box::pin(resolver::log::text(ctx.request(), self.0.id, from, length)).await?;
        turn.took(crate::text::written(&text));
        Ok(text)
    }
    /// The last lines of its log, so many bytes of them at the most; what lies before is not read.
    #[graphql(complexity = "10 + bytes_cost(bytes.unwrap_or(TAIL)) + child_complexity")]
    async fn log_tail(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(TAIL)")] bytes: Option<i32>,
    ) -> Result<LogTail> {
        let bytes = i64::from(bytes.unwrap_or(TAIL));
        let turn = ctx.reading().page().await?;
        let tail = resolver::log::tail_within(ctx.request(), self.0.id.into(), (bytes, turn.bytes()));
        let tail = Box::pin(tail).await?;
        turn.took(resolver::log::size(&tail.lines));
        Ok(LogTail::of(self.0.id, tail))
    }
    /// How many lines its log has had.
    async fn log_lines(&self) -> BigInt {
        BigInt(self.0.log_lines)
    }
    /// How many bytes its log has had.
    async fn log_bytes(&self) -> BigInt {
        BigInt(self.0.log_bytes)
    }
    /// What its last attempt found: a set for each statement that gave rows, or the text of an answer.
    #[graphql(complexity = "3 * child_complexity")]
    async fn result_sets(&self, ctx: &Context<'_>) -> Result<Many<ResultSet>> {
        let Some(attempt) = self.0.attempt_id else { return Ok(Many(vec![])) };
        let sets = ctx.loaders().one(ResultsOf(attempt)).await?.unwrap_or_default();
        Ok(sets.into_iter().map(ResultSet).collect())
    }
    /// What you may do with it now.
    async fn available_operations(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        if !resolver::task::may_steer(ctx.request()) {
            return Ok(vec![]);
        }
        let Some(snapshot) = ctx.snapshot(self.0.task_id).await? else { return Ok(vec![]) };
        let Some(index) = snapshot.index(self.0.id) else { return Ok(vec![]) };
        Ok(command::available(&snapshot, Target::Subtask(index)).into_iter().map(Action::from).collect())
    }
    /// Why it is not running; empty when it runs or is done. The nearest reason first.
    #[graphql(complexity = "10 + child_complexity")]
    async fn waiting_for(&self, ctx: &Context<'_>) -> Result<Many<Waiting>> {
        let Some(snapshot) = ctx.snapshot(self.0.task_id).await? else { return Ok(Many(vec![])) };
        let Some(index) = snapshot.index(self.0.id) else { return Ok(Many(vec![])) };
        // It has gone on since it was read: what it waits for now would not go with what is told of it beside.
        if !self.is(&snapshot.subtasks[index]) {
            return Ok(Many(vec![]));
        }
        let reasons = Box::pin(resolver::task::waiting_for(ctx.request(), &snapshot, index)).await?;
        Ok(reasons.into_iter().map(|reason| Waiting::new(&snapshot, reason)).collect())
    }
}

/// What lines cost: one may have 64 KiB, and a page ends at some MiB.
fn lines_cost(limit: i32) -> usize {
    usize::try_from(limit).unwrap_or_default().min(100)
}

/// What bytes cost: as much as lines.
fn bytes_cost(bytes: i32) -> usize {
    lines_cost(bytes / (64 << 10))
}

names_one! {
    "Subtask" as SubtaskId:
    /// Which subtask is run again.
    RetrySubtaskInput
    /// Which subtask is counted as done.
    SkipSubtaskInput
    /// Which subtask is stopped.
    CancelSubtaskInput
}

shows_one! {
    subtask: Subtask, of subtask::SubtaskRow:
    /// The subtask that runs again.
    RetrySubtaskPayload
    /// The subtask that is counted as done.
    SkipSubtaskPayload
    /// The subtask that stops.
    CancelSubtaskPayload
}

/// Changes of subtasks.
#[derive(Debug, Default)]
pub struct SubtaskMutation;

/// Changes of subtasks.
#[Object]
impl SubtaskMutation {
    /// Runs a failed subtask again, or its undo when that failed.
    async fn retry_subtask(&self, ctx: &Context<'_>, input: RetrySubtaskInput) -> Result<RetrySubtaskPayload> {
        Ok(resolver::subtask::retry(ctx.request(), input.decode()?.into()).await?.into())
    }

    /// Counts a failed subtask as done; its downstreams go on.
    async fn skip_subtask(&self, ctx: &Context<'_>, input: SkipSubtaskInput) -> Result<SkipSubtaskPayload> {
        Ok(resolver::subtask::skip(ctx.request(), input.decode()?.into()).await?.into())
    }

    /// Stops a subtask with all its processes.
    async fn cancel_subtask(&self, ctx: &Context<'_>, input: CancelSubtaskInput) -> Result<CancelSubtaskPayload> {
        Ok(resolver::subtask::cancel(ctx.request(), input.decode()?.into()).await?.into())
    }
}
