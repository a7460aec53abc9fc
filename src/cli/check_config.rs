//! `check-config`: what is in force, and where it comes from.

use std::process::ExitCode;

use clap::Args;

use super::options::DataOptions;
use super::output;

/// Print the settings in force, each with where it comes from
///
/// The output is a taskloom.toml with every key; secrets are masked. Mistakes are named with their place, all at once.
#[derive(Debug, Args)]
pub(super) struct CheckConfig {
    #[command(flatten)]
    place: DataOptions,
}

impl CheckConfig {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let loaded = self.place.load(vec![])?;
        for warning in &loaded.warnings {
            output::note(&format!("warning: {warning}"));
        }
        output::text(&loaded.render())?;
        Ok(ExitCode::SUCCESS)
    }
}
