//! Reads an assignment: what of its subtask is to run, whether anything has to, and the executor's work for it.

use serde_json::Value;
use taskloom_core::Operation;
use taskloom_core::task::spec::{Run, Subtask};
use taskloom_executor::{Limits, Program, Work};

use super::options::WorkerOptions;
use super::port::Assignment;

/// The subtask of an assignment, and what of it is to run. An undo that the subtask does not have is a noop.
pub(super) fn read(assignment: &Assignment) -> serde_json::Result<(Subtask, Run)> {
    let subtask: Subtask = serde_json::from_str(&assignment.spec)?;
    let undo = assignment.operation == Operation::Rollback;
    let run = if undo { subtask.undo.clone() } else { Some(subtask.run.clone()) };
    Ok((subtask, run.unwrap_or(Run::Noop { sleep: None })))
}

/// Whether nothing has to run: a gate, or an undo that its subtask does not have.
pub(super) fn is_instant(assignment: &Assignment) -> bool {
    // The cheap look first: only what names a noop, or undoes, is read.
    let may_be = assignment.operation == Operation::Rollback || assignment.spec.contains("\"noop\"");
    may_be && matches!(read(assignment), Ok((_, Run::Noop { sleep: None })))
}

/// The work of an attempt, but for its secrets.
pub(super) fn work(assignment: &Assignment, subtask: Subtask, program: Program, options: &WorkerOptions) -> Work {
    let attempt = assignment.attempt;
    let name = format!("{}-{}-{}", attempt.task_id, attempt.subtask_id, attempt.id);
    let environment = vec![
        ("TASKLOOM_TASK_ID".to_owned(), attempt.task_id.to_string()),
        ("TASKLOOM_SUBTASK_ID".to_owned(), attempt.subtask_id.to_string()),
        ("TASKLOOM_SUBTASK".to_owned(), subtask.name),
        ("TASKLOOM_OPERATION".to_owned(), assignment.operation.to_string()),
        ("TASKLOOM_RUN".to_owned(), assignment.number.to_string()),
    ];
    Work {
        folder: options.folder.join(&name),
        name,
        program,
        parameters: Value::Object(assignment.parameters.clone()),
        environment,
        timeout: subtask.timeout,
        grace: options.grace,
        limits: Limits {
            memory_bytes: subtask.limits.memory,
            cpu: subtask.limits.cpu,
            processes: subtask.limits.processes,
            file_size: subtask.limits.file_size,
        },
        user: subtask.run_as,
        secrets: vec![],
    }
}
