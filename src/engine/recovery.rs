//! Takes back what lost workers had: ends lives whose lease has ended, and gives their attempts back.
//!
//! Every server runs it; whoever comes second finds nothing left to do. At the start of a server on SQLite every
//! earlier life has ended for certain, since only one process has the folder.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbBackend;
use tokio_util::sync::CancellationToken;

use super::cycle::Batch;
use super::divide;
use super::port::Finish;
use crate::clock::Clock;
use crate::error::Result;
use crate::event::Bell;
use crate::store::attempt::{self, Running, Used};
use crate::store::{Changed, Store, commit, worker};

/// How often leases are looked at: with a lease of 15 s a lost attempt is taken again within 20 s.
pub const EVERY: Duration = Duration::from_secs(2);
const BATCH: u64 = 200;

/// What recovery works with.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when something was given back.
    pub bell: Bell,
}

impl Recovery {
    /// Before this server's own worker begins: what earlier processes left.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn at_start(&self) -> Result<usize> {
        if self.store.backend() == DbBackend::Sqlite {
            let _: Changed = worker::bury_all(self.store.write()).await?;
        }
        self.sweep().await
    }

    /// Looks at leases until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            match self.sweep().await {
                Ok(0) => {}
                Ok(lost) => tracing::warn!(lost, "attempts of lost workers were given back"),
                Err(error) => tracing::warn!(error = ?error, "leases cannot be looked at: trying again"),
            }
        }
    }

    /// One look; how many attempts were lost.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep(&self) -> Result<usize> {
        let _: Changed = worker::bury(self.store.write(), self.clock.now()).await?;
        let mut lost = 0;
        loop {
            let orphans = attempt::orphans(self.store.read(), BATCH).await?;
            if orphans.is_empty() {
                return Ok(lost);
            }
            let lose = |orphan: &Running| Finish::lost(orphan.into(), "its worker was lost");
            let finishes: Vec<Finish> = orphans.iter().map(lose).collect();
            let batch = Batch { finishes, ..Batch::default() };
            let done = divide::run(&self.store, &batch, self.clock.now()).await?;
            if done.wrote {
                self.bell.ring();
            }
            let before = lost;
            for (taken, orphan) in done.finishes.iter().zip(&orphans) {
                match taken {
                    Some(super::port::Taken::Yes) => lost += 1,
                    // Its subtask has moved on without it: the row alone is out of date.
                    Some(super::port::Taken::Refused) => self.close(orphan).await?,
                    None => {}
                }
            }
            self.store.metrics().leases_lost.inc_by((lost - before) as u64);
            if lost == before && done.finishes.iter().all(Option::is_none) {
                return Ok(lost);
            }
        }
    }

    async fn close(&self, orphan: &Running) -> Result<()> {
        let tx = self.store.begin().await?;
        attempt::end(
            &tx,
            &[attempt::Ended {
                id: orphan.id,
                state: taskloom_entity::AttemptState::Lost,
                at: self.clock.now(),
                exit_code: None,
                message: None,
                used: Used::default(),
            }],
        )
        .await?;
        commit(tx).await?;
        Ok(())
    }
}
