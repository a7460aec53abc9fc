//! `tasks`: what a server has done and is doing.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::client::GraphqlClient;
use super::client::document::{self, TaskListAnswer};
use super::follow::lower;
use super::options::Remote;
use super::output;
use taskloom_entity::TaskState;

/// List a server's tasks, newest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TasksCommand {
    /// Only those in this state; may be repeated
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Vec<TaskState>,
    /// Only those whose name contains this
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// How many
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    number: u32,
    /// JSON, one task a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

const EXAMPLES: &str = "\
Examples:
  taskloom tasks --state running --state failed
  TASKLOOM_SERVER=http://taskloom.example.org:8080 taskloom tasks -n 100 --json";

fn state(text: &str) -> Result<TaskState, String> {
    let names = || TaskState::all().map(|state| state.name().to_lowercase()).collect::<Vec<_>>().join(", ");
    TaskState::parse(&text.to_uppercase()).ok_or_else(|| format!("the states are {}", names()))
}

impl TasksCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = GraphqlClient::of(&self.remote)?;
        let variables = json!({ "first": self.number, "filter": self.filter() });
        if self.json {
            let answer: Value = client.ask(document::LIST, &variables).await?;
            for task in answer["tasks"]["nodes"].as_array().into_iter().flatten() {
                output::line(&task.to_string())?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let tasks = client.ask::<TaskListAnswer>(document::LIST, &variables).await?.tasks;
        let rows: Vec<_> = tasks
            .nodes
            .into_iter()
            .map(|task| {
                let progress = format!("{:.0}%", task.progress * 100.0);
                [task.database_id.to_string(), lower(&task.state), progress, task.created_at, task.user, task.name]
            })
            .collect();
        output::table(["ID", "STATE", "DONE", "CREATED", "USER", "NAME"], &rows)?;
        if tasks.page_info.has_next_page {
            output::note(&format!("there are more: -n {} shows them", self.number.saturating_mul(5).min(1000)));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn filter(&self) -> Value {
        let mut filter = Map::new();
        if !self.state.is_empty() {
            filter.insert("states".into(), self.state.iter().map(|state| state.name()).collect());
        }
        if let Some(name) = &self.name {
            filter.insert("name".into(), name.as_str().into());
        }
        filter.into()
    }
}
