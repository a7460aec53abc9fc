//! What a round reads beside what it is told: the whole history once, what may have been missed, and the end of what the
//! vCenter tells nothing of any more.

use std::collections::HashMap;
use std::time::Duration;

use taskloom_entity::{CollectionState, VsphereInstanceId, vsphere_task};
use tokio::time::Instant;

use super::listen::TELL;
use super::round::VsphereRound;
use super::trouble::VsphereRoundEnd;
use crate::resolver::vsphere::collect::{self, News, Report, ReportSource, Seen};
use crate::vsphere::{Error, Filter, LARGEST_READ, Reference, TaskInfo, TaskState};

/// How often it is asked what happens while a history is read.
const LISTEN: Duration = Duration::from_millis(500);
/// The same while nobody answers that.
const TRY: Duration = Duration::from_secs(60);
/// How far behind the newest known end a gap is read: a task may be found in the history later than elsewhere.
const OVERLAP: Duration = Duration::from_secs(300);
/// How many histories of one task are looked up at a time.
const CHAINS: usize = 100;

impl VsphereRound<'_> {
    /// The whole history, the oldest first. What happens meanwhile is recorded between its pages.
    pub(super) async fn first(&mut self) -> Result<(), VsphereRoundEnd> {
        let of = self.of;
        self.tell(News { state: Some((CollectionState::Reading, None)), ..News::default() }).await?;
        let mut history = match self.session.history(&Filter::default()).await {
            Ok(history) => history,
            Err(error) if has_no_history(&error) => {
                tracing::warn!(
                    vcenter = of.vcenter.name,
                    "this server keeps no history: only what happens is collected"
                );
                let tasks = self.session.recent_tasks().await?;
                return self.record(tasks, ReportSource::First).await;
            }
            Err(error) => return Err(error.into()),
        };
        let began = Instant::now();
        let (mut told, mut listened, mut count) = (began, began, 0);
        let mut page = history.next(LARGEST_READ).await?;
        while !page.is_empty() {
            count += page.len();
            // The next page is on its way while this one is written.
            let (next, written) = tokio::join!(history.next(LARGEST_READ), self.record(page, ReportSource::First));
            written?;
            page = next?;
            if listened.elapsed() > if self.remarks.is_hanging() { TRY } else { LISTEN } {
                listened = Instant::now();
                let seen = self.listen(Duration::ZERO).await?;
                self.record(seen, ReportSource::Live).await?;
            }
            if told.elapsed() > TELL {
                told = Instant::now();
                self.tell_progress(count, began.elapsed()).await?;
            }
        }
        tracing::info!(vcenter = of.vcenter.name, count, took = ?began.elapsed(), "the history is read");
        history.close().await;
        Ok(())
    }

    /// How far the history is read; why it was not read before stays.
    async fn tell_progress(&mut self, count: usize, took: Duration) -> Result<(), VsphereRoundEnd> {
        let message = format!("{count} tasks of the history are read, in {} s", took.as_secs());
        let reason = match &self.of.failed {
            Some((word, before)) => (word.clone(), format!("{message}; it is read anew after: {before}")),
            None => ("READING".to_owned(), message),
        };
        let seen_at = Some(self.of.request.clock.now());
        self.tell(News { state: Some((CollectionState::Reading, Some(reason))), seen_at, ..News::default() }).await
    }

    /// What may have been missed: what ended since the newest known end, and what has not ended.
    pub(super) async fn gap(&mut self) -> Result<(), VsphereRoundEnd> {
        // Since then its clock may have been set right.
        self.look_at_clock().await?;
        let since = self.completed_to.map(|at| at.before(OVERLAP).utc());
        let ended = Filter { completed_since: since, ..Filter::default() };
        let unfinished = Filter { states: vec![TaskState::Queued, TaskState::Running], ..Filter::default() };
        for filter in [unfinished, ended] {
            self.read(&filter).await?;
        }
        Ok(())
    }

    pub(super) async fn read(&mut self, filter: &Filter) -> Result<(), VsphereRoundEnd> {
        let mut history = match self.session.history(filter).await {
            Err(error) if has_no_history(&error) => {
                let tasks = self.session.recent_tasks().await?;
                return self.record(tasks, ReportSource::Read).await;
            }
            history => history?,
        };
        loop {
            let page = history.next(LARGEST_READ).await?;
            if page.is_empty() {
                history.close().await;
                return Ok(());
            }
            self.record(page, ReportSource::Read).await?;
        }
    }

    /// Watches what is known to be unfinished there.
    pub(super) async fn take_up(&mut self) -> Result<(), VsphereRoundEnd> {
        let unfinished = collect::unfinished(&self.of.request, self.of.vcenter.id).await?;
        let here = unfinished.into_iter().filter(|task| task.instance_id == self.instance);
        let new = here.map(|task| (Reference::task(task.key), task.queued_at)).collect();
        self.watch(new, vec![]).await
    }

    /// Ends what the vCenter has forgotten. What is not to be found is looked for once more before that.
    pub(super) async fn settle(&mut self) -> Result<(), VsphereRoundEnd> {
        self.is_in_doubt = false;
        let unfinished = collect::unfinished(&self.of.request, self.of.vcenter.id).await?;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            unfinished.into_iter().partition(|task| task.instance_id == self.instance);
        // Another vCenter answers now: those of the one before are nobody's.
        self.lose(elsewhere).await?;
        // Watched is the task itself, not another that was given its key.
        let is_watched = |task: &vsphere_task::Model| {
            self.watched.get(&task.key).is_some_and(|(_, queued_at)| collect::is_one(*queued_at, task.queued_at))
        };
        let silent: Vec<vsphere_task::Model> = here.into_iter().filter(|task| !is_watched(task)).collect();
        let (mut gone, mut found) = (vec![], vec![]);
        for task in silent {
            match self.session.task(&Reference::task(task.key.as_str())).await {
                Ok(info) if is_same(&task, &info) => found.push(info),
                Ok(_) | Err(Error::ManagedObjectNotFound { .. }) => gone.push(task),
                // It is there, and cannot be read.
                Err(Error::Malformed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A session that is lost may look as if nothing were there.
        if !gone.is_empty() && !self.session.alive().await? {
            return Err(Error::NotAuthenticated.into());
        }
        found.extend(self.look_up(&gone).await?);
        gone.retain(|task| !found.iter().any(|info| is_same(task, info) && info.state.is_final()));
        self.record(found, ReportSource::Read).await?;
        let (lost, missing): (Vec<_>, Vec<_>) = gone.into_iter().partition(|task| self.missing.contains(&task.key));
        self.missing = missing.into_iter().map(|task| task.key).collect();
        self.lose(lost).await
    }

    /// Tasks by their event chains: the one way to find a task in the history.
    pub(super) async fn look_up(&self, tasks: &[vsphere_task::Model]) -> Result<Vec<TaskInfo>, VsphereRoundEnd> {
        let mut found = vec![];
        for some in tasks.chunks(CHAINS) {
            let chains = some.iter().map(|task| task.event_chain_id).filter(|chain| *chain != 0);
            let filter = Filter { event_chain_ids: chains.collect(), ..Filter::default() };
            if filter.event_chain_ids.is_empty() {
                continue;
            }
            let mut history = match self.session.history(&filter).await {
                Err(error) if has_no_history(&error) => return Ok(found),
                history => history?,
            };
            found.extend(
                history
                    .next(LARGEST_READ)
                    .await?
                    .into_iter()
                    .filter(|info| some.iter().any(|task| is_same(task, info))),
            );
            history.close().await;
        }
        Ok(found)
    }

    pub(super) async fn lose(&mut self, tasks: Vec<vsphere_task::Model>) -> Result<(), VsphereRoundEnd> {
        let mut by_instance: HashMap<VsphereInstanceId, Vec<Seen>> = HashMap::new();
        for task in tasks {
            tracing::warn!(
                vcenter = self.of.vcenter.name,
                key = task.key,
                "the vCenter has forgotten a task that had not ended"
            );
            by_instance.entry(task.instance_id).or_default().push(collect::lost(task));
        }
        for (instance, tasks) in by_instance {
            self.write(Report { lease: self.of.lease.clone(), instance, source: ReportSource::Live, tasks }).await?;
        }
        Ok(())
    }
}

/// Whether the vCenter means the task that is kept: it may have given the key out again.
fn is_same(task: &vsphere_task::Model, info: &TaskInfo) -> bool {
    task.key == info.key && info.is_of(task.queued_at.utc())
}

/// A simulator, or a single host.
fn has_no_history(error: &Error) -> bool {
    matches!(error, Error::Fault { kind, .. } if kind == "MethodNotFound" || kind == "NotSupported" || kind == "NotImplemented")
}
