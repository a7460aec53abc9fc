//! How many subscriptions may be open at a time in this process, over all its sockets and streams together: each holds
//! a little memory for as long as its client likes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result, code};

/// When who was refused may come back.
const PAUSE: Duration = Duration::from_secs(5);

/// The places of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

/// One open subscription; its place is free again when this is dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Places {
    /// So many.
    #[must_use]
    pub fn of(all: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all }
    }

    /// Takes one.
    ///
    /// # Errors
    /// `TOO_MANY_SUBSCRIPTIONS`.
    pub(super) fn take(&self) -> Result<Place> {
        self.free.clone().try_acquire_owned().map_err(|_| {
            let refused = Error::new(&code::TOO_MANY_SUBSCRIPTIONS).with("limit", self.all);
            refused.with("seconds", PAUSE.as_secs()).retry_after(PAUSE)
        })
    }
}
