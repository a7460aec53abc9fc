//! OceanBase Cloud Platform's task instances: `/api/v2/tasks/instances`, as OCP 4.2 answers them.

mod ask;
mod call;
mod error;
mod list;
mod log;
mod sign;
mod time;
mod wire;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{any, get, post};
use taskloom_entity::{SubtaskId, TaskId, task};
use utoipa::OpenApi;

use self::call::{Ocp, OcpCall, OcpSecuritySchemes, no_such_path, wrong_method};
use self::error::OcpRefusal;
use self::wire::{DoneAnswer, ErrorAnswer, LogAnswer, SubtaskAnswer, TaskAnswer};
use super::caller::Guest;
use super::captured::Captured;
use super::{Server, hint};
use crate::resolver::{self, whole};

macro_rules! documents {
    ($($name:literal),+ $(,)?) => {
        /// The GraphQL document of each route.
        pub const DOCUMENTS: &[hint::OperationDocument] =
            &[$((concat!("ocp.", $name), include_str!(concat!("operations/", $name, ".graphql")))),+];
    };
}

documents! {
    "listTaskInstances", "getTaskInstance", "rollbackTaskInstance", "retryTaskInstance",
    "cancelSubtask", "retrySubtask", "skipSubtask", "getSubtaskLog",
}

const TASKS: &str = "/api/v2/tasks/instances";

/// The dialect's routes; everything else below `/api/v2` is answered in its envelope.
pub fn router(server: Server, guest: Guest) -> Router {
    let task = |rest: &str| format!("{TASKS}/{{taskInstanceId}}{rest}");
    let subtask = |rest: &str| task(&format!("/subtasks/{{subtaskInstanceId}}/{rest}"));
    Router::new()
        .route(TASKS, hint::route(get, "ocp.listTaskInstances", list::list))
        .route(&task(""), hint::route(get, "ocp.getTaskInstance", detail))
        .route(&task("/rollback"), hint::route(post, "ocp.rollbackTaskInstance", rollback))
        .route(&task("/retry"), hint::route(post, "ocp.retryTaskInstance", retry))
        .route(&subtask("cancel"), hint::route(post, "ocp.cancelSubtask", cancel_subtask))
        .route(&subtask("retry"), hint::route(post, "ocp.retrySubtask", retry_subtask))
        .route(&subtask("skip"), hint::route(post, "ocp.skipSubtask", skip_subtask))
        .route(&subtask("log"), hint::route(get, "ocp.getSubtaskLog", subtask_log))
        .method_not_allowed_fallback(wrong_method)
        .route("/api/v2", any(no_such_path))
        .route("/api/v2/", any(no_such_path))
        .route("/api/v2/{*rest}", any(no_such_path))
        .layer(from_fn(sign::digest))
        .with_state(Ocp { server, guest })
}

/// What is true of the dialect as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "Taskloom: OCP task instances", description = "The task instances of OceanBase Cloud Platform 4.2, answered by Taskloom. Every task that the caller may see shows here, whichever door it came through. Each answer names the GraphQL operation that does the same."),
    paths(list::list, detail, rollback, retry, cancel_subtask, retry_subtask, skip_subtask, subtask_log),
    modifiers(&OcpSecuritySchemes),
    security(("basic" = []), ("bearer" = []), ("accessKey" = [])),
    servers((url = "/", description = "This server")),
    tags((name = "tasks", description = "Task instances and their subtasks"))
)]
struct OcpOpenApi;

/// The dialect's OpenAPI description.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    OcpOpenApi::openapi()
}

