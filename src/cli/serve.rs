//! `serve`: a server until it is told to stop. The first signal lets it finish, the second hurries it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::options::DataOptions;
use crate::config::Flag;
use crate::{lifecycle, server, telemetry};

/// Start a server
///
/// Alone it needs nothing but a folder. With --database-url, any number of servers share a PostgreSQL.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Address and port; :8080 is every address, port 0 a free one [default: 127.0.0.1:8080] [env: TASKLOOM_LISTEN]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Fill an empty database with example definitions and tasks
    #[arg(long)]
    demo: bool,
    /// Refuse to start on a database that needs migrations, instead of applying them
    #[arg(long)]
    no_migrate: bool,
    #[command(flatten)]
    place: DataOptions,
}

/// How long the end may take beside what running steps are given.
const LAST: Duration = Duration::from_secs(15);

const EXAMPLES: &str = "\
Examples:
  taskloom serve --demo
  taskloom serve --listen :8080 --data-dir /var/lib/taskloom
  TASKLOOM_DATABASE_URL=postgres://taskloom:secret@db/taskloom taskloom serve

SIGTERM or Ctrl-C: no new work, then the end; running subtasks get worker.shutdown_grace, then run again after the
restart. A second signal hurries.";

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let flag = |name, key, value: &str| Flag { name, key, value: value.into() };
        let listen = self.listen.as_deref().map(|address| flag("--listen", "server.listen", address));
        let demo = self.demo.then(|| flag("--demo", "server.demo", "true"));
        let no_migrate = self.no_migrate.then(|| flag("--no-migrate", "database.migrate", "false"));
        let loaded = self.place.load([listen, demo, no_migrate].into_iter().flatten().collect())?;
        let settings = loaded.settings;
        telemetry::start(&settings.telemetry);
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let (patience, grace) = (settings.worker.shutdown_grace.0, settings.worker.grace);
        let running = server::start(settings).await?;
        // Before anything is said by which somebody may take it for started, and stop it.
        running.heed(lifecycle::on_signals(&running.stop)?);
        lifecycle::insist(&running.stop, patience + grace + LAST, grace + LAST, telemetry::flush);
        running.introduce();
        running.ended().await?;
        Ok(ExitCode::SUCCESS)
    }
}
