//! Watches one running process tree until nothing of it is left. It never waits for output, so a full log cannot
//! delay a stop.
//!
//! Driven once for each work by `drive`, which hears the caller's orders and the time limit. Woken by the end of the main
//! process, by the next look at what is used, by the next poll of a tree that is to be gone. If it dies, the guardian
//! and the next sweep end its processes.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::drive::{Driven, Stop, StopCause, TimeLimit, Turn, drive};
use crate::error::ExecutorError;
use crate::orders::Orders;
use crate::process::{Child, Exit, ProcessTree, StartedProcess, UsageMeter};
use crate::quota::{FolderExcess, FolderWatch};
use crate::work::{Finished, Limits, Outcome, Report};

/// What outlives the main process has this long to end by itself: the last lines of a `tee` in a pipe.
const LINGER: Duration = Duration::from_millis(250);
/// … and then at most this long between TERM and KILL.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);
/// A killed process that still does not end sits in the kernel; it runs no more code of its own.
const GIVE_UP: Duration = Duration::from_secs(30);
/// How often it is looked whether a stopped tree is gone: from, to.
const POLL: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// How often a control group is tried to be removed.
const REMOVALS: u32 = 50;
/// When use is looked at, after the start; later every second.
const LOOKS: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(350)];
const LOOK: Duration = Duration::from_secs(1);

/// A process tree under watch.
pub(super) struct TreeWatch {
    tree: ProcessTree,
    child: Child,
    /// Lines for the log; closed when no process is left.
    notes: mpsc::UnboundedSender<String>,
    reports: mpsc::Sender<Report>,
    limits: Limits,
    /// Looks at what its folder takes, beside the looks at what it uses.
    folder: FolderWatch,
    exit: Option<Exit>,
    is_paused: bool,
    /// KILL was sent, and is sent again at each poll.
    is_killed: bool,
    meter: UsageMeter,
    memory_kills: u64,
    looks: usize,
    look_at: Instant,
    poll: Duration,
    poll_at: Instant,
}

/// What has happened to a tree.
pub(super) enum TreeEvent {
    /// Its main process has ended.
    MainEnded,
    /// No process is left. Comes after the end of the main process.
    Gone,
    /// Its folder takes too much.
    Excess(FolderExcess),
}

/// Why it has ended, and did not succeed or fail by itself.
enum Ending {
    Stopped(StopCause),
    Excess(FolderExcess),
}

impl TreeWatch {
    pub(super) fn new(
        started: StartedProcess,
        (notes, reports): (mpsc::UnboundedSender<String>, mpsc::Sender<Report>),
        limits: Limits,
        folder: FolderWatch,
    ) -> Self {
        let now = Instant::now();
        let StartedProcess { tree, child, .. } = started;
        Self {
            tree,
            child,
            notes,
            reports,
            limits,
            folder,
            exit: None,
            is_paused: false,
            is_killed: false,
            meter: UsageMeter::default(),
            memory_kills: 0,
            looks: 0,
            look_at: now + LOOKS[0],
            poll: POLL.0,
            poll_at: now,
        }
    }

    /// Watches until no process is left.
    pub(super) async fn run(mut self, mut orders: Orders, limit: TimeLimit) -> Result<Finished, ExecutorError> {
        let ending = self.until_the_end(&mut orders, limit).await;
        if ending.is_err() {
            // Our own fault must not leave anything running.
            let _ = self.tree.kill().await;
        }
        self.close().await;
        ending.map(|ending| self.conclude(ending.as_ref()))
    }

    /// Until the main process has ended or is to be stopped, and then until the others are gone.
    async fn until_the_end(&mut self, orders: &mut Orders, limit: TimeLimit) -> Result<Option<Ending>, ExecutorError> {
        match drive(self, orders, limit).await {
            Turn::Ended(event) => match event? {
                TreeEvent::Excess(excess) => self.exceed(excess).await.map(Some),
                TreeEvent::MainEnded | TreeEvent::Gone => self.leftovers(orders, limit.grace).await,
            },
            Turn::Stop(Stop { cause, grace }) => {
                self.stop(&cause.to_string(), grace, orders).await?;
                Ok(Some(Ending::Stopped(cause)))
            }
        }
    }

