//! `schema`: the contract on paper.

use std::process::ExitCode;

use clap::Args;

use super::output;
use crate::server;

/// Print the GraphQL schema, as schema.graphql has it
#[derive(Debug, Args)]
pub(super) struct SchemaCommand {}

impl SchemaCommand {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        output::text(&server::schema())?;
        Ok(ExitCode::SUCCESS)
    }
}
