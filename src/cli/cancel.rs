//! `cancel`: stops a task of a server.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::client::document::{self, Canceled};
use super::client::{self, GraphqlClient};
use super::follow::lower;
use super::options::Remote;
use super::output;

/// Cancel a task of a server
///
/// What runs is stopped, what has not begun does not begin. `taskloom tasks` shows when that is done.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Cancel {
    /// The task: its number, or its id in the graph
    task: String,
    #[command(flatten)]
    remote: Remote,
}

const EXAMPLES: &str = "\
Examples:
  taskloom cancel 7
  taskloom cancel 7 --server http://taskloom.example.org:8080 --token \"$TOKEN\"";

impl Cancel {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = GraphqlClient::of(&self.remote)?;
        let variables = json!({ "id": client::id("Task", &self.task) });
        let task = client.ask::<Canceled>(document::CANCEL, &variables).await?.cancel_task.task;
        output::line(&format!("task {} ({}) {}", task.database_id, task.name, lower(&task.state)))?;
        Ok(ExitCode::SUCCESS)
    }
}
