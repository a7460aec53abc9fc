//! `migrate`: the schema's version, by hand.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::options::DataOptions;
use super::{Usage, admin, output};
use crate::store::migrate;

/// Show or change the version of the database's schema
///
/// A server does this itself at start, unless it was told --no-migrate.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(super) struct Migrate {
    #[command(subcommand)]
    step: Option<MigrateStep>,
    #[command(flatten)]
    place: DataOptions,
}

const EXAMPLES: &str = "\
Examples:
  taskloom migrate                    what is applied and what is not
  taskloom migrate up                 apply what is missing
  taskloom migrate down --steps 1     take the latest one back; data of its tables is lost";

#[derive(Debug, Subcommand)]
enum MigrateStep {
    /// Show every migration and whether it is applied
    Status {
        #[command(flatten)]
        place: DataOptions,
    },
    /// Apply what is missing
    Up {
        #[command(flatten)]
        place: DataOptions,
    },
    /// Take migrations back, the latest first
    Down {
        /// How many
        #[arg(long, default_value_t = 1)]
        steps: u32,
        #[command(flatten)]
        place: DataOptions,
    },
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let step = self.step.unwrap_or(MigrateStep::Status { place: self.place });
        let (MigrateStep::Status { place } | MigrateStep::Up { place } | MigrateStep::Down { place, .. }) = &step;
        let settings = place.load(vec![])?.settings;
        let (store, _guard) = admin::store(&settings).await?;
        match step {
            MigrateStep::Status { .. } => {}
            MigrateStep::Up { .. } => migrate::up(&store).await?,
            MigrateStep::Down { steps: 0, .. } => return Err(Usage("--steps must be at least 1".into()).into()),
            MigrateStep::Down { steps, .. } => migrate::down(&store, Some(steps)).await?,
        }
        let rows: Vec<_> = migrate::status(&store).await?.into_iter().map(row).collect();
        output::table(["MIGRATION", "STATE"], &rows)?;
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

fn row((name, applied): (String, bool)) -> [String; 2] {
    [name, if applied { "applied" } else { "pending" }.into()]
}
