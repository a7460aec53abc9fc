//! The output of a task's steps: a subscription for each that runs, and what these miss is read.
//!
//! Each line is shown once: a step's next line is kept here, and every page is laid against it, whichever way it came.

use std::collections::HashMap;

use futures::StreamExt;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::View;
use crate::cli::client::GraphqlClient;
use crate::cli::client::document::{self, LogExcerpt, Logged, NodeAnswer, Tailed, WatchedSubtask};

/// Subscriptions at a time; more steps that run are read whenever the task is looked at.
const MOST: usize = 32;

/// Lines of one page.
const PAGE: i64 = 1000;

/// Lines of a step.
#[derive(Debug)]
pub(super) struct StepLogPage {
    subtask: String,
    name: String,
    log: LogExcerpt,
}

/// Follows the logs of the steps that run.
#[derive(Debug)]
pub(super) struct Tails {
    client: GraphqlClient,
    /// The next line of each step, by its id.
    lines: HashMap<String, i64>,
    open: HashMap<String, AbortOnDropHandle<()>>,
    pages: mpsc::Receiver<StepLogPage>,
    sender: mpsc::Sender<StepLogPage>,
}

impl Tails {
    pub(super) fn new(client: GraphqlClient) -> Self {
        // Who writes waits for who shows.
        let (sender, pages) = mpsc::channel(16);
        Self { client, lines: HashMap::new(), open: HashMap::new(), pages, sender }
    }

    /// Follows a step that runs, and shows the rest of one that does not.
    ///
    /// # Errors
    /// When the server stays away, or nobody reads any more.
    pub(super) async fn keep_up(&mut self, subtask: &WatchedSubtask, view: &mut View) -> anyhow::Result<()> {
        let runs = matches!(subtask.state.as_str(), "RUNNING" | "CANCELING");
        match self.open.get(&subtask.id) {
            Some(tail) if runs && !tail.is_finished() => return Ok(()),
            // Ended, or cut: then it is begun again.
            Some(_) => drop(self.open.remove(&subtask.id)),
            None => {}
        }
        if runs && self.open.len() < MOST {
            self.listen(subtask);
            return Ok(());
        }
        self.catch_up(subtask, view).await
    }

    /// The next lines of a step that runs; pending where none does.
    pub(super) async fn next(&mut self) -> StepLogPage {
        self.pages.recv().await.expect("invariant: a sender is kept beside the receiver")
    }

    /// Shows those lines of a page that were not shown yet.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn show(&mut self, page: &StepLogPage, view: &mut View) -> std::io::Result<()> {
        let next = self.lines.entry(page.subtask.clone()).or_insert(1);
        let fresh: Vec<&str> =
            page.log.lines.iter().filter(|line| line.number >= *next).map(|line| line.text.as_str()).collect();
        *next = page.log.next_line.max(*next);
        view.output(&page.name, &fresh)
    }

    fn listen(&mut self, subtask: &WatchedSubtask) {
        let from = self.lines.get(&subtask.id).copied().unwrap_or(1);
        let (client, sender) = (self.client.clone(), self.sender.clone());
        let (id, name) = (subtask.id.clone(), subtask.name.clone());
        let tail = async move {
            let variables = json!({ "id": id, "from": from });
            let Ok(mut parts) = client.subscribe::<Tailed>(document::TAIL, &variables).await else { return };
            while let Some(Ok(part)) = parts.next().await {
                let page = StepLogPage { subtask: id.clone(), name: name.clone(), log: part.subtask_log };
                if sender.send(page).await.is_err() {
                    return;
                }
            }
        };
        self.open.insert(subtask.id.clone(), AbortOnDropHandle::new(tokio::spawn(tail)));
    }

    /// Shows what the log has beyond what was shown.
    async fn catch_up(&mut self, subtask: &WatchedSubtask, view: &mut View) -> anyhow::Result<()> {
        loop {
            let from = self.lines.get(&subtask.id).copied().unwrap_or(1);
            if from > subtask.log_lines {
                return Ok(());
            }
            let variables = json!({ "id": subtask.id, "from": from, "limit": PAGE });
            let answer: NodeAnswer<Logged> = self.client.insist(document::LOG, &variables).await?;
            let Some(Logged { log }) = answer.node else { return Ok(()) };
            if log.next_line <= from {
                return Ok(());
            }
            self.show(&StepLogPage { subtask: subtask.id.clone(), name: subtask.name.clone(), log }, view)?;
        }
    }
}
