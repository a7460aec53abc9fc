//! Composition: puts the parts together and runs them.

use std::net::SocketAddr;

use crate::config::Settings;
use crate::lifecycle::Stop;

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    /// Where it answers.
    pub address: SocketAddr,
    /// A token of the process itself, for an embedded client; it ends with the process.
    pub internal_token: String,
    /// Ask here for its end.
    pub stop: Stop,
}

/// Starts a server. It answers when this returns.
///
/// # Errors
/// Whatever keeps it from starting, with the remedy.
#[expect(clippy::unused_async, reason = "the parts that it waits for are put in next")]
pub async fn start(settings: Settings) -> anyhow::Result<Running> {
    anyhow::bail!("the server for {} is not put together yet", settings.server.listen)
}

/// The graph's schema, sorted, as `schema.graphql` has it.
#[must_use]
pub fn schema() -> String {
    crate::graphql::schema::text()
}

impl Running {
    /// Returns when the server has ended after [`Running::stop`] was asked.
    pub async fn ended(self) {
        self.stop.requested().await;
    }
}
