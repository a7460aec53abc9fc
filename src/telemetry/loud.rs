//! How many warnings and errors were logged, and how many lines were lost. The log belongs to the process, and so do
//! these numbers: servers that share a process share them. What the filter keeps out is not counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

static WARNINGS: AtomicU64 = AtomicU64::new(0);
static ERRORS: AtomicU64 = AtomicU64::new(0);

/// Counts them as they pass.
#[derive(Debug)]
pub(super) struct Loud;

impl<S: Subscriber> Layer<S> for Loud {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        match *event.metadata().level() {
            Level::ERROR => ERRORS.fetch_add(1, Ordering::Relaxed),
            Level::WARN => WARNINGS.fetch_add(1, Ordering::Relaxed),
            _ => return,
        };
    }
}

impl Collector for Loud {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Warnings and errors in the server's own log";
        let mut family = encoder.encode_descriptor("taskloom_log_messages", help, None, MetricType::Counter)?;
        for (level, count) in [("warn", &WARNINGS), ("error", &ERRORS)] {
            let count = ConstCounter::new(count.load(Ordering::Relaxed));
            count.encode(family.encode_family(&[("level", level)])?)?;
        }
        let help = "Lines of the server's own log that could not be written";
        let lost = ConstCounter::new(super::lines::dropped());
        lost.encode(encoder.encode_descriptor("taskloom_log_lines_dropped", help, None, lost.metric_type())?)?;
        let help = "Loops of the server that were begun anew after a failure";
        let mut family = encoder.encode_descriptor("taskloom_loop_restarts", help, None, MetricType::Counter)?;
        for (name, count) in crate::supervise::restarts() {
            ConstCounter::new(count).encode(family.encode_family(&[("loop", name)])?)?;
        }
        Ok(())
    }
}
