//! What a field finds in its context: the request, and loaders.

use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::Loader;
use futures::FutureExt;
use futures::future::BoxFuture;
use taskloom_entity::{SubtaskId, TaskId, attempt};

use super::loader::{
    AttemptsOf, BatchReader, DocumentLengthOf, DocumentTextOf, Loaders, Siblings, SnapshotOf, SubtasksOf,
};
use crate::error::{Error, Result};
use crate::gql::limits::{Cost, Reading};
use crate::gql::scalar::StoredJson;
use crate::resolver::Request;
use crate::resolver::read::Document;
use crate::slow_lane;
use crate::task::Snapshot;

/// Short ways to what every field needs.
pub trait Has {
    /// Who asks.
    fn request(&self) -> &Request;
    /// Batched reads.
    fn loaders(&self) -> &Loaders;
    /// What this operation may still read.
    fn reading(&self) -> &Reading;
    /// The subtasks of a task.
    fn subtasks(&self, of: TaskId) -> impl Future<Output = Result<Siblings>> + Send;
    /// The attempts of a subtask.
    fn attempts(&self, of: SubtaskId) -> impl Future<Output = Result<Vec<attempt::Model>>> + Send;
    /// A task as decisions see it.
    fn snapshot(&self, of: TaskId) -> impl Future<Output = Result<Option<Arc<Snapshot>>>> + Send;
    /// A document of the row of this number, charged before it is read.
    fn document(&self, of: Document, id: i64) -> impl Future<Output = Result<Option<StoredJson>>> + Send;
}

impl Has for Context<'_> {
    fn request(&self) -> &Request {
        self.data::<Request>().expect("invariant: every door puts a request into the context")
    }

    fn loaders(&self) -> &Loaders {
        self.data::<Loaders>().expect("invariant: each operation with a request begins with loaders")
    }

    fn reading(&self) -> &Reading {
        self.data::<Arc<Reading>>().expect("invariant: the guard gives each operation its budget")
    }

    async fn subtasks(&self, of: TaskId) -> Result<Siblings> {
        match few(self, SubtasksOf(of)).await? {
            None => Ok(Siblings::default()),
            Some(Some(subtasks)) => Ok(subtasks),
            Some(None) => alone(self.reading(), self.loaders().siblings(of)).await,
        }
    }

    async fn attempts(&self, of: SubtaskId) -> Result<Vec<attempt::Model>> {
        match few(self, AttemptsOf(of)).await? {
            None => Ok(vec![]),
            Some(Some(attempts)) => Ok(attempts),
            Some(None) => alone(self.reading(), self.loaders().attempts(of)).await,
        }
    }

    async fn snapshot(&self, of: TaskId) -> Result<Option<Arc<Snapshot>>> {
        match few(self, SnapshotOf(of)).await? {
            Some(None) => alone(self.reading(), self.loaders().snapshot(of)).await,
            found => Ok(found.flatten()),
        }
    }

    async fn document(&self, of: Document, id: i64) -> Result<Option<StoredJson>> {
        let Some(length) = self.loaders().one(DocumentLengthOf(of, id)).await? else { return Ok(None) };
        self.reading().take(length)?;
        let Some(text) = self.loaders().one(DocumentTextOf(of, id)).await? else { return Ok(None) };
        let kept = StoredJson(text);
        self.reading().take(kept.held())?;
        Ok(Some(kept))
    }
}

/// The rows of one parent; none of them where those that were asked for together are too many. Too many for the quick
/// lane are too many for those of several operations together first, then for this one's: that one is long.
async fn few<K, V>(ctx: &Context<'_>, of: K) -> Result<Option<Option<V>>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    V: Send + Sync + Clone + 'static,
    BatchReader: Loader<K, Value = Option<V>, Error = Arc<Error>>,
{
    let found = ctx.loaders().one(of.clone()).await?;
    if slow_lane::is_here() || !matches!(found, Some(None)) {
        return Ok(found);
    }
    // Rare, and on the heap as in `alone`.
    let own = async {
        let found = ctx.loaders().own(of.clone()).await?;
        match (found, ctx.data_opt::<Arc<Cost>>()) {
            (Some(None), Some(cost)) => {
                cost.leave().await;
                ctx.loaders().own(of).await
            }
            (found, _) => Ok(found),
        }
    };
    own.boxed().await
}

/// One parent's children at a time, so that no more than one's are held beyond what has been charged. This is rare, and on
/// the heap: each object that waits for its children would have room for it.
fn alone<'a, T: 'a>(
    reading: &'a Reading,
    read: impl Future<Output = Result<T>> + Send + 'a,
) -> BoxFuture<'a, Result<T>> {
    Box::pin(async move {
        let _turn = reading.page().await?;
        read.await
    })
}
