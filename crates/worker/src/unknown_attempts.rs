//! Attempts that the database has running in a session whose worker has never heard of them: the answer to the claim
//! was lost. One look proves nothing, since an assignment may be on its way, and an end just being recorded.

use std::collections::HashMap;
use std::time::Duration;

use taskloom_core::AttemptId;
use tokio::time::Instant;

use super::port::AttemptRef;

/// Which attempts were unknown at the last look, and since when.
#[derive(Debug)]
pub(super) struct UnknownAttempts {
    since: HashMap<AttemptId, Instant>,
    apart: Duration,
}

impl UnknownAttempts {
    /// Two looks count when they are so far apart.
    pub(super) fn apart(apart: Duration) -> Self {
        Self { since: HashMap::new(), apart }
    }

    /// A look: those that the worker does not know now, and did not know before.
    pub(super) fn look(
        &mut self,
        named: impl Iterator<Item = AttemptRef>,
        is_known: impl Fn(AttemptId) -> bool,
        now: Instant,
    ) -> Vec<AttemptRef> {
        let unknown: Vec<AttemptRef> = named.filter(|attempt| !is_known(attempt.id)).collect();
        let before = std::mem::take(&mut self.since);
        let since = |attempt: &AttemptRef| before.get(&attempt.id).copied().unwrap_or(now);
        self.since = unknown.iter().map(|attempt| (attempt.id, since(attempt))).collect();
        unknown.into_iter().filter(|attempt| now.duration_since(since(attempt)) >= self.apart).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use taskloom_core::{AttemptId, SubtaskId, TaskId};
    use tokio::time::Instant;

    use super::{AttemptRef, UnknownAttempts};

    #[test]
    fn only_what_is_unknown_twice_and_in_between_is_lost() {
        let attempt = |id| AttemptRef { id: AttemptId(id), subtask_id: SubtaskId(1), task_id: TaskId(1), epoch: 1 };
        let begun = Instant::now();
        let mut unknown = UnknownAttempts::apart(Duration::from_secs(5));
        let mut look = |named: &[i64], known: &[i64], second| {
            let now = begun + Duration::from_secs(second);
            let lost = unknown.look(named.iter().copied().map(attempt), |id| known.contains(&id.0), now);
            lost.iter().map(|attempt| attempt.id.0).collect::<Vec<_>>()
        };
        assert_eq!(look(&[1, 2, 3], &[3], 0), [0_i64; 0], "one look proves nothing");
        assert_eq!(look(&[1, 2, 3], &[2, 3], 4), [0_i64; 0], "2 was on its way");
        assert_eq!(look(&[1, 2, 3], &[3], 5), [1], "2 is recorded in this moment");
        assert_eq!(look(&[2], &[], 6), [0_i64; 0]);
        assert_eq!(look(&[], &[], 7), [0_i64; 0]);
        assert_eq!(look(&[2], &[], 20), [0_i64; 0], "it had gone: this is the first look");
        assert_eq!(look(&[2], &[], 25), [2]);
    }
}
