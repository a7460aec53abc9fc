//! `user`: users, on the data folder: the way back in for who has lost the password.

use std::io::BufRead;
use std::process::ExitCode;

use clap::Subcommand;
use taskloom_entity::{Role, TenantId};

use super::options::{self, DataOptions};
use super::{Usage, admin, output};
use crate::auth::{first_start, secret};
use crate::resolver::{self, Request};
use crate::store::page::Page;
use crate::store::user::UserFilter;

/// Make, list and change users
///
/// Works on the data folder, beside a running server. On a server elsewhere, use its graph.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make a user; without --password-stdin a random password is made and printed alone
    #[command(after_help = EXAMPLES)]
    Create {
        name: String,
        /// How much the user may do: viewer, manager or admin
        #[arg(long, value_parser = options::role)]
        role: Role,
        /// Tenants that the user belongs to; may be repeated
        #[arg(long, value_name = "NAME", default_value = first_start::TENANT)]
        tenant: Vec<String>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        place: DataOptions,
    },
    /// List users
    List {
        #[command(flatten)]
        place: DataOptions,
    },
    /// Give a user a new password; without --password-stdin a random one is made and printed alone
    SetPassword {
        name: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        place: DataOptions,
    },
    /// Give a user another role
    SetRole {
        name: String,
        /// viewer, manager or admin
        #[arg(value_parser = options::role)]
        role: Role,
        #[command(flatten)]
        place: DataOptions,
    },
}

const EXAMPLES: &str = "\
Examples:
  taskloom user create mia --role manager
  taskloom user create ci --role viewer --tenant build --password-stdin < password.txt";

/// Letters of a password that nobody chose.
const LETTERS: usize = 24;

impl UserCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let (Self::Create { place, .. }
        | Self::List { place }
        | Self::SetPassword { place, .. }
        | Self::SetRole { place, .. }) = &self;
        let settings = place.load(vec![])?.settings;
        let request = admin::request(&settings).await?;
        let done = self.act(&request).await;
        request.store.clone().close().await;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn act(self, request: &Request) -> anyhow::Result<()> {
        match self {
            Self::Create { name, role, tenant, password_stdin, .. } => {
                let (password, random) = password(password_stdin)?;
                let tenants = Some(tenants(request, &tenant).await?);
                let new = resolver::user::NewUser { name, password: Some(password.clone()), role, tenants };
                resolver::user::create(request, new).await?;
                show(&password, random)?;
            }
            Self::List { .. } => list(request).await?,
            Self::SetPassword { name, password_stdin, .. } => {
                let user = resolver::user::get_by_name(request, &name).await?;
                let (password, random) = password(password_stdin)?;
                resolver::user::set_password(request, user.id, None, &password).await?;
                show(&password, random)?;
            }
            Self::SetRole { name, role, .. } => {
                let user = resolver::user::get_by_name(request, &name).await?;
                resolver::user::set_role(request, user.id, role).await?;
            }
        }
        Ok(())
    }
}

/// The password, and whether it is a random one.
fn password(from_stdin: bool) -> anyhow::Result<(String, bool)> {
    if !from_stdin {
        return Ok((secret::letters(LETTERS), true));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    match line.trim_end_matches(['\n', '\r']) {
        "" => Err(Usage("there is no password on standard input".into()).into()),
        password => Ok((password.into(), false)),
    }
}

fn show(password: &str, random: bool) -> std::io::Result<()> {
    if random { output::line(password) } else { Ok(()) }
}

fn everything() -> Page {
    Page { after: None, before: None, limit: 1000, backward: false }
}

async fn tenants(request: &Request, names: &[String]) -> anyhow::Result<Vec<TenantId>> {
    let known = resolver::tenant::list(request, everything()).await?.rows;
    let find = |name: &String| {
        let found = known.iter().find(|tenant| tenant.name == *name).map(|tenant| tenant.id);
        let names = || known.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| Usage(format!("there is no tenant {name}; there are: {}", names())).into())
    };
    names.iter().map(find).collect()
}

async fn list(request: &Request) -> anyhow::Result<()> {
    let users = resolver::user::list(request, &UserFilter::default(), everything()).await?.rows;
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    let tenants = resolver::user::tenants(request, &ids).await?;
    let rows: Vec<_> = users
        .into_iter()
        .map(|user| {
            let names = tenants.get(&user.id).into_iter().flatten().map(|tenant| tenant.name.as_str());
            let state = if user.disabled { "disabled" } else { "enabled" };
            let role = user.role.name().to_lowercase();
            [user.name, role, state.into(), names.collect::<Vec<_>>().join(","), output::instant(user.created_at)]
        })
        .collect();
    Ok(output::table(["NAME", "ROLE", "STATE", "TENANTS", "CREATED"], &rows)?)
}
