//! Two lanes for what is executed. Everything begins in the quick one, on the runtime's threads, where nobody may hold a
//! thread for long; what its lists turn out to make long goes on in the slow one: on threads that step back for
//! all others, and few at a time.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::task::Poll;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::Cost;
use crate::{asker, memory, slow_lane};

/// The slow lane of a process.
#[derive(Debug)]
pub(super) struct Lanes(Semaphore);

impl Default for Lanes {
    fn default() -> Self {
        Self(Semaphore::new(slow_lane::AT_ONCE.into()))
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
    let (asker, span) = (asker::current(), tracing::Span::current());
    let working = slow_lane::spawn(asker::as_of(asker, async move {
        let done = work.instrument(span).await;
        memory::give_back_now();
        done
    }));
    match working.await {
        Ok(done) => done,
        Err(error) => resume_unwind(error.try_into_panic().unwrap_or_else(|error| Box::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::sync::Arc;

    use futures::FutureExt;
    use tokio::sync::oneshot;

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
