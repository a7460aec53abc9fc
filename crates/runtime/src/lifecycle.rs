//! The end of the process: the first signal asks everyone to finish, the second asks for haste. Nobody is killed here;
//! whoever works listens to [`Stop`] and decides what finishing means.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Two wishes, in this order: stop, and hurry. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    wish: CancellationToken,
    haste: CancellationToken,
}

impl Stop {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everyone to take no new work and to finish; asked again, to hurry.
    pub fn request(&self) {
        if self.wish.is_cancelled() {
            self.haste.cancel();
        }
        self.wish.cancel();
    }

    /// Asks everyone to drop what can be done again after a restart.
    pub fn hurry(&self) {
        self.wish.cancel();
        self.haste.cancel();
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.wish.is_cancelled()
    }

    /// Whether haste was asked for.
    #[must_use]
    pub fn is_hurried(&self) -> bool {
        self.haste.is_cancelled()
    }

    /// Returns when a stop is asked for. May be dropped and awaited again.
    pub async fn requested(&self) {
        self.wish.cancelled().await;
    }

    /// Returns when haste is asked for. May be dropped and awaited again.
    pub async fn hurried(&self) {
        self.haste.cancelled().await;
    }

    /// A token that is cancelled with the haste.
    #[must_use]
    pub fn haste(&self) -> CancellationToken {
        self.haste.clone()
    }

    /// A token that is cancelled with the wish, for those who take one.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.wish.clone()
    }
}

/// Turns SIGTERM and SIGINT into wishes until the process ends: to be run as one of its loops.
///
/// # Errors
///
/// When the signals cannot be listened to.
pub fn on_signals(stop: &Stop) -> io::Result<impl Future<Output = ()> + use<>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = stop.clone();
    Ok(async move {
        loop {
            let name = either(&mut terminate, &mut interrupt).await;
            let wish = if stop.is_requested() { "hurrying" } else { "finishing what runs; a second signal hurries" };
            tracing::info!(signal = name, "{wish}");
            stop.request();
        }
    })
}

/// Ends the process when its end has not come so long after it was asked for: whatever hangs, a stop is a stop. What it
/// started is ended by its guardian then. `last` is done before: what was said is written.
pub fn insist(stop: &Stop, patience: Duration, haste: Duration, last: fn()) {
    let stop = stop.clone();
    // A thread, since what hangs may be the runtime.
    let watch = move || {
        futures::executor::block_on(stop.requested());
        let (asked, mut hurried) = (Instant::now(), None);
        loop {
            if stop.is_hurried() {
                hurried.get_or_insert_with(Instant::now);
            }
            if asked.elapsed() > patience || hurried.is_some_and(|at: Instant| at.elapsed() > haste) {
                tracing::error!("the server does not come to its end: it is ended");
                last();
                std::process::exit(1);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    if let Err(error) = std::thread::Builder::new().name("end".to_owned()).spawn(watch) {
        tracing::warn!(%error, "nobody insists on the end of this process");
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// How waiting for others ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All of them have ended.
    All,
    /// So many had not when the time was over or haste was asked for.
    Late(usize),
}

/// Waits for all tasks of a tracker, at most `limit`, and no longer than until haste is asked for.
pub async fn finish(tasks: &TaskTracker, limit: Duration, stop: &Stop) -> Ended {
    tasks.close();
    tokio::select! {
        biased;
        () = tasks.wait() => Ended::All,
        () = stop.hurried() => Ended::Late(tasks.len()),
        () = tokio::time::sleep(limit) => Ended::Late(tasks.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ended, Stop, finish};
    use std::time::Duration;
    use tokio_util::task::TaskTracker;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_second_request_is_haste() {
        let stop = Stop::new();
        stop.request();
        assert!(stop.is_requested() && !stop.is_hurried());
        stop.request();
        stop.hurried().await;
        assert!(stop.is_hurried());
    }

    #[tokio::test]
    async fn those_who_listen_are_waited_for() {
        let (stop, tasks) = (Stop::new(), TaskTracker::new());
        let listener = stop.clone();
        tasks.spawn(async move { listener.requested().await });
        stop.request();
        assert_eq!(finish(&tasks, LONG, &stop).await, Ended::All);
    }

    #[tokio::test]
    async fn those_who_do_not_are_counted() {
        let (stop, tasks) = (Stop::new(), TaskTracker::new());
        tasks.spawn(std::future::pending::<()>());
        assert_eq!(finish(&tasks, Duration::from_millis(1), &stop).await, Ended::Late(1));
        stop.hurry();
        assert_eq!(finish(&tasks, LONG, &stop).await, Ended::Late(1));
    }
}
