//! Rings the bell for what other servers commit. One loop a process, on PostgreSQL alone; without a connection it tries
//! again, and meanwhile everybody looks by themselves.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Bell;
use crate::feed::log::Live;
use crate::store::Store;
use crate::store::listen::{self, Notice};

/// Listens until `stop`.
pub async fn run(store: Store, bell: Bell, live: Live, stop: CancellationToken) {
    let forever = async {
        loop {
            match follow(&store, &bell, &live).await {
                Ok(never) => match never {},
                Err(error) => tracing::warn!(error = ?error, "notifications are missed: trying again"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    stop.run_until_cancelled(forever).await;
}

async fn follow(store: &Store, bell: &Bell, live: &Live) -> crate::error::Result<std::convert::Infallible> {
    let mut listener = listen::open(store).await?;
    // Before it was open nothing was heard, as in a gap.
    let mut notice = Notice::Gap;
    loop {
        match notice {
            Notice::Events => bell.ring(),
            Notice::Vsphere => bell.ring_vsphere(),
            Notice::Log(id) => live.grown_elsewhere(id),
            Notice::Gap => {
                bell.ring();
                bell.ring_vsphere();
                live.all_grown_elsewhere();
            }
        }
        notice = listener.next().await?;
    }
}
