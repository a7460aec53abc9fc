//! What an assignment is for the executor: the program, what it has to be given by name, and the whole work.

use serde_json::Value;
use taskloom_entity::Operation;

use super::access::UnreadableAccess;
use super::options::WorkerOptions;
use super::port::{Assignment, AttemptEquipment, AttemptNeeds};
use crate::executor::{Limits, Program, Work, http, sql, vsphere};
use crate::task::spec::{Http, Run, Subtask, Vsphere};

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

/// What is to be asked for by name.
pub(super) fn needs(subtask: &Subtask, run: &Run) -> AttemptNeeds {
    let mut needs = AttemptNeeds { secrets: subtask.secrets.clone(), ..AttemptNeeds::default() };
    match run {
        Run::Sql(sql) => needs.source = Some(sql.source.clone()),
        Run::Vsphere(vsphere) => needs.vcenter = Some(vsphere.vcenter.clone()),
        Run::Shell(_) | Run::Python(_) | Run::Noop { .. } | Run::Http(_) => {}
    }
    needs
}

/// What runs, with the data source or vCenter of the equipment.
///
/// # Errors
/// Why there is nothing to run, for people.
pub(super) fn program(run: Run, equipment: &mut AttemptEquipment) -> Result<Program, String> {
    const NOWHERE: &str = "it has no data source and no vCenter";
    Ok(match run {
        Run::Shell(code) => Program::Shell(code),
        Run::Python(code) => Program::Python(code),
        Run::Noop { sleep } => Program::Noop { sleep },
        Run::Sql(sql) => {
            let source = equipment.source.take().ok_or(NOWHERE)?.into();
            Program::Sql(Box::new(sql::Job { statements: sql.sql, source }))
        }
        Run::Http(Http { method, url, headers, body, expect, retries }) => {
            Program::Http(Box::new(http::Job { method, url, headers, body, expect, retries }))
        }
        Run::Vsphere(Vsphere { operation, .. }) => {
            let server = equipment.vcenter.take().ok_or(NOWHERE)?;
            let server = server.try_into().map_err(|error: UnreadableAccess| error.to_string())?;
            Program::Vsphere(Box::new(vsphere::Job { operation, server }))
        }
    })
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
        secrets: vec![],
    }
}
