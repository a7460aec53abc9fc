//! The process that runs statements, from within: it reads its request and what is wanted of it, and says what it finds.
//!
//! It limits its own memory before it opens a connection, and lets nobody look into it. That the pipe of its orders has ended means that the server is
//! gone: so it ends, whatever it is about.

use std::convert::Infallible;
use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use taskloom_core::rows::Part;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::{mpsc, watch};

use super::session::{Canceller, StatementFlow};
use super::statements::{self, Steering};
use super::wire::{FrameReader, FrameWriter, Instruction, LastWord, REQUEST, Said, StatementsRequest};
use crate::context::WorkContext;
use crate::drive::TimeLimit;
use crate::line_clock::LineClock;
use crate::mask::Mask;
use crate::work::Report;

/// The command of the program that is this; nobody but the server calls it.
pub const COMMAND: &str = "statements";

/// Runs one request, which comes by standard input.
#[must_use]
pub fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let status = runtime.block_on(serve()).map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS);
    // Nobody waits for a name server that does not answer.
    runtime.shutdown_background();
    status
}

fn fail(error: &io::Error) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn serve() -> io::Result<()> {
    // Other steps may run as the same user: what this one knows is not theirs to read.
    prctl::set_dumpable(false)?;
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    let mut asks = FrameReader::new(Receiver::from_owned_fd(stdin)?, REQUEST);
    let mut says = FrameWriter::new(Sender::from_owned_fd(stdout)?);
    let Some(request) = asks.next::<StatementsRequest>().await? else { return Ok(()) };
    setrlimit(Resource::RLIMIT_DATA, request.memory, request.memory)?;
    // What it holds in memory belongs into no file.
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    let (steer, gate) = watch::channel(StatementFlow::Open);
    let (tell, told) = watch::channel(None);
    let (reports, inbox) = mpsc::channel(4);
    let (failures, mut failed) = mpsc::channel(1);
    let work = work(request, reports, Steering { gate, tell });
    let both = async {
        let (ended, passed_on) = tokio::join!(work, pass_on(inbox, &mut says, &mut failed));
        passed_on.map(|()| ended)
    };
    let ended = tokio::select! {
        ended = both => ended?,
        never = obey(asks, (steer, told), failures) => match never {},
    };
    says.send(&Said::Ended(ended)).await
}

async fn work(request: StatementsRequest, reports: mpsc::Sender<Report>, steering: Steering) -> LastWord {
    let is_probe = request.is_probe();
    let (job, policy, parameters) = request.open().map_err(|error| error.to_string())?;
    if is_probe {
        return statements::version(&job.source, &policy).await.map(Some);
    }
    let with = WorkContext {
        policy: Arc::new(policy),
        // The server masks what it is told: this process knows no secret but the password.
        mask: Mask::default(),
        parameters,
        // The server holds the limit, and says when it is over.
        limit: TimeLimit { timeout: None, grace: std::time::Duration::ZERO },
        reports,
        clock: LineClock::system(),
    };
    statements::run(job, with, steering).await.map(|()| None)
}

/// Says what the work reports, until it has ended, and that a cancel was in vain.
async fn pass_on(
    mut inbox: mpsc::Receiver<Report>,
    says: &mut FrameWriter,
    failed: &mut mpsc::Receiver<String>,
) -> io::Result<()> {
    loop {
        let said = tokio::select! {
            report = inbox.recv() => match report {
                Some(report) => said(report),
                None => return Ok(()),
            },
            Some(failure) = failed.recv() => Some(Said::Note(failure)),
        };
        if let Some(said) = said {
            says.send(&said).await?;
        }
    }
}

fn said(report: Report) -> Option<Said> {
    match report {
        Report::Lines(lines) => Some(Said::Note(String::from_utf8_lossy(&lines.text).trim_end().to_owned())),
        Report::Progress { fraction, text } => Some(Said::Progress { fraction, text: text.unwrap_or_default() }),
        Report::Result { part, .. } => Some(match part {
            Part::Begin { columns, .. } => Said::Begin(columns.to_vec()),
            Part::Rows(rows) => Said::Rows(rows),
            Part::End { truncated } => Said::EndOfSet { truncated },
        }),
        // Of programs.
        Report::Output { .. } | Report::Warning(_) | Report::Usage(_) => None,
    }
}

/// Does what is wanted; ends the process when nobody can want anything any more.
async fn obey(
    mut asks: FrameReader,
    (steer, told): (watch::Sender<StatementFlow>, watch::Receiver<Option<Canceller>>),
    failures: mpsc::Sender<String>,
) -> Infallible {
    loop {
        match asks.next().await {
            Ok(Some(Instruction::Run)) => {
                steer.send_replace(StatementFlow::Open);
            }
            Ok(Some(Instruction::Pause)) => {
                steer.send_replace(StatementFlow::Paused);
            }
            Ok(Some(Instruction::Cancel)) => {
                // Nothing runs that would have to be cancelled.
                let Some(canceller) = told.borrow().clone() else { std::process::exit(0) };
                // First: between two statements there is nothing to cancel, and the next must not begin.
                steer.send_replace(StatementFlow::Ending);
                if let Err(failure) = canceller.cancel().await {
                    let _ = failures.send(failure).await;
                }
            }
            Ok(None) | Err(_) => std::process::exit(0),
        }
    }
}
