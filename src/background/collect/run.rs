//! The life of one collector: one round after the other, until it is told to stop, or until its lease has gone on or what
//! it was set to has changed. Then whoever takes the lease next begins with what is kept.
//!
//! What ends a round is shown with its reason until a round comes further, and the next begins after a growing pause.

use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::end::{AWAY, PAUSES, RoundEnd, Trouble};
use super::kind::{Collector, CollectorLease, LEASE};
use crate::error::Kind;
use crate::text::Text;

/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(5);

/// Collects until `stop`, or until the lease is lost.
pub(super) async fn run<C: Collector>(mut collector: C, stop: CancellationToken) {
    let (lease, name) = (collector.lease(), collector.name().to_owned());
    tokio::select! {
        () = stop.cancelled() => {}
        () = keep(&lease) => tracing::info!(system = name, "another collector goes on, or other settings"),
        never = rounds(&mut collector) => match never {},
    }
    collector.part().await;
    if let Err(error) = lease.release().await {
        tracing::debug!(error = ?error, system = name, "the lease ends by itself");
    }
}

async fn rounds<C: Collector>(collector: &mut C) -> Infallible {
    let mut pause = PAUSES.0;
    let mut before = None;
    loop {
        let ended = collector.round().await;
        if collector.follows() {
            (pause, before) = (PAUSES.0, None);
        }
        let wait = ended.pause(collector.follows(), pause);
        log(collector.name(), &ended, before == Some(ended.word()), wait);
        before = Some(ended.word());
        let why = (ended.word().to_owned(), Text::message(&ended.to_string()).into_string());
        if let Err(error) = collector.show(why).await {
            tracing::debug!(%error, "the state could not be written");
        }
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn log(system: &str, end: &RoundEnd<impl Trouble>, is_same: bool, wait: Duration) {
    let reason = end.word();
    match end {
        _ if is_same => tracing::debug!(system, reason, "still the same; again in {wait:?}"),
        // What people are shown does not say why.
        RoundEnd::Ours(error) if error.code().kind == Kind::Internal => {
            tracing::error!(system, reason, error = ?error, "the collection stops; again in {wait:?}");
        }
        RoundEnd::Ours(error) => {
            tracing::warn!(system, reason, error = ?error, "the collection stops; again in {wait:?}");
        }
        end => tracing::warn!(system, reason, "the collection stops: {end}; again in {wait:?}"),
    }
}

/// Renews a lease until that does not go any more. A database that does not answer keeps nobody from trying: what is
/// written under a lost lease is refused.
async fn keep(lease: &impl CollectorLease) {
    let mut pause = RENEW;
    loop {
        tokio::time::sleep(pause).await;
        pause = RENEW;
        match lease.renew(LEASE).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = ?error, "a lease could not be renewed: trying again");
                pause = AWAY;
            }
        }
    }
}
