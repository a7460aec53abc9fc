//! Watches one running work: its end, the caller's orders, the clock. One loop with one timer; it never waits for
//! output, so a full log cannot delay a stop.
//!
//! Called once for each work, by [`super::host`]. Woken by the end of the main process, by an order, by the next
//! instant that matters. If it dies, the guardian and the next sweep end its processes.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::executor::error::ExecutorError;
use crate::executor::orders::Orders;
use crate::executor::process::{Child, Exit, Meter, Tree};
use super::quota::{Excess, Place};
use crate::executor::stopwatch::Stopwatch;
use crate::executor::work::{Finished, Limits, Order, Outcome, Report, StopReason};

/// What outlives the main process has this long to end by itself: the last lines of a `tee` in a pipe.
const LINGER: Duration = Duration::from_millis(250);
/// … and then at most this long between TERM and KILL.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);
/// A killed process that still does not end sits in the kernel; it runs no more code of its own.
const GIVE_UP: Duration = Duration::from_secs(30);
/// How often it is looked whether a stopped tree is gone: from, to.
const POLL: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// When use is looked at, after the start; later every second.
const LOOKS: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(350)];
const LOOK: Duration = Duration::from_secs(1);

/// What the loop needs.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) tree: Tree,
    pub(super) child: Child,
    pub(super) orders: Orders,
    /// Lines for the log; closed when no process is left.
    pub(super) notes: mpsc::UnboundedSender<String>,
    pub(super) reports: mpsc::Sender<Report>,
    pub(super) timeout: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) limits: Limits,
    /// What its folder takes.
    pub(super) place: Place,
}

/// Where a work is on its way to its end. Every phase but the first two ends with no process left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Paused,
    /// The main process has ended; the others may end by themselves until then.
    Lingering(Instant),
    /// TERM was sent, KILL follows then.
    Stopping(Cause, Instant),
    /// KILL was sent; not waited for longer than then.
    Killing(Cause, Instant),
}

/// Why it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Order(StopReason),
    Timeout(Duration),
    Excess(Excess),
    Leftovers,
}

struct Watch {
    control: Control,
    phase: Phase,
    exit: Option<Exit>,
    stopwatch: Stopwatch,
    meter: Meter,
    memory_kills: u64,
    looks: usize,
    look_at: Instant,
    poll: Duration,
    poll_at: Instant,
}

/// Watches until no process is left.
pub(super) async fn run(control: Control) -> Result<Finished, ExecutorError> {
    let now = Instant::now();
    let mut watch = Watch {
        control,
        phase: Phase::Running,
        exit: None,
        stopwatch: Stopwatch::start(now),
        meter: Meter::default(),
        memory_kills: 0,
        looks: 0,
        look_at: now + LOOKS[0],
        poll: POLL.0,
        poll_at: now,
    };
    let answer = watch.run().await;
    if answer.is_err() {
        // Our own fault must not leave anything running.
        let _ = watch.control.tree.kill().await;
    }
    watch.close().await;
    answer
}

impl Watch {
    async fn run(&mut self) -> Result<Finished, ExecutorError> {
        loop {
            let wake = self.wake();
            tokio::select! {
                ended = self.control.child.ended(), if self.exit.is_none() => {
                    ended.map_err(ExecutorError::Wait)?;
                    self.main_ended().await?;
                }
                order = self.control.orders.next() => self.obey(order).await,
                () = sleep_until(wake) => {}
            }
            if self.advance(Instant::now()).await {
                return Ok(self.conclude());
            }
        }
    }

    /// The next instant at which something may be due.
    fn wake(&self) -> Instant {
        let mut wake = self.look_at;
        if self.exit.is_some() || matches!(self.phase, Phase::Killing(..)) {
            wake = wake.min(self.poll_at);
        }
        match self.phase {
            Phase::Running => self.timeout_at().map_or(wake, |at| wake.min(at)),
            Phase::Paused => wake,
            Phase::Lingering(at) | Phase::Stopping(_, at) | Phase::Killing(_, at) => wake.min(at),
        }
    }

