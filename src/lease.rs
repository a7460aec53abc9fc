//! Leases by elapsed time. Who holds one raises a counter for as long as it lives; who watches remembers since when,
//! by its own steady clock, a counter has stood still.
//!
//! The invariant: a lease is over for a watcher that has itself seen the counter stand for the lease and [`MARGIN`]. No
//! instant of one host is compared with another's, so clocks may differ, and may be set. A watcher that has just
//! begun has seen nothing yet. One that could not look meanwhile has: who stands where it stood was not renewed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::clock::Moment;

/// What a holder is given beyond its lease, so that it has given up by itself before.
pub const MARGIN: Duration = Duration::from_secs(1);

/// A sign of life, as a table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign<K> {
    /// Whose.
    pub key: K,
    /// Raised by each renewal.
    pub renewals: i64,
    /// How long one renewal holds.
    pub lease: Duration,
}

/// When a look began and when it was answered: what it shows was true at some moment between.
#[derive(Clone, Copy, Debug)]
pub struct LeaseLook {
    /// Before the question.
    pub asked: Moment,
    /// Behind the answer.
    pub answered: Moment,
}

/// What one watcher has seen.
#[derive(Clone, Debug)]
pub struct Watch<K> {
    seen: HashMap<K, (i64, Moment)>,
}

impl<K> Default for Watch<K> {
    fn default() -> Self {
        Self { seen: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> Watch<K> {
    /// Takes in everything that a table shows; which leases are over. What is not shown any more is forgotten.
    pub fn look(&mut self, signs: impl IntoIterator<Item = Sign<K>>, at: LeaseLook) -> Vec<Sign<K>> {
        let before = std::mem::take(&mut self.seen);
        let mut over = vec![];
        for sign in signs {
            // Of two bounds the one that makes it shorter.
            let since = match before.get(&sign.key) {
                Some((renewals, since)) if *renewals == sign.renewals => *since,
                Some(_) | None => at.answered,
            };
            self.seen.insert(sign.key.clone(), (sign.renewals, since));
            if at.asked.since(since) >= sign.lease.saturating_add(MARGIN) {
                over.push(sign);
            }
        }
        over
    }

    /// For how long this one was seen to stand; none: it was not seen yet.
    #[must_use]
    pub fn silence(&self, key: &K, now: Moment) -> Option<Duration> {
        self.seen.get(key).map(|(_, since)| now.since(*since))
    }

    /// The table could not be looked at, and maybe nobody could renew: everything counts anew. For holders that do not
    /// give up by themselves: they would all be taken for gone.
    pub fn begin_anew(&mut self) {
        self.seen.clear();
    }
}

/// What a process has seen of its workers, for those who decide and for those who show it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Lives(Arc<Mutex<Watch<String>>>);

impl Lives {
    /// What was seen, while nobody else looks.
    pub fn seen(&self) -> MutexGuard<'_, Watch<String>> {
        self.0.lock().expect("invariant: nothing panics while it takes in a look")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    fn at(seconds: u64) -> LeaseLook {
        let moment = Moment::default().after(Duration::from_secs(seconds));
        LeaseLook { asked: moment, answered: moment }
    }

    fn sign(key: &'static str, renewals: i64) -> Sign<&'static str> {
        Sign { key, renewals, lease: LEASE }
    }

    /// The keys that are over.
    fn over(watch: &mut Watch<&'static str>, signs: &[(&'static str, i64)], look: LeaseLook) -> Vec<&'static str> {
        let signs = signs.iter().map(|(key, renewals)| sign(key, *renewals));
        watch.look(signs, look).into_iter().map(|sign| sign.key).collect()
    }

    #[test]
    fn who_stands_still_for_the_lease_and_a_second_is_over() {
        let mut watch = Watch::default();
        assert!(over(&mut watch, &[("a", 7), ("b", 1)], at(100)).is_empty(), "the first look tells nothing");
        assert!(over(&mut watch, &[("a", 7), ("b", 2)], at(115)).is_empty());
        assert_eq!(over(&mut watch, &[("a", 7), ("b", 2)], at(116)), ["a"]);
        assert_eq!(over(&mut watch, &[("a", 7), ("b", 2)], at(117)), ["a"], "until somebody ends it");
        assert_eq!(watch.silence(&"a", at(118).asked), Some(Duration::from_secs(18)));
        assert_eq!(over(&mut watch, &[("b", 2)], at(131)), ["b"]);
        assert_eq!(watch.silence(&"a", at(131).asked), None);
    }

    #[test]
    fn each_renewal_counts_anew_and_so_does_who_comes_back() {
        let mut watch = Watch::default();
        for second in 0..60 {
            let renewals = i64::try_from(second / 5).unwrap();
            assert!(over(&mut watch, &[("a", renewals)], at(second)).is_empty(), "after {second} s");
        }
        assert!(over(&mut watch, &[], at(70)).is_empty());
        assert!(over(&mut watch, &[("a", 11)], at(100)).is_empty(), "it was forgotten meanwhile");
    }

    #[test]
    fn who_could_not_look_has_seen_nothing() {
        let mut watch = Watch::default();
        assert!(over(&mut watch, &[("a", 1)], at(0)).is_empty());
        watch.begin_anew();
        assert!(over(&mut watch, &[("a", 1)], at(40)).is_empty());
        assert!(over(&mut watch, &[("a", 1)], at(55)).is_empty());
        assert_eq!(over(&mut watch, &[("a", 1)], at(56)), ["a"]);
    }

    #[test]
    fn a_slow_answer_makes_nobody_older() {
        let mut watch = Watch::default();
        let slow = |asked, answered| LeaseLook { asked: at(asked).asked, answered: at(answered).answered };
        assert!(over(&mut watch, &[("a", 1)], slow(0, 10)).is_empty());
        assert!(over(&mut watch, &[("a", 1)], slow(25, 60)).is_empty(), "it was seen to stand for 15 s");
        assert_eq!(over(&mut watch, &[("a", 1)], slow(26, 26)), ["a"]);
    }

    #[test]
    fn each_lease_has_its_own_length() {
        let mut watch = Watch::default();
        let signs = || [sign("a", 1), Sign { lease: Duration::from_secs(60), ..sign("b", 1) }];
        assert!(watch.look(signs(), at(0)).is_empty());
        assert_eq!(watch.look(signs(), at(16)), [sign("a", 1)]);
        assert_eq!(watch.look(signs(), at(61)).len(), 2);
    }
}
