//! What a caller's operations cost together within a minute: objects and bytes, each minute from nothing.
//!
//! A total, not a rate: who has spent it is told the sum and when the minute ends. The crate `governor` knows neither,
//! and no cost above 32 bits.

use std::any::TypeId;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_graphql::{Data, Request};
use quick_cache::sync::Cache;

use super::OperationLimits;

/// What is counted together.
const MINUTE: Duration = Duration::from_secs(60);
/// Callers that are known at a time; the one that came longest ago is forgotten.
const CALLERS: usize = 10_000;

/// Whose operations are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The user of this number, by whatever credentials.
    User(i64),
    /// Nobody signed in, from this address.
    Stranger(Option<IpAddr>),
}

/// Who pays for an operation. The gate puts it into the data of those that it admits; what has none is the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer {
    /// On whose account.
    pub caller: Caller,
    /// Subscriptions that this one may have at a time, where that is more than everybody may.
    pub subscriptions: Option<usize>,
}

impl Payer {
    /// Who sent this, as the gate has left it.
    pub(super) fn of(request: &Request, session: Option<&Data>) -> Option<Self> {
        Self::among(&request.data).or_else(|| Self::among(session?))
    }

    /// Who was admitted with this.
    #[must_use]
    pub fn among(data: &Data) -> Option<Self> {
        data.get(&TypeId::of::<Self>())?.downcast_ref().copied()
    }
}

/// Every caller's account.
pub(super) struct Accounts {
    most: Spent,
    accounts: Cache<Caller, Arc<CallerAccount>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    objects: usize,
    bytes: usize,
}

#[derive(Debug)]
pub struct CallerAccount {
    most: Spent,
    minute: Mutex<(Instant, Spent)>,
    /// When an operation was long last.
    long: Mutex<Option<Instant>>,
}

impl Accounts {
    pub(super) fn new(limits: &OperationLimits) -> Self {
        let most = Spent { objects: limits.objects_per_minute, bytes: limits.answer_per_minute };
        Self { most, accounts: Cache::new(CALLERS) }
    }

    /// The account of a caller.
    pub(super) fn of(&self, caller: Caller) -> Arc<CallerAccount> {
        let new = || Ok::<_, Infallible>(Arc::new(CallerAccount::new(self.most)));
        let Ok(account) = self.accounts.get_or_insert_with(&caller, new);
        account
    }
}

impl CallerAccount {
    fn new(most: Spent) -> Self {
        Self { most, minute: Mutex::new((Instant::now(), Spent::default())), long: Mutex::default() }
    }

    /// One of the caller's operations is long.
    pub(super) fn note_long(&self) {
        *self.long.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether one was within the last minute: more of them are to be expected.
    pub(super) fn was_long(&self) -> bool {
        self.long.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| last.elapsed() < MINUTE)
    }

    /// Takes from what is left of this minute, or says why not.
    pub(super) fn take(&self, objects: usize, bytes: usize) -> Option<String> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.0.elapsed() >= MINUTE {
            *minute = (Instant::now(), Spent::default());
        }
        minute.1.objects = minute.1.objects.saturating_add(objects);
        minute.1.bytes = minute.1.bytes.saturating_add(bytes);
        let (all, most) = (minute.1, self.most);
        let left = MINUTE.saturating_sub(minute.0.elapsed()).as_secs() + 1;
        if all.objects > most.objects {
            let (all, most) = (all.objects, most.objects);
            return Some(format!(
                "your requests of this minute come to {all} objects, {most} are possible: wait {left} s"
            ));
        }
        (all.bytes > most.bytes).then(|| {
            let (all, most) = (all.bytes, most.bytes);
            format!("your requests of this minute come to {all} bytes in memory, {most} are possible: wait {left} s")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_an_end_of_objects_and_of_bytes() {
        let account = CallerAccount::new(Spent { objects: 10, bytes: 100 });
        assert_eq!(account.take(10, 100), None);
        assert!(account.take(1, 0).unwrap().contains("11 objects, 10 are possible"));
        let account = CallerAccount::new(Spent { objects: 10, bytes: 100 });
        assert!(account.take(1, 101).unwrap().contains("101 bytes in memory, 100 are possible"));
        account.minute.lock().unwrap().0 = Instant::now().checked_sub(MINUTE).unwrap();
        assert_eq!(account.take(10, 100), None, "the next minute");
    }

    #[test]
    fn long_operations_are_expected_for_a_minute() {
        let account = CallerAccount::new(Spent::default());
        assert!(!account.was_long());
        account.note_long();
        assert!(account.was_long());
        *account.long.lock().unwrap() = Instant::now().checked_sub(MINUTE);
        assert!(!account.was_long());
    }
}
