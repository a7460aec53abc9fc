//! What holds of every decision and at every rest, whatever led there.

use crate::task::state::{self, SubtaskEvent, TaskEvent};
use crate::task::{Move, Plan, Snapshot, SubtaskFacts};
use crate::{Operation, SubtaskState, TaskState};

/// A plan names what it changes, follows the table, and writes exactly what it says.
pub(super) fn plan(before: &Snapshot, plan: &Plan) {
    touched(before, plan);
    moves(before, plan);
    progress(before, plan);
    assert_eq!(written(before, plan), plan.snapshot, "the conditional writes give the snapshot after");
    for (was, is) in before.subtasks.iter().zip(&plan.snapshot.subtasks) {
        assert!(is.epoch >= was.epoch && is.runs >= was.runs, "{}: fences and runs only rise", is.name);
        let fenced = is.epoch > was.epoch || is.attempt_id == was.attempt_id;
        assert!(fenced, "{}: another attempt has another epoch", is.name);
    }
}

fn touched(before: &Snapshot, plan: &Plan) {
    let mut seen = vec![];
    for touched in &plan.touched {
        let was = &before.subtasks[touched.index];
        assert_eq!((touched.state, touched.epoch), (was.state, was.epoch), "{} as it was before", was.name);
        assert!(!seen.contains(&touched.index), "{} is named twice", was.name);
        seen.push(touched.index);
    }
    if let Some(state) = plan.task_touched {
        assert_eq!(state, before.task.state, "the task as it was before");
    }
}

/// The writes on a copy of the rows, each only under its condition.
fn written(before: &Snapshot, plan: &Plan) -> Snapshot {
    let mut rows = before.clone();
    for touched in &plan.touched {
        let row = &mut rows.subtasks[touched.index];
        assert!(row.state == touched.state && row.epoch == touched.epoch);
        *row = plan.snapshot.subtasks[touched.index].clone();
    }
    if plan.task_touched == Some(rows.task.state) {
        rows.task = plan.snapshot.task.clone();
    }
    rows
}

/// Each move is one step of the table from the state before; together they lead to the snapshot after.
fn moves(before: &Snapshot, plan: &Plan) {
    let mut subtasks: Vec<(SubtaskState, Operation)> = before.subtasks.iter().map(|s| (s.state, s.operation)).collect();
    let mut task = (before.task.state, before.task.operation);
    for step in &plan.moves {
        match step {
            Move::Subtask { index, state, operation, .. } => {
                let was = std::mem::replace(&mut subtasks[*index], (*state, *operation));
                let known = SubtaskEvent::ALL.iter().any(|&event| state::subtask(was.0, event) == Some(*state));
                let doing = was.0 == *state && was.1 != *operation;
                assert!(known || doing, "{}: {was:?} to {state}", before.subtasks[*index].name);
            }
            Move::Task { state, operation, .. } => {
                let was = std::mem::replace(&mut task, (*state, *operation));
                let known = TaskEvent::ALL.iter().any(|&event| state::task(was.0, event) == Some(*state));
                assert!(known, "task: {was:?} to {state}");
            }
        }
    }
    let after = &plan.snapshot;
    assert_eq!(task, (after.task.state, after.task.operation), "every change of the task is told");
    for ((state, operation), is) in subtasks.into_iter().zip(&after.subtasks) {
        assert_eq!(state, is.state, "{}: every change of state is told", is.name);
        // What a rollback marks and releases in one decision is told once, as READY.
        assert_eq!(operation, is.operation, "{}: every change of operation is told", is.name);
    }
}

/// Within one operation the task's progress only rises; a new one begins when an ended task is reopened.
fn progress(before: &Snapshot, plan: &Plan) {
    let (was, is) = (&before.task, &plan.snapshot.task);
    assert!((0.0..=1.0).contains(&is.progress), "progress {}", is.progress);
    assert!(was.state.is_final() || is.progress >= was.progress, "progress fell: {} to {}", was.progress, is.progress);
}

/// What holds between decisions.
pub(super) fn rest(snapshot: &Snapshot) {
    let task = &snapshot.task;
    let active = snapshot.subtasks.iter().any(|s| s.state.is_active());
    assert_eq!(task.state.is_final(), !active, "{}: ended exactly when nothing is active", task.state);
    assert_eq!(task.finished_at.is_some(), task.state.is_final(), "{}: finished_at", task.state);
    let all = |state| snapshot.subtasks.iter().all(|s| s.state == state);
    assert_eq!(task.state == TaskState::Successful, all(SubtaskState::Successful) && !task.backward);
    assert_eq!(task.state == TaskState::RolledBack, all(SubtaskState::Pending) && task.backward);
    assert!(task.state != TaskState::Failed || snapshot.subtasks.iter().any(|s| s.state == SubtaskState::Failed));
    assert!(task.state != TaskState::Failed || task.message.is_some(), "a failed task says why");
    assert!(task.started_at.is_some() || snapshot.subtasks.iter().all(|s| s.runs == 0), "started_at");
    for (index, subtask) in snapshot.subtasks.iter().enumerate() {
        one(snapshot, index, subtask);
    }
}

fn one(snapshot: &Snapshot, index: usize, subtask: &SubtaskFacts) {
    let name = &subtask.name;
    let may_run = matches!(subtask.state, SubtaskState::Ready | SubtaskState::Running);
    let paused = snapshot.task.state == TaskState::Paused;
    assert_eq!(subtask.held, paused && may_run, "{name}: held exactly when its task is paused and it would go on");
    assert!(!may_run || snapshot.task.state != TaskState::Canceling, "{name}: nothing goes on in a cancelled task");
    assert!((0.0..=1.0).contains(&subtask.progress), "{name}: progress {}", subtask.progress);
    match subtask.state {
        SubtaskState::Pending | SubtaskState::Ready => assert_eq!(subtask.progress, 0.0, "{name}: nothing runs"),
        SubtaskState::Successful => assert_eq!(subtask.progress, 1.0, "{name}: nothing is left to do"),
        SubtaskState::Running | SubtaskState::Canceling | SubtaskState::Failed => {}
    }
    assert!(!may_run || subtask.finished_at.is_none(), "{name}: what is to run or runs has not ended");
    assert!(subtask.tries <= subtask.max_tries.max(1), "{name}: {} tries", subtask.tries);
    if subtask.state.is_active() && snapshot.task.backward {
        assert!(snapshot.is_undo_releasable(index), "{name} is undone before its downstreams");
    } else if subtask.state.is_active() {
        assert!(snapshot.is_releasable(index), "{name} runs before its upstreams are done");
    }
    if may_run {
        let undoes = subtask.operation == Operation::Rollback;
        assert_eq!(undoes, snapshot.task.backward, "{name} goes the way of its task");
    }
}
