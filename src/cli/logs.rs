//! `logs`: the log of a subtask, as far as it goes or for as long as it grows.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use futures::StreamExt;
use serde_json::json;

use super::client::document::{self, LogExcerpt, Logged, NodeAnswer, Tailed};
use super::client::{self, ABSENCE, ClientError, GraphqlClient};
use super::options::Remote;
use super::output;

/// Print the log of a subtask
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Logs {
    /// The subtask: its number, or its id in the graph
    subtask: String,
    /// Go on while it grows, until the subtask has ended
    #[arg(long, short)]
    follow: bool,
    /// Begin with this line
    #[arg(long, value_name = "LINE", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
    from: i64,
    /// Print the time before each line
    #[arg(long, short)]
    times: bool,
    #[command(flatten)]
    remote: Remote,
}

const EXAMPLES: &str = "\
Examples:
  taskloom logs 42
  taskloom logs -f 42 --from 1000";

/// Lines of one page.
const PAGE: i64 = 1000;

impl Logs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = GraphqlClient::of(&self.remote)?;
        let id = client::id("Subtask", &self.subtask);
        let printed = if self.follow { self.tail(&client, &id).await } else { self.print_all(&client, &id).await };
        printed.map(|()| ExitCode::SUCCESS)
    }

    async fn print_all(&self, client: &GraphqlClient, id: &str) -> anyhow::Result<()> {
        let mut from = self.from;
        loop {
            let variables = json!({ "id": id, "from": from, "limit": PAGE });
            let answer: NodeAnswer<Logged> = client.ask(document::LOG, &variables).await?;
            let Some(Logged { log }) = answer.node else {
                anyhow::bail!("subtask {} does not exist", self.subtask);
            };
            self.print(&log)?;
            if log.lines.is_empty() || log.next_line <= from {
                return Ok(());
            }
            from = log.next_line;
        }
    }

    /// A connection that was cut is taken up at the line where it was cut.
    async fn tail(&self, client: &GraphqlClient, id: &str) -> anyhow::Result<()> {
        let mut from = self.from;
        let mut heard = Instant::now();
        loop {
            let before = from;
            let Err(error) = self.listen(client, id, &mut from).await else { return Ok(()) };
            if from > before {
                heard = Instant::now();
            }
            let is_passing = error.downcast_ref::<ClientError>().is_some_and(ClientError::is_passing);
            if !is_passing || heard.elapsed() > ABSENCE {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Prints until the log has ended. `from` is always the next line that was not printed.
    async fn listen(&self, client: &GraphqlClient, id: &str, from: &mut i64) -> anyhow::Result<()> {
        let variables = json!({ "id": id, "from": *from });
        let mut parts = client.subscribe::<Tailed>(document::TAIL, &variables).await?;
        while let Some(part) = parts.next().await {
            let log = part?.subtask_log;
            self.print(&log)?;
            *from = log.next_line;
        }
        Ok(())
    }

    fn print(&self, log: &LogExcerpt) -> std::io::Result<()> {
        let mut text = String::new();
        for line in &log.lines {
            if self.times {
                text.push_str(&line.time);
                text.push(' ');
            }
            text.push_str(&output::shown(&line.text));
            text.push('\n');
        }
        output::text(&text)
    }
}
