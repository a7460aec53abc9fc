//! Two lanes for what is executed. Everything begins in the quick one, on the runtime's threads, where nobody may hold a
//! thread for long; what its lists turn out to make long goes on in the slow one: on threads that step back for
//! all others, and few at a time.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::Poll;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::Cost;
use crate::{asker, memory, slow_lane};

/// The turns of the slow lane.
#[derive(Clone, Debug)]
pub(super) struct Lanes(Arc<Semaphore>);

impl Default for Lanes {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(slow_lane::AT_ONCE.into())))
    }
}

impl Lanes {
    /// Executes in the quick lane for as long as it is not long, and then in the slow one. Dropped, it ends in either.
    pub(super) async fn drive<T: Send + 'static>(&self, mut work: BoxFuture<'static, T>, cost: &Cost) -> T {
        match until_long(&mut work, cost).await {
            Some(done) => done,
            None => {
                let _turn = self.0.acquire().await;
                let to_the_end = async move {
                    let done = work.await;
                    memory::give_back_now();
                    done
                };
                slowly(to_the_end).await
            }
        }
    }

    /// The same in the slow lane from the begin, for callers of whom it is expected: before the lengths of their first
    /// lists are known these are read already. It takes a turn only when it has become long, so a short one waits for none.
    pub(super) async fn drive_slowly<T: Send + 'static>(&self, work: BoxFuture<'static, T>, cost: Arc<Cost>) -> T {
        let lanes = self.clone();
        slowly(async move { lanes.drive(work, &cost).await }).await
    }
}

/// None: it is long.
async fn until_long<T>(work: &mut BoxFuture<'static, T>, cost: &Cost) -> Option<T> {
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if cost.leaves() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

async fn slowly<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (asker, span) = (asker::current(), tracing::Span::current());
    let working = slow_lane::spawn(asker::as_of(asker, work.instrument(span)));
    match working.await {
        Ok(done) => done,
        Err(error) => resume_unwind(error.try_into_panic().unwrap_or_else(|error| Box::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt;
    use tokio::sync::oneshot;

    use super::super::{OperationLimits, Shape};
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
        let (lanes, cost) = (Lanes::default(), Arc::new(Cost::new(&OperationLimits::default(), None)));
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
    async fn what_is_expected_to_be_long_is_slow_from_its_begin_and_waits_for_no_turn_while_it_is_short() {
        let (lanes, cost) = (Lanes::default(), Arc::new(Cost::new(&OperationLimits::default(), None)));
        let all_turns = lanes.0.clone().acquire_many_owned(slow_lane::AT_ONCE.into()).await.unwrap();
        assert_eq!(lanes.drive_slowly(async { lane() }.boxed(), cost.clone()).await, "slow-lane");
        let of = cost.clone();
        let driven = lanes.drive_slowly(async move { long(of).await }.boxed(), cost);
        tokio::pin!(driven);
        tokio::time::timeout(std::time::Duration::from_millis(50), &mut driven).await.unwrap_err();
        drop(all_turns);
        driven.await;
    }

    #[tokio::test]
    async fn what_nobody_waits_for_ends_and_a_panic_is_ours() {
        let (lanes, cost) = (Lanes::default(), Arc::new(Cost::new(&OperationLimits::default(), None)));
        let (of, (held, end)) = (cost.clone(), oneshot::channel::<()>());
        let work = async move {
            long(of).await;
            let _held = held;
            std::future::pending::<()>().await;
        };
        let driven = tokio::time::timeout(std::time::Duration::from_millis(200), lanes.drive(work.boxed(), &cost));
        driven.await.unwrap_err();
        end.await.unwrap_err();
        let cost = Arc::new(Cost::new(&OperationLimits::default(), None));
        let of = cost.clone();
        let work = async move {
            long(of).await;
            panic!("in the slow lane");
        };
        let panic = AssertUnwindSafe(lanes.drive::<()>(work.boxed(), &cost)).catch_unwind().await.unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the slow lane"));
    }
}
