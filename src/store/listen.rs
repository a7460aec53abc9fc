//! What other servers on the same PostgreSQL commit, as it is notified. A notification is only a doorbell: after a
//! lost connection what fell between is lost, and everybody looks at the tables again.

use std::sync::LazyLock;

use sea_orm::sqlx::postgres::PgListener;
use taskloom_entity::SubtaskId;

use super::{Store, event, log, vsphere};
use crate::error::{Error, Result, code};

/// This process among those that share a database: its own notifications it knows already.
pub static PROCESS: LazyLock<String> = LazyLock::new(|| uuid::Uuid::now_v7().to_string());

/// Something was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Events, and maybe work, by another process.
    Events,
    /// Events of vCenters, by another process.
    Vsphere,
    /// A log grew.
    Log(SubtaskId),
    /// The connection was lost for a moment: anything may have happened.
    Gap,
}

/// A listening connection.
#[derive(Debug)]
pub struct Listener(PgListener);

/// Listens on PostgreSQL.
///
/// # Errors
/// `DATABASE_UNAVAILABLE`.
pub async fn open(store: &Store) -> Result<Listener> {
    let refused = |error: sea_orm::sqlx::Error| Error::new(&code::DATABASE_UNAVAILABLE).source(error);
    let mut listener = PgListener::connect_with(store.lease().get_postgres_connection_pool()).await.map_err(refused)?;
    listener.listen_all([event::CHANNEL, log::CHANNEL, vsphere::event::CHANNEL]).await.map_err(refused)?;
    Ok(Listener(listener))
}

impl Listener {
    /// The next notice from another process.
    ///
    /// # Errors
    /// `DATABASE_UNAVAILABLE` while there is no connection.
    pub async fn next(&mut self) -> Result<Notice> {
        loop {
            let notified =
                self.0.try_recv().await.map_err(|error| Error::new(&code::DATABASE_UNAVAILABLE).source(error))?;
            let Some(notification) = notified else { return Ok(Notice::Gap) };
            let (sender, rest) = notification.payload().split_once(' ').unwrap_or((notification.payload(), ""));
            if sender == PROCESS.as_str() {
                continue;
            }
            if notification.channel() == vsphere::event::CHANNEL {
                return Ok(Notice::Vsphere);
            }
            return Ok(match rest.parse().ok().filter(|_| notification.channel() == log::CHANNEL) {
                Some(id) => Notice::Log(SubtaskId(id)),
                None => Notice::Events,
            });
        }
    }
}
