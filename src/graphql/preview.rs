//! What an operation would do.

use async_graphql::{ID, SimpleObject};

use super::state::{Effect, TaskState};
use crate::gql::id;
use crate::gql::many::Many;
use crate::task::Snapshot;
use crate::task::preview;

/// What an operation would do, if every attempt succeeds.
#[derive(Clone, Debug, SimpleObject)]
pub struct Preview {
    /// In order.
    steps: Many<PreviewStep>,
    /// How the task would end.
    ends: TaskState,
}

/// What would happen to one subtask.
#[derive(Clone, Debug, SimpleObject)]
pub struct PreviewStep {
    /// The subtask.
    subtask_id: ID,
    /// Its name.
    name: String,
    /// What would happen to it.
    effect: Effect,
    /// From 0, at once; steps of the same wave happen side by side.
    wave: i32,
}

impl Preview {
    /// The preview with the subtasks' names.
    #[must_use]
    pub fn new(snapshot: &Snapshot, preview: preview::Preview) -> Self {
        let step = |step: preview::Step| {
            let subtask = &snapshot.subtasks[step.index];
            PreviewStep {
                subtask_id: id::encode("Subtask", subtask.id),
                name: subtask.name.clone(),
                effect: step.effect.into(),
                wave: i32::try_from(step.wave).unwrap_or(i32::MAX),
            }
        };
        Self { steps: preview.steps.into_iter().map(step).collect(), ends: preview.ends.into() }
    }
}
