//! How often sign-ins may fail: a bucket a user name, a bucket an address.
//!
//! An address runs dry long before a name does, so one guesser cannot lock a user out; a crowd of them slows the
//! name down to a few guesses a minute. Only failures cost; who is refused here is told when to come back.
//!
//! A third bucket bounds how many refusals of strangers are recorded, so a flood of them cannot fill the disk.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use taskloom_entity::Timestamp;

use crate::error::{Error, Result, code};

/// Failures in a row, and how long one takes to be forgiven.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u32,
    forgiven_after: Duration,
}

const PER_ADDRESS: Rate = Rate { burst: 10, forgiven_after: Duration::from_secs(6) };
/// Failed sign-ins in a row that an address is forgiven.
pub const FAILURES: u32 = PER_ADDRESS.burst;
const PER_NAME: Rate = Rate { burst: 30, forgiven_after: Duration::from_secs(4) };
const PER_STRANGER: Rate = Rate { burst: 60, forgiven_after: Duration::from_secs(1) };
const CAPACITY: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Address(IpAddr),
    Stranger(Option<IpAddr>),
}

impl Key {
    fn rate(&self) -> Rate {
        match self {
            Self::Name(_) => PER_NAME,
            Self::Address(_) => PER_ADDRESS,
            Self::Stranger(_) => PER_STRANGER,
        }
    }
}

/// The failed sign-ins of late, in memory. A restart forgives all; it also takes longer than what it forgives.
#[derive(Debug, Default)]
pub struct Failures {
    /// When the last failure of each key will be forgiven.
    forgiven_at: Mutex<HashMap<Key, Timestamp>>,
}

impl Failures {
    /// Refuses an attempt for `name` from `address` when too many failed.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS` with the seconds to wait.
    pub fn check(&self, name: &str, address: Option<IpAddr>, now: Timestamp) -> Result<()> {
        let forgiven_at = self.lock();
        match keys(name, address).filter_map(|key| overdrawn(&forgiven_at, &key, now)).max() {
            None => Ok(()),
            Some(pause) => {
                let refused = Error::new(&code::TOO_MANY_REQUESTS).with("what", "failed sign-ins");
                Err(refused.with("seconds", pause.as_secs()).retry_after(pause))
            }
        }
    }

    /// Counts a failure for `name` from `address`.
    pub fn count(&self, name: &str, address: Option<IpAddr>, now: Timestamp) {
        let mut forgiven_at = self.lock();
        for key in keys(name, address) {
            add(&mut forgiven_at, key, now);
        }
    }

    /// Whether one more refusal of a stranger from `address` may be recorded; counts it.
    pub fn admit_stranger(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let mut forgiven_at = self.lock();
        let key = Key::Stranger(address.map(network));
        let admitted = overdrawn(&forgiven_at, &key, now).is_none();
        if admitted {
            add(&mut forgiven_at, key, now);
        }
        admitted
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Timestamp>> {
        // A panic elsewhere left at worst a failure less: the map is whole.
        self.forgiven_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long until `key` may fail once more; none when it may now.
fn overdrawn(forgiven_at: &HashMap<Key, Timestamp>, key: &Key, now: Timestamp) -> Option<Duration> {
    let rate = key.rate();
    let debt = forgiven_at.get(key).map_or(Duration::ZERO, |at| at.since(now));
    let allowed = rate.forgiven_after * (rate.burst - 1);
    (debt > allowed).then(|| Duration::from_secs((debt - allowed).as_secs() + 1))
}

fn add(forgiven_at: &mut HashMap<Key, Timestamp>, key: Key, now: Timestamp) {
    if forgiven_at.len() >= CAPACITY && !forgiven_at.contains_key(&key) {
        make_room(forgiven_at, now);
    }
    let pause = key.rate().forgiven_after;
    let at = forgiven_at.entry(key).or_insert(now);
    *at = (*at).max(now).after(pause);
}

fn keys(name: &str, address: Option<IpAddr>) -> impl Iterator<Item = Key> {
    address.map(|address| Key::Address(network(address))).into_iter().chain([Key::Name(name.to_owned())])
}

/// A host has a whole /64 of version 6 at its disposal: that counts as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => four.into(),
        IpAddr::V6(six) => std::net::Ipv6Addr::from(u128::from(six) >> 64 << 64).into(),
    }
}

/// Drops what is forgiven, else the one that would be forgiven first.
fn make_room(forgiven_at: &mut HashMap<Key, Timestamp>, now: Timestamp) {
    forgiven_at.retain(|_, at| now < *at);
    if forgiven_at.len() >= CAPACITY
        && let Some(least) = forgiven_at.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone())
    {
        forgiven_at.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000_000);

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn an_address_that_failed_too_often_waits() {
        let failures = Failures::default();
        for n in 0..10 {
            failures.check(&format!("user{n}"), address(1), NOW).unwrap();
            failures.count(&format!("user{n}"), address(1), NOW);
        }
        let refused = failures.check("other", address(1), NOW).unwrap_err();
        assert_eq!(refused.code(), &code::TOO_MANY_REQUESTS);
        assert_eq!(refused.pause(), Some(Duration::from_secs(7)));
        failures.check("other", address(2), NOW).unwrap();
        failures.check("other", address(1), NOW.after(Duration::from_secs(7))).unwrap();
    }

    #[test]
    fn one_address_cannot_lock_a_name_but_a_crowd_slows_it() {
        let failures = Failures::default();
        for from in 1..=3 {
            for _ in 0..10 {
                failures.check("admin", address(from), NOW).unwrap();
                failures.count("admin", address(from), NOW);
            }
        }
        failures.check("admin", address(9), NOW).unwrap_err();
        failures.check("ann", address(9), NOW).unwrap();
        failures.check("admin", address(9), NOW.after(Duration::from_secs(5))).unwrap();
    }

    #[test]
    fn a_network_of_version_6_counts_as_one() {
        let failures = Failures::default();
        for n in 0..10 {
            let from: IpAddr = format!("2001:db8::{n}").parse().unwrap();
            failures.count(&format!("user{n}"), Some(from), NOW);
        }
        failures.check("other", Some("2001:db8::ffff".parse().unwrap()), NOW).unwrap_err();
        failures.check("other", Some("2001:db8:0:1::1".parse().unwrap()), NOW).unwrap();
    }

    #[test]
    fn a_flood_of_strangers_is_not_recorded() {
        let failures = Failures::default();
        let admitted = (0..1000).filter(|_| failures.admit_stranger(address(1), NOW)).count();
        assert_eq!(admitted, 60);
        assert!(failures.admit_stranger(address(2), NOW));
        assert!(failures.admit_stranger(address(1), NOW.after(Duration::from_secs(2))));
        failures.check("ann", address(1), NOW).unwrap();
    }

    #[test]
    fn memory_is_bounded() {
        let failures = Failures::default();
        for n in 0..CAPACITY + 50 {
            failures.count(&format!("user{n}"), None, NOW.after(Duration::from_millis(n as u64 / 10)));
        }
        assert!(failures.forgiven_at.lock().unwrap().len() <= CAPACITY);
    }
}
