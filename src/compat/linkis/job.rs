//! Jobs: submitted, watched, stopped and paused.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use serde_json::Value;
use taskloom_entity::{JsonText, TaskState, task};

use super::super::long::Long;
use super::super::query::{Query, Wrong};
use super::call::{Call, Change};
use super::envelope::{Message, Refusal, Refused, Said};
use super::log::{Ask, accepted, shown};
use super::submit::{self, Run};
use super::wire::{self, Named, Status};
use super::{id, log as lines};
use crate::error::{Error, code};
use crate::resolver::whole::{self, Whole};
use crate::resolver::{self, job};
use crate::text::written;

const OK: &str = "OK";
const ENDED: &str = "The job already completed. Do not support kill.(任务已经结束，不支持kill)";
const NO_STATUS: &str = "ID The corresponding job is empty and cannot obtain the corresponding task status.(ID 对应的job为空，不能获取相应的任务状态)";
const NO_PROGRESS: &str = "The job corresponding to the ID is empty, and the corresponding task progress cannot be obtained.(ID 对应的job为空，不能获取相应的任务进度)";
const NO_LOG: &str = "Failed to get log information(获取日志信息失败)";
const NO_KILL: &str = "Get job by ID error, kill failed.(获取job时发生异常，kill失败)";
const UNEQUAL: &str =
    "The length of the ID list does not match the length of the TASKID list(id列表的长度与taskId列表的长度不一致)";
const NO_LISTS: &str = "Request parameter error, please use array(请求参数错误，请使用数组)";
/// Jobs that one call kills at the most.
const MOST: usize = 10_000;

impl From<Wrong> for Refusal {
    fn from(Wrong { name, value, reason }: Wrong) -> Self {
        Self::words(format!("{name} does not accept '{value}': {reason}(参数{name}无效)"))
    }
}

/// The job that an id of the path names; these words when it names none.
async fn find(call: &Call, text: &str, unknown: &str) -> Result<Whole, Refusal> {
    let id = id::parse(text).ok_or_else(|| Refusal::words(unknown))?;
    whole::get(&call.request, id).await.map_err(|error| Refusal::or_unknown(error, || unknown.to_owned()))
}

/// The names of a job, as it was submitted with.
pub async fn named<'a>(call: &'a Call, task: &'a task::Model) -> Result<Named<'a>, Error> {
    let said = whole::submissions(&call.request, &[task.id]).await?;
    Ok(Named { task, origin: said.get(&task.id).map_or(Value::Null, JsonText::value), instance: call.instance() })
}

