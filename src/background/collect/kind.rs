//! What a kind of collector says of itself: how systems are found that wait for one, how one is held, what a round of it is.

use std::time::Duration;

use super::end::{RoundEnd, Trouble};
use crate::error::Result;

/// How long a lease lasts: a server that dies is noticed when another has seen its leases stand for that long.
pub(in crate::background) const LEASE: Duration = Duration::from_secs(15);

/// Finds what waits for a collector.
pub(in crate::background) trait Claims: Send {
    /// What collects.
    type Collector: Collector;

    /// Takes leases for [`LEASE`], with a collector for each.
    fn claim(&mut self) -> impl Future<Output = Result<Vec<Self::Collector>>> + Send;
}

/// Collects from one system, under a lease.
pub(in crate::background) trait Collector: Send + 'static {
    /// What goes wrong over there.
    type Trouble: Trouble;
    /// What it collects under.
    type Lease: CollectorLease;

    /// What people call the system.
    fn name(&self) -> &str;

    /// The lease, which is kept while rounds run.
    fn lease(&self) -> Self::Lease;

    /// Runs a round until something breaks, and says what.
    fn round(&mut self) -> impl Future<Output = RoundEnd<Self::Trouble>> + Send;

    /// Whether the last round came as far as to miss nothing any more.
    fn follows(&self) -> bool;

    /// Shows why the last round ended: a word and a sentence.
    fn show(&mut self, why: (String, String)) -> impl Future<Output = Result<(), RoundEnd<Self::Trouble>>> + Send;

    /// Ends what it has open over there.
    fn part(&mut self) -> impl Future<Output = ()> + Send;
}

/// The right to be the only collector of a system, for a while.
pub(in crate::background) trait CollectorLease: Send + Sync {
    /// Keeps it for another `time`; whether it still holds.
    fn renew(&self, time: Duration) -> impl Future<Output = Result<bool>> + Send;

    /// Gives it back.
    fn release(&self) -> impl Future<Output = Result<()>> + Send;
}
