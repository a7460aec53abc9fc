//! How many refusals of strangers are recorded: a bucket an address, so that a flood of them cannot fill the disk.

use std::convert::Infallible;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter, clock};
use quick_cache::sync::Cache;

use super::{CAPACITY, network};
use crate::clock::{Clock, Moment};

/// One a second, and so many at once.
const BURST: NonZeroU32 = NonZeroU32::new(60).expect("invariant: sixty is not zero");
const QUOTA: Quota = Quota::per_second(NonZeroU32::MIN).allow_burst(BURST);

type Bucket = RateLimiter<NotKeyed, InMemoryState, Moments, NoOpMiddleware<Duration>>;

/// The buckets of the addresses that were refused last.
#[derive(Debug)]
pub struct Strangers {
    clock: Moments,
    buckets: Cache<Option<IpAddr>, Arc<Bucket>>,
}

/// Time as buckets know it: nobody sets it.
#[derive(Clone, Debug)]
struct Moments(Arc<dyn Clock>);

impl clock::Clock for Moments {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.moment().since(Moment::default())
    }
}

impl Strangers {
    /// Nobody was refused yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock: Moments(clock), buckets: Cache::new(CAPACITY) }
    }

    /// Whether one more refusal of a stranger from `address` may be recorded; counts it.
    pub fn admit(&self, address: Option<IpAddr>) -> bool {
        let new = || Ok::<_, Infallible>(Arc::new(RateLimiter::direct_with_clock(QUOTA, self.clock.clone())));
        let Ok(bucket) = self.buckets.get_or_insert_with(&address.map(network), new);
        bucket.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use taskloom_entity::Timestamp;

    use super::*;
    use crate::clock::HeldClock;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn a_flood_is_not_recorded() {
        let clock = HeldClock::at(Timestamp(0));
        let strangers = Strangers::new(clock.clone());
        let admitted = |from| (0..1000).filter(|_| strangers.admit(from)).count();
        assert_eq!((admitted(address(1)), admitted(address(2)), admitted(None)), (60, 60, 60));
        clock.advance(Duration::from_secs(2));
        assert_eq!(admitted(address(1)), 2);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(admitted(address(1)), 60, "all is forgiven, and no more");
    }

    #[test]
    fn memory_is_bounded() {
        let strangers = Strangers::new(HeldClock::at(Timestamp(0)));
        for number in 0..u32::try_from(CAPACITY).unwrap() + 50 {
            assert!(strangers.admit(Some(IpAddr::from(number.to_be_bytes()))));
        }
        assert!(strangers.buckets.len() <= CAPACITY);
    }
}
