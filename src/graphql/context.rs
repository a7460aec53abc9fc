//! What a field finds in its context: the request, and loaders.

use std::sync::Arc;

use async_graphql::Context;
use taskloom_entity::TaskId;

use super::limits::Reading;
use super::loader::{Length, Loaders, Siblings, SubtasksOf, Text};
use super::scalar::Kept;
use crate::error::Result;
use crate::resolver::Request;
use crate::resolver::batch::Document;

/// What an object of a list without pages weighs in an answer.
pub const OBJECT: usize = 384;

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
    /// A document of the row of this number, charged before it is read.
    fn document(&self, of: Document, id: i64) -> impl Future<Output = Result<Option<Kept>>> + Send;
}

impl Has for Context<'_> {
    fn request(&self) -> &Request {
        self.data::<Request>().expect("invariant: every door puts a request into the context")
    }

    fn loaders(&self) -> &Loaders {
        self.data::<Loaders>().expect("invariant: the schema carries the loaders")
    }

    fn reading(&self) -> &Reading {
        self.data::<Arc<Reading>>().expect("invariant: the guard gives each operation its budget")
    }

    async fn subtasks(&self, of: TaskId) -> Result<Siblings> {
        match self.loaders().one(SubtasksOf(of)).await? {
            None => Ok(Siblings::default()),
            Some(Some(subtasks)) => Ok(subtasks),
            Some(None) => {
                // One task at a time, so that no more than one task's are held beyond what has been charged.
                let _turn = self.reading().page().await?;
                self.loaders().siblings(of).await
            }
        }
    }

    async fn document(&self, of: Document, id: i64) -> Result<Option<Kept>> {
        let Some(length) = self.loaders().one(Length(of, id)).await? else { return Ok(None) };
        self.reading().take(length)?;
        let Some(text) = self.loaders().one(Text(of, id)).await? else { return Ok(None) };
        let kept = Kept(text);
        self.reading().take(kept.held())?;
        Ok(Some(kept))
    }
}
