//! Writes decided plans: rows, then the events that tell of them, in the caller's transaction. Whoever commits it
//! rings the hub's bell afterwards, and counts the tally.

use std::collections::HashMap;

use taskloom_entity::{EventKind, TaskId, TaskState, TenantId, Timestamp};

use super::tally::CommitTally;
use crate::error::Result;
use crate::store::event::NewEvent;
use crate::store::{Tx, change, event};
use crate::task::{Move, Plan};

/// Writes the plans with their events. `actor` is who asked; none for the engine itself.
///
/// # Errors
/// `INTERNAL` when a row is not what its plan saw; when the database does not answer.
pub async fn apply(tx: &Tx, plans: &[Plan], actor: Option<&str>, now: Timestamp) -> Result<CommitTally> {
    apply_with(tx, plans, vec![], actor, now).await
}

/// The same, with events of the caller's behind the plans' own.
///
/// # Errors
/// As [`apply`].
pub async fn apply_with(
    tx: &Tx,
    plans: &[Plan],
    more: Vec<NewEvent>,
    actor: Option<&str>,
    now: Timestamp,
) -> Result<CommitTally> {
    change::write(tx, plans).await?;
    let states: HashMap<TaskId, TaskState> =
        plans.iter().map(|plan| &plan.snapshot.task).map(|it| (it.id, it.state)).collect();
    // They stand behind the plans' own, and are told of the tasks as those left them.
    let more = more.into_iter().map(|event| NewEvent { from_state: states.get(&event.task_id).copied(), ..event });
    let events = plans.iter().flat_map(|plan| events(plan, actor, now)).chain(more).collect();
    event::append(tx, events).await?;
    Ok(CommitTally::of(plans))
}

fn events(plan: &Plan, actor: Option<&str>, now: Timestamp) -> impl Iterator<Item = NewEvent> {
    let mut stands = plan.task_touched.unwrap_or(plan.snapshot.task.state);
    plan.moves.iter().map(move |step| {
        let event = NewEvent { from_state: Some(stands), ..told(plan, step, actor, now) };
        stands = event.task_state.unwrap_or(stands);
        event
    })
}

fn told(plan: &Plan, step: &Move, actor: Option<&str>, now: Timestamp) -> NewEvent {
    let task = &plan.snapshot.task;
    let told = blank(task.tenant_id, task.id, now);
    match step {
        Move::Subtask { index, state, operation, message, attempt_id } => NewEvent {
            subtask_id: Some(plan.snapshot.subtasks[*index].id),
            attempt_id: *attempt_id,
            kind: EventKind::SubtaskChanged,
            subtask_state: Some(*state),
            operation: Some(*operation),
            message: message.clone(),
            actor: actor.map(str::to_owned),
            ..told
        },
        Move::Task { state, operation, message } => NewEvent {
            kind: EventKind::TaskChanged,
            task_state: Some(*state),
            operation: Some(*operation),
            progress: Some(task.progress),
            message: message.clone(),
            actor: actor.map(str::to_owned),
            ..told
        },
    }
}

/// An event of this task that tells nothing yet.
#[must_use]
pub fn blank(tenant_id: TenantId, task_id: TaskId, at: Timestamp) -> NewEvent {
    NewEvent {
        at,
        tenant_id,
        task_id,
        subtask_id: None,
        attempt_id: None,
        kind: EventKind::Progress,
        from_state: None,
        task_state: None,
        subtask_state: None,
        operation: None,
        progress: None,
        message: None,
        actor: None,
    }
}
