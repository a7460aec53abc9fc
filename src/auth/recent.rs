//! A small memory of what was proved a moment ago, so a script that sends its credentials with every call costs
//! one proof in a while.
//!
//! The invariant: what was read before [`ProofCache::forget`] can never be kept after it. A reader takes a
//! [`ProofCache::mark`] before it reads; [`ProofCache::keep`] drops what it brings when somebody forgot in between.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use taskloom_entity::Timestamp;

use super::secret::Fingerprint;

/// Values by fingerprint, each for a short time, at most `capacity` of them.
#[derive(Debug)]
pub struct ProofCache<V> {
    kept: Mutex<ProofCacheEntries<V>>,
    keep_for: Duration,
    capacity: usize,
}

#[derive(Debug)]
struct ProofCacheEntries<V> {
    values: HashMap<Fingerprint, (Timestamp, V)>,
    forgotten: u64,
}

/// What a reader is about to prove, and how often was forgotten when it began.
#[derive(Clone, Copy, Debug)]
pub struct ProofCacheMark {
    key: Fingerprint,
    forgotten: u64,
}

impl<V: Clone> ProofCache<V> {
    #[must_use]
    pub fn new(keep_for: Duration, capacity: usize) -> Self {
        Self { kept: Mutex::new(ProofCacheEntries { values: HashMap::new(), forgotten: 0 }), keep_for, capacity }
    }

    /// The value kept under `key`, if it is still fresh.
    pub fn find(&self, key: &Fingerprint, now: Timestamp) -> Option<V> {
        let kept = self.lock();
        let (until, value) = kept.values.get(key)?;
        (now < *until).then(|| value.clone())
    }

    /// To be taken before reading what will be kept under `key`.
    pub fn mark(&self, key: Fingerprint) -> ProofCacheMark {
        ProofCacheMark { key, forgotten: self.lock().forgotten }
    }

    /// Keeps what was read since `mark`, unless somebody forgot since.
    pub fn keep(&self, mark: ProofCacheMark, value: V, now: Timestamp) {
        let mut kept = self.lock();
        if kept.forgotten != mark.forgotten {
            return;
        }
        if kept.values.len() >= self.capacity {
            kept.values.retain(|_, (until, _)| now < *until);
        }
        // Still full of fresh ones: somebody floods. Starting over costs a proof each, growing costs the server.
        if kept.values.len() >= self.capacity {
            kept.values.clear();
        }
        kept.values.insert(mark.key, (now.after(self.keep_for), value));
    }

    /// Forgets every value of which `is_stale` holds.
    pub fn forget(&self, is_stale: impl Fn(&V) -> bool) {
        let mut kept = self.lock();
        kept.forgotten += 1;
        kept.values.retain(|_, (_, value)| !is_stale(value));
    }

    fn lock(&self) -> MutexGuard<'_, ProofCacheEntries<V>> {
        // A panic elsewhere left at worst an entry less: the map is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);
    const A_SECOND: Duration = Duration::from_secs(1);

    fn memory() -> ProofCache<u32> {
        ProofCache::new(A_SECOND * 3, 2)
    }

    #[test]
    fn a_value_is_fresh_for_its_time() {
        let memory = memory();
        memory.keep(memory.mark([1; 32]), 7, NOW);
        assert_eq!(memory.find(&[1; 32], NOW.after(A_SECOND * 2)), Some(7));
        assert_eq!(memory.find(&[1; 32], NOW.after(A_SECOND * 3)), None);
        assert_eq!(memory.find(&[2; 32], NOW), None);
    }

    #[test]
    fn what_was_read_before_forgetting_is_not_kept_after_it() {
        let memory = memory();
        let mark = memory.mark([1; 32]);
        memory.forget(|_| true);
        memory.keep(mark, 7, NOW);
        assert_eq!(memory.find(&[1; 32], NOW), None);
    }

    #[test]
    fn forgetting_takes_only_the_stale() {
        let memory = memory();
        memory.keep(memory.mark([1; 32]), 7, NOW);
        memory.keep(memory.mark([2; 32]), 8, NOW);
        memory.forget(|value| *value == 7);
        assert_eq!((memory.find(&[1; 32], NOW), memory.find(&[2; 32], NOW)), (None, Some(8)));
    }

    #[test]
    fn it_never_grows_beyond_its_capacity() {
        let memory = memory();
        for n in 0..100 {
            memory.keep(memory.mark([n; 32]), 0, NOW);
        }
        assert!(memory.lock().values.len() <= 2);
    }
}
