//! `key`: the key of what lies sealed in the database.

use std::process::ExitCode;

use clap::Subcommand;

use super::options::DataOptions;
use super::{admin, output};
use crate::resolver;

/// Change the key of secrets
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a new key and seal every secret with it, beside a running server
    #[command(after_help = EXAMPLES)]
    Rotate {
        #[command(flatten)]
        place: DataOptions,
    },
}

const EXAMPLES: &str = "\
The key is in secret.key of the data folder; the one of before stays there until the next change. Where the key comes
from TASKLOOM_SECRET_KEY instead, put the new one in front of the old one, NEW,OLD, restart the servers, and run this
with the same setting; then take the old one out.

Examples:
  taskloom key rotate --data-dir ./data
  TASKLOOM_SECRET_KEY=$(openssl rand -hex 32),$OLD taskloom key rotate --database-url postgres://...";

impl KeyCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Rotate { place } = self;
        let settings = place.load(vec![])?.settings;
        let request = admin::request(&settings).await?;
        let rotated = resolver::key::rotate(&request).await;
        request.store.clone().close().await;
        let rotated = rotated?;
        output::line(&rotated.key.to_string())?;
        output::note(&format!("{} secrets are sealed with the key {}", rotated.values, rotated.key));
        if rotated.lost > 0 {
            output::note(&format!(
                "{} could not be opened and stay as they are: give them their values anew",
                rotated.lost
            ));
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }
}
