//! `token`: API tokens, made and ended on the data folder.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Subcommand;
use taskloom_entity::{Role, TokenId};

use super::options::{self, DataOptions};
use super::{admin, output};

use crate::resolver::token::Expiry;
use crate::resolver::{self, Request};
use crate::store::page::Page;
use crate::store::token::TokenFilter;

/// Make, list and end API tokens
///
/// Works on the data folder, beside a running server. On a server elsewhere, use its graph.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token; it is printed alone, once, and stored nowhere
    #[command(after_help = EXAMPLES)]
    Create {
        /// Whose token it is
        #[arg(long, value_name = "NAME")]
        user: String,
        /// How much it may do: viewer, manager or admin; never more than its user
        #[arg(long, value_parser = options::role)]
        role: Role,
        /// What it is for, in lists
        #[arg(long, default_value = "cli")]
        name: String,
        /// With an access key for clients that sign their requests: both halves are printed behind the token
        #[arg(long)]
        access_key: bool,
        /// When it ends: 12h, 90d, or never [default: auth.token_expiry]
        #[arg(long, value_name = "AFTER")]
        expires: Option<Life>,
        /// How many subscriptions its user may have open with it [default: server.user_subscriptions]
        #[arg(long, value_name = "NUMBER")]
        subscriptions: Option<i32>,
        #[command(flatten)]
        place: DataOptions,
    },
    /// List tokens, newest first
    List {
        /// Only this user's
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        #[command(flatten)]
        place: DataOptions,
    },
    /// End a token for good
    Revoke {
        /// Its number in the list
        id: i64,
        #[command(flatten)]
        place: DataOptions,
    },
}

const EXAMPLES: &str = "\
Examples:
  export TASKLOOM_TOKEN=$(taskloom token create --user admin --role manager --data-dir ./data)
  taskloom token create --user ci --role manager --name deploy --expires 30d";

/// How long a token lives; none: until it is revoked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life(Option<Duration>);

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        match humantime::parse_duration(text) {
            Ok(duration) if !duration.is_zero() => Ok(Self(Some(duration))),
            _ => Err("expected a duration above zero such as 12h or 90d, or never".into()),
        }
    }
}

impl TokenCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let (Self::Create { place, .. } | Self::List { place, .. } | Self::Revoke { place, .. }) = &self;
        let settings = place.load(vec![])?.settings;
        let request = admin::request(&settings).await?;
        let done = self.act(&request).await;
        request.store.clone().close().await;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn act(self, request: &Request) -> anyhow::Result<()> {
        match self {
            Self::Create { user, role, name, expires, access_key, subscriptions, .. } => {
                let user = resolver::user::get_by_name(request, &user).await?.id;
                let expiry = match expires.map(|life| life.0) {
                    None => Expiry::Usual,
                    Some(None) => Expiry::Never,
                    Some(Some(life)) => Expiry::At(request.clock.now().after(life)),
                };
                let new = resolver::token::NewToken { user: Some(user), name, role, expiry, access_key, subscriptions };
                let made = resolver::token::create(request, new).await?;
                let key = made.token.access_key.zip(made.access_secret);
                output::line(&match key {
                    Some((id, secret)) => format!("{} {id} {secret}", made.secret),
                    None => made.secret,
                })?;
            }
            Self::List { user, .. } => list(request, user.as_deref()).await?,
            Self::Revoke { id, .. } => {
                let token = resolver::token::revoke(request, TokenId(id)).await?;
                output::note(&format!("token {} ({}) is revoked", token.id, token.name));
            }
        }
        Ok(())
    }
}

async fn list(request: &Request, user: Option<&str>) -> anyhow::Result<()> {
    let owner = match user {
        Some(name) => Some(resolver::user::get_by_name(request, name).await?.id),
        None => None,
    };
    let page = Page { after: None, before: None, limit: 1000, backward: false };
    let tokens = resolver::token::list(request, TokenFilter { owner, valid_at: None }, page).await?.rows;
    let owners: Vec<_> = tokens.iter().map(|token| token.user_id).collect();
    let users = resolver::user::many(request, &owners).await?;
    let instant = |at: Option<taskloom_entity::Timestamp>| at.map_or_else(|| "-".into(), output::instant);
    let rows: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            let user = users.iter().find(|user| user.id == token.user_id).map_or("-", |user| user.name.as_str());
            let state = match (token.revoked_at, token.expires_at) {
                (Some(_), _) => "revoked",
                (None, Some(end)) if end <= request.clock.now() => "expired",
                (None, _) => "valid",
            };
            [
                token.id.to_string(),
                user.to_owned(),
                token.role.name().to_lowercase(),
                token.name,
                state.into(),
                instant(token.expires_at),
                instant(token.last_used_at),
            ]
        })
        .collect();
    Ok(output::table(["ID", "USER", "ROLE", "NAME", "STATE", "EXPIRES", "LAST USED"], &rows)?)
}
