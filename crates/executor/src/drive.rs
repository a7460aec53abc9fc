//! The one loop that every kind of work runs in: its end, the caller's orders, its time limit.
//!
//! Called once for each work, by its kind. Woken by the end of the work, by an order, by the time limit. It decides
//! *that* a work is to stop; how that is done, and what is still waited for, is the kind's own business afterwards,
//! with [`Orders::kill`] for the caller who will not wait. When it is dropped, nothing was stopped: who drops it does.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::orders::Orders;
use super::stopwatch::Stopwatch;
use super::work::{Finished, Order, Outcome, StopReason};

/// A work that goes on.
pub(super) trait Driven {
    /// How it ends by itself.
    type End;

    /// Goes on until it has ended by itself. Dropped at each order and called again, so nothing may be lost by that.
    async fn end(&mut self) -> Self::End;

    /// Stands still, as far as it can. Its time limit stands still by itself.
    async fn pause(&mut self) {}

    /// Goes on after a pause.
    async fn resume(&mut self) {}
}

/// When a work is stopped by itself, and how long it may take to end when it is stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimit {
    /// How long it may run; pauses do not count. `None`: as long as it likes.
    pub(super) timeout: Option<Duration>,
    /// How long it may take to end.
    pub(super) grace: Duration,
}

/// What has come first: the end of the work, or a reason to stop it.
#[derive(Debug)]
pub(super) enum Turn<E> {
    /// It has ended by itself.
    Ended(E),
    /// It is to stop, and has not yet.
    Stop(Stop),
}

/// That a work is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) cause: StopCause,
    /// How long it may take to end by itself; zero: it is ended at once.
    pub(super) grace: Duration,
}

/// Why a work is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopCause {
    Order(StopReason),
    /// It has run this long.
    Timeout(Duration),
}

/// Drives `work` until it has ended or is to stop.
pub(super) async fn drive<W: Driven>(work: &mut W, orders: &mut Orders, limit: TimeLimit) -> Turn<W::End> {
    let mut stopwatch = Stopwatch::start(Instant::now());
    let mut is_paused = false;
    loop {
        let due = limit.timeout.and_then(|timeout| Some((timeout, stopwatch.due(timeout)?)));
        let order = tokio::select! {
            // What has ended just when its time was over, or when it was to be stopped, has ended well.
            biased;
            end = work.end() => return Turn::Ended(end),
            order = orders.next() => order,
            timeout = reached(due) => {
                return Turn::Stop(Stop { cause: StopCause::Timeout(timeout), grace: limit.grace });
            }
        };
        match order {
            Order::Pause if !is_paused => {
                is_paused = true;
                stopwatch.pause(Instant::now());
                work.pause().await;
            }
            Order::Run if is_paused => {
                is_paused = false;
                work.resume().await;
                stopwatch.resume(Instant::now());
            }
            Order::Pause | Order::Run => {}
            Order::Stop(reason) => {
                return Turn::Stop(Stop { cause: StopCause::Order(reason), grace: limit.grace });
            }
            Order::Kill(reason) => {
                return Turn::Stop(Stop { cause: StopCause::Order(reason), grace: Duration::ZERO });
            }
        }
    }
}

/// Waits until a limit is reached; for ever where there is none, or while it stands still.
async fn reached(due: Option<(Duration, Instant)>) -> Duration {
    match due {
        Some((limit, at)) => {
            sleep_until(at).await;
            limit
        }
        None => std::future::pending().await,
    }
}

impl StopCause {
    /// The end of a work that was stopped for this, without any process.
    pub(super) fn finished(self) -> Finished {
        match self {
            Self::Order(reason) => Finished::bare(reason.outcome(), None),
            Self::Timeout(_) => Finished::bare(Outcome::TimedOut, Some(self.to_string())),
        }
    }
}

impl fmt::Display for StopCause {
    /// For the log and for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(StopReason::Canceled) => f.write_str("canceled"),
            Self::Order(StopReason::Shutdown) => f.write_str("this worker shuts down"),
            Self::Timeout(limit) => write!(f, "the time limit of {} was reached", humantime::format_duration(*limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::{oneshot, watch};

    use super::*;

    /// Remembers what was done to it, and ends by itself after the last of `until`.
    #[derive(Default)]
    struct Told {
        told: Vec<&'static str>,
        until: Option<&'static str>,
    }

    impl Driven for Told {
        type End = ();

        async fn end(&mut self) {
            if self.until.is_none() || self.told.last().copied() != self.until {
                pending::<()>().await;
            }
        }

        async fn pause(&mut self) {
            self.told.push("pause");
        }

        async fn resume(&mut self) {
            self.told.push("resume");
        }
    }

    const SECOND: Duration = Duration::from_secs(1);
    const PATIENT: TimeLimit = TimeLimit { timeout: Some(Duration::from_secs(3_600)), grace: SECOND };

    fn orders() -> (watch::Sender<Order>, oneshot::Sender<()>, Orders) {
        let (give, orders) = watch::channel(Order::Run);
        let (waits, abandoned) = oneshot::channel();
        (give, waits, Orders::new(orders, abandoned))
    }

    #[tokio::test]
    async fn what_is_told_twice_is_done_once() {
        let (give, _waits, mut orders) = orders();
        let mut work = Told { until: Some("resume"), ..Told::default() };
        let turns = async {
            for order in [Order::Run, Order::Pause, Order::Pause, Order::Run] {
                give.send_replace(order);
                // Twice, so that the loop sees each order before the next whichever of the two is polled first.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            }
        };
        let (turn, ()) = tokio::join!(drive(&mut work, &mut orders, PATIENT), turns);
        assert!(matches!(turn, Turn::Ended(())), "{turn:?}");
        assert_eq!(work.told, ["pause", "resume"]);
    }

    #[tokio::test]
    async fn a_limit_stops_unless_it_stands_still() {
        let (give, _waits, mut orders) = orders();
        let limit = TimeLimit { timeout: Some(Duration::ZERO), grace: SECOND };
        let cause = StopCause::Timeout(Duration::ZERO);
        let turn = drive(&mut Told::default(), &mut orders, limit).await;
        assert!(matches!(turn, Turn::Stop(stop) if stop == Stop { cause, grace: SECOND }), "{turn:?}");
        // The order is there first, and holds the limit that would else be reached at once.
        give.send_replace(Order::Pause);
        let mut paused = Told { until: Some("pause"), ..Told::default() };
        let turn = drive(&mut paused, &mut orders, limit).await;
        assert!(matches!(turn, Turn::Ended(())), "{turn:?}");
    }

    #[tokio::test]
    async fn a_stop_has_its_grace_a_kill_has_none_and_who_is_gone_kills() {
        let (give, waits, mut orders) = orders();
        let cause = StopCause::Order(StopReason::Canceled);
        for (order, grace) in
            [(Order::Stop(StopReason::Canceled), SECOND), (Order::Kill(StopReason::Canceled), Duration::ZERO)]
        {
            give.send_replace(order);
            let turn = drive(&mut Told::default(), &mut orders, PATIENT).await;
            assert!(matches!(turn, Turn::Stop(stop) if stop == Stop { cause, grace }), "{turn:?}");
        }
        drop(waits);
        let turn = drive(&mut Told::default(), &mut orders, PATIENT).await;
        let cause = StopCause::Order(StopReason::Shutdown);
        assert!(matches!(turn, Turn::Stop(stop) if stop == Stop { cause, grace: Duration::ZERO }), "{turn:?}");
    }
}
