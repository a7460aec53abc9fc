//! A server inside the command, for one task: on the loopback, on any free port, with a token that nobody else has.
//! So there is one path for a task, whether a server was named or not.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::client::GraphqlClient;
use super::options::DataOptions;
use crate::config::{Flag, SettingOrigin};
use crate::server::{self, RunningServer};
use crate::telemetry;

/// The running server; its private data folder lives as long as this.
#[derive(Debug)]
pub(super) struct Embedded {
    running: RunningServer,
    token: String,
    _folder: Option<TempDir>,
}

impl Embedded {
    /// Starts it on `data_dir`, or on a folder that is removed afterwards.
    ///
    /// # Errors
    /// Whatever keeps a server from starting.
    pub(super) async fn start(data_dir: Option<&Path>) -> anyhow::Result<Self> {
        let folder =
            if data_dir.is_none() { Some(tempfile::Builder::new().prefix("taskloom-run-").tempdir()?) } else { None };
        // Beside the data there are folders of steps: both go with it.
        let inner = folder.as_ref().map(|folder| folder.path().join("data"));
        let path = data_dir.map(PathBuf::from).or(inner).unwrap_or_default();
        let place = DataOptions { data_dir: path, config: None, database_url: data_dir.is_none().then(String::new) };
        let listen = Flag { name: "run", key: "server.listen", value: "127.0.0.1:0".into() };
        let mut loaded = place.load(vec![listen])?;
        if loaded.origins["telemetry.level"] == SettingOrigin::Default {
            loaded.settings.telemetry.level.0 = "warn".into();
        }
        telemetry::start(&loaded.settings.telemetry);
        let running = server::start(loaded.settings).await?;
        if data_dir.is_some() {
            // The folder stays, and with it a user whose password nobody else will say.
            running.introduce();
        }
        let token = running.token().await?;
        Ok(Self { running, token, _folder: folder })
    }

    /// A client of it.
    ///
    /// # Errors
    /// Never in practice: its address is its own.
    pub(super) fn client(&self) -> anyhow::Result<GraphqlClient> {
        Ok(GraphqlClient::new(&format!("http://{}", self.running.address), Some(self.token.clone()))?)
    }

    /// Ends it, and waits for that.
    pub(super) async fn stop(self) {
        self.running.stop.request();
        if let Err(fault) = self.running.ended().await {
            tracing::error!("{fault}");
        }
    }
}
