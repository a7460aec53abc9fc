//! This machine as a place where work runs: made once, when the server starts.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::kind::script::watch::{self as control, Control};
use super::error::{ExecutorError, StartError};
use super::folder::{self, Prepared};
use super::mask::Mask;
use super::orders::Orders;
use super::output::Pump;
use super::process::{Capabilities, Isolation, Start, Started, Trees, WayChoice};
use super::quota::Folders;
use super::policy::Reach;
use super::context::Surroundings;
use super::work::{Finished, Order, Outcome, Program, Report, Work};
use super::kind::{http, noop, sql, vsphere};
use crate::clock::Clock;
use crate::vault::Hidden;

/// How a host is made.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The data folder of this server or worker: leftovers of an earlier run on the same folder are ours to end.
    pub data_folder: PathBuf,
    /// How process trees are held.
    pub way: WayChoice,
}

impl HostOptions {
    /// The best way that the host offers.
    pub fn new(data_folder: impl Into<PathBuf>) -> Self {
        Self { data_folder: data_folder.into(), way: WayChoice::Best }
    }
}

/// What [`Host::sweep`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Processes of earlier lives that were ended.
    pub processes: usize,
}

/// A place where work runs. Cheap to clone; when the last clone is dropped, everything it started has ended.
#[derive(Clone, Debug)]
pub struct Host {
    trees: Arc<Trees>,
    reach: Arc<Reach>,
    folders: Arc<Folders>,
    isolation: Arc<Isolation>,
}

/// The ends of the channels that a work speaks through.
struct Voice {
    sender: mpsc::UnboundedSender<String>,
    notes: mpsc::UnboundedReceiver<String>,
    reports: mpsc::Sender<Report>,
    clock: Arc<dyn Clock>,
}

impl Host {
    /// Finds out what this machine offers, and tries it: about 10 ms.
    ///
    /// # Errors
    /// When the way that is asked for does not work here, or `/dev/null` or `/proc` is missing.
    pub fn detect(options: &HostOptions) -> Result<Self, ExecutorError> {
        let trees = Arc::new(Trees::detect(&options.data_folder, options.way)?);
        Ok(Self { trees, reach: Arc::default(), folders: Arc::default(), isolation: Arc::default() })
    }

    /// The same host, from which works may go as far as this says.
    #[must_use]
    pub fn reaching(self, reach: Reach) -> Self {
        Self { reach: Arc::new(reach), ..self }
    }

    /// Whether a data source answers; its version.
    ///
    /// # Errors
    /// Why not, without its password.
    pub async fn probe(&self, source: &sql::Source) -> Result<String, String> {
        self.trees.tend();
        sql::probe(source, &self.reach, self.trees.clone()).await
    }

    /// The same host, on which a work's folder may take so many bytes.
    #[must_use]
    pub fn limiting(self, folder: Option<u64>) -> Self {
        Self { folders: Arc::new(Folders::limited(folder)), ..self }
    }

    /// The same host, on which works are held apart like this.
    #[must_use]
    pub fn holding_apart(self, isolation: Isolation) -> Self {
        Self { isolation: Arc::new(isolation), ..self }
    }

    /// How works are held apart, in a word.
    #[must_use]
    pub fn isolation(&self) -> &'static str {
        self.isolation.name()
    }

    /// What the folders of its works take.
    #[must_use]
    pub fn folders(&self) -> Arc<Folders> {
        self.folders.clone()
    }

    /// One sentence for the log at start: which way is in use, which limits are enforced.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{}; {}", self.trees, self.isolation)
    }

    /// What is in use on this machine.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.trees.capabilities()
    }

    /// Ends every process that an earlier life of the same data folder left. To be called before the first [`Self::run`].
    ///
    /// # Errors
    /// When `/proc` cannot be read, or a process does not end within 10 s of KILL.
    pub async fn sweep(&self) -> Result<Swept, ExecutorError> {
        let trees = self.trees.clone();
        let what = "the processes of an earlier run";
        let swept = tokio::task::spawn_blocking(move || trees.sweep()).await.map_err(ExecutorError::Vanished)?;
        swept.map(|processes| Swept { processes }).map_err(|source| ExecutorError::Host { what, source })
    }

    /// Runs `work` until no process of it is left; everything it said has been sent to `reports` before.
    ///
    /// A full `reports` holds the program's output back, never a stop. Dropping the future kills the work.
    ///
    /// # Errors
    /// Our own faults alone: no folder, no process, no control group to be had.
    pub async fn run(
        &self,
        work: Work,
        orders: watch::Receiver<Order>,
        reports: mpsc::Sender<Report>,
        clock: Arc<dyn Clock>,
    ) -> Result<Finished, ExecutorError> {
        if !is_name(&work.name) {
            return Err(ExecutorError::Name(work.name));
        }
        self.trees.tend();
        let (_waits, abandoned) = oneshot::channel();
        let orders = Orders::new(orders, abandoned);
        let (sender, notes) = mpsc::unbounded_channel();
        let voice = Voice { sender, notes, reports, clock };
        // A task of its own, since it must go on to the end when the caller drops this future.
        tokio::spawn(supervise(self.clone(), work, orders, voice)).await.map_err(ExecutorError::Vanished)?
    }
}

