//! `run`: a definition from a file, on a server or right here.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::client::document::{self, SubmitTaskAnswer, TaskHandle};
use super::client::{ClientError, GraphqlClient};
use super::embedded::Embedded;
use super::follow::{Interrupt, View, follow};
use super::options::{self, Remote};
use super::{definition, output};

/// Run a definition
///
/// Without --server it runs here and now, inside this command, and the exit status is the task's: 0 successful, 1 not,
/// 130 canceled by Ctrl-C. With --server it is submitted there, and followed with --follow; Ctrl-C ends the following
/// with 130, and the task goes on.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunCommand {
    /// The definition, YAML or JSON; - reads standard input
    file: PathBuf,
    /// A parameter, as key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = options::pair)]
    param: Vec<(String, String)>,
    /// Show how each step gets on and what it puts out, and wait for the end
    #[arg(long, short)]
    follow: bool,
    /// Cancel the task of a server at Ctrl-C, too, and wait for its end
    #[arg(long, requires = "follow")]
    cancel_on_interrupt: bool,
    /// 1 to 100, the highest first
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    priority: Option<u8>,
    /// Submitting again with the same key and content gives the same task
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    remote: Remote,
    /// Keep the data of a run without a server in this folder, instead of removing them
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    data_dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  taskloom run upgrade.yaml --param host=db1 --follow
  taskloom run upgrade.yaml --server http://taskloom.example.org:8080 --token \"$TOKEN\"
  echo '{name: hello, subtasks: [{name: greet, run: {shell: echo hello}}]}' | taskloom run -";

impl RunCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let (definition, text) = definition::read(&self.file)?;
        let parameters = definition::parameters(&definition, &self.param)?;
        let input = self.input(&text, &parameters);
        if self.remote.server.is_some() {
            let client = GraphqlClient::of(&self.remote)?;
            let task = submit(&client, &input).await?;
            if !self.follow {
                output::line(&task.database_id.to_string())?;
                return Ok(ExitCode::SUCCESS);
            }
            let interrupt = if self.cancel_on_interrupt { Interrupt::Cancel } else { Interrupt::Leave };
            return follow(&client, &task, View::new(), interrupt).await;
        }
        let server = Embedded::start(self.data_dir.as_deref()).await?;
        let ended = self.here(&server, &input).await;
        server.stop().await;
        ended
    }

    /// A task of an embedded server is followed in any case: without that it would end with the command.
    async fn here(&self, server: &Embedded, input: &Value) -> anyhow::Result<ExitCode> {
        let client = server.client()?;
        let task = submit(&client, input).await?;
        let view = if self.follow { View::new() } else { View::silent() };
        follow(&client, &task, view, Interrupt::Cancel).await
    }

    fn input(&self, text: &str, parameters: &Value) -> Value {
        let mut input = json!({ "source": text, "parameters": parameters });
        if let Some(priority) = self.priority {
            input["priority"] = priority.into();
        }
        if let Some(key) = &self.idempotency_key {
            input["idempotencyKey"] = key.as_str().into();
        }
        input
    }
}

async fn submit(client: &GraphqlClient, input: &Value) -> Result<TaskHandle, ClientError> {
    let submitted: SubmitTaskAnswer = client.ask(document::SUBMIT, &json!({ "input": input })).await?;
    Ok(submitted.submit_task.task)
}