/// Submits a job. Either form of the body is understood.
#[utoipa::path(post, path = "/api/rest_j/v1/entrance/execute", operation_id = "linkis.execute", tag = "entrance",
    request_body(content = Object, description = "`{executionContent: {code, runType}, params, source, labels}`, or the old form"),
    responses((status = 200, description = "Accepted", body = Message<wire::Submitted>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn execute(call: Call, body: Bytes) -> Response {
    call.answer(accept(&call, &body).await)
}

/// Submits a job. Either form of the body is understood.
#[utoipa::path(post, path = "/api/rest_j/v1/entrance/submit", operation_id = "linkis.submit", tag = "entrance",
    request_body(content = Object, description = "`{executionContent: {code, runType}, params, source, labels}`, or the old form"),
    responses((status = 200, description = "Accepted", body = Message<wire::Submitted>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn submit(call: Call, body: Bytes) -> Response {
    call.answer(accept(&call, &body).await)
}

async fn accept(call: &Call, body: &[u8]) -> Result<Said<wire::Submitted>, Refusal> {
    // Who may not submit is told so before anything is said of the body.
    job::permit(&call.request).await?;
    let job = submit::parse(body, &call.request.principal.name())?;
    let source = match job.run {
        Run::Sql => Some(resolver::source::of_engine(&call.request, None, &job.engine).await?.name),
        Run::Shell | Run::Python | Run::Http => None,
    };
    let creator = job.creator.clone();
    let task = resolver::task::submit(&call.request, job.submission(source.as_deref())?).await?;
    let exec_id = id::exec_id(call.instance(), &creator, &task.creator, task.id);
    Ok(Said(OK, wire::Submitted { exec_id, task_id: Long(task.id.0) }))
}

/// Says where a job stands.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/status", operation_id = "linkis.status", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "Where it stands", body = Message<wire::Stands>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn status(call: Call, Path(id): Path<String>) -> Response {
    let found = async {
        let whole = find(&call, &id, NO_STATUS).await?;
        let exec_id = named(&call, &whole.task).await?.exec_id();
        Ok(Said(OK, wire::Stands { status: Status::of(&whole), exec_id }))
    };
    call.answer(found.await)
}

/// Says how far a job is.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/progress", operation_id = "linkis.progress", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "How far it is", body = Message<wire::Progress>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn progress(call: Call, Path(id): Path<String>) -> Response {
    let found = async {
        let whole = find(&call, &id, NO_PROGRESS).await?;
        let exec_id = named(&call, &whole.task).await?.exec_id();
        Ok(Said(OK, wire::Progress::of(&whole, exec_id)))
    };
    call.answer(found.await)
}

/// Says how far a job is, and what it uses.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/progressWithResource", tag = "entrance",
    operation_id = "linkis.progressWithResource",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "How far it is", body = Message<wire::WithResource>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn resource(call: Call, Path(id): Path<String>) -> Response {
    let found = async {
        let whole = find(&call, &id, NO_PROGRESS).await?;
        let exec_id = named(&call, &whole.task).await?.exec_id();
        let progress = wire::Progress::of(&whole, exec_id);
        Ok(Said(OK, wire::WithResource { progress, yarn_resource: None, resource: wire::Resource::of(&whole) }))
    };
    call.answer(found.await)
}

/// Shows lines of a job's log.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/log", operation_id = "linkis.log", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID"),
        ("fromLine" = Option<i64>, Query, description = "The first line; 0 means 1"),
        ("size" = Option<i64>, Query, description = "100 when left out; a negative one: 10,000"),
        ("distinctLevel" = Option<bool>, Query, description = "false: one text instead of four")),
    responses((status = 200, description = "Lines", body = Message<wire::Log>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn log(call: Call, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let query = Query::parse(query.as_deref())?;
        let ask = Ask::new(query.number("fromLine")?, query.number("size")?);
        let distinct = query.one("distinctLevel")? != Some("false");
        let whole = find(&call, &id, NO_LOG).await?;
        let named = named(&call, &whole.task).await?;
        let mut texts = vec![];
        if ask.has_first() {
            texts.push(accepted(&named, call.zone()));
        }
        // A line comes twice where it is told from others by how loud it is.
        let bytes = call.request.page / if distinct { 2 } else { 1 };
        texts.extend(own_lines(&call, &whole, ask.own(), bytes).await?);
        let next = ask.from + i64::try_from(texts.len()).unwrap_or(lines::MOST);
        Ok(Said(OK, wire::Log { log: shown(&texts, distinct), exec_id: named.exec_id(), from_line: Long(next) }))
    };
    call.answer(found.await)
}

/// Lines of the steps' logs, one behind the other, until there are enough or so many bytes; a job that came through this
/// door has one step.
async fn own_lines(
    call: &Call,
    whole: &Whole,
    (mut from, mut size): (i64, i64),
    mut bytes: usize,
) -> Result<Vec<String>, Refusal> {
    let mut texts = vec![];
    let mut steps = whole.subtasks.iter().peekable();
    while let Some(step) = steps.next().filter(|_| size > 0 && bytes > 0) {
        if from > step.log_lines && steps.peek().is_some() {
            from -= step.log_lines;
            continue;
        }
        let page = resolver::log::page(&call.request, step.id, from, (size, bytes)).await?;
        size -= i64::try_from(page.lines.len()).unwrap_or(size);
        bytes = page.lines.iter().fold(bytes, |left, line| left.saturating_sub(written(&line.text) + 1));
        texts.extend(page.lines.into_iter().map(|line| line.text));
        if page.next_line <= step.log_lines {
            break;
        }
        from = 1;
    }
    Ok(texts)
}

/// Stops a job with all its processes.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/kill", operation_id = "linkis.kill", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "It is being stopped", body = Message<wire::Named1>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn kill(Change(call): Change, Path(id): Path<String>) -> Response {
    call.answer(stop(&call, &id).await)
}

async fn stop(call: &Call, text: &str) -> Result<Said<wire::Named1>, Refusal> {
    job::permit(&call.request).await?;
    let id = id::parse(text).ok_or_else(|| Refusal::words(NO_KILL))?;
    let task = job::kill(&call.request, id).await.map_err(unkilled)?;
    let exec_id = named(call, &task).await?.exec_id();
    Ok(Said("Successfully killed the job(成功kill了job)", wire::Named1 { exec_id }))
}

fn unkilled(error: Error) -> Refusal {
    let own = error.code();
    if own == &code::OPERATION_NOT_ALLOWED {
        return Refusal::words(ENDED);
    }
    if own == &code::NOT_THE_OWNER {
        let user = error.value("user").unwrap_or_default();
        return Refusal::words(format!("You have no permission to kill this job, excecute by user:{user}"));
    }
    Refusal::or_unknown(error, || NO_KILL.to_owned())
}

/// Stops several jobs; one that cannot be stopped stops no other.
#[utoipa::path(post, path = "/api/rest_j/v1/entrance/{id}/killJobs", operation_id = "linkis.killJobs", tag = "entrance",
    params(("id" = String, Path, description = "Any id: the body names the jobs")),
    request_body(content = Object, description = "`{taskIDList: [7, 8], idList: [\"exec_id…\", \"exec_id…\"]}`, of one length"),
    responses((status = 200, description = "An envelope for each", body = Message<wire::Killed>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn kill_jobs(call: Call, body: Bytes) -> Response {
    let done = async {
        job::permit(&call.request).await?;
        let ids = lists(&body)?;
        let mut messages = Vec::with_capacity(ids.len());
        for id in &ids {
            let method = format!("/api/entrance/{id}/kill");
            messages.push(call.part(&method, stop(&call, id).await));
        }
        Ok(Said("success", wire::Killed { messages }))
    };
    call.answer(done.await)
}

/// The ids of the jobs: of two lists, the one of execIDs.
fn lists(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::words(NO_LISTS))?;
    let list = |key: &str| body.get(key).and_then(Value::as_array).ok_or_else(|| Refusal::words(NO_LISTS));
    let (ids, numbers) = (list("idList")?, list("taskIDList")?);
    if ids.len() != numbers.len() {
        return Err(Refusal::words(UNEQUAL));
    }
    if ids.len() > MOST {
        return Err(Refusal::words(format!("{MOST} jobs at a time are possible(一次最多{MOST}个任务)")));
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(ids.iter().map(text).collect())
}

/// Pauses a job: its processes stand still until it is resumed.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/pause", operation_id = "linkis.pause", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "It stands still", body = Message<wire::Named1>),
    (status = "4XX", description = "Refused", body = Refused)))]
pub async fn pause(Change(call): Change, Path(text): Path<String>) -> Response {
    let done = async {
        job::permit(&call.request).await?;
        let unknown = || {
            format!(
                "can not find the job of exexID :{text} can not pause (不能找到execID: {text}对应的job，不能进行pause)"
            )
        };
        let id = id::parse(&text).ok_or_else(|| Refusal::words(unknown()))?;
        let task = resolver::task::get(&call.request, id).await;
        let task = task.map_err(|error| Refusal::or_unknown(error, unknown))?;
        // Once more changes nothing.
        if task.state != TaskState::Paused {
            let paused = resolver::task::pause(&call.request, id).await;
            paused.map_err(|error| match error.code() == &code::OPERATION_NOT_ALLOWED {
                true => Refusal::words(unknown()),
                false => error.into(),
            })?;
        }
        let exec_id = named(&call, &task).await?.exec_id();
        Ok(Said("success to pause job (成功pause了job)", wire::Named1 { exec_id }))
    };
    call.answer(done.await)
}
