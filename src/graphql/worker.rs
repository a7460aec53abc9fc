//! Workers, as operators see them.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};

use super::context::Has;
use crate::gql::many::Many;
use crate::gql::scalar::Instant;
use crate::resolver;
use crate::resolver::worker::SeenWorker;

/// How attempts are held apart from the server and from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Isolation {
    /// They are not: they reach what the server's user does.
    None,
    /// By Landlock.
    Landlock,
    /// By mount namespaces.
    Namespace,
    /// As another user than the server's, and by one of these.
    User,
    /// Nothing is reached but what the worker's settings name.
    Strict,
    /// A worker of a former version does not say.
    Unknown,
}

impl Isolation {
    fn of(word: Option<&str>) -> Self {
        match word {
            Some("none") => Self::None,
            Some("landlock") => Self::Landlock,
            Some("namespace") => Self::Namespace,
            Some("user") => Self::User,
            Some("strict") => Self::Strict,
            _ => Self::Unknown,
        }
    }
}

/// A living worker.
#[derive(Clone, Debug, SimpleObject)]
pub struct Worker {
    /// The id of this life of it.
    id: String,
    /// Its name.
    name: String,
    /// What it has.
    labels: Vec<String>,
    /// How many attempts it can run at once.
    slots: i32,
    /// How many it runs.
    busy: i32,
    /// When this server heard of it last, by its own clock.
    seen_at: Instant,
    /// For how many seconds this server has not heard of it; its lease ends when that goes on.
    silent_for: f64,
    /// How it holds attempts apart from the server and from each other.
    isolation: Isolation,
}

impl From<SeenWorker> for Worker {
    fn from(SeenWorker { load, seen_at, silence }: SeenWorker) -> Self {
        Self {
            id: load.id,
            name: load.name,
            labels: load.labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect(),
            slots: load.slots,
            busy: i32::try_from(load.busy).unwrap_or(i32::MAX),
            seen_at: seen_at.into(),
            silent_for: silence.as_secs_f64(),
            isolation: Isolation::of(load.isolation.as_deref()),
        }
    }
}

/// Questions about workers.
#[derive(Debug, Default)]
pub struct WorkerQuery;

/// Questions about workers.
#[Object]
impl WorkerQuery {
    /// The workers that hold a lease.
    #[graphql(complexity = "10 + child_complexity")]
    async fn workers(&self, ctx: &Context<'_>) -> Result<Many<Worker>> {
        Ok(resolver::worker::list(ctx.request()).await?.into_iter().map(Worker::from).collect())
    }
}