    /// The main process has ended: the others may end by themselves for a moment, then they are stopped.
    async fn leftovers(&mut self, orders: &mut Orders, grace: Duration) -> Result<Option<Ending>, ExecutorError> {
        if self.is_paused {
            // It was killed from outside while frozen; the others cannot end unless they go on.
            let _ = self.tree.thaw().await;
        }
        tokio::select! {
            event = self.gone_or_excess() => match event? {
                TreeEvent::Excess(excess) => return self.exceed(excess).await.map(Some),
                TreeEvent::MainEnded | TreeEvent::Gone => {}
            },
            () = sleep(LINGER) => {
                let told = "the main process has ended and left others";
                self.stop(told, LEFTOVER_GRACE.min(grace), orders).await?;
            }
            // What has ended by itself is not canceled: its leftovers only go sooner.
            () = orders.stop() => self.kill().await?,
        }
        Ok(None)
    }

    async fn exceed(&mut self, excess: FolderExcess) -> Result<Ending, ExecutorError> {
        self.note(&format!("{excess}: KILL to every process"));
        self.kill().await?;
        Ok(Ending::Excess(excess))
    }

    /// TERM to every process, and KILL when the grace is over or the caller will not wait.
    async fn stop(&mut self, told: &str, grace: Duration, orders: &mut Orders) -> Result<(), ExecutorError> {
        if grace.is_zero() {
            return self.kill().await;
        }
        self.note(&format!("{told}: TERM to {}", if self.exit.is_some() { "them" } else { "every process" }));
        self.poll = POLL.0;
        let sent = self.tree.terminate().await;
        self.note_or("", sent, "TERM could not be sent");
        tokio::select! {
            gone = self.gone() => return gone,
            () = sleep(grace) => self.note("still there after the grace: KILL"),
            () = orders.kill() => {}
        }
        self.kill().await
    }

    /// KILL to every process, until none is left or it is not waited for any longer.
    async fn kill(&mut self) -> Result<(), ExecutorError> {
        self.is_killed = true;
        let killed = self.tree.kill().await;
        self.note_or("", killed, "KILL could not be sent");
        self.poll = POLL.0;
        self.poll_at = Instant::now() + self.poll;
        timeout(GIVE_UP, self.gone()).await.unwrap_or(Ok(()))
    }

    async fn gone(&mut self) -> Result<(), ExecutorError> {
        while !matches!(self.next().await?, TreeEvent::Gone) {}
        Ok(())
    }

    async fn gone_or_excess(&mut self) -> Result<TreeEvent, ExecutorError> {
        loop {
            match self.next().await? {
                TreeEvent::MainEnded => {}
                event @ (TreeEvent::Gone | TreeEvent::Excess(_)) => return Ok(event),
            }
        }
    }

    /// Waits for the next event. May be dropped and called again: what it has seen is in `self`.
    async fn next(&mut self) -> Result<TreeEvent, ExecutorError> {
        loop {
            let polls = self.exit.is_some() || self.is_killed;
            let wake = if polls { self.look_at.min(self.poll_at) } else { self.look_at };
            tokio::select! {
                ended = self.child.ended(), if self.exit.is_none() => {
                    ended.map_err(ExecutorError::Wait)?;
                    self.main_ended()?;
                    return Ok(TreeEvent::MainEnded);
                }
                () = sleep_until(wake) => {}
            }
            let now = Instant::now();
            if polls && now >= self.poll_at && self.poll(now).await {
                return Ok(TreeEvent::Gone);
            }
            if now >= self.look_at
                && let Some(excess) = self.look(now).await
            {
                return Ok(TreeEvent::Excess(excess));
            }
        }
    }

    /// Takes the main process's end. Does not wait, so that it is taken as a whole.
    fn main_ended(&mut self) -> Result<(), ExecutorError> {
        self.tree.measure_main(&mut self.meter, self.child.pid());
        if self.limits.memory_bytes.is_some() {
            self.memory_kills = self.tree.memory_kills();
        }
        self.exit = Some(self.child.reap().map_err(ExecutorError::Wait)?);
        self.tree.main_reaped();
        self.poll_at = Instant::now();
        Ok(())
    }

