//! This machine as a place where work runs: made once, when the server starts.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::{mpsc, oneshot, watch};

use super::error::ExecutorError;
use super::kind::{self, sql};
use super::line_clock::LineClock;
use super::means::{HostMeans, WorkVoice};
use super::orders::Orders;
use super::policy::OutboundPolicy;
use super::process::{self, Capabilities, Isolation, ProcessLauncher, TreeChoice};
use super::program::DataSource;
use super::quota::Folders;
use super::work::{Finished, Order, Report, Work};

/// How a host is made.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The data folder of this server or worker: leftovers of an earlier run on the same folder are ours to end.
    pub data_folder: PathBuf,
    /// How process trees are held.
    pub way: TreeChoice,
    /// How many descriptors a work may have open, soft and hard; `None`: as many as this process.
    pub descriptors: Option<(u64, u64)>,
}

impl HostOptions {
    /// The best way that the host offers.
    pub fn new(data_folder: impl Into<PathBuf>) -> Self {
        Self { data_folder: data_folder.into(), way: TreeChoice::Best, descriptors: None }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Processes of earlier runs that were ended.
    pub processes: usize,
}

/// A place where work runs. Cheap to clone; when the last clone is dropped, everything it started has ended.
#[derive(Clone, Debug)]
pub struct Host {
    means: HostMeans,
    has_reaper: Arc<AtomicBool>,
}

/// Reaps what works have orphaned, for as long as the host is in use.
#[derive(Clone, Debug)]
pub struct OrphanReaper(Weak<ProcessLauncher>);

impl OrphanReaper {
    /// Goes on until the last clone of the host is dropped. It may be called again if it panicked.
    pub async fn run(self) {
        process::reap_orphans(self.0).await;
    }
}

impl Host {
    /// Finds out what this machine offers, and tries it: about 10 ms.
    ///
    /// # Errors
    /// When the way that is asked for does not work here, or `/dev/null` or `/proc` is missing.
    pub fn detect(options: &HostOptions) -> Result<Self, ExecutorError> {
        let HostOptions { data_folder, way, descriptors } = options;
        let launcher = Arc::new(ProcessLauncher::detect(data_folder, *way, *descriptors)?);
        let means = HostMeans { launcher, policy: Arc::default(), folders: Arc::default(), isolation: Arc::default() };
        Ok(Self { means, has_reaper: Arc::default() })
    }

    /// The same host, from which works may go as far as this says.
    #[must_use]
    pub fn with_policy(mut self, policy: OutboundPolicy) -> Self {
        self.means.policy = Arc::new(policy);
        self
    }

    /// The same host, on which a work's folder may take so many bytes.
    #[must_use]
    pub fn limiting(mut self, folder: Option<u64>) -> Self {
        self.means.folders = Arc::new(Folders::limited(folder));
        self
    }

    /// The same host, on which works are held apart like this.
    #[must_use]
    pub fn holding_apart(mut self, isolation: Isolation) -> Self {
        self.means.isolation = Arc::new(isolation);
        self
    }

    /// What reaps orphans, for whoever runs it and begins it anew if it panics. A host of which nobody has
    /// asked for it runs it by itself, from its first work on.
    #[must_use]
    pub fn orphan_reaper(&self) -> OrphanReaper {
        self.has_reaper.store(true, Ordering::Relaxed);
        OrphanReaper(Arc::downgrade(&self.means.launcher))
    }

    fn reap_by_itself(&self) {
        if !self.has_reaper.swap(true, Ordering::Relaxed) {
            tokio::spawn(OrphanReaper(Arc::downgrade(&self.means.launcher)).run());
        }
    }

    /// Whether a data source answers; its version.
    ///
    /// # Errors
    /// Why not, without its password.
    pub async fn probe(&self, source: &DataSource) -> Result<String, String> {
        self.reap_by_itself();
        sql::probe(source, &self.means.policy, self.means.launcher.clone()).await
    }

    /// How works are held apart, in a word.
    #[must_use]
    pub fn isolation(&self) -> &'static str {
        self.means.isolation.name()
    }

    /// What the folders of its works take.
    #[must_use]
    pub fn folders(&self) -> Arc<Folders> {
        self.means.folders.clone()
    }

    /// One sentence for the log at start: which way is in use, which limits are enforced.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{}; {}", self.means.launcher, self.means.isolation)
    }

    /// What is in use on this machine.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.means.launcher.capabilities()
    }

    /// Ends every process that an earlier run on the same data folder left. To be called before the first [`Self::run`].
    ///
    /// # Errors
    /// When `/proc` cannot be read, or a process does not end within 10 s of KILL.
    pub async fn sweep(&self) -> Result<Swept, ExecutorError> {
        let launcher = self.means.launcher.clone();
        let what = "the processes of an earlier run";
        let swept = tokio::task::spawn_blocking(move || launcher.sweep()).await.map_err(ExecutorError::Vanished)?;
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
        clock: LineClock,
    ) -> Result<Finished, ExecutorError> {
        if !is_name(&work.name) {
            return Err(ExecutorError::Name(work.name));
        }
        self.reap_by_itself();
        let (_waits, abandoned) = oneshot::channel();
        let orders = Orders::new(orders, abandoned);
        let run = kind::run(work, self.means.clone(), orders, WorkVoice { reports, clock });
        // A task of its own, since it must go on to the end when the caller drops this future.
        tokio::spawn(run).await.map_err(ExecutorError::Vanished)?
    }
}

/// It becomes the name of a folder and a part of a mark.
fn is_name(name: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.bytes().all(is_safe)
}
