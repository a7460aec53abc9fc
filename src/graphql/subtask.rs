//! Subtasks: the type and the changes.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use taskloom_entity::SubtaskId;

use super::attempt::{Attempt, Resource};
use super::context::{Has, OBJECT};
use super::id;
use super::loader::{AttemptsOf, ResultsOf, SnapshotOf, WorkerOf};
use super::log::{LogPage, LogTail};
use super::result::ResultSet;
use super::scalar::{BigInt, Kept};
use super::state::{Action, ExecutorKind, Operation, SubtaskState};
use super::task::Task;
use super::waiting::Waiting;
use crate::resolver;
use crate::resolver::batch::Document;
use crate::resolver::subtask::{self, needs};
use crate::task::command::{self, Target};

/// A node of a task's graph.
#[derive(Clone, Debug)]
pub struct Subtask(pub Arc<subtask::Row>);

impl Subtask {
    async fn document(&self, ctx: &Context<'_>, of: Document) -> Result<Kept> {
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
    async fn spec(&self, ctx: &Context<'_>) -> Result<Kept> {
        self.document(ctx, Document::SubtaskSpec).await
    }
    /// What it put out; parameters of everything downstream.
    async fn output(&self, ctx: &Context<'_>) -> Result<Kept> {
        self.document(ctx, Document::SubtaskOutputs).await
    }
    /// When its latest attempt began.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at.map(|at| at.utc())
    }
    /// When its latest attempt ended.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at.map(|at| at.utc())
    }
    /// Its task.
    async fn task(&self, ctx: &Context<'_>) -> Result<Option<Task>> {
        Ok(ctx.loaders().one(self.0.task_id).await?.map(Task))
    }
    /// What it needs.
    #[graphql(complexity = "3 * child_complexity")]
    async fn upstreams(&self, ctx: &Context<'_>) -> Result<Vec<Self>> {
        let wanted = needs(&self.0.needs)?;
        let siblings = ctx.subtasks(self.0.task_id).await?;
        ctx.reading().take(wanted.len() * OBJECT)?;
        Ok(wanted.into_iter().filter_map(|index| siblings.get(index).cloned().map(Self)).collect())
    }
    /// What needs it.
    #[graphql(complexity = "3 * child_complexity")]
    async fn downstreams(&self, ctx: &Context<'_>) -> Result<Vec<Self>> {
        let own = usize::try_from(self.0.seq).unwrap_or_default();
        let siblings = ctx.subtasks(self.0.task_id).await?;
        let mut found = vec![];
        for sibling in siblings.iter() {
            if needs(&sibling.needs)?.contains(&own) {
                ctx.reading().take(OBJECT)?;
                found.push(Self(sibling.clone()));
            }
        }
        Ok(found)
    }
    /// Its attempts, in order.
    #[graphql(complexity = "3 * child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> Result<Vec<Attempt>> {
        let attempts = ctx.loaders().one(AttemptsOf(self.0.id)).await?.unwrap_or_default();
        ctx.reading().take(attempts.len() * OBJECT)?;
        Ok(attempts.into_iter().map(Attempt).collect())
    }
    /// What its running attempt uses, or its last one used.
    async fn resource(&self, ctx: &Context<'_>) -> Result<Option<Resource>> {
        match self.0.attempt_id {
            Some(id) => Ok(ctx.loaders().one(id).await?.and_then(|attempt| Resource::of(&attempt))),
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
    #[graphql(complexity = "10 + lines_cost(limit) + child_complexity")]
    async fn log(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 1)] from: i64,
        #[graphql(default = 1000)] limit: i64,
    ) -> Result<LogPage> {
        let turn = ctx.reading().page().await?;
        let page = resolver::log::page(ctx.request(), self.0.id, from, (limit, turn.bytes())).await?;
        turn.took(resolver::log::size(&page.lines));
        Ok(page.into())
    }
    /// A range of its log's text, in bytes from 0; what is no UTF-8 is replaced. A character that lies across an end
    /// belongs to the range in which it ends, so that ranges which follow each other are the text.
    #[graphql(complexity = "10 + bytes_cost(length)")]
    async fn log_text(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 0)] from: i64,
        #[graphql(default = 65536)] length: i64,
    ) -> Result<String> {
        let turn = ctx.reading().page().await?;
        let text = resolver::log::text(ctx.request(), self.0.id, from, length).await?;
        turn.took(crate::text::written(&text));
        Ok(text)
    }
    /// The last lines of its log, so many bytes of them at the most; what lies before is not read.
    #[graphql(complexity = "10 + bytes_cost(bytes) + child_complexity")]
    async fn log_tail(&self, ctx: &Context<'_>, #[graphql(default = 4_194_304)] bytes: i64) -> Result<LogTail> {
        let turn = ctx.reading().page().await?;
        let tail = resolver::log::tail_within(ctx.request(), self.0.id.into(), (bytes, turn.bytes())).await?;
        turn.took(resolver::log::size(&tail.lines));
        Ok(tail.into())
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
    async fn result_sets(&self, ctx: &Context<'_>) -> Result<Vec<ResultSet>> {
        let Some(attempt) = self.0.attempt_id else { return Ok(vec![]) };
        let sets = ctx.loaders().one(ResultsOf(attempt)).await?.unwrap_or_default();
        Ok(sets.into_iter().map(ResultSet).collect())
    }
    /// What may be done with it now.
    async fn available_operations(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let Some(snapshot) = ctx.loaders().one(SnapshotOf(self.0.task_id)).await? else { return Ok(vec![]) };
        let Some(index) = snapshot.index(self.0.id) else { return Ok(vec![]) };
        Ok(command::available(&snapshot, Target::Subtask(index)).into_iter().map(Action::from).collect())
    }
    /// Why it is not running; empty when it runs or is done. The nearest reason first.
    #[graphql(complexity = "10 + child_complexity")]
    async fn waiting_for(&self, ctx: &Context<'_>) -> Result<Vec<Waiting>> {
        let Some(snapshot) = ctx.loaders().one(SnapshotOf(self.0.task_id)).await? else { return Ok(vec![]) };
        let Some(index) = snapshot.index(self.0.id) else { return Ok(vec![]) };
        let reasons = resolver::task::waiting_for(ctx.request(), &snapshot, index).await?;
        Ok(reasons.into_iter().map(|reason| Waiting::new(&snapshot, reason)).collect())
    }
}

