//! What a process tree uses: a look at it, and the sum of the looks.

use crate::work::Usage;

/// One look at a process tree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct UsageSample {
    pub(super) cpu_seconds: f64,
    pub(super) memory_bytes: u64,
    pub(super) peak_memory_bytes: u64,
    pub(super) processes: u32,
}

/// What a tree has used, from looks at it; never goes down but for the present memory.
#[derive(Debug, Default)]
pub(crate) struct UsageMeter(Usage);

impl UsageMeter {
    pub(super) fn add(&mut self, sample: UsageSample) {
        let usage = &mut self.0;
        usage.cpu_seconds = usage.cpu_seconds.max(sample.cpu_seconds);
        usage.peak_memory_bytes = usage.peak_memory_bytes.max(sample.peak_memory_bytes);
        usage.processes = usage.processes.max(sample.processes);
        if sample.memory_bytes > 0 {
            usage.memory_bytes = sample.memory_bytes;
        }
    }

    /// What has been used until the last look.
    pub(crate) fn usage(&self) -> Usage {
        self.0
    }
}
