//! Why a round ended, and how long to wait before the next.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Kind};

/// The first pause, and the longest.
pub(super) const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The longest where all that is tried is a connection.
const NEAR: Duration = Duration::from_secs(10);
/// The longest where our own database is away: whoever waits for it goes on when it is back.
pub(super) const AWAY: Duration = Duration::from_secs(2);
/// The first pause where another try may lock the account.
const CAREFUL: Duration = Duration::from_secs(300);

#[derive(Debug, thiserror::Error)]
pub(in crate::background) enum RoundEnd<T: Trouble> {
    /// The system, or the way there.
    #[error(transparent)]
    Theirs(T),
    /// This side.
    #[error("{0}")]
    Ours(Arc<Error>),
    /// Another server, or nobody, is to collect.
    #[error("the lease has gone on")]
    LeaseLost,
}

impl<T: Trouble> From<Error> for RoundEnd<T> {
    fn from(error: Error) -> Self {
        Self::Ours(Arc::new(error))
    }
}

/// What goes wrong at a system.
pub(in crate::background) trait Trouble: std::error::Error + Send + Sync + 'static {
    /// A word for it, for programs.
    fn word(&self) -> &'static str;

    /// When it makes sense to try again.
    fn again(&self) -> Again;
}

/// When it makes sense to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::background) enum Again {
    /// At once where the round came far: nothing is wrong but that a session has ended.
    AtOnce,
    /// Soon: all that it costs is a connection.
    Soon,
    /// After a pause that grows.
    Later,
    /// Not soon: whoever signs in wrongly too often is locked out.
    Carefully,
}

impl<T: Trouble> RoundEnd<T> {
    /// A word for it, for programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Theirs(trouble) => trouble.word(),
            Self::Ours(error) => error.code().name,
            Self::LeaseLost => "LEASE_LOST",
        }
    }

    /// How long to wait before another round, where `pause` is due. `follows`: whether this one came far.
    pub(super) fn pause(&self, follows: bool, pause: Duration) -> Duration {
        match self {
            Self::Theirs(trouble) => match trouble.again() {
                Again::AtOnce if follows => Duration::ZERO,
                Again::AtOnce | Again::Soon => NEAR.min(pause),
                Again::Later => pause,
                Again::Carefully => CAREFUL.max(pause),
            },
            Self::Ours(error) if error.code().kind == Kind::Unavailable => AWAY.min(pause),
            Self::Ours(_) | Self::LeaseLost => pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::code;

    #[derive(Debug, thiserror::Error)]
    #[error("trouble")]
    struct Some(Again);

    impl Trouble for Some {
        fn word(&self) -> &'static str {
            "TROUBLE"
        }

        fn again(&self) -> Again {
            self.0
        }
    }

    #[test]
    fn pauses_grow_as_far_as_another_try_costs() {
        let (first, last) = PAUSES;
        let theirs = |again| RoundEnd::Theirs(Some(again));
        for (end, follows, pauses) in [
            (theirs(Again::AtOnce), true, [Duration::ZERO, Duration::ZERO]),
            (theirs(Again::AtOnce), false, [first, NEAR]),
            (theirs(Again::Soon), true, [first, NEAR]),
            (theirs(Again::Later), true, [first, last]),
            (theirs(Again::Carefully), false, [CAREFUL, CAREFUL]),
            (Error::new(&code::DATABASE_UNAVAILABLE).into(), false, [first, AWAY]),
            (Error::new(&code::VCENTER_NOT_FOUND).into(), false, [first, last]),
            (RoundEnd::LeaseLost, true, [first, last]),
        ] {
            assert_eq!([first, last].map(|pause| end.pause(follows, pause)), pauses, "{end:?}");
        }
        assert_eq!(theirs(Again::Soon).word(), "TROUBLE");
    }
}
