//! A round that follows: it waits for what the vCenter tells, and looks by itself now and then for what it does not tell.
//!
//! A wait that nobody answers is told from a vCenter that answers nothing: the one is begun anew in the same session, and
//! what it may have missed is read; the other ends the round. Either is noticed within a minute.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::round::{INVENTORY, PAGE, VsphereRound};
use super::trouble::VsphereRoundEnd;
use crate::resolver::vsphere::collect::{News, ReportSource};
use crate::vsphere::{Error, TaskInfo, Update};

/// How often a call that broke is made again in the same session, after pauses that grow from half a second.
const TRIES: u32 = 4;
/// How long a vCenter may say nothing.
const WAIT: Duration = Duration::from_secs(15);
/// How long it may take to answer while a wait hangs, and to give back what that was made of.
const SOON: Duration = Duration::from_secs(10);
const FAREWELL: Duration = Duration::from_secs(2);
/// How often the recent tasks are read anew, since a vCenter may not tell of them.
const RECENT: Duration = Duration::from_secs(60);
/// How soon what was not to be found is looked for again.
const AGAIN: Duration = Duration::from_secs(10);
/// How often it is written how it goes.
pub(super) const TELL: Duration = Duration::from_secs(5);

impl VsphereRound<'_> {
    /// Follows until something breaks.
    pub(super) async fn go_on(mut self) -> Result<Infallible, VsphereRoundEnd> {
        let begun = Instant::now();
        let (mut recent, mut told, mut settled) = (begun, begun, begun);
        loop {
            let seen = self.listen(WAIT).await?;
            let is_burst = self.is_burst(&seen);
            self.record(seen, ReportSource::Live).await?;
            if recent.elapsed() > RECENT {
                recent = Instant::now();
                let tasks = self.session.recent_tasks().await?;
                self.record(tasks, ReportSource::Read).await?;
                self.look_at_clock().await?;
            }
            if is_burst || std::mem::take(&mut self.is_behind) {
                tracing::debug!(vcenter = self.of.vcenter.name, is_burst, "the history is read for what was missed");
                self.gap().await?;
                self.is_behind = false;
            }
            if settled.elapsed() > if self.missing.is_empty() && !self.is_in_doubt { RECENT } else { AGAIN } {
                settled = Instant::now();
                self.settle().await?;
            }
            if self.inventoried.elapsed() > INVENTORY {
                self.inventory().await?;
            }
            if told.elapsed() > TELL || self.remarks.is_new {
                told = Instant::now();
                let seen_at = Some(self.of.request.clock.now());
                self.tell(News { seen_at, ..News::default() }).await?;
            }
        }
    }

    /// What the vCenter tells within `longest`.
    pub(super) async fn listen(&mut self, longest: Duration) -> Result<Vec<TaskInfo>, VsphereRoundEnd> {
        let mut seen = vec![];
        for update in self.wait(longest).await? {
            match update {
                Update::Task(info) => seen.push(*info),
                Update::Gone(task) => {
                    // It is settled with the others, the sooner the better.
                    self.watched.remove(&task.value);
                    self.is_in_doubt = true;
                }
            }
        }
        Ok(seen)
    }

    /// The vCenter's answer. A connection that breaks does not end the session: the same is asked again.
    async fn wait(&mut self, longest: Duration) -> Result<Vec<Update>, VsphereRoundEnd> {
        let mut tries = 0;
        loop {
            match self.follow.wait(longest).await {
                Ok(updates) => {
                    self.remarks.answer();
                    return Ok(updates);
                }
                Err(Error::TooSlow) => {
                    self.wait_anew().await?;
                    return Ok(vec![]);
                }
                Err(error @ (Error::Unreachable(..) | Error::Http(_))) if error.is_passing() && tries < TRIES => {
                    tracing::debug!(vcenter = self.of.vcenter.name, %error, "asking again");
                    tokio::time::sleep(Duration::from_millis(500 << tries)).await;
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Another subscription takes the place of one whose wait nobody answered. Where nothing else is answered either, that
    /// is the trouble.
    async fn wait_anew(&mut self) -> Result<(), VsphereRoundEnd> {
        timeout(SOON, self.look_at_clock()).await.map_err(|_| Error::TooSlow)??;
        tracing::warn!(vcenter = self.of.vcenter.name, "a wait for updates hangs: another takes its place");
        let now = self.of.request.clock.now();
        self.remarks.hang(now);
        self.tell(News { seen_at: Some(now), ..News::default() }).await?;
        let follow = self.session.follow(PAGE).await?;
        let hanging = std::mem::replace(&mut self.follow, follow);
        if timeout(FAREWELL, hanging.close()).await.is_err() {
            tracing::debug!(vcenter = self.of.vcenter.name, "a subscription stays until its session ends");
        }
        let watched = std::mem::take(&mut self.watched).into_values().collect();
        self.watch(watched, vec![]).await?;
        self.is_behind = true;
        Ok(())
    }

    /// Whether nothing that was told is known: more may have happened than fits.
    fn is_burst(&self, seen: &[TaskInfo]) -> bool {
        let new = seen.iter().filter(|info| !self.met.0.contains(&info.key) && !self.watched.contains_key(&info.key));
        new.count() >= PAGE.unsigned_abs() as usize
    }
}
