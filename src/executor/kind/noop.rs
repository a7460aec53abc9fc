//! The program that does nothing: a gate, or a stand-in with a duration. It starts no process, yet obeys every order.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::executor::orders::Orders;
use crate::executor::stopwatch::Stopwatch;
use crate::executor::work::{Finished, Order, Outcome};

/// Waits `sleep` of active time, or less when `timeout` is shorter.
pub(super) async fn run(sleep: Option<Duration>, timeout: Option<Duration>, mut orders: Orders) -> Finished {
    let sleep = sleep.unwrap_or_default();
    let late = timeout.filter(|limit| *limit < sleep);
    let mut watch = Stopwatch::start(Instant::now());
    let mut order = orders.current();
    loop {
        match order {
            Order::Stop(reason) | Order::Kill(reason) => return Finished::bare(reason.outcome(), None),
            Order::Pause => watch.pause(Instant::now()),
            Order::Run if sleep.is_zero() => return Finished::bare(Outcome::Succeeded, None),
            Order::Run => watch.resume(Instant::now()),
        }
        let due = watch.due(late.unwrap_or(sleep));
        tokio::select! {
            next = orders.next() => order = next,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                return match late {
                    Some(limit) => Finished::bare(Outcome::TimedOut, Some(crate::executor::kind::script::watch::late(limit))),
                    None => Finished::bare(Outcome::Succeeded, None),
                };
            }
        }
    }
}
