//! How many files and sockets this process may have open. The soft limit, 1,024 as a rule, is for programs that cannot
//! count further; we can, so the hard one counts here. The processes of steps are started with the limit that was.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// One in so many descriptors is never a connection's: they are for the database, for running steps, and for those who ask
/// whether the server is alive.
const KEPT: u64 = 4;

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
    usize::try_from(soft - soft / KEPT).unwrap_or(usize::MAX)
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
}
