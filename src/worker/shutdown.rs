//! The end of a worker: what runs is waited for as long as it may go on, and what has ended until it is recorded. A
//! database that does not answer is not waited for: what is not recorded then is lost, and runs again after the restart.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::port::{Life, Wish};
use super::worker::{Shared, Stops, Worker};

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
pub enum Ended {
    /// All that it ran is recorded.
    Recorded,
    /// The database did not answer: what is not recorded runs again.
    Abandoned,
}

impl Worker {
    /// Waits for what there is, when nothing new is taken: because the life is over, or because of a stop.
    pub(super) async fn wind_down(&self, life: &Life, shared: &Shared, stops: &Stops) -> Ended {
        shared.attempts.close();
        let lost = async {
            shared.over.cancelled().await;
            shared.wish_all(Wish::Drop);
            std::future::pending::<Infallible>().await
        };
        let away = async {
            stops.gently.cancelled().await;
            self.silence(life, stops).await;
        };
        tokio::select! {
            biased;
            () = shared.attempts.wait() => Ended::Recorded,
            never = lost => match never {},
            never = self.stop(shared, stops) => match never {},
            () = away => {
                let (running, unrecorded) = (shared.busy(), shared.unrecorded());
                tracing::warn!(running, unrecorded, "the database does not answer: what is not recorded is lost and runs again");
                shared.abandon.cancel();
                shared.wish_all(Wish::GiveBack);
                if timeout(self.options.grace + KILLED, shared.attempts.wait()).await.is_err() {
                    tracing::warn!(running = shared.busy(), "some of what runs does not end");
                }
                Ended::Abandoned
            }
        }
    }

    /// Gives what runs its time, and then gives it back.
    async fn stop(&self, shared: &Shared, stops: &Stops) -> Infallible {
        stops.gently.cancelled().await;
        tracing::info!(running = shared.busy(), "the worker takes nothing new");
        shared.give_back_paused();
        tokio::select! {
            () = stops.now.cancelled() => {}
            () = sleep(self.options.patience) => {}
        }
        shared.wish_all(Wish::GiveBack);
        std::future::pending().await
    }

    /// Returns when the database has not answered for a while.
    async fn silence(&self, life: &Life, stops: &Stops) {
        loop {
            let answer = async {
                while self.port.renew(life).await.is_err() {
                    sleep(PAUSE).await;
                }
            };
            let haste = async {
                stops.now.cancelled().await;
                sleep(HASTE).await;
            };
            tokio::select! {
                () = answer => sleep(PAUSE).await,
                () = haste => return,
                () = sleep(SILENCE) => return,
            }
        }
    }

    /// Says good-bye.
    pub(super) async fn leave(&self, life: &Life) -> Ended {
        if matches!(timeout(SILENCE, self.port.leave(life)).await, Ok(Ok(()))) {
            return Ended::Recorded;
        }
        tracing::debug!("the worker left without a word: its lease ends by itself");
        Ended::Abandoned
    }
}
