//! What the server says of itself: log lines, request ids, metrics. It knows nothing of tasks but their numbers.

pub mod metrics;
mod process;
mod request_id;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

pub use metrics::Metrics;
pub use request_id::RequestId;

use crate::config::{Format, Telemetry};

/// Sends log lines to standard error from here on. The first call counts: a second server in one process shares it.
pub fn start(settings: &Telemetry) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&settings.level.0))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // An error means that there is a subscriber already, which is as good.
    let _ = match settings.format {
        Format::Pretty => builder.finish().try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(true).finish().try_init(),
    };
}
