//! Options that several commands share: which data folder, which server.

use std::path::PathBuf;

use clap::Args;
use taskloom_entity::Role;

use crate::config::{self, Flag, Loaded, Sources};
use crate::secrecy;

/// Which settings and which data.
#[derive(Clone, Debug, Args)]
pub(super) struct DataOptions {
    /// The folder with database, settings and working files
    #[arg(long, value_name = "DIR", env = "TASKLOOM_DATA_DIR", default_value = "./data")]
    pub(super) data_dir: PathBuf,
    /// A settings file instead of taskloom.toml in the data folder
    #[arg(long, value_name = "FILE", env = "TASKLOOM_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// PostgreSQL instead of SQLite in the data folder, as postgres://user:password@host/name [env: TASKLOOM_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    pub(super) database_url: Option<String>,
}

impl DataOptions {
    /// The settings in force, with these flags over everything else.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub(super) fn load(&self, flags: Vec<Flag>) -> anyhow::Result<Loaded> {
        let url = self.database_url.clone().map(|value| Flag { name: "--database-url", key: "database.url", value });
        Ok(config::load(&Sources {
            data_dir: self.data_dir.clone(),
            file: self.config.clone(),
            environment: secrecy::variables().collect(),
            flags: flags.into_iter().chain(url).collect(),
        })?)
    }
}

/// Which server, and as whom.
#[derive(Clone, Debug, Args)]
pub(super) struct Remote {
    /// The server's address, as http://127.0.0.1:8080
    #[arg(long, value_name = "URL", env = "TASKLOOM_SERVER")]
    pub(super) server: Option<String>,
    /// An API token of it
    #[arg(long, value_name = "TOKEN", env = "TASKLOOM_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
}

impl Remote {
    /// Where a server listens when nobody says otherwise.
    const DEFAULT: &str = "http://127.0.0.1:8080";

    /// The server that is named, or the one on this machine.
    pub(super) fn address(&self) -> &str {
        self.server.as_deref().unwrap_or(Self::DEFAULT)
    }
}

/// A role by its name in any case.
pub(super) fn role(text: &str) -> Result<Role, String> {
    let names = || Role::all().map(|role| role.name().to_lowercase()).collect::<Vec<_>>().join(", ");
    Role::parse(&text.to_uppercase()).ok_or_else(|| format!("the roles are {}", names()))
}

/// `key=value`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err("expected key=value".into()),
    }
}
