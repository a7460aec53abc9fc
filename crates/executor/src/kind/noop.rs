//! The kind `noop`: a point where the graph waits, or a stand-in with a duration. It starts no process, yet obeys every order.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::drive::{Driven, TimeLimit, Turn, drive};
use crate::orders::Orders;
use crate::stopwatch::Stopwatch;
use crate::work::{Finished, Outcome};

/// A sleep that can be paused.
struct Sleep {
    length: Duration,
    stopwatch: Stopwatch,
}

impl Driven for Sleep {
    type End = ();

    async fn end(&mut self) {
        match self.stopwatch.due(self.length) {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    async fn pause(&mut self) {
        self.stopwatch.pause(Instant::now());
    }

    async fn resume(&mut self) {
        self.stopwatch.resume(Instant::now());
    }
}

/// Waits `sleep` of active time, or less when the time limit is shorter.
pub(super) async fn run(sleep: Option<Duration>, limit: TimeLimit, mut orders: Orders) -> Finished {
    let length = sleep.unwrap_or_default();
    if length.is_zero() {
        return Finished::bare(Outcome::Succeeded, None);
    }
    // A sleep exactly as long as its limit is within it, whichever timer fires first.
    let limit = TimeLimit { timeout: limit.timeout.filter(|timeout| *timeout < length), ..limit };
    let mut sleep = Sleep { length, stopwatch: Stopwatch::start(Instant::now()) };
    match drive(&mut sleep, &mut orders, limit).await {
        Turn::Ended(()) => Finished::bare(Outcome::Succeeded, None),
        Turn::Stop(stop) => stop.cause.finished(),
    }
}
