//! Whether the server can work: it does not stop, all its loops run, the database is read and takes a write.
//!
//! A write is tried once in five seconds for all who ask, however many: asking is not to be work.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::lifecycle::Stop;
use crate::store::{Store, event, pulse};
use crate::supervise::Watch;

/// How long the answer of a write is good for.
const FRESH: Duration = Duration::from_secs(5);

/// Answers `/readyz`.
#[derive(Debug)]
pub struct Readiness {
    store: Store,
    stop: Stop,
    watch: Watch,
    /// When a write was last tried, and why it failed.
    written: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl Readiness {
    /// Of a server on this store.
    #[must_use]
    pub fn new(store: Store, (stop, watch): (Stop, Watch)) -> Self {
        Self { store, stop, watch, written: Mutex::default() }
    }

    /// # Errors
    /// Why it cannot work, in words for an operator.
    pub async fn ask(&self) -> Result<(), String> {
        if let Some(fault) = self.watch.fault() {
            return Err(fault.to_string());
        }
        if self.stop.is_requested() {
            return Err("the server is stopping".to_owned());
        }
        event::newest(self.store.read()).await.map_err(|error| error.to_string())?;
        self.write().await
    }

    async fn write(&self) -> Result<(), String> {
        // Whoever asks meanwhile waits for the one write that is tried.
        let mut written = self.written.lock().await;
        if let Some((at, answer)) = written.as_ref()
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let answer =
            pulse::beat(&self.store).await.map_err(|error| format!("nothing can be written: {}", error.obstacle()));
        *written = Some((Instant::now(), answer.clone()));
        answer
    }
}
