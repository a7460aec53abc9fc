//! The way of log lines to standard error: a thread writes them. Whoever logs never waits for it, never fails and never
//! panics; lines that find no room or cannot be written are counted.
//!
//! One thread a process, started with the log. If it is stuck in a pipe that nobody reads, the queue fills, and lines
//! are dropped. A library's queue would do, but its guard prints with `println!`, which panics at a closed stream.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait.
const WAITING: usize = 4096;
/// How long the last lines are waited for at the end of the process.
const LAST: Duration = Duration::from_millis(500);

static DROPPED: AtomicU64 = AtomicU64::new(0);
static QUEUE: OnceLock<SyncSender<LogQueueEntry>> = OnceLock::new();

enum LogQueueEntry {
    Line(Vec<u8>),
    /// All before it is written: say so.
    Mark(SyncSender<()>),
}

/// How many lines were lost so far.
pub(super) fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Waits a moment until what was logged is written.
pub fn flush() {
    let Some(queue) = QUEUE.get() else { return };
    let (done, written) = sync_channel(1);
    if queue.try_send(LogQueueEntry::Mark(done)).is_ok() {
        // A stream that takes nothing is left.
        let _ = written.recv_timeout(LAST);
    }
}

#[derive(Clone, Debug)]
pub(super) struct LogLineWriter;

impl LogLineWriter {
    /// Starts the thread, once a process.
    pub(super) fn start() -> Self {
        QUEUE.get_or_init(|| {
            let (queue, entries) = sync_channel(WAITING);
            // Without the thread every line is dropped and counted.
            let _ = thread::Builder::new().name("log".to_owned()).spawn(move || write(&entries, io::stderr()));
            queue
        });
        Self
    }
}

fn write(entries: &Receiver<LogQueueEntry>, mut stream: impl Write) {
    for entry in entries {
        match entry {
            LogQueueEntry::Line(line) => {
                if stream.write_all(&line).is_err() {
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                }
            }
            LogQueueEntry::Mark(done) => {
                let _ = done.send(());
            }
        }
    }
}

impl Write for LogLineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let sent = QUEUE.get().map(|queue| queue.try_send(LogQueueEntry::Line(line.to_vec())));
        if !matches!(sent, Some(Ok(()))) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogLineWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::sync_channel;

    use super::{LogQueueEntry, dropped, write};

    /// Takes every second line.
    struct FullDevice(bool);

    impl Write for FullDevice {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0 = !self.0;
            if self.0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(line.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_cannot_be_written_is_counted_and_the_next_one_tried() {
        let (queue, entries) = sync_channel(8);
        for _ in 0..4 {
            queue.send(LogQueueEntry::Line(b"line\n".to_vec())).unwrap();
        }
        let (done, written) = sync_channel(1);
        queue.send(LogQueueEntry::Mark(done)).unwrap();
        drop(queue);
        let before = dropped();
        write(&entries, FullDevice(false));
        assert_eq!(dropped() - before, 2);
        assert_eq!(written.recv(), Ok(()));
    }
}
