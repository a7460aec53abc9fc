//! Reads a work's two pipes and sends what they say. One at a time into a bounded channel: when the receiver is slow,
//! the pipes fill up and the program waits in `write`; memory stays bounded whatever it writes.
//!
//! Ends when the watch of the process tree closes its channel of notes, which it does when no process is left; then what is still
//! in the pipes is read, and no more than that, so an escaped holder of a pipe cannot keep us.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::time::Duration;

use bytes::BufMut;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::lines::{self, Lines};
use crate::line_clock::LineClock;
use crate::mask::{Mask, MaskedStream};
use crate::work::{Report, Stream};

/// How long whole lines wait for more.
const LINGER: Duration = Duration::from_millis(50);
/// A larger pipe than the usual 64 KiB lets a busy program and us work side by side.
const PIPE: i32 = 256 * 1024;
/// Reads of one stream before the other has its turn.
const TURN: u32 = 8;

/// Both streams of one work.
#[derive(Debug)]
pub(crate) struct OutputPump {
    sources: [OutputPipe; 2],
    notes: mpsc::UnboundedReceiver<String>,
    reports: mpsc::Sender<Report>,
    clock: LineClock,
    linger_until: Option<Instant>,
    ready: Vec<Report>,
}

#[derive(Debug)]
struct OutputPipe {
    pipe: Option<Receiver>,
    lines: Lines,
    /// Between the pipe and the lines, where there are secrets.
    mask: Option<MaskedStream>,
    /// Nobody writes any more that we know of: what is in the pipe is all.
    is_last: bool,
}

enum PumpEvent {
    Readable(usize),
    Note(String),
    Linger,
    Finish,
}

impl OutputPump {
    /// The pump, and the writing ends for the program's stdout and stderr. Within a runtime.
    pub(crate) fn open(
        notes: mpsc::UnboundedReceiver<String>,
        reports: mpsc::Sender<Report>,
        clock: LineClock,
        mask: &Mask,
    ) -> io::Result<(Self, OwnedFd, OwnedFd)> {
        let (stdout, stdout_end) = OutputPipe::open(Stream::Stdout, mask)?;
        let (stderr, stderr_end) = OutputPipe::open(Stream::Stderr, mask)?;
        let pump = Self { sources: [stdout, stderr], notes, reports, clock, linger_until: None, ready: vec![] };
        Ok((pump, stdout_end, stderr_end))
    }

    /// Pumps until everything is said.
    pub(crate) async fn run(mut self) {
        loop {
            match self.next().await {
                PumpEvent::Readable(which) => {
                    // What the other stream said before comes before.
                    self.sources[1 - which].lines.take(&mut self.ready);
                    self.sources[which].read(TURN, &self.clock, &mut self.ready);
                }
                PumpEvent::Note(note) => {
                    self.take_lines();
                    self.ready.push(lines::system(&note, self.clock.now()));
                }
                PumpEvent::Linger => self.take_lines(),
                PumpEvent::Finish => break,
            }
            self.send().await;
            let holds = self.sources.iter().any(|source| source.lines.has_lines());
            self.linger_until = holds.then(|| self.linger_until.unwrap_or_else(|| Instant::now() + LINGER));
        }
        for which in [0, 1] {
            self.drain(which).await;
        }
    }

    async fn next(&mut self) -> PumpEvent {
        let [stdout, stderr] = &self.sources;
        let linger_until = self.linger_until;
        tokio::select! {
            () = stdout.readable() => PumpEvent::Readable(0),
            () = stderr.readable() => PumpEvent::Readable(1),
            note = self.notes.recv() => note.map_or(PumpEvent::Finish, PumpEvent::Note),
            () = sleep_until(linger_until.unwrap_or_else(Instant::now)), if linger_until.is_some() => PumpEvent::Linger,
        }
    }

