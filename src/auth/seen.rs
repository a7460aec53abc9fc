//! Signed requests that were let in: each is, once. Who has heard one on its way cannot have it done again.
//!
//! Only what was proved is kept, and only until its date is no longer fresh. It is this process's memory: another server on
//! the same database does not know it, nor this one after a restart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use taskloom_entity::Timestamp;

use super::secret::Fingerprint;
use crate::error::{Error, Result, code};

/// Requests in a quarter of an hour: more than 500 a second.
const CAPACITY: usize = 500_000;
/// When there will be room again, as a rule.
const PAUSE: Duration = Duration::from_secs(5);

/// Requests by their fingerprints, each until its end.
#[derive(Debug, Default)]
pub struct ReplayGuard(Mutex<HashMap<u128, Timestamp>>);

impl ReplayGuard {
    /// Lets a request in that is fresh until `until`.
    ///
    /// # Errors
    /// `TOKEN_REFUSED` when it was let in before; `TOO_MANY_REQUESTS` when no more can be remembered.
    pub fn admit(&self, request: Fingerprint, until: Timestamp, now: Timestamp) -> Result<()> {
        let (half, _) = request.split_at(16);
        let key = u128::from_le_bytes(half.try_into().expect("invariant: half a fingerprint has 16 bytes"));
        // A panic elsewhere left at worst a request less.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&key).is_some_and(|end| now < *end) {
            tracing::debug!("a signed request was sent a second time");
            return Err(Error::new(&code::TOKEN_REFUSED));
        }
        if seen.len() >= CAPACITY {
            seen.retain(|_, end| now < *end);
        }
        if seen.len() >= CAPACITY {
            let refused = Error::new(&code::TOO_MANY_REQUESTS).with("what", "signed requests");
            return Err(refused.with("seconds", PAUSE.as_secs()).retry_after(PAUSE));
        }
        seen.insert(key, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);
    const FRESH: Duration = Duration::from_secs(900);

    fn request(number: u32) -> Fingerprint {
        let mut request = [0; 32];
        request[..4].copy_from_slice(&number.to_le_bytes());
        request
    }

    #[test]
    fn a_request_is_let_in_once_while_it_is_fresh() {
        let seen = ReplayGuard::default();
        seen.admit(request(1), NOW.after(FRESH), NOW).unwrap();
        seen.admit(request(2), NOW.after(FRESH), NOW).unwrap();
        let again = seen.admit(request(1), NOW.after(FRESH), NOW.after(FRESH / 2)).unwrap_err();
        assert_eq!(again.code(), &code::TOKEN_REFUSED);
    }

    #[test]
    fn what_is_no_longer_fresh_makes_room() {
        let seen = ReplayGuard::default();
        for number in 0..CAPACITY as u32 {
            seen.admit(request(number), NOW.after(FRESH), NOW).unwrap();
        }
        let full = seen.admit(request(u32::MAX), NOW.after(FRESH), NOW).unwrap_err();
        assert_eq!(full.code(), &code::TOO_MANY_REQUESTS);
        seen.admit(request(u32::MAX), NOW.after(FRESH * 2), NOW.after(FRESH)).unwrap();
        assert_eq!(seen.0.lock().unwrap().len(), 1);
    }
}
