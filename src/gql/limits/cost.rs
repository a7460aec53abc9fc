//! What one operation may cost while it is answered, by the real lengths of its lists: objects, and the bytes that they
//! take in memory. A list is charged before its objects are resolved; above the ceiling nothing more of the operation is.
//!
//! What a caller's operations cost together within a minute is bounded too, so that many within the limits are not what
//! one beyond them may not be.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::OperationLimits;
use super::account::CallerAccount;
use crate::error::{Error, Result, code};

/// What an object takes beside its fields, and what a field takes beside a long text: measured on the answer's tree.
const OBJECT: usize = 256;
const FIELD: usize = 128;
/// Texts up to this length are within [`FIELD`].
const SHORT: usize = 32;
/// An operation of more objects is long: some milliseconds of work.
const LONG: usize = 2_000;
const QUICK: u8 = 0;
const LEAVING: u8 = 1;
const SLOW: u8 = 2;

/// Objects of one level of lists that are resolved at a time: each holds some kilobytes while it waits for what lies below
/// it, and those below have places of their own.
pub const AT_ONCE: usize = 1_000;

/// What a list's objects are made of, as they were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// An object, with those that lie in its fields.
    pub objects: usize,
    /// All of their fields.
    pub fields: usize,
}

/// What one operation has cost.
#[derive(Debug)]
pub struct Cost {
    most: CostCeiling,
    objects: AtomicUsize,
    bytes: AtomicUsize,
    /// Which lane it is in: [`QUICK`], [`LEAVING`] or [`SLOW`].
    lane: AtomicU8,
    /// Places by level of lists, from the outermost.
    places: Box<[Semaphore]>,
    account: Option<Arc<CallerAccount>>,
    refused: OnceLock<String>,
    over: Notify,
}

#[derive(Clone, Copy, Debug)]
struct CostCeiling {
    objects: usize,
    bytes: usize,
}

impl Cost {
    /// Nothing so far, on this account.
    pub(super) fn new(limits: &OperationLimits, account: Option<Arc<CallerAccount>>) -> Self {
        let zero = AtomicUsize::default;
        let most = CostCeiling { objects: limits.objects, bytes: limits.answer };
        let (refused, over) = (OnceLock::new(), Notify::new());
        let places = (0..=limits.nesting).map(|_| Semaphore::new(AT_ONCE)).collect();
        Self { most, objects: zero(), bytes: zero(), lane: AtomicU8::new(QUICK), places, account, refused, over }
    }

    /// The next answer begins.
    pub(super) fn refill(&self) {
        self.objects.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.lane.store(QUICK, Ordering::Relaxed);
    }

