//! How often sign-ins may fail: a bucket a user name, a bucket an address, and a permit of both before a guess is tried, so
//! that as many guesses at once are no more than as many one after the other.
//!
//! An address runs dry long before a name does, so one guesser cannot lock a user out; a crowd of them slows the name down
//! to a few guesses a minute. Neither stops a user at an address where it signed in lately: the two have a bucket of their
//! own. Only failures cost; who is refused here is told when to come back.
//!
//! The crate `governor` gives nothing back, so permits are counted here.

mod strangers;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use taskloom_entity::Timestamp;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::secret::{self, Fingerprint};
use crate::clock::Clock;
use crate::error::{Error, Result, code};

pub use strangers::Strangers;

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
const CAPACITY: usize = 10_000;
/// How long it counts that a user signed in at an address.
const LATELY: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long a guess waits for those that are being tried.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum FailureKey {
    Name(Fingerprint),
    Address(IpAddr),
    /// A user and an address at which it signed in lately.
    Both(Fingerprint, IpAddr),
}

impl FailureKey {
    fn rate(&self) -> Rate {
        match self {
            Self::Name(_) => PER_NAME,
            Self::Address(_) | Self::Both(..) => PER_ADDRESS,
        }
    }
}

/// The failed sign-ins of late, in memory. A restart forgives all; it also takes longer than what it forgives.
#[derive(Debug, Default)]
pub struct Failures {
    kept: Mutex<FailureRecords>,
    /// Told when a guess was tried.
    tried: Notify,
}

#[derive(Debug, Default)]
struct FailureRecords {
    accounts: HashMap<FailureKey, FailureAccount>,
    /// Until when it counts that this user signed in at this address.
    lately: HashMap<(Fingerprint, IpAddr), Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct FailureAccount {
    /// When the last failure will be forgiven.
    forgiven_at: Timestamp,
    /// Guesses that are being tried; each may fail.
    tried: u32,
}

/// Leave to try one guess. Dropped without a word it counts as a failure: whoever goes away must not guess for nothing.
#[derive(Debug)]
pub struct Permit<'a> {
    failures: &'a Failures,
    keys: Vec<FailureKey>,
    who: (Fingerprint, Option<IpAddr>),
    now: Timestamp,
    costs: bool,
}

impl Permit<'_> {
    /// It was right.
    pub fn passed(mut self) {
        self.costs = false;
        let (name, Some(address)) = self.who else { return };
        self.failures.lock().remember((name, address), self.now);
    }

    /// It was wrong.
    pub fn failed(self) {
        drop(self);
    }

    /// Nobody knows: it could not be tried.
    pub fn untried(mut self) {
        self.costs = false;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut kept = self.failures.lock();
        for key in &self.keys {
            let Some(account) = kept.accounts.get_mut(key) else { continue };
            account.tried -= 1;
            if self.costs {
                account.forgiven_at = account.forgiven_at.max(self.now).after(key.rate().forgiven_after);
            }
        }
        drop(kept);
        self.failures.tried.notify_waiters();
    }
}

impl Failures {
    /// Leave to try a guess at `name` from `address`; waits while others that are being tried may use up what is left.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS` with the seconds to wait, when too many failed.
    pub async fn permit(&self, name: &str, address: Option<IpAddr>, clock: &dyn Clock) -> Result<Permit<'_>> {
        let who = (secret::fingerprint(&[name]), address.map(network));
        let permitted = async {
            loop {
                let mut tried = std::pin::pin!(self.tried.notified());
                // From here on: what is told between the look and the wait is not missed.
                tried.as_mut().enable();
                if let Some(permit) = self.try_permit(who, clock.now())? {
                    return Ok(permit);
                }
                tried.await;
            }
        };
        timeout(PATIENCE, permitted).await.unwrap_or_else(|_| Err(too_many(PATIENCE / 2)))
    }

    /// None while others are being tried.
    fn try_permit(&self, who: (Fingerprint, Option<IpAddr>), now: Timestamp) -> Result<Option<Permit<'_>>> {
        let mut kept = self.lock();
        let keys = kept.keys(who, now);
        if let Some(pause) = keys.iter().filter_map(|key| kept.overdrawn(key, now)).max() {
            return Err(too_many(pause));
        }
        if !keys.iter().all(|key| kept.has_left(key, now)) {
            return Ok(None);
        }
        for key in &keys {
            kept.account(*key, now).tried += 1;
        }
        Ok(Some(Permit { failures: self, keys, who, now, costs: true }))
    }

    fn lock(&self) -> MutexGuard<'_, FailureRecords> {
        // A panic elsewhere left at worst a failure less: the maps are whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many(pause: Duration) -> Error {
    let refused = Error::new(&code::TOO_MANY_REQUESTS).with("what", "failed sign-ins");
    refused.with("seconds", pause.as_secs()).retry_after(pause)
}