/// What lines cost: one may have 64 KiB, and a page ends at some MiB.
fn lines_cost(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or_default().min(100)
}

/// What bytes cost: as much as lines.
fn bytes_cost(bytes: i64) -> usize {
    lines_cost(bytes / (64 << 10))
}

/// Which subtask.
#[derive(Clone, Debug, InputObject)]
#[graphql(name = "SubtaskIdInput")]
pub struct SubtaskInput {
    /// Its id.
    id: ID,
}

/// The changed subtask.
#[derive(Clone, Debug, SimpleObject)]
pub struct SubtaskPayload {
    /// As it stands now.
    subtask: Subtask,
}

impl From<subtask::Row> for SubtaskPayload {
    fn from(subtask: subtask::Row) -> Self {
        Self { subtask: Subtask(Arc::new(subtask)) }
    }
}

fn decode(input: &SubtaskInput) -> crate::error::Result<SubtaskId> {
    id::decode("Subtask", &input.id).map(SubtaskId)
}

/// Changes of subtasks.
#[derive(Debug, Default)]
pub struct SubtaskMutation;

/// Changes of subtasks.
#[Object]
impl SubtaskMutation {
    /// Runs a failed subtask again, or its undo when that failed.
    async fn retry_subtask(&self, ctx: &Context<'_>, input: SubtaskInput) -> Result<SubtaskPayload> {
        Ok(resolver::subtask::retry(ctx.request(), decode(&input)?.into()).await?.into())
    }

    /// Counts a failed subtask as done; its downstreams go on.
    async fn skip_subtask(&self, ctx: &Context<'_>, input: SubtaskInput) -> Result<SubtaskPayload> {
        Ok(resolver::subtask::skip(ctx.request(), decode(&input)?.into()).await?.into())
    }

    /// Stops a subtask with all its processes.
    async fn cancel_subtask(&self, ctx: &Context<'_>, input: SubtaskInput) -> Result<SubtaskPayload> {
        Ok(resolver::subtask::cancel(ctx.request(), decode(&input)?.into()).await?.into())
    }
}
