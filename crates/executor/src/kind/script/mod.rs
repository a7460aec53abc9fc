//! The kinds `shell` and `python`: a program of this machine in a folder of its own, and all processes that it starts.
//!
//! It spawns (`process`), passes output on (`output`), and watches until no process is left (`watch`).

mod watch;

use std::os::fd::OwnedFd;

use tokio::sync::mpsc;

use crate::context::WorkContext;
use crate::error::{ExecutorError, StartError};
use crate::folder::{self, Prepared, Script};
use crate::means::HostMeans;
use crate::orders::Orders;
use crate::output::OutputPump;
use crate::process::{ProcessStart, StartedProcess};
use crate::work::{Finished, Outcome, Work};
use watch::TreeWatch;

/// Runs a script until no process of it is left and all that it said has been passed on.
pub(super) async fn run(
    work: Work,
    script: Script,
    (means, context): (HostMeans, WorkContext),
    orders: Orders,
) -> Result<Finished, ExecutorError> {
    let (notes, inbox) = mpsc::unbounded_channel();
    let WorkContext { mask, reports, clock, limit, .. } = context;
    let (pump, stdout, stderr) =
        OutputPump::open(inbox, reports.clone(), clock, &mask).map_err(ExecutorError::Spawn)?;
    let folder = means.folders.enter(&work.name, &work.folder);
    let limits = work.limits;
    let started = tokio::task::spawn_blocking(move || start(&means, (&work, &script), stdout, stderr));
    let started = match started.await.map_err(ExecutorError::Vanished)? {
        Ok(started) => started,
        Err(StartError::Program(message)) => return Ok(Finished::bare(Outcome::Failed, Some(message))),
        Err(StartError::Host(error)) => return Err(error),
    };
    for line in &started.notes {
        // The pump runs only now, and holds the other end.
        let _ = notes.send(line.clone());
    }
    // The pump ends when the watch drops its end of the notes, which it does when no process is left.
    let watch = TreeWatch::new(started, (notes, reports), limits, folder);
    let (answer, ()) = tokio::join!(watch.run(orders, limit), pump.run());
    answer
}

/// Writes the folder and starts the main process. Blocks, about a millisecond.
fn start(
    means: &HostMeans,
    (work, script): (&Work, &Script),
    stdout: OwnedFd,
    stderr: OwnedFd,
) -> Result<StartedProcess, StartError> {
    let (launcher, isolation) = (&means.launcher, &*means.isolation_of(work)?);
    let Prepared { command, mut notes } = folder::prepare(work, script, &launcher.mark(&work.name), isolation)?;
    [&stdout, &stderr].into_iter().try_for_each(|pipe| isolation.give_pipe(pipe)).map_err(ExecutorError::Spawn)?;
    let start = ProcessStart { work: &work.name, command, limits: work.limits, stdin: None, stdout, stderr };
    let mut started = launcher.start(start)?;
    notes.append(&mut started.notes);
    Ok(StartedProcess { notes, ..started })
}
