//! Removes what has been kept long enough. Nothing is removed that the settings do not name.

use std::path::{Path, PathBuf};

use taskloom_entity::{AttemptId, Timestamp};

use crate::config;
use crate::error::{Error, Result};
use crate::resolver::task::Filter;
use crate::resolver::task::bulk;
use crate::resolver::{Request, retention};
use crate::task::command::Verb;

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
    /// One round.
    pub async fn run(&self, request: &Request) {
        if let Err(error) = self.remove(request).await {
            tracing::warn!(error = ?error, "what is old could not be removed: trying again in an hour");
        }
    }

    async fn remove(&self, request: &Request) -> Result<()> {
        let now = request.clock.now();
        retention::sessions(request).await?;
        retention::vsphere(request).await?;
        if let Some(age) = self.settings.finished_tasks {
            let filter =
                Filter { finished_to: Some(now.before(age)), finished_from: Some(Timestamp(1)), ..Filter::default() };
            while bulk::run(request, &filter, Verb::Delete).await?.more {}
        }
        if let Some(age) = self.settings.events {
            retention::events(request, now.before(age)).await?;
        }
        if let Some(age) = self.settings.result_sets {
            retention::results(request, now.before(age)).await?;
        }
        if let Some(age) = self.settings.attempt_folders {
            self.folders(request, now.before(age)).await?;
        }
        Ok(())
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
