//! `apply`: makes a server be as a file says. What differs is asked first, of everything, and shown; only then is
//! anything changed. It is a client of the graph, and decides nothing that the server decides.

mod desired;
mod plan;
mod vcenter;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::client::GraphqlClient;
use super::options::Remote;
use super::{file, output};
use plan::Plan;

/// Make a server be as a file says
///
/// Shows what differs (+ is new, ~ changes, - goes), then does it. A second time nothing differs. What the file does
/// not name stays, unless --prune is given. So far files describe vCenters; docs/apply.md has the format. Passwords
/// come from variables or files of their own, never from the file itself. Needs a token of an administrator.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Apply {
    /// What there is to be, YAML or JSON; - reads standard input
    #[arg(long, short = 'f', value_name = "FILE")]
    file: PathBuf,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove what the file does not name, in the tenants that it speaks of
    #[arg(long)]
    prune: bool,
    /// Remove vCenters with the history of their tasks, too
    #[arg(long, requires = "prune")]
    prune_history: bool,
    /// Show what is already as it is to be, too
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    remote: Remote,
}

/// What becomes of things that the file does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prune {
    /// They stay.
    No,
    /// They go; if they have a history, nothing is done at all.
    Yes,
    /// They go, with their history.
    WithHistory,
}

const EXAMPLES: &str = "\
Examples:
  taskloom apply -f lab.yaml --dry-run
  LAB_PASSWORD=… taskloom apply -f lab.yaml --server http://taskloom.example.org:8080 --token \"$TOKEN\"
  taskloom apply -f lab.yaml --prune             what is not in the file goes

A file:
  vcenters:
    - name: lab
      address: vc.example.com
      user: administrator@vsphere.local
      password: {env: LAB_PASSWORD}
      trust: {thumbprint: \"AB:CD:…\"}";

impl Apply {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let desired = desired::read(&self.file)?;
        let client = GraphqlClient::of(&self.remote)?;
        let mut plan = Plan::default();
        vcenter::plan(&client, &desired.vcenters, self.prune(), &mut plan).await?;
        plan.show(self.verbose)?;
        if self.dry_run || plan.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let summary = plan.carry_out(&client).await?;
        output::line(&summary)?;
        Ok(ExitCode::SUCCESS)
    }

    const fn prune(&self) -> Prune {
        match (self.prune, self.prune_history) {
            (false, _) => Prune::No,
            (true, false) => Prune::Yes,
            (true, true) => Prune::WithHistory,
        }
    }
}
