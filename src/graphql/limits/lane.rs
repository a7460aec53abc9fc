//! Two lanes for what is executed. Everything begins in the quick one, on the runtime's threads, where nobody may hold a
//! thread for long; what its lists turn out to make long goes on in the slow one: on a thread of its own, which steps
//! back for all others, and few at a time.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tracing::Instrument;

use super::Cost;
use crate::{asker, memory};

/// Executions in the slow lane at a time; the others wait for their turn.
const SLOW: usize = 4;
/// How far the slow lane steps back: a tenth of a processor where others want it (nice(2)).
const NICE: i32 = 10;

/// The slow lane of a process.
#[derive(Debug)]
pub(super) struct Lanes(Semaphore);

impl Default for Lanes {
    fn default() -> Self {
        Self(Semaphore::new(SLOW))
    }
}

impl Lanes {
    /// Executes in the quick lane for as long as it is not long, and then in the slow one. Dropped, it ends in either.
    pub(super) async fn drive<T: Send + 'static>(&self, mut work: BoxFuture<'static, T>, cost: &Cost) -> T {
        let quick = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if cost.leaves() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        match quick.await {
            Some(done) => done,
            None => {
                let _turn = self.0.acquire().await;
                slowly(work).await
            }
        }
    }
}

async fn slowly<T: Send + 'static>(work: BoxFuture<'static, T>) -> T {
    let work = Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<BoxFuture<'static, T>>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (tell, told) = oneshot::channel();
    let (asker, span, runtime, here) = (asker::current(), tracing::Span::current(), Handle::current(), work.clone());
    let thread = std::thread::Builder::new().name("slow-lane".into()).spawn(move || {
        let Some(work) = take(&work) else { return };
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "the slow lane does not step back");
        }
        runtime.block_on(asker::as_of(asker, run(work, tell)).instrument(span));
        memory::give_back_now();
    });
    if let Err(error) = thread
        && let Some(work) = take(&here)
    {
        tracing::warn!(%error, "the system gives no thread: a long request stays in the quick lane");
        return work.await;
    }
    match told.await {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(gone) => resume_unwind(Box::new(gone)),
    }
}

/// Works until the end, or until nobody waits for it.
async fn run<T>(work: BoxFuture<'static, T>, mut tell: oneshot::Sender<Result<T, Box<dyn Any + Send>>>) {
    let done = tokio::select! {
        done = AssertUnwindSafe(work).catch_unwind() => done,
        () = tell.closed() => return,
    };
    // An error: nobody waits any longer.
    let _ = tell.send(done);
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, Shape};
    use super::*;

    fn lane() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    async fn long(cost: Arc<Cost>) {
        cost.list(10_000, Shape { objects: 1, fields: 1 }, String::new).unwrap();
        cost.settle().await;
    }

    #[tokio::test]
    async fn what_turns_out_long_changes_its_lane() {
        let (lanes, cost) = (Lanes::default(), Arc::new(Cost::new(&Limits::default(), None)));
        assert_ne!(lanes.drive(async { lane() }.boxed(), &cost).await, "slow-lane");
        for _ in 0..2 {
            let of = cost.clone();
            let work = async move {
                long(of).await;
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                (lane(), asker::current().is_some())
            };
            assert_eq!(asker::wait_for(lanes.drive(work.boxed(), &cost)).await, ("slow-lane".into(), true));
            // The next answer of the same subscription.
            cost.refill();
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_ends_and_a_panic_is_ours() {
        let (lanes, cost) = (Lanes::default(), Arc::new(Cost::new(&Limits::default(), None)));
        let (of, (held, end)) = (cost.clone(), oneshot::channel::<()>());
        let work = async move {
            long(of).await;
            let _held = held;
            std::future::pending::<()>().await;
        };
        let driven = tokio::time::timeout(std::time::Duration::from_millis(200), lanes.drive(work.boxed(), &cost));
        driven.await.unwrap_err();
        end.await.unwrap_err();
        let cost = Arc::new(Cost::new(&Limits::default(), None));
        let of = cost.clone();
        let work = async move {
            long(of).await;
            panic!("in the slow lane");
        };
        let panic = AssertUnwindSafe(lanes.drive::<()>(work.boxed(), &cost)).catch_unwind().await.unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the slow lane"));
    }
}
