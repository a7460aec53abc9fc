//! The process's own figures, read from `/proc` when they are asked for. A figure that cannot be read is left out.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Collects the figures of this process.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut put = |name: &str, help: &str, metric: &dyn Encode| metric.encode(&mut encoder, name, help);
        if let Some(bytes) = status("VmRSS:") {
            put("process_resident_memory_bytes", "Resident memory", &Gauge(bytes))?;
        }
        if let Some(bytes) = status("VmHWM:") {
            put("process_resident_memory_max_bytes", "Resident memory at its highest", &Gauge(bytes))?;
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(entries.count()).unwrap_or(i64::MAX);
            put("process_open_fds", "Open file descriptors", &Gauge(open))?;
        }
        if let Some(seconds) = cpu_seconds() {
            put("process_cpu_seconds", "Processor time, user and system", &Counter(seconds))?;
        }
        Ok(())
    }
}

/// A line of `/proc/self/status`, given there in kibibytes.
fn status(name: &str) -> Option<i64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok().map(|kib| kib * 1024)
}

fn cpu_seconds() -> Option<f64> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| {
        #[expect(clippy::cast_precision_loss, reason = "a century of processor time fits without loss")]
        let whole = time.tv_sec() as f64;
        #[expect(clippy::cast_precision_loss, reason = "microseconds are below a million")]
        let parts = time.tv_usec() as f64;
        whole + parts / 1e6
    };
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}

struct Gauge(i64);
struct Counter(f64);

trait Encode {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> Result<(), fmt::Error>;
}

impl Encode for Gauge {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> Result<(), fmt::Error> {
        let metric = ConstGauge::new(self.0);
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}

impl Encode for Counter {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> Result<(), fmt::Error> {
        let metric = ConstCounter::new(self.0);
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}