    fn timeout_at(&self) -> Option<Instant> {
        self.control.timeout.and_then(|limit| self.stopwatch.due(limit))
    }

    async fn main_ended(&mut self) -> Result<(), ExecutorError> {
        let Control { tree, child, .. } = &self.control;
        tree.measure_main(&mut self.meter, child.pid());
        if self.control.limits.memory_bytes.is_some() {
            self.memory_kills = tree.memory_kills();
        }
        self.exit = Some(child.reap().map_err(ExecutorError::Wait)?);
        tree.main_reaped();
        self.poll_at = Instant::now();
        if self.phase == Phase::Paused {
            // Killed from outside while frozen; the others cannot end unless they go on.
            let _ = tree.thaw().await;
        }
        if matches!(self.phase, Phase::Running | Phase::Paused) {
            self.phase = Phase::Lingering(Instant::now() + LINGER);
        }
        Ok(())
    }

    async fn obey(&mut self, order: Order) {
        match (order, self.phase) {
            (Order::Pause, Phase::Running) => {
                self.stopwatch.pause(Instant::now());
                self.phase = Phase::Paused;
                let frozen = self.control.tree.freeze().await;
                self.note_or("paused", frozen, "could not be paused");
            }
            (Order::Run, Phase::Paused) => {
                self.note("resumed");
                let thawed = self.control.tree.thaw().await;
                self.note_or("", thawed, "could not be resumed");
                self.stopwatch.resume(Instant::now());
                self.phase = Phase::Running;
            }
            (Order::Stop(reason), Phase::Running | Phase::Paused) => self.stop(Cause::Order(reason)).await,
            (Order::Kill(reason), Phase::Running | Phase::Paused) => self.kill(Cause::Order(reason)).await,
            (Order::Stop(_) | Order::Kill(_), Phase::Lingering(_)) => self.kill(Cause::Leftovers).await,
            (Order::Kill(_), Phase::Stopping(cause, _)) => self.kill(cause).await,
            // A stop is final, and what has ended can neither be paused nor go on.
            (Order::Run | Order::Pause | Order::Stop(_) | Order::Kill(_), _) => {}
        }
    }

    /// Does what is due; whether the work is over.
    async fn advance(&mut self, now: Instant) -> bool {
        if self.exit.is_some() && now >= self.poll_at && self.is_gone(now).await {
            return true;
        }
        match self.phase {
            Phase::Running => {
                if let Some(limit) = self.control.timeout.filter(|_| self.timeout_at().is_some_and(|at| now >= at)) {
                    self.stop(Cause::Timeout(limit)).await;
                }
            }
            Phase::Lingering(until) if now >= until => self.stop(Cause::Leftovers).await,
            Phase::Stopping(cause, until) if now >= until => {
                self.note("still there after the grace: KILL");
                self.kill(cause).await;
            }
            Phase::Killing(_, until) if now >= until => return true,
            Phase::Killing(..) if now >= self.poll_at => {
                let _ = self.control.tree.kill().await;
                self.poll_later(now);
            }
            Phase::Paused | Phase::Lingering(_) | Phase::Stopping(..) | Phase::Killing(..) => {}
        }
        if now >= self.look_at {
            self.look(now).await;
        }
        false
    }

    async fn is_gone(&mut self, now: Instant) -> bool {
        // If it cannot be told, it is not over.
        let gone = self.control.tree.is_gone(&mut self.meter).await.unwrap_or(false);
        self.poll_later(now);
        gone
    }

    fn poll_later(&mut self, now: Instant) {
        self.poll_at = now + self.poll;
        self.poll = (self.poll * 2).min(POLL.1);
    }

