//! What the server says of itself: log lines, request ids, metrics. It knows nothing of tasks but their numbers.

mod lines;
mod loud;
pub mod metrics;
mod process;
mod request_id;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use lines::flush;
pub use metrics::Metrics;
pub use request_id::RequestId;

use self::lines::LogLineWriter;
use crate::config::{Format, Telemetry};

/// What these say of themselves at start is of no use to an operator; their warnings are. A filter that names one
/// of them has the last word.
///
/// What the driver says of an address's options it says with their values, and one may be a password.
const QUIET: &str =
    "tokio_cron_scheduler=warn,sea_orm_migration=warn,sqlx::postgres::notice=warn,sqlx_postgres::options::parse=off";

/// Where the modules log that are crates now, by the names that filters have for them. What begins with `taskloom` alone
/// goes for all of them.
const CRATES: [(&str, &str); 6] = [
    ("taskloom::descriptors", "taskloom_runtime::descriptors"),
    ("taskloom::executor", "taskloom_executor"),
    ("taskloom::lifecycle", "taskloom_runtime::lifecycle"),
    ("taskloom::supervise", "taskloom_runtime::supervise"),
    ("taskloom::vsphere", "taskloom_vsphere"),
    ("taskloom::worker", "taskloom_worker"),
];

fn filter(level: &str) -> EnvFilter {
    let level = CRATES.iter().fold(level.to_owned(), |level, (module, target)| level.replace(module, target));
    EnvFilter::new(format!("{QUIET},{level}"))
}

/// Sends log lines to standard error from here on. The first call counts: a second server in one process shares it.
pub fn start(settings: &Telemetry) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&settings.level.0))
        .with_writer(LogLineWriter::start())
        // It would say with `eprintln!`, which panics, that a line cannot be written.
        .log_internal_errors(false)
        .with_ansi(is_colourful(&std::io::stderr()));
    // An error means that there is a subscriber already, which is as good.
    let _ = match settings.format {
        Format::Pretty => builder.finish().with(loud::Loud).try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(true).finish().with(loud::Loud).try_init(),
    };
}

/// Whether a stream leads to a terminal that shows colours, and nobody has said `NO_COLOR` (<https://no-color.org>).
pub fn is_colourful(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && is_capable() && !refused
}

/// Whether the terminal, if there is one, understands more than text.
#[must_use]
pub fn is_capable() -> bool {
    std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::filter;

    #[derive(Clone, Default)]
    struct CapturedLog(Arc<Mutex<Vec<u8>>>);

    impl Write for CapturedLog {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written under this setting of two chatty neighbours, of us, and of crates of ours.
    fn written(level: &str) -> String {
        let page = CapturedLog::default();
        let writer = page.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter(level))
            .with_writer(move || writer.clone())
            .without_time()
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "tokio_cron_scheduler::job", "chatter");
            tracing::warn!(target: "sea_orm_migration::migrator", "trouble");
            tracing::info!(target: "taskloom::server", "ours");
            tracing::debug!(target: "taskloom_worker::session", "lease");
            tracing::debug!(target: "taskloom_runtime::supervise", "loop");
        });
        let bytes = page.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let last = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
        text.lines().map(last).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn neighbours_are_quiet_unless_they_are_named() {
        assert_eq!(written("info"), "trouble ours");
        assert_eq!(written("warn"), "trouble");
        assert_eq!(written("info,tokio_cron_scheduler=info"), "chatter trouble ours");
        assert_eq!(written("error,sea_orm_migration=error"), "");
    }

    #[test]
    fn a_crate_is_known_by_the_name_of_the_module_that_it_was() {
        assert_eq!(written("error,taskloom::worker=debug"), "trouble lease");
        assert_eq!(written("error,taskloom::worker::session=debug,taskloom::supervise=debug"), "trouble lease loop");
        assert_eq!(written("error,taskloom_worker=debug"), "trouble lease");
        assert_eq!(written("debug,taskloom::worker=info"), "trouble ours loop");
        assert_eq!(written("error,taskloom=debug"), "trouble ours lease loop");
    }
}