async fn supervise(host: Host, work: Work, orders: Orders, voice: Voice) -> Result<Finished, ExecutorError> {
    match work.program {
        Program::Noop { sleep } => Ok(noop::run(sleep, work.timeout, orders).await),
        Program::Sql(ref job) => {
            let mask = mask(&work, job.source.password.as_ref()).await?;
            let with = surroundings(&host, &work, voice, mask);
            let place = sql::Place { trees: host.trees.clone(), name: &work.name, limits: work.limits };
            sql::run(job, with, orders, place).await
        }
        Program::Http(ref job) => {
            let with = surroundings(&host, &work, voice, mask(&work, None).await?);
            Ok(http::run(job, &work.secrets, with, orders).await)
        }
        Program::Vsphere(ref job) => {
            let mask = mask(&work, Some(&job.server.password)).await?;
            let with = surroundings(&host, &work, voice, mask);
            Ok(vsphere::run(job, &work.secrets, with, orders).await)
        }
        Program::Shell(_) | Program::Python(_) => processes(host, work, orders, voice).await,
    }
}

/// What is unreadable in all that a work says. For many large secrets that is work which others must not wait for.
async fn mask(work: &Work, password: Option<&Hidden>) -> Result<Mask, ExecutorError> {
    let secrets: Vec<Hidden> = work.secrets.iter().map(|(_, value)| value).chain(password).cloned().collect();
    if secrets.is_empty() {
        return Ok(Mask::default());
    }
    tokio::task::spawn_blocking(move || Mask::of(&secrets)).await.map_err(ExecutorError::Vanished)
}

fn surroundings(host: &Host, work: &Work, voice: Voice, mask: Mask) -> Surroundings {
    Surroundings {
        reach: host.reach.clone(),
        mask,
        parameters: work.parameters.as_object().cloned().unwrap_or_default(),
        timeout: work.timeout,
        grace: work.grace,
        reports: voice.reports,
        clock: voice.clock,
    }
}

async fn processes(host: Host, work: Work, mut orders: Orders, voice: Voice) -> Result<Finished, ExecutorError> {
    let mut order = orders.current();
    while order != Order::Run {
        match order {
            Order::Stop(reason) | Order::Kill(reason) => return Ok(Finished::bare(reason.outcome(), None)),
            Order::Pause | Order::Run => order = orders.next().await,
        }
    }
    let Voice { sender, notes, reports, clock } = voice;
    let (timeout, grace, limits) = (work.timeout, work.grace, work.limits);
    let mask = mask(&work, None).await?;
    let (pump, stdout, stderr) = Pump::open(notes, reports.clone(), clock, &mask).map_err(ExecutorError::Spawn)?;
    let place = host.folders.enter(&work.name, &work.folder);
    let started = tokio::task::spawn_blocking(move || start(&host, &work, stdout, stderr));
    let Started { tree, child, notes: lines } = match started.await.map_err(ExecutorError::Vanished)? {
        Ok(started) => started,
        Err(StartError::Program(message)) => return Ok(Finished::bare(Outcome::Failed, Some(message))),
        Err(StartError::Host(error)) => return Err(error),
    };
    for line in lines {
        // The pump runs only now, and holds the other end.
        let _ = sender.send(line);
    }
    let control = Control { tree, child, orders, notes: sender, reports, timeout, grace, limits, place };
    let (answer, ()) = tokio::join!(control::run(control), pump.run());
    answer
}

/// Writes the folder and starts the main process. Blocks, about a millisecond.
fn start(host: &Host, work: &Work, stdout: OwnedFd, stderr: OwnedFd) -> Result<Started, StartError> {
    let Host { trees, isolation, .. } = host;
    let Prepared { command, mut notes } = folder::prepare(work, &trees.mark(&work.name), isolation)?;
    [&stdout, &stderr].into_iter().try_for_each(|pipe| isolation.give_pipe(pipe)).map_err(ExecutorError::Spawn)?;
    let start = Start { work: &work.name, command, limits: work.limits, stdin: None, stdout, stderr };
    let mut started = trees.start(start)?;
    notes.append(&mut started.notes);
    Ok(Started { notes, ..started })
}

/// It becomes the name of a folder and a part of a mark.
fn is_name(name: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.bytes().all(is_safe)
}