    async fn stop(&mut self, cause: Cause) {
        let grace = if cause == Cause::Leftovers { LEFTOVER_GRACE.min(self.control.grace) } else { self.control.grace };
        if grace.is_zero() {
            return self.kill(cause).await;
        }
        self.note(&match cause {
            Cause::Order(StopReason::Canceled) => "canceled: TERM to every process".to_owned(),
            Cause::Order(StopReason::Shutdown) => "this worker shuts down: TERM to every process".to_owned(),
            Cause::Timeout(limit) => format!("{}: TERM to every process", late(limit)),
            Cause::Excess(excess) => format!("{excess}: TERM to every process"),
            Cause::Leftovers => "the main process has ended and left others: TERM to them".to_owned(),
        });
        let now = Instant::now();
        self.phase = Phase::Stopping(cause, now + grace);
        self.poll = POLL.0;
        let sent = self.control.tree.terminate().await;
        self.note_or("", sent, "TERM could not be sent");
    }

    async fn kill(&mut self, cause: Cause) {
        let now = Instant::now();
        self.phase = Phase::Killing(cause, now + GIVE_UP);
        let killed = self.control.tree.kill().await;
        self.note_or("", killed, "KILL could not be sent");
        self.poll = POLL.0;
        self.poll_at = now + self.poll;
    }

    async fn look(&mut self, now: Instant) {
        self.control.tree.measure(&mut self.meter, LOOK / 2).await;
        if let Some(excess) = self.control.place.look(now)
            && matches!(self.phase, Phase::Running | Phase::Paused | Phase::Lingering(_))
        {
            self.note(&format!("{excess}: KILL to every process"));
            self.kill(Cause::Excess(excess)).await;
        }
        self.looks += 1;
        match LOOKS.get(self.looks) {
            Some(next) => self.look_at = now + (*next - LOOKS[self.looks - 1]),
            None => {
                self.look_at = now + LOOK;
                // Left out when the channel is full: the next one tells more.
                let _ = self.control.reports.try_send(Report::Usage(self.meter.usage()));
            }
        }
    }

    fn conclude(&self) -> Finished {
        let usage = self.meter.usage();
        let exit_code = match self.exit {
            Some(Exit::Code(code)) => Some(code),
            Some(Exit::Signal(_) | Exit::UnnamedSignal) | None => None,
        };
        let (outcome, message) = match self.phase {
            Phase::Stopping(Cause::Order(reason), _) | Phase::Killing(Cause::Order(reason), _) => {
                (reason.outcome(), None)
            }
            Phase::Stopping(Cause::Timeout(limit), _) | Phase::Killing(Cause::Timeout(limit), _) => {
                (Outcome::TimedOut, Some(late(limit)))
            }
            Phase::Stopping(Cause::Excess(excess), _) | Phase::Killing(Cause::Excess(excess), _) => {
                (Outcome::Failed, Some(excess.to_string()))
            }
            Phase::Running
            | Phase::Paused
            | Phase::Lingering(_)
            | Phase::Stopping(Cause::Leftovers, _)
            | Phase::Killing(Cause::Leftovers, _) => self.judge(),
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
        match self.control.limits.memory_bytes {
            Some(limit) if self.memory_kills > 0 => {
                (Outcome::Failed, Some(format!("{message}: it needed more than its memory limit of {limit} bytes")))
            }
            _ => (Outcome::Failed, Some(message)),
        }
    }

    /// Takes the tree down. The kernel may need a moment to let go of a group whose last process has just ended.
    async fn close(self) {
        for _ in 0..50 {
            if self.control.tree.close() {
                return;
            }
            tokio::time::sleep(POLL.0).await;
        }
        tracing::warn!(tree = ?self.control.tree, "a control group is still in use; the next start removes it");
    }

    fn note(&self, text: &str) {
        // Fails when the pump is gone, which then has reported all it can.
        let _ = self.control.notes.send(text.to_owned());
    }

    fn note_or(&self, done: &str, result: std::io::Result<()>, trouble: &str) {
        match result {
            Ok(()) if done.is_empty() => {}
            Ok(()) => self.note(done),
            Err(error) => self.note(&format!("{trouble}: {error}")),
        }
    }
}

/// What a reached time limit is called.
pub(super) fn late(limit: Duration) -> String {
    format!("the time limit of {} was reached", humantime::format_duration(limit))
}
