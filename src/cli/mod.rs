//! The command line: one file per command. Commands that work on a server are its clients and speak its graph;
//! `run` without a server starts one inside and is its client as well.
//!
//! Standard output carries what was asked for and nothing else; everything else goes to standard error. Exit status:
//! 0 done, 1 failed, 2 used wrongly, 130 interrupted by Ctrl-C.

mod admin;
mod apply;
mod cancel;
mod check_config;
mod client;
mod definition;
mod embedded;
mod file;
mod follow;
mod key;
mod licenses;
mod logs;
mod migrate;
mod options;
mod output;
mod run;
mod schedules;
mod schema;
mod serve;
mod tasks;
mod token;
mod user;

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Faults;
use crate::error::causes;
use crate::telemetry;

/// Runs, schedules and records operational tasks, and shows them as one live GraphQL graph.
#[derive(Debug, Parser)]
#[command(name = "taskloom", version, propagate_version = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  taskloom serve --demo                          a server with something to look at
  taskloom run upgrade.yaml --param host=db1     run a definition here and now, without a server
  taskloom apply -f lab.yaml --dry-run           what would become of a server by a file
  taskloom token create --user admin --role manager
  taskloom --help | taskloom COMMAND --help      what else there is";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Run(run::RunCommand),
    Apply(apply::Apply),
    Tasks(tasks::TasksCommand),
    Logs(logs::Logs),
    Cancel(cancel::Cancel),
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    #[command(subcommand)]
    Token(token::TokenCommand),
    #[command(subcommand)]
    User(user::UserCommand),
    #[command(subcommand)]
    Key(key::KeyCommand),
    Schema(schema::SchemaCommand),
    Licenses(licenses::Licenses),
    Migrate(migrate::Migrate),
    CheckConfig(check_config::CheckConfig),
}

/// The command was used wrongly: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    // By itself it would take any terminal of CI for one that shows colours.
    let color = if telemetry::is_capable() { ColorChoice::Auto } else { ColorChoice::Never };
    let matches = Cli::command().color(color).get_matches();
    let command = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    #[expect(unsafe_code, reason = "the arguments are changed while there is one thread")]
    // SAFETY: the command line was read, and the runtime's threads are not there yet.
    unsafe {
        crate::secrecy::forget_arguments();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let status = match runtime.block_on(command.run()) {
        Ok(status) => status,
        Err(error) => fail(&error),
    };
    // Nobody waits for a name server that does not answer.
    runtime.shutdown_timeout(Duration::from_millis(500));
    telemetry::flush();
    status
}

impl Command {
    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(command) => command.run().await,
            Self::Run(command) => command.run().await,
            Self::Apply(command) => command.run().await,
            Self::Tasks(command) => command.run().await,
            Self::Logs(command) => command.run().await,
            Self::Cancel(command) => command.run().await,
            Self::Schedules(command) => command.run(),
            Self::Token(command) => command.run().await,
            Self::User(command) => command.run().await,
            Self::Key(command) => command.run().await,
            Self::Schema(command) => command.run(),
            Self::Licenses(command) => command.run(),
            Self::Migrate(command) => command.run().await,
            Self::CheckConfig(command) => command.run(),
        }
    }
}

/// Says why on standard error. A reader who has seen enough (`taskloom tasks | head`) is no failure.
fn fail(error: &anyhow::Error) -> ExitCode {
    let of_io = || error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if of_io().any(|cause| cause.kind() == ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    output::note(&format!("error: {}", causes(&**error)));
    let used_wrongly = error.chain().any(|cause| cause.is::<Usage>() || cause.is::<Faults>());
    ExitCode::from(if used_wrongly { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use crate::error::causes;
    use clap::CommandFactory;

    #[test]
    fn a_cause_is_said_once() {
        let io = || std::io::Error::other("refused");
        let error = anyhow::Error::new(io()).context("cannot connect: refused; check the port");
        assert_eq!(causes(&*error), "cannot connect: refused; check the port");
        assert_eq!(causes(&*anyhow::Error::new(io()).context("cannot connect")), "cannot connect: refused");
    }

    #[test]
    fn the_commands_agree_with_each_other() {
        Cli::command().debug_assert();
    }
}
