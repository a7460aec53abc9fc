//! What a transaction decided, counted when it is committed: what was rolled back never happened, and is not counted.

use taskloom_entity::{AttemptState, TaskState};

use crate::task::Plan;
use crate::task::draft::Move;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{Outcome, TaskStateLabels, Write};

/// To be counted after the commit.
#[derive(Debug, Default)]
#[must_use = "it is counted after the commit"]
pub struct CommitTally {
    /// How tasks ended.
    tasks: Vec<&'static str>,
    /// How attempts ended.
    pub(super) attempts: Vec<AttemptState>,
    /// Reports of attempts that were lost.
    pub(super) refused_reports: u64,
}

impl CommitTally {
    pub(super) fn of(plans: &[Plan]) -> Self {
        Self { tasks: plans.iter().filter_map(ended).collect(), ..Self::default() }
    }

    /// Moves the metrics.
    pub fn count(self, metrics: &Metrics) {
        for state in self.tasks {
            metrics.tasks_finished.get_or_create(&TaskStateLabels { state }).inc();
        }
        for state in self.attempts {
            if let Some(outcome) = outcome(state) {
                metrics.attempts_finished.get_or_create(&Outcome { outcome }).inc();
            }
        }
        if self.refused_reports > 0 {
            metrics.refused_writes.get_or_create(&Write { write: "report" }).inc_by(self.refused_reports);
        }
    }
}

/// The end that this plan brings the task to, if any.
fn ended(plan: &Plan) -> Option<&'static str> {
    let last = plan.moves.iter().rev().find_map(|step| match step {
        Move::Task { state, .. } => Some(*state),
        Move::Subtask { .. } => None,
    });
    match last? {
        TaskState::Successful => Some("successful"),
        TaskState::Failed => Some("failed"),
        TaskState::Canceled => Some("canceled"),
        TaskState::RolledBack => Some("rolled_back"),
        TaskState::Pending | TaskState::Running | TaskState::Paused | TaskState::Canceling => None,
    }
}

const fn outcome(state: AttemptState) -> Option<&'static str> {
    match state {
        AttemptState::Successful => Some("successful"),
        AttemptState::Failed => Some("failed"),
        AttemptState::TimedOut => Some("timed_out"),
        AttemptState::Canceled => Some("canceled"),
        AttemptState::Lost => Some("lost"),
        AttemptState::Running => None,
    }
}
