//! The end of a session: what runs is waited for as long as it may go on, and what has ended until it is recorded. A
//! database that does not answer is not waited for: what is not recorded then is lost, and runs again after the restart.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::options::{WorkerOptions, WorkerStops};
use super::port::{Intent, Port, WorkerSession};
use super::session_state::SessionState;

/// How long the database may say nothing before it is waited for no longer.
const SILENCE: Duration = Duration::from_secs(2);
/// The same after the second request to stop.
const HASTE: Duration = Duration::from_millis(500);
/// Between two looks whether it answers.
const PAUSE: Duration = Duration::from_millis(250);
/// What the kernel needs for the end of killed processes.
const KILLED: Duration = Duration::from_millis(500);

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerEnd {
    /// All that it ran is recorded.
    Recorded,
    /// The database did not answer: what is not recorded runs again.
    Abandoned,
}

/// A session that takes nothing new: it is over, or the worker is to stop.
pub(super) struct Shutdown<'a> {
    pub(super) port: &'a dyn Port,
    pub(super) options: &'a WorkerOptions,
    pub(super) session: &'a WorkerSession,
    pub(super) state: &'a SessionState,
    pub(super) stops: &'a WorkerStops,
}

impl Shutdown<'_> {
    /// Waits for what there is.
    ///
    /// Runs once in each session, beside the loops that renew the lease and follow intents. Whatever comes first wins:
    /// everything has ended and is recorded; or a stop was asked for and the database stays silent. A session that is
    /// over, and a stop, only change what runs: it ends the sooner for it.
    pub(super) async fn run(&self) -> WorkerEnd {
        let state = self.state;
        state.attempts.close();
        let lost = async {
            state.over.cancelled().await;
            state.intend_for_all(Intent::Drop);
            std::future::pending::<Infallible>().await
        };
        let away = async {
            self.stops.gently.cancelled().await;
            self.silence().await;
        };
        tokio::select! {
            // An end that is recorded in the very moment of giving up counts as recorded.
            biased;
            () = state.attempts.wait() => WorkerEnd::Recorded,
            never = lost => match never {},
            never = self.stop() => match never {},
            () = away => {
                let (running, unrecorded) = (state.busy(), state.unrecorded());
                tracing::warn!(running, unrecorded, "the database does not answer: what is not recorded is lost and runs again");
                state.abandon.cancel();
                state.intend_for_all(Intent::GiveBack);
                if timeout(self.options.grace + KILLED, state.attempts.wait()).await.is_err() {
                    tracing::warn!(running = state.busy(), "some of what runs does not end");
                }
                WorkerEnd::Abandoned
            }
        }
    }

    /// Gives what runs its time, and then gives it back.
    async fn stop(&self) -> Infallible {
        self.stops.gently.cancelled().await;
        tracing::info!(running = self.state.busy(), "the worker takes nothing new");
        self.state.give_back_paused();
        tokio::select! {
            () = self.stops.now.cancelled() => {}
            () = sleep(self.options.patience) => {}
        }
        self.state.intend_for_all(Intent::GiveBack);
        std::future::pending().await
    }

    /// Returns when the database has not answered for a while.
    async fn silence(&self) {
        loop {
            let answer = async {
                while self.port.renew(self.session).await.is_err() {
                    sleep(PAUSE).await;
                }
            };
            let haste = async {
                self.stops.now.cancelled().await;
                sleep(HASTE).await;
            };
            tokio::select! {
                () = answer => sleep(PAUSE).await,
                () = haste => return,
                () = sleep(SILENCE) => return,
            }
        }
    }

    /// Ends the session by the worker's own word.
    pub(super) async fn leave(&self) -> WorkerEnd {
        if matches!(timeout(SILENCE, self.port.leave(self.session)).await, Ok(Ok(()))) {
            return WorkerEnd::Recorded;
        }
        tracing::debug!("the worker left without a word: its lease ends by itself");
        WorkerEnd::Abandoned
    }
}
