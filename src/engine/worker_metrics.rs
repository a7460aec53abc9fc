//! What a worker in this process tells of itself, counted among the server's metrics.

use std::time::Duration;

use crate::telemetry::Metrics;
use crate::worker::observer::WorkerObserver;

impl WorkerObserver for Metrics {
    fn has_slots(&self, slots: usize) {
        self.worker_slots.set(i64::try_from(slots).unwrap_or(i64::MAX));
    }

    fn slot_taken(&self) {
        self.subtasks_running.inc();
    }

    fn slot_freed(&self) {
        self.subtasks_running.dec();
    }

    fn attempt_ended(&self, took: Duration) {
        self.attempt_duration.observe(took);
    }
}
