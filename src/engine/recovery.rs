//! Takes back what lost workers had: ends sessions that have been silent for longer than their lease, and gives their
//! attempts back.
//!
//! Every server runs it and goes by what it has seen itself ([`crate::lease`]); whoever comes second finds nothing left
//! to do. At the start of a server on SQLite every earlier session has ended for certain, since only one process has the
//! folder.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbBackend;
use tokio_util::sync::CancellationToken;

use super::cycle::CycleBatch;
use super::divide;
use crate::clock::Clock;
use crate::error::Result;
use crate::feed::event::Bell;
use crate::lease::{LeaseLook, Lives};
use crate::store::attempt::{self, RunningAttempt, Used};
use crate::store::{Changed, Store, commit, worker};
use crate::worker::port::{Acceptance, AttemptEnd};

/// How often leases are looked at: with a lease of 15 s a lost attempt is taken again within 20 s, of which up to 1 s
/// goes by before its last renewal is seen, 16 s until that has stood for too long, and 1 s until somebody looks.
pub const EVERY: Duration = Duration::from_secs(1);
const BATCH: u64 = 200;

/// Looks for lost workers, and remembers what it has seen of them.
#[derive(Debug)]
pub struct Recovery {
    store: Store,
    clock: Arc<dyn Clock>,
    bell: Bell,
    lives: Lives,
}

impl Recovery {
    /// Goes by what `lives` has seen, and adds to it. `bell` is rung when something was given back.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, bell: Bell, lives: Lives) -> Self {
        Self { store, clock, bell, lives }
    }

    /// Before this server's own worker begins: what earlier processes left.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn at_start(&self) -> Result<usize> {
        if self.store.backend() == DbBackend::Sqlite {
            let _: Changed = worker::bury_all(self.store.lease(), self.clock.now()).await?;
        }
        self.sweep().await
    }

    /// Looks at leases until `stop`.
    ///
    /// One task a process; every server of a database has its own, and they need not agree: who ends a session first has
    /// ended it, and each attempt is given back once, under its task's lock. Woken by its timer alone. While it stands
    /// still nobody is taken for lost, unless another server looks.
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
        self.bury().await?;
        let mut lost = 0;
        loop {
            let orphans = attempt::orphans(self.store.read(), BATCH).await?;
            if orphans.is_empty() {
                return Ok(lost);
            }
            let lose = |orphan: &RunningAttempt| AttemptEnd::lost(orphan.into(), "its worker was lost");
            let ends: Vec<AttemptEnd> = orphans.iter().map(lose).collect();
            let batch = CycleBatch { ends, ..CycleBatch::default() };
            let done = divide::run(&self.store, &batch, self.clock.now()).await?;
            if done.wrote {
                self.bell.ring();
            }
            let before = lost;
            for (taken, orphan) in done.ends.iter().zip(&orphans) {
                match taken {
                    Some(Acceptance::Accepted) => lost += 1,
                    // Its subtask has moved on without it: the row alone is out of date.
                    Some(Acceptance::Refused) => self.close(orphan).await?,
                    None => {}
                }
            }
            self.store.metrics().leases_lost.inc_by((lost - before) as u64);
            if lost == before && done.ends.iter().all(Option::is_none) {
                return Ok(lost);
            }
        }
    }

    /// Ends the sessions that this server has seen silent for too long.
    async fn bury(&self) -> Result<()> {
        let asked = self.clock.moment();
        // That it could not be looked for a while changes nothing: a worker that could not renew has given up by itself.
        let signs = worker::signs(self.store.lease()).await?;
        let answered = self.clock.moment();
        let over = self.lives.seen().look(signs, LeaseLook { asked, answered });
        for silent in over {
            if worker::bury(self.store.lease(), &silent, self.clock.now()).await? == Changed::Yes {
                tracing::warn!(worker = silent.key, lease = ?silent.lease, "a worker gives no sign of life any more");
            }
        }
        Ok(())
    }

    /// Ends the row of an attempt whose subtask has moved on.
    async fn close(&self, orphan: &RunningAttempt) -> Result<()> {
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
