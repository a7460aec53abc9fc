//! What a worker tells of itself while it works. Whoever makes the worker says what is done with it.

use std::fmt::Debug;
use std::time::Duration;

/// Hears how a worker is doing. Called often, from many tasks: it may not wait.
pub trait WorkerObserver: Send + Sync + Debug {
    /// So many attempts can run at a time.
    fn has_slots(&self, slots: usize);

    /// An attempt takes a slot.
    fn slot_taken(&self);

    /// A slot is free again: nothing of its attempt runs any more.
    fn slot_freed(&self);

    /// The end of an attempt is recorded, or was given up.
    fn attempt_ended(&self, took: Duration);
}
