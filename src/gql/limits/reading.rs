//! How much one operation may read of what has no bound of its own, such as lines of a log.
//!
//! A page of any of these has a budget, and an operation may ask for many pages, by aliases or below a list: they have one
//! budget together. Pages are read one after the other, so that what is left is known before each. A subscription has it
//! anew for each of its answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use super::OperationLimits;
use crate::error::{Error, Result, code};

/// Pages that an operation may read.
const PAGES: usize = 4;

/// What one operation has read.
#[derive(Debug)]
pub struct Reading {
    page: usize,
    paged: &'static str,
    all: usize,
    left: AtomicUsize,
    turn: Mutex<()>,
}

/// A page that may be read now.
#[derive(Debug)]
pub struct Turn<'a> {
    reading: &'a Reading,
    bytes: usize,
    _turn: MutexGuard<'a, ()>,
}

impl Reading {
    /// Nothing so far.
    pub(super) fn new(limits: &OperationLimits) -> Self {
        let all = limits.page.saturating_mul(PAGES);
        Self { page: limits.page, paged: limits.paged, all, left: all.into(), turn: Mutex::new(()) }
    }

    /// The next answer begins.
    pub(super) fn refill(&self) {
        self.left.store(self.all, Ordering::Relaxed);
    }

    /// Waits until a page may be read.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` when nothing is left.
    pub async fn page(&self) -> Result<Turn<'_>> {
        let turn = self.turn.lock().await;
        match self.left.load(Ordering::Relaxed) {
            0 => Err(self.refused()),
            left => Ok(Turn { reading: self, bytes: left.min(self.page), _turn: turn }),
        }
    }

    /// Takes so many bytes for something that is read as a whole or not at all.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` when so many are not left.
    pub fn take(&self, bytes: usize) -> Result<()> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| self.refused())
    }

    fn refused(&self) -> Error {
        let reason = format!("it reads more than {} bytes of {}", self.all, self.paged);
        Error::new(&code::QUERY_TOO_COMPLEX).with("reason", reason)
    }
}

impl Turn<'_> {
    /// The most that this page may have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The page had so many.
    pub fn took(self, bytes: usize) {
        let less = |left: usize| Some(left.saturating_sub(bytes));
        let _ = self.reading.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pages_share_what_an_operation_may_read() {
        let reading = Reading::new(&OperationLimits { page: 100, ..OperationLimits::default() });
        for _ in 0..3 {
            let turn = reading.page().await.unwrap();
            assert_eq!(turn.bytes(), 100);
            turn.took(100);
        }
        reading.take(60).unwrap();
        assert_eq!(reading.take(41).unwrap_err().code().name, "QUERY_TOO_COMPLEX");
        let turn = reading.page().await.unwrap();
        assert_eq!(turn.bytes(), 40, "what is left");
        turn.took(1_000); // one line that is longer
        assert_eq!(reading.page().await.unwrap_err().code().name, "QUERY_TOO_COMPLEX");
        reading.refill();
        assert_eq!(reading.page().await.unwrap().bytes(), 100);
    }
}
