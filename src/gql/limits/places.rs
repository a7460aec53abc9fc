//! How many subscriptions, or sockets, may be open at a time: in this process over all its callers together, and of one
//! caller. Each holds a little memory for as long as its client likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::account::Caller;
use crate::error::{Code, Error, Result, code};

/// When who was refused may come back.
const PAUSE: Duration = Duration::from_secs(5);

/// The places of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    all: usize,
    each: usize,
    refused: (&'static Code, &'static Code),
    held: HeldPlaces,
}

/// How many each caller holds.
type HeldPlaces = Arc<Mutex<HashMap<Caller, usize>>>;

/// One of them; it is free again when this is dropped.
#[derive(Debug)]
pub struct PlacePermit {
    _permit: OwnedSemaphorePermit,
    caller: Option<(Caller, HeldPlaces)>,
}

impl Places {
    /// For subscriptions: so many in all, and so many of one caller.
    #[must_use]
    pub fn of_subscriptions(all: usize, each: usize) -> Self {
        Self::of(all, each, (&code::TOO_MANY_SUBSCRIPTIONS, &code::TOO_MANY_OWN_SUBSCRIPTIONS))
    }

    /// For sockets: so many of one caller. In all they are bounded as connections are.
    #[must_use]
    pub fn of_sockets(each: usize) -> Self {
        Self::of(usize::MAX, each, (&code::TOO_MANY_REQUESTS, &code::TOO_MANY_OWN_SOCKETS))
    }

    fn of(all: usize, each: usize, refused: (&'static Code, &'static Code)) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all, each, refused, held: HeldPlaces::default() }
    }

    /// Takes one; a caller may have an allowance of its own.
    ///
    /// # Errors
    /// `TOO_MANY_SUBSCRIPTIONS`, `TOO_MANY_OWN_SUBSCRIPTIONS`, `TOO_MANY_OWN_SOCKETS`.
    pub fn take(&self, caller: Option<Caller>, allowance: Option<usize>) -> Result<PlacePermit> {
        let refused = |code, limit: usize| {
            Error::new(code).with("limit", limit).with("seconds", PAUSE.as_secs()).retry_after(PAUSE)
        };
        let permit = self.free.clone().try_acquire_owned().map_err(|_| refused(self.refused.0, self.all))?;
        let Some(caller) = caller else { return Ok(PlacePermit { _permit: permit, caller: None }) };
        let most = allowance.map_or(self.each, |allowance| allowance.max(self.each));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.entry(caller).or_default();
        if *own >= most {
            return Err(refused(self.refused.1, most));
        }
        *own += 1;
        Ok(PlacePermit { _permit: permit, caller: Some((caller, self.held.clone())) })
    }
}

impl Drop for PlacePermit {
    fn drop(&mut self) {
        let Some((caller, held)) = &self.caller else { return };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.get_mut(caller) {
            *own -= 1;
            if *own == 0 {
                held.remove(caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_leaves_places_to_others() {
        let places = Places::of_subscriptions(4, 2);
        let (one, other) = (Some(Caller::User(1)), Some(Caller::User(2)));
        let refusal = |caller, allowance| places.take(caller, allowance).map(drop).unwrap_err().code().name;
        let first = places.take(one, None).unwrap();
        let _second = places.take(one, None).unwrap();
        assert_eq!(refusal(one, None), "TOO_MANY_OWN_SUBSCRIPTIONS");
        let _other = places.take(other, None).unwrap();
        let _allowed = places.take(one, Some(3)).unwrap();
        assert_eq!(refusal(other, None), "TOO_MANY_SUBSCRIPTIONS", "all are taken");
        drop(first);
        assert_eq!(refusal(one, None), "TOO_MANY_OWN_SUBSCRIPTIONS", "two are left");
        assert!(places.take(other, None).is_ok());
    }
}