impl FailureRecords {
    /// Whose buckets a guess is counted in.
    fn keys(&self, (name, address): (Fingerprint, Option<IpAddr>), now: Timestamp) -> Vec<FailureKey> {
        let Some(address) = address else { return vec![FailureKey::Name(name)] };
        match self.lately.get(&(name, address)) {
            Some(until) if now < *until => vec![FailureKey::Both(name, address)],
            Some(_) | None => vec![FailureKey::Address(address), FailureKey::Name(name)],
        }
    }

    fn debt(&self, key: &FailureKey, now: Timestamp) -> Duration {
        self.accounts.get(key).map_or(Duration::ZERO, |account| account.forgiven_at.since(now))
    }

    /// How long until `key` may fail once more; none when it may now.
    fn overdrawn(&self, key: &FailureKey, now: Timestamp) -> Option<Duration> {
        let (rate, debt) = (key.rate(), self.debt(key, now));
        let allowed = rate.forgiven_after * (rate.burst - 1);
        (debt > allowed).then(|| Duration::from_secs((debt - allowed).as_secs() + 1))
    }

    /// Whether `key` may fail once more when all that are being tried have failed.
    fn has_left(&self, key: &FailureKey, now: Timestamp) -> bool {
        let rate = key.rate();
        let tried = self.accounts.get(key).map_or(0, |account| account.tried);
        let debt = self.debt(key, now) + rate.forgiven_after * tried;
        debt <= rate.forgiven_after * (rate.burst - 1)
    }

    fn account(&mut self, key: FailureKey, now: Timestamp) -> &mut FailureAccount {
        if self.accounts.len() >= CAPACITY && !self.accounts.contains_key(&key) {
            self.make_room(now);
        }
        self.accounts.entry(key).or_insert(FailureAccount { forgiven_at: now, tried: 0 })
    }

    /// Drops what is forgiven, else the one that would be forgiven first; never one with a guess that is being tried.
    fn make_room(&mut self, now: Timestamp) {
        self.accounts.retain(|_, account| now < account.forgiven_at || account.tried > 0);
        let settled = self.accounts.iter().filter(|(_, account)| account.tried == 0);
        if self.accounts.len() >= CAPACITY
            && let Some(least) = settled.min_by_key(|(_, account)| account.forgiven_at).map(|(key, _)| *key)
        {
            self.accounts.remove(&least);
        }
    }

    fn remember(&mut self, who: (Fingerprint, IpAddr), now: Timestamp) {
        if self.lately.len() >= CAPACITY && !self.lately.contains_key(&who) {
            self.lately.retain(|_, until| now < *until);
            let oldest = self.lately.iter().min_by_key(|(_, until)| **until).map(|(who, _)| *who);
            if self.lately.len() >= CAPACITY
                && let Some(oldest) = oldest
            {
                self.lately.remove(&oldest);
            }
        }
        self.lately.insert(who, now.after(LATELY));
    }
}

/// What counts as one address: a host has a whole /64 of version 6 at its disposal.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => four.into(),
        IpAddr::V6(six) => std::net::Ipv6Addr::from(u128::from(six) >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests;
