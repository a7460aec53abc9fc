//! Who notices the end of a loop. Every task that lives long goes through here.
//!
//! A loop of the process itself (leases, the dispatcher, hubs, the listener) is [`Watch::vital`]: its panic or unexpected end is
//! the end of the process, which begins anew under whoever started it. A job that can be begun anew is [`again`].

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lifecycle::Stop;

/// The first pause before a loop is begun anew, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How often each loop was begun anew. The process's, like its log.
static RESTARTS: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());

/// Why the process ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server ends: its loop \"{part}\" {why}")]
pub struct Fault {
    /// Which loop.
    pub part: &'static str,
    /// What happened to it.
    pub why: String,
}

/// Watches over the loops without which the process is of no use. Clones share what they have seen.
#[derive(Clone, Debug)]
pub struct Watch {
    stop: Stop,
    fault: Arc<OnceLock<Fault>>,
}

impl Watch {
    /// Asks `stop` for haste when a loop fails.
    #[must_use]
    pub fn new(stop: Stop) -> Self {
        Self { stop, fault: Arc::default() }
    }

    /// What has failed first.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }

    /// Runs a loop that ends when a stop was asked for and at no other time. None: it has failed, and the process ends.
    pub async fn vital<T>(self, part: &'static str, work: impl Future<Output = T> + Send) -> Option<T> {
        let why = match AssertUnwindSafe(work).catch_unwind().await {
            Ok(end) if self.stop.is_requested() => return Some(end),
            Ok(_) => "has ended, though nobody asked for it".to_owned(),
            Err(panic) => format!("has panicked: {}", said(panic.as_ref())),
        };
        let fault = Fault { part, why };
        tracing::error!("{fault}");
        let _ = self.fault.set(fault);
        self.stop.hurry();
        None
    }
}

/// Runs a job until it ends by itself or `stop` is asked for; after a panic it is begun anew, after a growing pause.
pub async fn again<F>(part: &'static str, stop: CancellationToken, begin: impl FnMut() -> F)
where
    F: Future<Output = ()> + Send,
{
    after(PAUSES, part, stop, begin).await;
}

async fn after<F>(
    pauses: (Duration, Duration),
    part: &'static str,
    stop: CancellationToken,
    mut begin: impl FnMut() -> F,
) where
    F: Future<Output = ()> + Send,
{
    let mut pause = pauses.0;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let Err(panic) = AssertUnwindSafe(begin()).catch_unwind().await else { return };
        if begun.elapsed() > pauses.1 {
            pause = pauses.0;
        }
        failed(part, panic.as_ref());
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        pause = (pause * 2).min(pauses.1);
    }
}

/// Says and counts that a loop panicked which begins anew.
pub fn failed(part: &'static str, panic: &(dyn Any + Send)) {
    tracing::error!(part, panic = said(panic), "a loop of the server has panicked: it is begun anew");
    *RESTARTS.lock().expect("invariant: nothing panics under the lock of restarts").entry(part).or_default() += 1;
}

/// How often each loop was begun anew, by its name.
#[must_use]
pub fn restarts() -> BTreeMap<&'static str, u64> {
    RESTARTS.lock().expect("invariant: nothing panics under the lock of restarts").clone()
}

/// The text of a panic.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::{Fault, Watch, after, again, restarts};
    use crate::lifecycle::Stop;

    const BRIEF: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(4));

    #[tokio::test]
    async fn a_loop_that_ends_when_it_is_told_to_is_no_fault() {
        let stop = Stop::new();
        let watch = Watch::new(stop.clone());
        let asked = stop.clone();
        let work = tokio::spawn(watch.clone().vital("loop", async move { asked.requested().await }));
        stop.request();
        assert_eq!(work.await.unwrap(), Some(()));
        assert_eq!((watch.fault(), stop.is_hurried()), (None, false));
    }

    #[tokio::test]
    async fn a_panic_or_an_early_end_ends_the_process_and_the_first_is_the_reason() {
        let stop = Stop::new();
        let watch = Watch::new(stop.clone());
        let panics = async { panic!("no {}", "way") };
        assert_eq!(watch.clone().vital::<()>("renewal", panics).await, None);
        assert!(stop.is_requested() && stop.is_hurried());
        let fault = Fault { part: "renewal", why: "has panicked: no way".to_owned() };
        assert_eq!(watch.fault(), Some(&fault));

        let stop = Stop::new();
        let watch = Watch::new(stop.clone());
        assert_eq!(watch.clone().vital("hub", async {}).await, None);
        assert_eq!(watch.fault().map(|fault| fault.part), Some("hub"));
        assert!(stop.is_hurried());
    }

    #[tokio::test]
    async fn a_job_is_begun_anew_until_it_ends_by_itself() {
        let begun = AtomicU32::new(0);
        let before = Instant::now();
        let job = || {
            let try_number = begun.fetch_add(1, Ordering::Relaxed);
            async move { assert!(try_number >= 3, "not yet") }
        };
        after(BRIEF, "job of a test", CancellationToken::new(), job).await;
        assert_eq!((begun.into_inner(), restarts()["job of a test"]), (4, 3));
        assert!(before.elapsed() >= BRIEF.0 + BRIEF.1 * 2, "it begins after a pause that grows up to a longest");
    }

    #[tokio::test]
    async fn a_job_is_not_begun_anew_after_the_stop() {
        let stop = CancellationToken::new();
        let begun = AtomicU32::new(0);
        let job = || {
            begun.fetch_add(1, Ordering::Relaxed);
            stop.cancel();
            async { panic!("at the end") }
        };
        again("last job of a test", stop.clone(), job).await;
        assert_eq!(begun.into_inner(), 1);
    }
}