/// Shows one task instance with its subtasks.
#[utoipa::path(get, path = "/api/v2/tasks/instances/{taskInstanceId}", operation_id = "ocp.getTaskInstance",
    tag = "tasks", params(ask::TaskPath), responses((status = 200, description = "The task", body = TaskAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
async fn detail(call: OcpCall, Captured([id]): Captured<1>) -> Response {
    let found = async { shown(&call, resolver::task::get(&call.request, ask::task_id(&id)?).await?).await };
    call.answer(found.await)
}

/// Undoes what ran, against the arrows.
#[utoipa::path(post, path = "/api/v2/tasks/instances/{taskInstanceId}/rollback", tag = "tasks",
    operation_id = "ocp.rollbackTaskInstance", params(ask::TaskPath),
    responses((status = 200, description = "The task", body = TaskAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
async fn rollback(call: OcpCall, Captured([id]): Captured<1>) -> Response {
    let changed = async { shown(&call, resolver::task::rollback(&call.request, ask::task_id(&id)?).await?).await };
    call.answer(changed.await)
}

/// Runs again what failed.
#[utoipa::path(post, path = "/api/v2/tasks/instances/{taskInstanceId}/retry", tag = "tasks",
    operation_id = "ocp.retryTaskInstance", params(ask::TaskPath),
    responses((status = 200, description = "The task", body = TaskAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
async fn retry(call: OcpCall, Captured([id]): Captured<1>) -> Response {
    let changed = async { shown(&call, resolver::task::retry(&call.request, ask::task_id(&id)?).await?).await };
    call.answer(changed.await)
}

/// A task in one piece.
async fn shown(call: &OcpCall, task: task::Model) -> Result<wire::OcpTask, OcpRefusal> {
    let prohibited = whole::prohibits_rollback(&call.request, task.id).await?;
    let whole = whole::of(&call.request, task).await?;
    let timeouts = whole::timeouts(&call.request, &whole.subtasks).await?;
    Ok(wire::OcpTask::of(&whole, &timeouts, prohibited, call.zone()))
}

/// Stops a subtask that runs.
#[utoipa::path(post, path = "/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/cancel",
    tag = "tasks", operation_id = "ocp.cancelSubtask", params(ask::SubtaskPath),
    responses((status = 200, description = "Done", body = DoneAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
async fn cancel_subtask(call: OcpCall, Captured(ids): Captured<2>) -> Response {
    let changed = async { Ok(resolver::subtask::cancel(&call.request, ask::subtask(&ids)?.into()).await?) };
    call.done(changed.await)
}

/// Runs a failed subtask again.
#[utoipa::path(post, path = "/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/retry",
    tag = "tasks", operation_id = "ocp.retrySubtask", params(ask::SubtaskPath),
    responses((status = 200, description = "The subtask", body = SubtaskAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
async fn retry_subtask(call: OcpCall, Captured(ids): Captured<2>) -> Response {
    let changed = async {
        let (task_id, id): (TaskId, SubtaskId) = ask::subtask(&ids)?;
        let subtask = resolver::subtask::retry(&call.request, (task_id, id).into()).await?;
        let whole = whole::get(&call.request, task_id).await?;
        let timeouts = whole::timeouts(&call.request, std::slice::from_ref(&subtask)).await?;
        Ok(wire::OcpSubtask::of(&whole, &timeouts, &subtask, call.zone()))
    };
    call.answer(changed.await)
}

/// Counts a failed subtask as done.
#[utoipa::path(post, path = "/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/skip",
    tag = "tasks", operation_id = "ocp.skipSubtask", params(ask::SubtaskPath),
    responses((status = 200, description = "Done", body = DoneAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
async fn skip_subtask(call: OcpCall, Captured(ids): Captured<2>) -> Response {
    let changed = async { Ok(resolver::subtask::skip(&call.request, ask::subtask(&ids)?.into()).await?) };
    call.done(changed.await)
}

/// Shows a subtask's log.
#[utoipa::path(get, path = "/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/log",
    tag = "tasks", operation_id = "ocp.getSubtaskLog", params(ask::SubtaskPath),
    responses((status = 200, description = "The log", body = LogAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
async fn subtask_log(call: OcpCall, Captured(ids): Captured<2>) -> Response {
    let found = async {
        let subtask = ask::subtask(&ids)?.into();
        let tail = resolver::log::end(&call.request, subtask).await?;
        let attempts = resolver::subtask::attempts(&call.request, subtask).await?;
        Ok(wire::OcpSubtaskLog { log: log::text(&tail, &attempts, call.zone()) })
    };
    call.answer(found.await)
}
