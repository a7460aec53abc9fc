//! Jobs as notebooks submit them: whoever submitted one may stop it and read its results; for another's it takes an
//! administrator.

use taskloom_entity::{Role, TaskId, TaskState, task};

use super::Request;
use super::audit::{self, Act};
use crate::error::{Error, Result, code};

/// Whether the caller may submit and stop jobs at all; a refusal is recorded.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`.
pub async fn permit(request: &Request) -> Result<()> {
    audit::permit(request, Role::Manager, &Act::new("task.submit", "task")).await.map(drop)
}

/// A job of the caller's own; an administrator's are all.
///
/// # Errors
/// `TASK_NOT_FOUND`, `NOT_THE_OWNER`.
pub async fn own(request: &Request, id: TaskId) -> Result<task::Model> {
    let task = super::task::get(request, id).await?;
    let own = task.creator_id.is_some() && task.creator_id == request.principal.user_id();
    if own || request.principal.role() == Some(Role::Admin) {
        return Ok(task);
    }
    Err(Error::new(&code::NOT_THE_OWNER).with("id", id).with("user", task.creator))
}

/// Pauses a job of the caller's own; once more changes nothing.
///
/// # Errors
/// `TASK_NOT_FOUND`, `NOT_THE_OWNER`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "job.pause", skip_all, fields(%id))]
pub async fn pause(request: &Request, id: TaskId) -> Result<task::Model> {
    match own(request, id).await {
        Ok(task) if task.state == TaskState::Paused => Ok(task),
        Ok(_) => super::task::pause(request, id).await,
        Err(error) => {
            let act = Act::new("task.pause", format_args!("task:{id}"));
            Err(audit::refuse(request, &act, error).await)
        }
    }
}

/// Stops a job of the caller's own, with all its processes.
///
/// # Errors
/// `TASK_NOT_FOUND`, `NOT_THE_OWNER`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "job.kill", skip_all, fields(%id))]
pub async fn kill(request: &Request, id: TaskId) -> Result<task::Model> {
    if let Err(error) = own(request, id).await {
        let act = Act::new("task.cancel", format_args!("task:{id}"));
        return Err(audit::refuse(request, &act, error).await);
    }
    super::task::cancel(request, id).await
}