    /// Whether this may be expected to become long, by what its caller has sent lately.
    pub(super) fn is_long_expected(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.was_long())
    }

    /// Takes a list of so many objects; `path` names its field.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` with the field and the cost.
    pub fn list(&self, length: usize, shape: Shape, path: impl Fn() -> String) -> Result<()> {
        let objects = length.saturating_mul(shape.objects);
        let bytes = objects.saturating_mul(OBJECT).saturating_add(length.saturating_mul(shape.fields * FIELD));
        self.take(objects, bytes, path)
    }

    /// Takes the texts of an object, by their lengths.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` with the field and the cost.
    pub fn texts(&self, lengths: impl Iterator<Item = usize>, path: impl Fn() -> String) -> Result<()> {
        match lengths.map(|length| length.saturating_sub(SHORT)).sum() {
            0 => Ok(()),
            bytes => self.take(0, bytes, path),
        }
    }

    /// Waits for places of so many objects, [`AT_ONCE`] at the most, that lie within so many lists.
    pub async fn places(&self, level: usize, many: usize) -> Option<SemaphorePermit<'_>> {
        let many = u32::try_from(many).unwrap_or(u32::MAX);
        self.places.get(level)?.acquire_many(many).await.ok()
    }

    /// A long operation leaves the quick lane here.
    pub async fn settle(&self) {
        if self.objects.load(Ordering::Relaxed) > LONG {
            self.leave().await;
        }
    }

    /// The operation is long, whatever it has come to yet: it leaves the quick lane here.
    pub async fn leave(&self) {
        if self.lane.load(Ordering::Relaxed) == SLOW {
            return;
        }
        // Of all lists that are at work at this moment none goes on here.
        self.lane.store(LEAVING, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }

    fn note_long(&self) {
        if let Some(account) = &self.account {
            account.note_long();
        }
    }

    /// Whether the operation wants to leave the quick lane: said once.
    pub(super) fn leaves(&self) -> bool {
        let leaves = self.lane.compare_exchange(LEAVING, SLOW, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if leaves {
            self.note_long();
        }
        leaves
    }

    fn take(&self, objects: usize, bytes: usize, path: impl Fn() -> String) -> Result<()> {
        let all = |spent: &AtomicUsize, more: usize| spent.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        let (all_objects, all_bytes) = (all(&self.objects, objects), all(&self.bytes, bytes));
        // Once: one that is refused as a whole never leaves the quick lane.
        if all_objects > LONG && all_objects - objects <= LONG {
            self.note_long();
        }
        let reason = if all_objects > self.most.objects {
            let most = self.most.objects;
            format!("`{}` brings it to {all_objects} objects, {most} are possible", path())
        } else if all_bytes > self.most.bytes {
            let most = self.most.bytes;
            format!("`{}` brings its answer to {all_bytes} bytes in memory, {most} are possible", path())
        } else if let Some(reason) = self.account.as_ref().and_then(|account| account.take(objects, bytes)) {
            format!("with `{}` {reason}", path())
        } else {
            return Ok(());
        };
        let error = Error::new(&code::QUERY_TOO_COMPLEX).with("reason", &reason);
        let _ = self.refused.set(reason); // the first one counts
        self.over.notify_one();
        Err(error)
    }

    /// Why nothing more is resolved, if so.
    pub(super) fn refused(&self) -> Option<Error> {
        self.refused.get().map(|reason| Error::new(&code::QUERY_TOO_COMPLEX).with("reason", reason))
    }

    /// Returns when it was too much.
    pub(super) async fn over(&self) {
        while self.refused.get().is_none() {
            self.over.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(objects: usize, answer: usize) -> Cost {
        Cost::new(&OperationLimits { objects, answer, ..OperationLimits::default() }, None)
    }

    #[tokio::test]
    async fn lists_are_charged_by_their_lengths_and_the_first_too_long_is_named() {
        let cost = cost(100, usize::MAX);
        let shape = Shape { objects: 2, fields: 3 };
        cost.list(50, shape, || "tasks".into()).unwrap();
        assert!(cost.refused().is_none());
        let refused = cost.list(1, shape, || "tasks.subtasks".into()).unwrap_err();
        assert_eq!(refused.code().name, "QUERY_TOO_COMPLEX");
        assert!(
            refused.to_string().contains("`tasks.subtasks` brings it to 102 objects, 100 are possible"),
            "{refused}"
        );
        cost.list(1, shape, || "tasks.events".into()).unwrap_err();
        cost.over().await;
        assert_eq!(cost.refused().unwrap().to_string(), refused.to_string());
    }

    #[test]
    fn what_is_held_counts_in_bytes() {
        let cost = cost(usize::MAX, 1000);
        cost.list(1, Shape { objects: 1, fields: 5 }, || "task".into()).unwrap();
        cost.texts([SHORT, 1, 0].into_iter(), || "name".into()).unwrap();
        let refused = cost.texts([SHORT + 105, 9].into_iter(), || "task.message".into()).unwrap_err();
        assert!(refused.to_string().contains("`task.message` brings its answer to 1001 bytes"), "{refused}");
    }
}
