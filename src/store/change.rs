//! Writes decided changes: many tasks' rows at a time, each under the condition that it still is what the decision
//! saw. A row that is not means that two deciders held one lock: our own fault, and nothing of it is kept.

use sea_orm::{ConnectionTrait, Statement, Value};
use taskloom_entity::{Operation, SubtaskState, TaskState};

use super::Tx;
use super::bulk::BulkRows;
use crate::error::{Error, Result};
use crate::task::Plan;
use crate::task::draft::Touched;

/// A task's plan was made on rows that changed meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("{rows} of {wanted} {what} were changed: the lock on their task does not hold")]
struct Overtaken {
    what: &'static str,
    rows: u64,
    wanted: usize,
}

/// Writes the rows of these plans.
///
/// # Errors
/// `INTERNAL` when a row is not what its plan saw; when the database does not answer.
pub async fn write(tx: &Tx, plans: &[Plan]) -> Result<()> {
    subtasks(tx, plans).await?;
    tasks(tx, plans).await
}

async fn subtasks(tx: &Tx, plans: &[Plan]) -> Result<()> {
    let mut rows = BulkRows::default();
    for plan in plans {
        for touched in &plan.touched {
            rows.push(subtask(plan, *touched));
        }
    }
    let sql = "UPDATE subtask SET state = v.column4, operation = v.column5, held = v.column6, progress = v.column7, \
               runs = v.column8, tries = v.column9, epoch = v.column10, attempt_id = v.column11, not_before = v.column12, \
               message = v.column13, started_at = v.column14, finished_at = v.column15 FROM ";
    let condition = "WHERE subtask.id = v.column1 AND subtask.state = v.column2 AND subtask.epoch = v.column3";
    run(tx, "subtasks", rows, sql, condition).await
}

fn subtask(plan: &Plan, Touched { index, state, epoch }: Touched) -> [Value; 15] {
    let now = &plan.snapshot.subtasks[index];
    [
        now.id.0.into(),
        SubtaskState::name(state).into(),
        epoch.into(),
        now.state.name().into(),
        now.operation.name().into(),
        now.held.into(),
        now.progress.into(),
        now.runs.into(),
        now.tries.into(),
        now.epoch.into(),
        now.attempt_id.map(|id| id.0).into(),
        now.not_before.map(|at| at.0).into(),
        now.message.clone().into(),
        now.started_at.map(|at| at.0).into(),
        now.finished_at.map(|at| at.0).into(),
    ]
}

async fn tasks(tx: &Tx, plans: &[Plan]) -> Result<()> {
    let mut rows = BulkRows::default();
    for plan in plans {
        if let Some(before) = plan.task_touched {
            let task = &plan.snapshot.task;
            rows.push([
                task.id.0.into(),
                TaskState::name(before).into(),
                task.state.name().into(),
                Operation::name(task.operation).into(),
                task.backward.into(),
                task.progress.into(),
                task.message.clone().into(),
                task.started_at.map(|at| at.0).into(),
                task.finished_at.map(|at| at.0).into(),
            ]);
        }
    }
    let sql = "UPDATE task SET state = v.column3, operation = v.column4, backward = v.column5, progress = v.column6, \
               message = v.column7, started_at = v.column8, finished_at = v.column9 FROM ";
    run(tx, "tasks", rows, sql, "WHERE task.id = v.column1 AND task.state = v.column2").await
}

async fn run(tx: &Tx, what: &'static str, rows: BulkRows, sql: &str, condition: &str) -> Result<()> {
    let wanted = rows.len();
    let mut changed = 0;
    for statement in rows.statements(tx.get_database_backend(), sql, condition) {
        changed += tx.execute_raw(statement).await?.rows_affected();
    }
    if changed == wanted as u64 { Ok(()) } else { Err(Error::internal(Overtaken { what, rows: changed, wanted })) }
}

/// Runs statements whose number of changed rows is not a question.
pub(super) async fn run_all(tx: &Tx, statements: Vec<Statement>) -> Result<()> {
    for statement in statements {
        tx.execute_raw(statement).await?;
    }
    Ok(())
}
