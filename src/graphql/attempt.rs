//! Attempts and what they use.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use std::sync::Arc;
use taskloom_entity::attempt;

use super::context::Has;
use super::loader::WorkerOf;
use super::state::{AttemptState, Operation};
use super::subtask::Subtask;
use crate::gql::id;
use crate::gql::scalar::{BigInt, Instant};

/// One run of a subtask.
#[derive(Clone, Debug)]
pub struct Attempt(pub attempt::Model);

/// What an attempt uses of its host, or used.
#[derive(Clone, Debug, SimpleObject)]
pub struct ResourceUsage {
    /// Seconds of CPU of all its processes.
    cpu_seconds: f64,
    /// Bytes of memory, last seen.
    memory_bytes: BigInt,
    /// Bytes of memory at most.
    peak_memory_bytes: BigInt,
    /// Processes at most at a time.
    processes: i32,
}

impl ResourceUsage {
    /// What is known of it.
    #[must_use]
    pub fn of(attempt: &attempt::Model) -> Option<Self> {
        Some(Self {
            cpu_seconds: attempt.cpu_seconds?,
            memory_bytes: BigInt(attempt.memory_bytes.unwrap_or(0)),
            peak_memory_bytes: BigInt(attempt.peak_memory_bytes.unwrap_or(0)),
            processes: attempt.processes.unwrap_or(0),
        })
    }
}

/// One run of a subtask.
#[Object]
impl Attempt {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Attempt", self.0.id)
    }
    /// From 1 within its subtask.
    async fn number(&self) -> i32 {
        self.0.number
    }
    /// What it did.
    async fn operation(&self) -> Operation {
        self.0.operation.into()
    }
    /// How it stands or ended.
    async fn state(&self) -> AttemptState {
        self.0.state.into()
    }
    /// The worker's life that ran it.
    async fn worker_id(&self) -> &str {
        &self.0.worker_id
    }
    /// The name of the worker that ran it.
    async fn worker(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(ctx.loaders().one(WorkerOf(self.0.worker_id.clone())).await?)
    }
    /// When it began.
    async fn started_at(&self) -> Instant {
        self.0.started_at.into()
    }
    /// When it ended.
    async fn finished_at(&self) -> Option<Instant> {
        self.0.finished_at.map(Into::into)
    }
    /// The exit status of its process.
    async fn exit_code(&self) -> Option<i32> {
        self.0.exit_code
    }
    /// Why it did not succeed.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }
    /// The first line of it in its subtask's log.
    async fn first_line(&self) -> BigInt {
        BigInt(self.0.first_line)
    }
    /// What it uses, or used.
    async fn usage(&self) -> Option<ResourceUsage> {
        ResourceUsage::of(&self.0)
    }
    /// Its subtask.
    async fn subtask(&self, ctx: &Context<'_>) -> Result<Option<Subtask>> {
        let subtask: Option<Arc<_>> = ctx.loaders().one(self.0.subtask_id).await?;
        Ok(subtask.map(Subtask))
    }
}
