//! `licenses`: under what the binary and all that it carries may be used.

use std::process::ExitCode;

use clap::Args;

use super::output;
use crate::licenses::NOTICES;

/// Print the licences of Taskloom and of all that this binary carries
#[derive(Debug, Args)]
pub(super) struct Licenses {}

impl Licenses {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        output::text(NOTICES)?;
        Ok(ExitCode::SUCCESS)
    }
}
