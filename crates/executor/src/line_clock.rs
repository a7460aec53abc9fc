//! The time of what a work says: whoever runs it tells, so that tests can hold it.

use std::fmt;
use std::sync::Arc;

use taskloom_core::Timestamp;

/// Tells the instant at which a line was read. Cheap to clone.
#[derive(Clone)]
pub struct LineClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl LineClock {
    /// The clock that this function is.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The machine's.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| chrono::Utc::now().into())
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for LineClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineClock({:?})", self.now())
    }
}
