//! Removes what has been kept long enough, and the rest of what was deleted. Nothing old is removed that the settings do
//! not name.
//!
//! One process of all on a database removes rows; working folders are each server's own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use taskloom_entity::{AttemptId, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::error::{Error, Result};
use crate::resolver::retention::{Removable, RetentionRound};
use crate::resolver::{Request, retention};

/// How often the rest of what was deleted is looked for.
const LOOK: Duration = Duration::from_secs(60);
/// Folders that are looked up at a time.
const BATCH: usize = 500;

/// What is kept, and for how long.
#[derive(Clone, Debug)]
pub struct Retention {
    /// How long.
    pub settings: config::Retention,
    /// Where this server has the working folders of its attempts.
    pub attempts: PathBuf,
}

impl Retention {
    /// One round. What fails keeps nothing else from being removed.
    pub async fn run(&self, request: &Request) {
        match retention::begin(request).await {
            Ok(Some(round)) => self.remove(request, &round).await,
            Ok(None) => tracing::debug!("another process removes what is old"),
            Err(error) => retention::failed(request, "round", &error),
        }
        if let Some(age) = self.settings.attempt_folders
            && let Err(error) = self.folders(request, request.clock.now().before(age)).await
        {
            retention::failed(request, "attempt_folders", &error);
        }
    }

    async fn remove(&self, request: &Request, round: &RetentionRound) {
        let now = request.clock.now();
        let before = |age: Option<Duration>| age.map(|age| now.before(age));
        let said = |what, done: Result<u64>| match done {
            Ok(0) => {}
            Ok(removed) => tracing::info!(what, removed, "what was old is removed"),
            Err(error) => retention::failed(request, what, &error),
        };
        said("vsphere_tasks", round.vsphere(request).await);
        if let Some(until) = before(self.settings.finished_tasks) {
            said("tasks", round.tasks(request, until).await);
        }
        said("deleted", round.deleted(request).await);
        let old = [
            Some(Removable::Sessions(now)),
            before(self.settings.events).map(Removable::Events),
            before(self.settings.events).map(Removable::VsphereEvents),
            before(self.settings.result_sets).map(Removable::ResultSets),
            before(self.settings.workers).map(Removable::Workers),
            before(self.settings.audit).map(Removable::Audit),
        ];
        for old in old.into_iter().flatten() {
            said(old.name(), round.remove(request, old).await);
        }
    }

    /// Removes folders of attempts that ended before `until`, or that nobody knows any more.
    async fn folders(&self, request: &Request, until: Timestamp) -> Result<()> {
        let root = self.attempts.clone();
        let found = tokio::task::spawn_blocking(move || list(&root)).await.map_err(Error::internal)?;
        for batch in found.chunks(BATCH) {
            let ids: Vec<AttemptId> = batch.iter().map(|(id, _)| *id).collect();
            let kept = retention::attempts_since(request, &ids, until).await?;
            for (_, folder) in batch.iter().filter(|(id, _)| !kept.contains(id)) {
                if let Err(error) = tokio::fs::remove_dir_all(folder).await {
                    tracing::warn!(folder = %folder.display(), %error, "an old working folder could not be removed");
                }
            }
        }
        Ok(())
    }
}

/// Removes the rest of what is deleted as soon as somebody deletes, and looks by itself now and then: who was to do it
/// may have died. Ends with `stop`, between two bites.
pub async fn follow_up(request: Request, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = remove_deleted(&request) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = request.rests.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn remove_deleted(request: &Request) {
    let removed = async {
        match retention::begin(request).await? {
            Some(round) => round.deleted(request).await,
            None => Ok(0),
        }
    };
    if let Err(error) = removed.await {
        retention::failed(request, "deleted", &error);
    }
}

/// The folders that are named as the engine names them, `task-subtask-attempt`. Others are not ours to remove.
fn list(root: &Path) -> Vec<(AttemptId, PathBuf)> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((attempt_of(entry.file_name().to_str()?)?, entry.path()))).collect()
}

fn attempt_of(name: &str) -> Option<AttemptId> {
    let mut ids = name.split('-').map(str::parse::<i64>);
    match (ids.next()?, ids.next()?, ids.next()?, ids.next()) {
        (Ok(_), Ok(_), Ok(id), None) => Some(AttemptId(id)),
        _ => None,
    }
}
