//! The only source of time: everything that needs an instant is given a [`Clock`], so tests can hold it.
//!
//! It has two faces. An instant is what people call the time: it may be set, and differs from host to host. A moment
//! is known to this host alone, and nobody sets it. Whether something has lasted too long is decided by moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::Utc;
use nix::time::{ClockId, clock_gettime};
use taskloom_core::Timestamp;

/// A moment of this host, counted from its start. It says nothing to another host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// The moment `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// The moment `by` earlier; the start of the host when that is later.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// The present moment. It goes on while the host sleeps.
    fn moment(&self) -> Moment;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Utc::now().into()
    }

    fn moment(&self) -> Moment {
        let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME).expect("invariant: Linux knows how long it is up");
        Moment(since_boot.into())
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct HeldClock {
    now: AtomicI64,
    /// Microseconds.
    moment: AtomicU64,
}

impl HeldClock {
    /// A clock that stands at `at`.
    pub fn at(at: Timestamp) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(at.0), moment: AtomicU64::new(0) })
    }

    /// Lets time go by.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.now.fetch_add(by, Ordering::SeqCst);
        self.moment.fetch_add(by.unsigned_abs(), Ordering::SeqCst);
    }

    /// Sets it as a person does: the instant is another, and no time goes by.
    pub fn set(&self, at: Timestamp) {
        self.now.store(at.0, Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn moment(&self) -> Moment {
        Moment(Duration::from_micros(self.moment.load(Ordering::SeqCst)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_lets_no_time_go_by() {
        let clock = HeldClock::at(Timestamp(0));
        let begun = clock.moment();
        clock.set(Timestamp(3_600_000_000));
        assert_eq!(clock.moment().since(begun), Duration::ZERO);
        clock.advance(Duration::from_secs(2));
        assert_eq!((clock.now(), clock.moment().since(begun)), (Timestamp(3_602_000_000), Duration::from_secs(2)));
    }

    #[test]
    fn the_machine_s_moments_go_on() {
        let first = SystemClock.moment();
        assert!(first > Moment::default() && SystemClock.moment() >= first);
    }
}