    /// Reads what a pipe holds, at most its capacity, since every writer is gone that we know of.
    async fn drain(&mut self, which: usize) {
        let mut left = PIPE.unsigned_abs() as usize + lines::FULL;
        self.sources[which].is_last = true;
        while left > 0 {
            let read = self.sources[which].read(1, &self.clock, &mut self.ready);
            self.send().await;
            if read == 0 {
                break;
            }
            left = left.saturating_sub(read);
        }
        let source = &mut self.sources[which];
        if left == 0 {
            source.break_off(&mut self.ready);
        } else {
            source.say_the_rest(&self.clock, &mut self.ready);
        }
        self.send().await;
    }

    fn take_lines(&mut self) {
        for source in &mut self.sources {
            source.lines.take(&mut self.ready);
        }
    }

    async fn send(&mut self) {
        for report in self.ready.drain(..) {
            // Nobody listens any more: the program must not hang in `write` for that, so its words are dropped.
            let _ = self.reports.send(report).await;
        }
    }
}

impl OutputPipe {
    fn open(stream: Stream, mask: &Mask) -> io::Result<(Self, OwnedFd)> {
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        // The host may allow less; then it stays as it is.
        let _ = nix::fcntl::fcntl(&write, nix::fcntl::FcntlArg::F_SETPIPE_SZ(PIPE));
        let pipe = Receiver::from_owned_fd(read)?;
        Ok((Self { pipe: Some(pipe), lines: Lines::new(stream), mask: mask.stream(), is_last: false }, write))
    }

    /// Waits until there is something to read; for ever after the end.
    async fn readable(&self) {
        match &self.pipe {
            // An error shows in the read that follows.
            Some(pipe) => drop(pipe.readable().await),
            None => std::future::pending().await,
        }
    }

    /// Reads until there is nothing more now, at most `turns` times; full buffers go to `ready`. How many bytes.
    fn read(&mut self, turns: u32, clock: &LineClock, ready: &mut Vec<Report>) -> usize {
        let mut total = 0;
        for _ in 0..turns {
            let Some(pipe) = &self.pipe else { break };
            if self.mask.is_some() {
                match self.read_masked(clock, ready) {
                    Some(read) => total += read,
                    None => break,
                }
                continue;
            }
            let read = pull(pipe, self.is_last, &mut self.lines.space());
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // End of file; or an error, after which nothing more can come either.
                Ok(0) | Err(_) => {
                    self.pipe = None;
                    self.lines.finish(ready);
                }
                Ok(read) => {
                    total += read;
                    self.lines.filled(read, clock.now());
                    if self.lines.is_full() {
                        self.lines.take(ready);
                    }
                }
            }
        }
        total
    }

    /// Reads once, through the mask. How many bytes; none: nothing more now.
    fn read_masked(&mut self, clock: &LineClock, ready: &mut Vec<Report>) -> Option<usize> {
        let mut bytes = Vec::with_capacity(lines::FULL);
        let (pipe, mask) = (self.pipe.as_ref()?, self.mask.as_mut()?);
        match pull(pipe, self.is_last, &mut bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Ok(0) | Err(_) => {
                self.pipe = None;
                self.say_the_rest(clock, ready);
                Some(0)
            }
            Ok(read) => {
                let text = mask.pass(&bytes);
                self.lines.feed(&text, clock.now(), ready);
                Some(read)
            }
        }
    }

    /// The last line, when more is there that is not read: without the half of a character, or of a secret.
    fn break_off(&mut self, ready: &mut Vec<Report>) {
        self.lines.cut_off(ready);
    }

    /// What the mask held back, and then the last line.
    fn say_the_rest(&mut self, clock: &LineClock, ready: &mut Vec<Report>) {
        if let Some(mask) = &mut self.mask {
            let text = mask.finish();
            self.lines.feed(&text, clock.now(), ready);
        }
        self.lines.finish(ready);
    }
}

/// Reads once. The runtime says that a pipe has nothing until it has heard of what came: for the last words the pipe
/// itself is asked.
fn pull(pipe: &Receiver, is_last: bool, space: &mut impl BufMut) -> io::Result<usize> {
    if !is_last {
        return pipe.try_read_buf(space);
    }
    let mut bytes = [0; 16 * 1024];
    let room = space.remaining_mut().min(bytes.len());
    let read = nix::unistd::read(pipe, &mut bytes[..room])?;
    space.put_slice(&bytes[..read]);
    Ok(read)
}
