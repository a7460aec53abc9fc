//! The caller's orders as a running work sees them: the newest one, each once.
//!
//! A caller that drops the future of [`super::Host::run`] gives no order any more, so that counts as one: kill.

use std::future::pending;

use tokio::sync::{oneshot, watch};

use super::work::{Order, StopReason};

/// The newest order, and whether anybody still waits for the answer.
///
/// Every function that waits may be dropped and called again: an order that came meanwhile is seen then. An order that
/// is overtaken by the next before anybody looks is never seen; the newest one is what counts.
#[derive(Debug)]
pub(super) struct Orders {
    orders: watch::Receiver<Order>,
    abandoned: oneshot::Receiver<()>,
    /// The sender of orders is gone.
    is_silent: bool,
    /// The kill for a caller that is gone was given.
    is_orphaned: bool,
}

impl Orders {
    /// Listens to `orders`; the caller holds the other end of `abandoned` as long as it waits.
    pub(super) fn new(orders: watch::Receiver<Order>, abandoned: oneshot::Receiver<()>) -> Self {
        Self { orders, abandoned, is_silent: false, is_orphaned: false }
    }

    /// Waits until the work may begin; why it may not.
    pub(super) async fn go(&mut self) -> Option<StopReason> {
        let mut order = *self.orders.borrow_and_update();
        loop {
            match order {
                Order::Run => return None,
                Order::Stop(reason) | Order::Kill(reason) => return Some(reason),
                Order::Pause => order = self.next().await,
            }
        }
    }

    /// Waits for the next order.
    pub(super) async fn next(&mut self) -> Order {
        loop {
            tokio::select! {
                _ = &mut self.abandoned, if !self.is_orphaned => {
                    self.is_orphaned = true;
                    return Order::Kill(StopReason::Shutdown);
                }
                changed = self.orders.changed(), if !self.is_silent => match changed {
                    Ok(()) => return *self.orders.borrow_and_update(),
                    // Nobody can give orders any more; the last one stays in force.
                    Err(_) => self.is_silent = true,
                },
                else => pending::<()>().await,
            }
        }
    }

    /// Waits until the work is to end, in whatever way.
    pub(super) async fn stop(&mut self) {
        while !matches!(self.next().await, Order::Stop(_) | Order::Kill(_)) {}
    }

    /// Waits until the work is to end without any further patience.
    pub(super) async fn kill(&mut self) {
        while !matches!(self.next().await, Order::Kill(_)) {}
    }
}
