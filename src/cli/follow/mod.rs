//! Follows a task to its end. The subscription only rings: the truth is read after each ring, so a connection that
//! breaks, a server that restarts and a burst of changes all come to the same.
//!
//! Output is shown between the words that its step began and those that it ended: what the tails of running steps miss
//! is read before an end is told.

mod tails;
mod view;

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use futures::future::{Fuse, FutureExt};
use futures::stream::BoxStream;
use futures::{StreamExt, future};
use serde_json::{Value, json};

use super::client::document::{self, Line, Logged, NodeAnswer, TaskHandle, WatchedTask};
use super::client::{ClientError, GraphqlClient};
use super::output;
use crate::lifecycle::{self, Stop};
use tails::Tails;
pub(super) use view::{View, lower};

/// How long a silent bell is trusted.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is shown of a failed subtask's log.
const LAST_LINES: usize = 20;

/// What Ctrl-C means to the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// It is cancelled, and followed to its end; a second one gives up waiting.
    Cancel,
    /// It is left to its server.
    Leave,
}

/// Follows to the end; the exit status is the task's.
///
/// # Errors
/// When the server refuses, or stays away.
pub(super) async fn follow(
    client: &GraphqlClient,
    task: &TaskHandle,
    mut view: View,
    interrupt: Interrupt,
) -> anyhow::Result<ExitCode> {
    let stop = Stop::new();
    tokio::spawn(lifecycle::on_signals(&stop)?);
    let mut asked = false;
    let mut canceling = pin!(Fuse::terminated());
    let end = {
        let mut watching = pin!(watch(client, task, &mut view));
        loop {
            tokio::select! {
                end = &mut watching => break Some(end?),
                () = stop.hurried() => break None,
                canceled = &mut canceling => canceled?,
                () = stop.requested(), if !asked => {
                    asked = true;
                    if interrupt == Interrupt::Leave {
                        break None;
                    }
                    output::note(&format!("canceling task {}; Ctrl-C again does not wait for it", task.database_id));
                    canceling.set(cancel(client, task).fuse());
                }
            }
        }
    };
    drop(view);
    let Some(end) = end else {
        let (id, server) = (task.database_id, client.address());
        output::note(&match interrupt {
            Interrupt::Cancel => format!("task {id} is left to the server"),
            Interrupt::Leave => format!("task {id} goes on; to cancel it: taskloom cancel {id} --server {server}"),
        });
        return Ok(ExitCode::from(130));
    };
    conclude(client, task, &end).await?;
    Ok(match end.state.as_str() {
        "SUCCESSFUL" => ExitCode::SUCCESS,
        _ if asked => ExitCode::from(130),
        _ => ExitCode::FAILURE,
    })
}

/// Shows the task until it has ended.
async fn watch(client: &GraphqlClient, task: &TaskHandle, view: &mut View) -> anyhow::Result<WatchedTask> {
    let mut tails = Tails::new(client.clone());
    let mut bell = None;
    loop {
        // Before the look: what happens after it rings.
        if bell.is_none() {
            bell = ring(client, task).await;
        }
        let now = read(client, task).await?;
        view.draw(&now);
        for subtask in &now.subtasks {
            view.begins(subtask)?;
            if view.shows_output() {
                tails.keep_up(subtask, view).await?;
            }
            view.stands(subtask)?;
        }
        view.waits(&now)?;
        if is_final(&now.state) {
            return Ok(now);
        }
        let mut patience = pin!(tokio::time::sleep(PATIENCE));
        loop {
            tokio::select! {
                rung = next(&mut bell) => {
                    if rung.is_none() {
                        // Completed or cut: look again, and listen again a moment later.
                        bell = None;
                        tokio::time::sleep(PATIENCE / 10).await;
                    }
                    break;
                }
                page = tails.next() => tails.show(&page, view)?,
                () = &mut patience => break,
            }
        }
    }
}

fn is_final(state: &str) -> bool {
    matches!(state, "SUCCESSFUL" | "FAILED" | "CANCELED" | "ROLLED_BACK")
}

/// Something changed, again and again. None: the server does not answer, or has no place for one more subscription.
async fn ring(client: &GraphqlClient, task: &TaskHandle) -> Option<BoxStream<'static, ()>> {
    let events = client.subscribe::<Value>(document::BELL, &json!({ "id": task.id })).await.ok()?;
    Some(events.filter_map(async |event| event.ok().map(|_| ())).boxed())
}

/// The next ring, with all that came with it. A bell that could not be hung is silent.
async fn next(bell: &mut Option<BoxStream<'static, ()>>) -> Option<()> {
    let Some(bell) = bell else { return future::pending().await };
    let rung = bell.next().await;
    while let Some(Some(())) = bell.next().now_or_never() {}
    rung
}

/// The task as it stands; a server that restarts is waited for.
async fn read(client: &GraphqlClient, task: &TaskHandle) -> anyhow::Result<WatchedTask> {
    match client.insist::<NodeAnswer<WatchedTask>>(document::WATCH, &json!({ "id": task.id })).await? {
        NodeAnswer { node: Some(task) } => Ok(task),
        NodeAnswer { node: None } => bail!("task {} was deleted", task.database_id),
    }
}

/// Asks for the cancellation until the server has heard it. A task that is being canceled, or has ended, needs none.
async fn cancel(client: &GraphqlClient, task: &TaskHandle) -> anyhow::Result<()> {
    match client.insist::<Value>(document::CANCEL, &json!({ "id": task.id })).await {
        Ok(_) => Ok(()),
        Err(ClientError::Refused(refused)) => {
            let now = read(client, task).await?;
            let is_done = is_final(&now.state) || now.state == "CANCELING";
            if is_done { Ok(()) } else { Err(ClientError::Refused(refused).into()) }
        }
        Err(error) => Err(error.into()),
    }
}

/// The result, and of what failed the end of its log.
async fn conclude(client: &GraphqlClient, task: &TaskHandle, end: &WatchedTask) -> anyhow::Result<()> {
    for failed in end.subtasks.iter().filter(|subtask| subtask.state == "FAILED") {
        let reason = because(failed.message.as_deref());
        output::note(&format!("--- {} ({}) failed{reason}; the end of its log:", failed.name, failed.database_id));
        for line in last_lines(client, &failed.id, failed.log_lines).await? {
            output::note(&format!("    {}", output::noted(&line.text)));
        }
    }
    let reason = because(end.message.as_deref());
    Ok(output::line(&format!("task {} ({}) {}{reason}", task.database_id, end.name, lower(&end.state)))?)
}

fn because(message: Option<&str>) -> String {
    message.map(|text| format!(": {text}")).unwrap_or_default()
}

async fn last_lines(client: &GraphqlClient, subtask: &str, lines: i64) -> anyhow::Result<Vec<Line>> {
    let (mut last, mut from) = (vec![], (lines - LAST_LINES as i64 + 1).max(1));
    loop {
        let variables = json!({ "id": subtask, "from": from, "limit": 1000 });
        let answer: NodeAnswer<Logged> = client.insist(document::LOG, &variables).await?;
        let Some(Logged { log }) = answer.node else { return Ok(last) };
        if log.lines.is_empty() || log.next_line <= from {
            return Ok(last);
        }
        from = log.next_line;
        last.extend(log.lines);
        let surplus = last.len().saturating_sub(LAST_LINES);
        last.drain(..surplus);
    }
}
