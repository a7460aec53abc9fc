//! The server's end of the process that runs statements: started like the main process of any work, spoken to by pipes.
//!
//! It needs no watch of its own descendants, for it has none; that it ends when this server does is seen to by the pipe
//! of its orders, whose end it takes for an order, and as with all works by the guardian and the sweep.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use taskloom_core::text::Text;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::child_main::COMMAND;
use super::failure::out_of_memory;
use super::wire::{FrameWriter, SaidFrames, StatementsRequest};
use crate::error::{ExecutorError, StartError};
use crate::policy::OutboundPolicy;
use crate::process::{
    Cell, Child, Command, Exit, MARK, ProcessLauncher, ProcessStart, ProcessTree, StartedProcess, UsageMeter,
};
use crate::work::{Limits, Usage};

/// What of the server's own environment drivers and the resolver of names may go by. None of it is secret.
const KEPT: [&str; 9] = [
    "PATH",
    "LANG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "RES_OPTIONS",
    "LOCALDOMAIN",
];
/// How long it may take until it has read its request, on a host under load.
const START: Duration = Duration::from_secs(30);
/// So much is kept of what it says when it breaks down.
const WORDS: u64 = 4 << 10;
/// A killed process that still does not end sits in the kernel; it runs no more code of its own.
const GIVE_UP: Duration = Duration::from_secs(30);
/// How often a control group is tried to be removed, and how far apart.
const REMOVALS: (u32, Duration) = (50, Duration::from_millis(2));

/// Where statements get their process.
#[derive(Debug)]
pub(in crate::kind) struct StatementsPlace<'w> {
    pub(in crate::kind) launcher: Arc<ProcessLauncher>,
    pub(in crate::kind) work: &'w str,
    /// Of which the processor's share and the memory count.
    pub(in crate::kind) limits: Limits,
}

#[derive(Debug)]
pub(super) struct StatementsProcess {
    tree: ProcessTree,
    child: Child,
    meter: UsageMeter,
    /// What it says when it breaks down.
    words: JoinHandle<String>,
    pub(super) asks: FrameWriter,
    pub(super) says: SaidFrames,
    /// Lines for the log.
    pub(super) notes: Vec<String>,
}

/// How a process ended, and what it had used.
#[derive(Debug)]
pub(super) struct StatementsEnd {
    exit: Option<Exit>,
    words: String,
    pub(super) usage: Usage,
}

impl StatementsProcess {
    /// Starts it for a work of this name and sends it its request.
    pub(super) async fn start(
        StatementsPlace { launcher, work, limits }: StatementsPlace<'_>,
        request: &StatementsRequest,
        policy: &OutboundPolicy,
    ) -> Result<Self, StartError> {
        let fail = |error| StartError::Host(ExecutorError::Spawn(error));
        let (stdin, asks) = io::pipe().map_err(fail)?;
        let (says, stdout) = io::pipe().map_err(fail)?;
        let (words, stderr) = io::pipe().map_err(fail)?;
        let command = command(&policy.program, &launcher.mark(work)).map_err(fail)?;
        // Its memory it limits itself; threads of its own must not count as processes of the statements.
        let limits = Limits { cpu: limits.cpu, ..Limits::default() };
        let work = work.to_owned();
        let started = tokio::task::spawn_blocking(move || {
            let streams = (stdout.into(), stderr.into());
            launcher.start(ProcessStart {
                work: &work,
                command,
                limits,
                stdin: Some(stdin.into()),
                stdout: streams.0,
                stderr: streams.1,
            })
        });
        let StartedProcess { tree, child, notes } = started.await.map_err(ExecutorError::Vanished)??;
        let receiver = |pipe: io::PipeReader| Receiver::from_owned_fd(pipe.into()).map_err(fail);
        let mut asks = FrameWriter::new(Sender::from_owned_fd(asks.into()).map_err(fail)?);
        let words = tokio::spawn(last_words(receiver(words)?));
        let says = SaidFrames::new(receiver(says)?, policy.cell);
        let heard = timeout(START, asks.send(request)).await;
        let process = Self { tree, child, meter: UsageMeter::default(), words, asks, says, notes };
        if heard.is_err() {
            process.end(Duration::ZERO).await;
            return Err(fail(io::ErrorKind::TimedOut.into()));
        }
        // One that has ended meanwhile has said why.
        Ok(process)
    }

    /// Waits for so long until it ends by itself, then ends it. No process is left.
    pub(super) async fn end(self, patience: Duration) -> StatementsEnd {
        let Self { tree, child, mut meter, words, asks, says, .. } = self;
        // Nobody listens to it any more: it must not wait for that.
        drop((asks, says));
        tree.measure(&mut meter, Duration::from_millis(500)).await;
        if timeout(patience, child.ended()).await.is_err()
            && let Err(error) = tree.kill().await
        {
            tracing::warn!(%error, "a process of statements could not be killed");
        }
        let mut exit = None;
        if timeout(GIVE_UP, child.ended()).await.is_ok() {
            tree.measure_main(&mut meter, child.pid());
            exit = child.reap().ok();
            tree.main_reaped();
        }
        for _ in 0..REMOVALS.0 {
            if tree.close() {
                break;
            }
            tokio::time::sleep(REMOVALS.1).await;
        }
        let words = timeout(REMOVALS.1 * REMOVALS.0, words).await;
        StatementsEnd { exit, words: words.ok().and_then(Result::ok).unwrap_or_default(), usage: meter.usage() }
    }
}

impl StatementsEnd {
    /// Why it has ended without a last word; `memory` is what it was allowed.
    pub(super) fn explain(&self, memory: u64) -> String {
        // The words of Rust's runtime, which then aborts.
        if self.words.contains("memory allocation of") {
            return out_of_memory(memory);
        }
        let how = match self.exit {
            Some(Exit::Code(code)) => format!("with status {code}"),
            Some(Exit::Signal(signal)) => format!("by {signal}"),
            Some(Exit::UnnamedSignal) | None => "by a signal".to_owned(),
        };
        format!("the process of the statements ended {how}: {}", self.words.trim())
    }
}

/// The command that runs statements, with nothing of the server's environment but what [`KEPT`] names.
fn command(program: &Path, mark: &str) -> io::Result<Command> {
    let variable = |name: &str| Some([name.as_bytes(), b"=", std::env::var_os(name)?.as_bytes()].concat());
    let environment = [[MARK.as_bytes(), b"=", mark.as_bytes()].concat()];
    let environment = environment.into_iter().chain(KEPT.into_iter().filter_map(variable));
    let program = CString::new(program.as_os_str().as_bytes())?;
    Ok(Command {
        arguments: vec![c"taskloom".to_owned(), CString::new(COMMAND)?],
        environment: environment.map(CString::new).collect::<Result<_, _>>()?,
        // Where the server stands: files that the settings name may be named from there.
        folder: c".".to_owned(),
        program,
        address_space: None,
        file_size: None,
        descriptors: None,
        tag: None,
        // Our own program, which no step reaches.
        cell: Cell::default(),
    })
}

async fn last_words(pipe: Receiver) -> String {
    let mut words = vec![];
    // What was read before an error is all there is.
    let _ = pipe.take(WORDS).read_to_end(&mut words).await;
    Text::cut(&String::from_utf8_lossy(&words), WORDS as usize).into_string()
}
