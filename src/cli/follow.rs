//! Follows a task to its end. The subscription only rings: the truth is read after each ring, so a connection that
//! breaks, a server that restarts and a burst of changes all come to the same.
//!
//! Ctrl-C asks the server to cancel the task and goes on following; a second one gives up waiting.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::{Value, json};

use super::client::document::{self, Handle, Line, Logged, Node, Task};
use super::client::{Client, ClientError};
use super::output;
use super::progress::{View, lower};
use crate::lifecycle::{self, Stop};

/// How long a silent bell is trusted.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a server that does not answer is waited for.
const ABSENCE: Duration = Duration::from_secs(60);

/// What is shown of a failed subtask's log.
const LAST_LINES: usize = 20;

/// Follows to the end; the exit status is the task's.
///
/// # Errors
/// When the server refuses, or stays away.
pub(super) async fn follow(client: &Client, task: &Handle, mut view: View) -> anyhow::Result<ExitCode> {
    let stop = Stop::new();
    lifecycle::on_signals(&stop)?;
    let mut canceled = false;
    let mut bell = ring(client, task).await;
    let end = loop {
        let now = read(client, task).await?;
        view.update(&now)?;
        if is_final(&now.state) {
            break now;
        }
        tokio::select! {
            rung = bell.next() => if rung.is_none() {
                // Completed or cut: look again, and listen again a moment later.
                tokio::time::sleep(PATIENCE / 10).await;
                bell = ring(client, task).await;
            },
            () = tokio::time::sleep(PATIENCE) => {}
            () = stop.hurried() => {
                output::note(&format!("task {} is left to the server", task.database_id));
                return Ok(ExitCode::from(130));
            }
            () = stop.requested(), if !canceled => {
                canceled = true;
                output::note(&format!("canceling task {}; Ctrl-C again does not wait for it", task.database_id));
                cancel(client, task).await?;
            }
        }
    };
    drop(view);
    conclude(client, task, &end).await?;
    Ok(match end.state.as_str() {
        _ if canceled => ExitCode::from(130),
        "SUCCESSFUL" => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn is_final(state: &str) -> bool {
    matches!(state, "SUCCESSFUL" | "FAILED" | "CANCELED" | "ROLLED_BACK")
}

/// Something changed, again and again. A server that does not answer is a bell that does not ring.
async fn ring(client: &Client, task: &Handle) -> BoxStream<'static, ()> {
    match client.subscribe::<Value>(document::BELL, &json!({ "id": task.id })).await {
        Ok(events) => events.filter_map(async |event| event.ok().map(|_| ())).boxed(),
        Err(_) => stream::empty().boxed(),
    }
}

/// The task as it stands; a server that restarts is waited for.
async fn read(client: &Client, task: &Handle) -> anyhow::Result<Task> {
    let began = tokio::time::Instant::now();
    loop {
        match client.ask::<Node<Task>>(document::WATCH, &json!({ "id": task.id })).await {
            Ok(Node { node: Some(task) }) => return Ok(task),
            Ok(Node { node: None }) => bail!("task {} was deleted", task.database_id),
            Err(error) if error.is_passing() && began.elapsed() < ABSENCE => {
                tokio::time::sleep(PATIENCE / 4).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A task that has ended meanwhile needs no cancellation.
async fn cancel(client: &Client, task: &Handle) -> Result<(), ClientError> {
    match client.ask::<Value>(document::CANCEL, &json!({ "id": task.id })).await {
        Ok(_) | Err(ClientError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The result, and of what failed the end of its log.
async fn conclude(client: &Client, task: &Handle, end: &Task) -> anyhow::Result<()> {
    for failed in end.subtasks.iter().filter(|subtask| subtask.state == "FAILED") {
        let reason = because(failed.message.as_deref());
        output::note(&format!("--- {} ({}) failed{reason}; the end of its log:", failed.name, failed.database_id));
        for line in last_lines(client, &failed.id).await? {
            output::note(&format!("    {}", line.text));
        }
    }
    let reason = because(end.message.as_deref());
    Ok(output::line(&format!("task {} ({}) {}{reason}", task.database_id, end.name, lower(&end.state)))?)
}

fn because(message: Option<&str>) -> String {
    message.map(|text| format!(": {text}")).unwrap_or_default()
}

async fn last_lines(client: &Client, subtask: &str) -> anyhow::Result<Vec<Line>> {
    let (mut lines, mut from) = (vec![], 1);
    loop {
        let variables = json!({ "id": subtask, "from": from, "limit": 1000 });
        let answer: Node<Logged> = client.ask(document::LOG, &variables).await?;
        let Some(Logged { log }) = answer.node else { return Ok(lines) };
        if log.lines.is_empty() || log.next_line <= from {
            return Ok(lines);
        }
        from = log.next_line;
        lines.extend(log.lines);
        let surplus = lines.len().saturating_sub(LAST_LINES);
        lines.drain(..surplus);
    }
}
