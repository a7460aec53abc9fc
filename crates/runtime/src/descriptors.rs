//! How many files and sockets this process may have open. The soft limit, 1,024 as a rule, is for programs that cannot
//! count further; we can, so the hard one counts here. The processes of steps are started with the limit that was.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// One in so many descriptors is never a connection's, and never fewer than these: they are for the database, for running
/// steps, and for those who find no place and are told so.
const KEPT: (u64, u64) = (4, 256);
/// Where there are fewer, connections have one in so many all the same.
const SCARCE: u64 = 8;

static BEFORE: OnceLock<(u64, u64)> = OnceLock::new();

/// Raises the limit as far as it may be raised.
pub fn raise() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    BEFORE.get_or_init(|| (soft, hard));
    if soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%error, soft, hard, "the limit of open files stays where it is");
    }
}

/// The limits, soft and hard, that this process was started with; none where they were not raised.
#[must_use]
pub fn before() -> Option<(u64, u64)> {
    BEFORE.get().copied()
}

/// How many descriptors connections may have.
#[must_use]
pub fn for_connections() -> usize {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    usize::try_from(of(soft)).unwrap_or(usize::MAX)
}

fn of(limit: u64) -> u64 {
    limit.saturating_sub((limit / KEPT.0).max(KEPT.1)).max(limit / SCARCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_a_part_is_kept() {
        let was = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        raise();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!((soft, before()), (hard, Some(was)));
        assert!(for_connections() > 0 && (for_connections() as u64) < soft);
    }

    #[test]
    fn what_is_kept_is_enough_for_the_database_and_for_steps() {
        assert_eq!([64, 300, 1_024, 1 << 20].map(of), [8, 44, 768, (1 << 20) / 4 * 3]);
    }
}
