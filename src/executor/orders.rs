//! The caller's orders as the control loop sees them: the newest one, each once.
//!
//! A caller that drops the future of [`super::Host::run`] gives no order any more, so that counts as one: kill.

use tokio::sync::{oneshot, watch};

use super::work::{Order, StopReason};

/// The newest order, and whether anybody still waits for the answer.
#[derive(Debug)]
pub(super) struct Orders {
    orders: watch::Receiver<Order>,
    abandoned: oneshot::Receiver<()>,
    silent: bool,
    orphaned: bool,
}

impl Orders {
    /// Listens to `orders`; the caller holds the other end of `abandoned` as long as it waits.
    pub(super) fn new(orders: watch::Receiver<Order>, abandoned: oneshot::Receiver<()>) -> Self {
        Self { orders, abandoned, silent: false, orphaned: false }
    }

    /// The order in force; marks it as seen.
    pub(super) fn current(&mut self) -> Order {
        *self.orders.borrow_and_update()
    }

    /// Waits for the next order. May be dropped and called again: nothing is lost.
    pub(super) async fn next(&mut self) -> Order {
        loop {
            tokio::select! {
                _ = &mut self.abandoned, if !self.orphaned => {
                    self.orphaned = true;
                    return Order::Kill(StopReason::Shutdown);
                }
                changed = self.orders.changed(), if !self.silent => match changed {
                    Ok(()) => return *self.orders.borrow_and_update(),
                    // Nobody can give orders any more; the last one stays in force.
                    Err(_) => self.silent = true,
                },
                else => std::future::pending::<()>().await,
            }
        }
    }
}