    /// Whether no process is left; what was to be killed is killed again, as kernels without `cgroup.kill` need it.
    async fn poll(&mut self, now: Instant) -> bool {
        // If it cannot be told, it is not over.
        let is_gone = self.exit.is_some() && self.tree.is_gone(&mut self.meter).await.unwrap_or(false);
        if !is_gone && self.is_killed {
            let _ = self.tree.kill().await;
        }
        self.poll_at = now + self.poll;
        self.poll = (self.poll * 2).min(POLL.1);
        is_gone
    }

    async fn look(&mut self, now: Instant) -> Option<FolderExcess> {
        self.tree.measure(&mut self.meter, LOOK / 2).await;
        let excess = self.folder.look(now);
        self.looks += 1;
        match LOOKS.get(self.looks) {
            Some(next) => self.look_at = now + (*next - LOOKS[self.looks - 1]),
            None => {
                self.look_at = now + LOOK;
                // Left out when the channel is full: the next one tells more.
                let _ = self.reports.try_send(Report::Usage(self.meter.usage()));
            }
        }
        excess
    }

    fn conclude(&self, ending: Option<&Ending>) -> Finished {
        let usage = self.meter.usage();
        let exit_code = match self.exit {
            Some(Exit::Code(code)) => Some(code),
            Some(Exit::Signal(_) | Exit::UnnamedSignal) | None => None,
        };
        let (outcome, message) = match ending {
            Some(Ending::Stopped(cause)) => {
                let stopped = cause.finished();
                (stopped.outcome, stopped.message)
            }
            Some(Ending::Excess(excess)) => (Outcome::Failed, Some(excess.to_string())),
            None => self.judge(),
        };
        Finished { outcome, exit_code, message, usage }
    }

    /// The outcome of a main process that ended by itself.
    fn judge(&self) -> (Outcome, Option<String>) {
        let message = match self.exit {
            Some(Exit::Code(0)) => return (Outcome::Succeeded, None),
            Some(Exit::Code(code)) => format!("exit status {code}"),
            Some(Exit::Signal(signal)) => format!("ended by {signal}"),
            Some(Exit::UnnamedSignal) | None => "ended by a signal".to_owned(),
        };
        match self.limits.memory_bytes {
            Some(limit) if self.memory_kills > 0 => {
                (Outcome::Failed, Some(format!("{message}: it needed more than its memory limit of {limit} bytes")))
            }
            _ => (Outcome::Failed, Some(message)),
        }
    }

    /// Takes the tree down. The kernel may need a moment to let go of a group whose last process has just ended.
    async fn close(&self) {
        for _ in 0..REMOVALS {
            if self.tree.close() {
                return;
            }
            sleep(POLL.0).await;
        }
        tracing::warn!(tree = ?self.tree, "a control group is still in use; the next start removes it");
    }

    fn note(&self, text: &str) {
        // Fails when the pump is gone, which then has reported all it can.
        let _ = self.notes.send(text.to_owned());
    }

    fn note_or(&self, done: &str, result: io::Result<()>, trouble: &str) {
        match result {
            Ok(()) if done.is_empty() => {}
            Ok(()) => self.note(done),
            Err(error) => self.note(&format!("{trouble}: {error}")),
        }
    }
}

impl Driven for TreeWatch {
    type End = Result<TreeEvent, ExecutorError>;

    /// The end of the main process, or of the patience with its folder.
    async fn end(&mut self) -> Self::End {
        self.next().await
    }

    async fn pause(&mut self) {
        self.is_paused = true;
        let frozen = self.tree.freeze().await;
        self.note_or("paused", frozen, "could not be paused");
    }

    async fn resume(&mut self) {
        self.note("resumed");
        let thawed = self.tree.thaw().await;
        self.note_or("", thawed, "could not be resumed");
        self.is_paused = false;
    }
}
